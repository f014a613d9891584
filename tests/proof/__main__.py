"""Print the proof; exit 1 where a line fails."""

import sys

from tests.proof.published import main

sys.exit(main())
