"""Print the proof; exit 1 where a line fails."""

import sys

from tests.proof.at_scale import at_scale
from tests.proof.lines import as_text
from tests.proof.published import published
from tests.proof.respondents import coverages, false_findings

lines = [*published(), *false_findings(), *coverages(), *at_scale()]
print(as_text(lines))
sys.exit(any(line.holds is False for line in lines))
