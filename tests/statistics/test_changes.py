"""Whether a change is found where there is one, and only there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.statistics import engine, oracle

MODELS = ("int_change_pairs", "int_change_grades", "int_changes")
SURVEY = "dcms_community_life"
EDITIONS = [
    {"dataset": SURVEY, "edition": "1", "edition_order": 1, "is_baseline": True},
    {"dataset": SURVEY, "edition": "2", "edition_order": 2},
]
#: Barometer of each grade.
GRADES = {"open": "open", "caution": "caution", "block": "block"}
AUTHORITIES = 2000


def breaks() -> list[dict[str, Any]]:
    return [
        {
            "series": SURVEY,
            "barometer_id": barometer,
            "from_edition": "1",
            "to_edition": "2",
            "from_order": 1,
            "to_order": 2,
            "kind": "wording",
            "grade": grade,
            "reason": f"This pair is {grade}",
            "said_by": "A publisher",
            "citation": "a page",
            "said_on": "2025-12-10",
        }
        for barometer, grade in GRADES.items()
    ]


def published(
    truth: np.ndarray, people: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares and 95% limits, in percent, of weighted respondents in areas with these true shares.

    Weights spread so that the design effect is about 1.65 (Kish); the error is that of a ratio of
    weighted sums, the limits lie on the logit scale, as the publisher's do.
    """
    weights = rng.gamma(1 / 0.65, 0.65, (len(truth), people))
    answers = rng.random((len(truth), people)) < truth[:, None] / 100
    total = weights.sum(axis=1)
    share = (weights * answers).sum(axis=1) / total
    error = np.sqrt((weights**2 * (answers - share[:, None]) ** 2).sum(axis=1)) / total
    logit = np.log(share / (1 - share))
    reach = oracle.Z * error / (share * (1 - share))
    lower, upper = (1 / (1 + np.exp(-(logit + sign * reach))) for sign in (-1, 1))
    return 100 * share, 100 * lower, 100 * upper


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    """Changes of simulated areas: in half nothing changed, in half by the minimum detectable."""
    rng = np.random.default_rng(20251210)
    people = 550
    first = rng.uniform(25, 75, AUTHORITIES)
    size = 2.8015852 * math.sqrt(2) * np.sqrt(1.65 * first * (100 - first) / people)
    moved = np.arange(AUTHORITIES) % 2 == 1
    away = np.where(first >= 50, 1, -1)
    rows = []
    for barometer in GRADES:
        for edition, truth in (("1", first), ("2", first + moved * away * size)):
            value, lower, upper = published(truth, people, rng)
            rows += [
                {
                    "barometer_id": barometer,
                    "dataset": SURVEY,
                    "edition": edition,
                    "period_end": f"202{edition}-03-31",
                    "area_code": f"A{at:04}",
                    "area_name": "moved" if moved[at] else "still",
                    "value": value[at],
                    "se": (upper[at] - lower[at]) / (2 * oracle.Z),
                    "base": people,
                    "origin": "synthetic",
                }
                for at in range(AUTHORITIES)
            ]
    built = engine.run_models(
        MODELS,
        {"int_barometer_cells": rows, "int_editions": EDITIONS, "int_series_breaks": breaks()},
    )["int_changes"]
    return built[built["change_kind"] == "consecutive"]


def spread(rate: float, draws: int) -> float:
    """Three standard errors of a rate over so many draws."""
    return 3 * math.sqrt(rate * (1 - rate) / draws)


@pytest.mark.slow
@pytest.mark.parametrize("grade", ["open", "caution"])
def test_where_nothing_changed_each_tail_errs_at_most_as_declared(
    simulated: pd.DataFrame, grade: str
) -> None:
    still = simulated[(simulated["grade"] == grade) & (simulated["area_name"] == "still")]
    assert len(still) == AUTHORITIES / 2
    for outcome in ("better", "worse"):
        assert (still["outcome"] == outcome).mean() <= 0.025 + spread(0.025, len(still))


@pytest.mark.slow
@pytest.mark.parametrize("grade", ["open", "caution"])
def test_a_change_of_the_minimum_detectable_size_is_found_four_times_in_five(
    simulated: pd.DataFrame, grade: str
) -> None:
    moved = simulated[(simulated["grade"] == grade) & (simulated["area_name"] == "moved")]
    found = moved["outcome"].isin(["better", "worse"]).mean()
    assert 0.8 - spread(0.8, len(moved)) <= found <= 0.85


@pytest.mark.slow
def test_no_change_is_computed_where_the_pair_is_blocked(simulated: pd.DataFrame) -> None:
    blocked = simulated[simulated["grade"] == "block"]
    assert len(blocked) == AUTHORITIES
    assert blocked["change"].isna().all()
    assert (blocked["reason"] == "This pair is block.").all()
