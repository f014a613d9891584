"""What a revision changed, figure by figure."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.observation import as_observations, empty_observations
from sources.selection import REVISION_COLUMNS, compare_revisions

Change = Callable[[pd.DataFrame], None]


def rows(revision: str, *figures: tuple[str, float | None]) -> pd.DataFrame:
    """Observations of one measure: area code and value; bounds a point each side."""
    return as_observations(
        pd.DataFrame(
            [
                {
                    "dataset": "d",
                    "edition": "2023-24",
                    "revision": revision,
                    "measure": "trust",
                    "area_code": area,
                    "area_name": f"Area {area}",
                    "area_level": "lad",
                    "period_start": pd.Timestamp("2023-10-01"),
                    "period_end": pd.Timestamp("2024-03-31"),
                    "unit": "percent",
                    "value": value,
                    "lower_95": None if value is None else value - 1,
                    "upper_95": None if value is None else value + 1,
                    "base": 500,
                    "status": "suppressed" if value is None else "published",
                    "origin": "publisher",
                }
                for area, value in figures
            ],
            columns=[
                name
                for name in empty_observations().columns
                if name not in ("breakdown", "category")
            ],
        )
    )


def reported(old: pd.DataFrame, new: pd.DataFrame) -> list[tuple[object, ...]]:
    found = compare_revisions(old, new)
    assert list(found.columns) == list(REVISION_COLUMNS)
    columns = ["area_code", "field", "old_value", "new_value", "kind"]
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in found[columns].values]


def test_the_same_figures_are_no_change() -> None:
    figures = (("E06000001", 40.0), ("E06000002", None))
    assert reported(rows("a", *figures), rows("b", *figures)) == []


def test_nothing_against_nothing() -> None:
    assert reported(empty_observations(), empty_observations()) == []


def test_a_changed_figure_of_a_group_is_no_change_of_everybody() -> None:
    old, new = rows("a", ("E1", 40.0)), rows("b", ("E1", 40.0))
    group = {"breakdown": "sex", "category": "Female"}
    found = compare_revisions(
        pd.concat([old, old.assign(**group)]), pd.concat([new, new.assign(**group, value=40.5)])
    )
    lines = found[["breakdown", "category", "field", "new_value"]].to_numpy().tolist()
    assert lines == [["sex", "Female", "value", 40.5]]


def test_a_changed_figure_is_reported_with_both_values() -> None:
    old, new = rows("a", ("E1", 40.0), ("E2", 50.0)), rows("b", ("E1", 41.0), ("E2", 50.0))
    assert reported(old, new) == [
        ("E1", "lower_95", 39.0, 40.0, "changed"),
        ("E1", "upper_95", 41.0, 42.0, "changed"),
        ("E1", "value", 40.0, 41.0, "changed"),
    ]
    found = compare_revisions(old, new)
    assert set(found["old_revision"]) == {"a"}
    assert set(found["new_revision"]) == {"b"}
    assert set(found["area_name"]) == {"Area E1"}


def test_added_and_removed_areas_have_one_line_each() -> None:
    old, new = rows("a", ("E1", 40.0), ("E2", 50.0)), rows("b", ("E2", 50.0), ("E3", 60.0))
    assert reported(old, new) == [
        ("E1", "value", 40.0, None, "removed"),
        ("E3", "value", None, 60.0, "added"),
    ]


def test_a_figure_that_is_suppressed_later_is_a_change() -> None:
    found = compare_revisions(rows("a", ("E1", 40.0)), rows("b", ("E1", None)))
    value = found[found["field"].eq("value")].iloc[0]
    assert value["old_value"] == 40.0
    assert pd.isna(value["new_value"])
    assert (value["old_status"], value["new_status"]) == ("published", "suppressed")


def test_a_status_alone_is_a_change_too() -> None:
    old, new = rows("a", ("E1", 40.0)), rows("b", ("E1", 40.0))
    new["status"] = pd.array(["low_reliability"], dtype="string")
    assert reported(old, new) == [("E1", "status", None, None, "changed")]


def test_a_base_alone_is_a_change_too() -> None:
    old, new = rows("a", ("E1", 40.0)), rows("b", ("E1", 40.0))
    new["base"] = pd.array([501], dtype="Int64")
    assert reported(old, new) == [("E1", "base", 500.0, 501.0, "changed")]


@pytest.mark.parametrize("side", ["old", "new"])
def test_everything_is_new_or_gone_against_nothing(side: str) -> None:
    full, empty = rows("a", ("E1", 40.0), ("E2", 50.0)), empty_observations()
    found = reported(full, empty) if side == "old" else reported(empty, full)
    assert {line[-1] for line in found} == {"removed" if side == "old" else "added"}
    assert len(found) == 2


figures = st.dictionaries(
    st.sampled_from([f"E{number}" for number in range(6)]),
    st.one_of(st.none(), st.integers(0, 4).map(float)),
)


@pytest.mark.slow
@given(figures, figures)
def test_forwards_and_backwards_agree(
    before: dict[str, float | None], after: dict[str, float | None]
) -> None:
    """Turned round, every line swaps its two values, and added with removed; none is lost."""
    old, new = rows("a", *before.items()), rows("b", *after.items())
    mirror = {"added": "removed", "removed": "added", "changed": "changed"}
    forwards = reported(old, new)
    backwards = [
        (area, name, now, then, mirror[str(kind)])
        for area, name, then, now, kind in reported(new, old)
    ]
    assert sorted(map(repr, forwards)) == sorted(map(repr, backwards))
    changed = {line[0] for line in forwards}
    assert changed == {a for a in {*before, *after} if before.get(a, "-") != after.get(a, "-")}
