"""Publisher files that lie beside a checkout, for the tests that read them.

They are not part of the project: a test that needs them is marked ``needs_reference_data`` and skips,
saying so, where they are absent.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("PULSE_SHARED", Path(__file__).parents[2] / "shared"))
REFERENCE_DATA: Path = SHARED / "reference" / "data"

needs_reference_data = pytest.mark.skipif(
    not REFERENCE_DATA.is_dir(),
    reason="the publisher files of ../shared/reference/data are not beside this checkout",
)

CASES: Path = REFERENCE_DATA.parent / "cases"

needs_cases = pytest.mark.skipif(
    not CASES.is_dir(),
    reason="the case files of ../shared/reference/cases are not beside this checkout",
)
