"""Verdicts, reasons and families of comparisons, on made-up cells."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.proof.dbt_sql import COMPARISONS
from tests.statistics import engine

ENGLAND = {
    "area_code": "E92000001",
    "area_name": "England",
    "area_level": "nation",
    "value": 40,
    "se": 1.5,  # half of it has 2
}


def _area(code: str, **fields: Any) -> dict[str, Any]:
    return {"area_code": code, "area_name": code, **fields}


def _compare(*cells: dict[str, Any], parents: tuple[tuple[str, str], ...] = ()) -> pd.DataFrame:
    codes = sorted({cell["area_code"] for cell in cells} - {"E92000001"})
    memberships = [("nation", "E92000001", code) for code in codes if not code.startswith("P")]
    memberships += [("combined_authority", parent, code) for parent, code in parents]
    return engine.run_models(
        COMPARISONS,
        {
            "int_barometer_cells": list(cells),
            "int_indicators": [
                {"barometer_id": "b1", "role": "key"},
                {"barometer_id": "b2", "role": "supporting"},
            ],
            "areas": [
                {"area_code": "E92000001", "area_name": "England", "area_level": "nation"},
                *(_area(code, area_level="lad") for code in codes),
            ],
            "int_area_memberships": [
                {"vintage": 2025, "kind": kind, "parent_code": parent, "member_code": code}
                for kind, parent, code in memberships
            ],
            "int_populations_16_plus": [
                {"vintage": 2023, "area_code": code, "population_16_plus": 100} for code in codes
            ],
        },
        variables={"lead_area": "P1", "membership_vintage": 2025},
    )["int_comparisons"]


def _against_england(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["comparator_kind"] == "england"].set_index("area_code")


@pytest.mark.parametrize(
    ("cell", "outcome", "reason_code", "reason"),
    [
        ({"value": 30, "se": 2, "base": 500}, "worse", None, None),
        ({"value": 30, "se": 2, "polarity": "low_good"}, "better", None, None),
        pytest.param(
            {"value": 30, "se": 2, "polarity": "none"}, "lower", None, None, marks=pytest.mark.slow
        ),
        ({"value": 41}, "cannot_say", "no_standard_error", "No interval is published for A."),
        (
            {"value": 60, "se": 2, "base": 12},
            "cannot_say",
            "base_too_small",
            "Too few people answered in A (12).",
        ),
        (
            {"value": 60, "se": 2, "origin": "reported"},
            "cannot_say",
            "quoted",
            "The figure for A is quoted from another publication, and no interval is published "
            "for it.",
        ),
    ],
)
def test_a_figure_has_a_verdict_or_a_reason(
    cell: dict[str, Any], outcome: str, reason_code: str | None, reason: str | None
) -> None:
    found = _against_england(_compare(ENGLAND, _area("A", **cell), _area("B", value=50, se=2)))
    row = found.loc["A"]
    assert row["outcome"] == outcome
    assert (row["reason_code"], row["reason"]) == (reason_code, reason)
    assert pd.notna(row["survives_family"]) == (reason_code is None)


def test_a_quoted_comparator_is_never_tested() -> None:
    found = _against_england(
        _compare({**ENGLAND, "origin": "reported"}, _area("A", value=30, se=2), _area("B"))
    )
    assert found.loc["A", "reason_code"] == "comparator_quoted"
    assert pd.isna(found.loc["A", "z"])


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ({"value": None, "status": "suppressed"}, []),
        pytest.param({"value": -0.4, "unit": "z_score"}, [], marks=pytest.mark.slow),
        ({"value": 30, "se": 2}, ["england", "lead_combined_authority"]),
    ],
)
def test_only_figures_are_compared(cell: dict[str, Any], kinds: list[str]) -> None:
    found = _compare(ENGLAND, _area("A", **cell))
    assert sorted(found["comparator_kind"]) == kinds


@pytest.mark.parametrize(
    ("value", "flagged"), [pytest.param(41, False, marks=pytest.mark.slow), (48, False), (57, True)]
)
def test_a_gap_beyond_any_plausible_sample_is_flagged(value: float, flagged: bool) -> None:
    found = _against_england(_compare(ENGLAND, _area("A", value=value), _area("B")))
    assert bool(found.loc["A", "gap_exceeds_any_sample"]) is flagged


def test_a_family_is_area_comparator_role_and_edition() -> None:
    cells = [
        {**cell, "barometer_id": barometer, "edition": edition}
        for cell in (ENGLAND, _area("A", value=30, se=2), _area("B", value=45, se=2))
        for barometer in ("b1", "b2")
        for edition in ("2023-24", "2024-25")
    ]
    found = _against_england(_compare(*cells)).reset_index()
    groups = found.groupby(["area_code", "role", "edition"])["test_family"]
    assert (groups.nunique() == 1).all()
    assert found["test_family"].nunique() == len(groups) == 8
    assert (found["tests_in_family"] == 1).all()


def test_peers_that_share_the_highest_figure_are_counted() -> None:
    values = {"A": 30, "B": 60, "C": 60, "D": 50}
    found = _compare(
        ENGLAND,
        *(_area(code, value=value, se=1 if code == "C" else 2) for code, value in values.items()),
        parents=tuple(("P1", code) for code in values),
    )
    best = found[found["comparator_kind"] == "best_peer"].set_index("area_code")
    assert (best.loc["A", "comparator_code"], best.loc["A", "comparator_ties"]) == ("C", 2)
    assert (best.loc["C", "comparator_code"], best.loc["C", "comparator_ties"]) == ("B", 1)
