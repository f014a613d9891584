"""Every parser, on files of any seed and on damaged ones: own errors only, and each value is there."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demonstration.publisher_files import Fault, applicable_faults
from tests.publisher_files import Cells, attempt, catalogue, parse, write

FILES = (
    ("dcms_community_life", "2023-24"),
    ("dcms_participation", "2023-24"),
    ("smc_promising_prospects", "2024"),
    ("smc_innovation_and_growth", "2025"),
    ("ons_local_statistics", "2023-24"),
    ("ons_combined_authorities", "2025"),
    ("ons_population", "mid-2023"),
)
# Each example reads a whole file, as the goldens do in the fast tests.
pytestmark = pytest.mark.slow
FEW = settings().max_examples // 5
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
HEAVY = frozenset({Fault.ZIP_BOMB})


@pytest.mark.parametrize(("dataset", "edition"), FILES)
@settings(max_examples=FEW, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_each_value_is_in_the_cell_it_cites(
    dataset: str, edition: str, data: st.DataObject
) -> None:
    possible = [f for f in applicable_faults(catalogue().dataset(dataset)) if f not in HEAVY]
    faults = data.draw(st.lists(st.sampled_from(possible), unique=True, max_size=3))
    content = write(dataset, edition, *faults, seed=data.draw(st.integers(0, 10_000)))
    parsed, code = attempt(lambda: parse(dataset, edition, content))
    if parsed is None:
        assert faults, code
        assert code != "parse"
        return
    rows = parsed.rows
    cells = Cells(content)
    fraction = Fault.PERCENT_AS_FRACTION in faults
    for row in rows.to_dict("records"):
        printed = cells(row["sheet"], row["row_number"], row["column_letter"])
        if "parent_code" in row:
            assert printed == row["parent_code"]
        elif math.isnan(row["value"]):
            assert row["status"] != "published"
        elif dataset == "ons_population":
            assert 0 <= float(str(printed)) <= row["value"]
        else:
            scale = 100 if fraction else 1
            assert math.isclose(float(str(printed)) * scale, row["value"], abs_tol=1e-9)


@pytest.mark.parametrize(("dataset", "edition"), FILES)
@settings(max_examples=2 * FEW, deadline=None, suppress_health_check=SLOW)
@given(
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 0.999999), st.integers(0, 255)), max_size=8),
)
def test_a_damaged_file_is_read_or_refused(
    dataset: str, edition: str, cut: float, changes: list[tuple[float, int]]
) -> None:
    content = write(dataset, edition)
    damaged = bytearray(content[: int(len(content) * max(cut, 0.2))])
    for place, byte in changes:
        damaged[int(place * len(damaged))] = byte
    parsed, code = attempt(lambda: parse(dataset, edition, bytes(damaged)))
    assert (parsed is None) is (code is not None)
    assert code != "parse"
