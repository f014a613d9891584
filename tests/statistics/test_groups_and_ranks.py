"""Counts by group of an index, and places with the range that intervals allow."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.proof.dbt_sql import RANKS
from tests.statistics import engine

GROUPS = ("int_group_areas", "int_group_counts")


def _member(kind: str, parent: str, code: str) -> dict[str, Any]:
    return {"vintage": 2025, "kind": kind, "parent_code": parent, "member_code": code}


def _placed(code: str, number: int, label: str) -> dict[str, Any]:
    return {
        "barometer_id": "promising_prospects",
        "dataset": "s",
        "edition": "2024",
        "area_code": code,
        "area_name": code,
        "unit": "z_score",
        "group_number": number,
        "group_label": label,
    }


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    """Two districts of one county, a city beside them, and an area far away."""
    return engine.run_models(
        GROUPS,
        {
            "int_standard_errors": [
                _placed("C1", 2, "Unfavourable"),
                _placed("A1", 2, "Unfavourable"),
                _placed("Z1", 3, "Middle"),
            ],
            "int_area_memberships": [
                _member("combined_authority", "P1", "A1"),
                _member("combined_authority", "P1", "D1"),
                _member("combined_authority", "P1", "D2"),
                _member("county", "C1", "D1"),
                _member("county", "C1", "D2"),
                _member("combined_authority", "P2", "A2"),
            ],
            "areas": [{"area_code": "P1", "area_name": "Parent"}],
        },
        variables={"membership_vintage": 2025},
    )["int_group_counts"].set_index(["parent_code", "group_number"])


@pytest.mark.parametrize(
    ("parent", "group", "areas", "up_to"),
    [("P1", 2, 2, 2), ("P1", 3, 0, 2), ("K02000001", 2, 2, 2), ("K02000001", 3, 1, 3)],
)
def test_a_county_counts_once_and_an_empty_group_has_a_row(
    counts: pd.DataFrame, parent: str, group: int, areas: int, up_to: int
) -> None:
    row = counts.loc[(parent, group)]
    assert (row["areas"], row["areas_in_group_or_below"]) == (areas, up_to)
    assert row["is_complete"]


def test_a_parent_without_placed_areas_has_no_counts(counts: pd.DataFrame) -> None:
    assert "P2" not in counts.index.get_level_values("parent_code")
    assert counts.loc[("P1", 2), "members_covered"] == 3


def _ranks(polarity: str, *figures: tuple[str, float, float | None]) -> pd.DataFrame:
    return engine.run_models(
        RANKS,
        {
            "int_barometer_cells": [
                {"area_code": code, "area_name": code, "value": value, "se": se}
                | {"polarity": polarity}
                for code, value, se in figures
            ],
            "int_area_memberships": [_member("nation", "E92000001", code) for code, *_ in figures],
        },
        variables={"membership_vintage": 2025},
    )["int_ranks"].set_index("area_code")


def test_areas_that_cannot_be_separated_share_their_places() -> None:
    ranks = _ranks("high_good", ("A", 50, 1), ("B", 49, 1), ("C", 40, 1))
    places = ranks[["rank", "rank_best", "rank_worst"]].astype(int)
    assert places.loc["A"].tolist() == [1, 1, 2]
    assert places.loc["B"].tolist() == [2, 1, 2]
    assert places.loc["C"].tolist() == [3, 3, 3]


def test_an_area_without_an_interval_has_no_place_and_too_few_areas_have_none() -> None:
    ranks = _ranks("low_good", ("A", 50, 1), ("B", 49, None), ("C", 40, 1))
    assert ranks["rank"].isna().all()
    assert ranks["reason_code"].to_dict() == {
        "A": "too_few_areas",
        "B": "no_standard_error",
        "C": "too_few_areas",
    }
