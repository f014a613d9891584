"""Sentences say what their row says: wording of verdicts, marks, percents and editions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proof.dbt_sql import render
from tests.scratch import database
from tests.statistics import engine

ROW = {
    "area_words": "Solihull",
    "statement": "trust many of the people in their neighbourhood",
    "of_adults": True,
    "unit": "percent",
    "decimals_shown": 0,
    "value": 43.0,
    "lower_95": 40.0,
    "upper_95": 46.4,
    "mark": None,
    "edition_title": "Survey 2023/24",
    "comparator_words": "England",
    "comparator_value": 40.6,
    "comparator_mark": None,
    "difference": 2.4,
    "outcome": "similar",
    "close_call": False,
    "reason": None,
    "gap_exceeds_any_sample": False,
}
START = "In Solihull, 43% of adults trust many of the people in their neighbourhood"
TYPES = {bool: "boolean", int: "integer", float: "double", str: "varchar", type(None): "varchar"}
KINDS = {name: TYPES[type(value)] for name, value in ROW.items()}


def _say(macro: str, **changes: Any) -> str:
    row = {**ROW, **changes}
    columns = ", ".join(f"cast(? as {KINDS[name]}) as {name}" for name in row)
    with database() as connection:
        found = connection.execute(
            f"select {render('{{ ' + macro + '() }}')} from (select {columns})", list(row.values())
        ).fetchone()
    assert found is not None
    return str(found[0])


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "similar to England (41%)"),
        ({"outcome": "better"}, "higher than England (41%)"),
        ({"outcome": "worse", "difference": -2.4}, "lower than England (41%)"),
        # A polarity of low is good turns the judgement, never the side.
        ({"outcome": "worse"}, "higher than England (41%)"),
        ({"outcome": "better", "close_call": True}, "too close to call against England (41%)"),
        ({"close_call": True}, "too close to call against England (41%)"),
        (
            {"outcome": "better", "comparator_mark": "[quoted]"},
            "higher than England (41% [quoted])",
        ),
    ],
)
def test_a_verdict_reads_the_same_everywhere(changes: dict[str, Any], verdict: str) -> None:
    said = _say("comparison_sentence", **changes)
    assert said == f"{START} (95% interval 40% to 46%), {verdict} (Survey 2023/24)."


def test_a_figure_that_cannot_be_tested_says_why_and_whether_the_gap_is_large() -> None:
    said = _say(
        "comparison_sentence",
        lower_95=None,
        upper_95=None,
        mark="[quoted]",
        outcome="cannot_say",
        difference=-16.0,
        comparator_value=57.0,
        reason="No interval is published for Solihull.",
        gap_exceeds_any_sample=True,
    )
    assert said.startswith("In Solihull, 43% [quoted] of adults")
    assert "For England the figure is 57%; the difference cannot be tested." in said
    assert "No interval is published for Solihull." in said
    assert "The gap of 16 points is more than sampling alone would explain" in said
    assert "300 interviews with a design effect of 2" in said


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0%"),
        (0.2, "under 1%"),
        (0.5, "1%"),
        (28.5, "29%"),
        (99.4, "99%"),
        (99.5, "over 99%"),
        (100.0, "100%"),
    ],
)
def test_percents_are_whole_and_half_up(value: float, words: str) -> None:
    (found,) = engine.evaluate([{"value": value}], words="{{ percent_in_words('value') }}")
    assert found["words"] == words


@pytest.mark.parametrize(
    ("difference", "words"), [(-16.2, "16 points"), (1.2, "1 point"), (0.3, "under 1 point")]
)
def test_points_have_their_plural(difference: float, words: str) -> None:
    (found,) = engine.evaluate([{"d": difference}], words="{{ points_in_words('d') }}")
    assert found["words"] == words


@pytest.mark.parametrize(
    ("origin", "status", "mark"),
    [
        ("reported", "published", "[quoted]"),
        ("derived", "low_reliability", "[e] [u]"),
        ("publisher", "published", None),
    ],
)
def test_a_mark_stands_at_quoted_and_computed_figures(
    origin: str, status: str, mark: str | None
) -> None:
    (found,) = engine.evaluate(
        [{"origin": origin, "status": status}], mark="{{ figure_mark('origin', 'status') }}"
    )
    assert found["mark"] == mark


@pytest.mark.parametrize(
    ("name", "level", "words"),
    [
        ("West Midlands", "cauth", "the West Midlands Combined Authority area"),
        ("West Midlands", "itl1", "the West Midlands region"),
        ("West Midlands", "itl2", "the ITL2 area West Midlands"),
        ("Bristol, City of", "lad", "Bristol"),
    ],
)
def test_an_area_is_named_with_its_kind(name: str, level: str, words: str) -> None:
    (found,) = engine.evaluate(
        [{"name": name, "level": level}], words="{{ area_in_words('name', 'level') }}"
    )
    assert found["words"] == words
