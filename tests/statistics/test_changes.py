"""Whether a change is found where there is one, and only there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demonstration.publisher_files import (
    PLANTED,
    REWORDED,
    is_changed,
    usual_form,
    write_publisher_file,
)
from sources.areas import AreaBook
from sources.catalogue import load_catalogue
from sources.parsers import PARSERS, QUESTION, ParseContext
from tests.statistics import engine, oracle
from warehouse.workspace import SEEDS

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


@pytest.mark.parametrize("grade", ["open", "caution"])
def test_where_nothing_changed_each_tail_errs_at_most_as_declared(
    simulated: pd.DataFrame, grade: str
) -> None:
    still = simulated[(simulated["grade"] == grade) & (simulated["area_name"] == "still")]
    assert len(still) == AUTHORITIES / 2
    for outcome in ("better", "worse"):
        assert (still["outcome"] == outcome).mean() <= 0.025 + spread(0.025, len(still))


@pytest.mark.parametrize("grade", ["open", "caution"])
def test_a_change_of_the_minimum_detectable_size_is_found_four_times_in_five(
    simulated: pd.DataFrame, grade: str
) -> None:
    moved = simulated[(simulated["grade"] == grade) & (simulated["area_name"] == "moved")]
    found = moved["outcome"].isin(["better", "worse"]).mean()
    assert 0.8 - spread(0.8, len(moved)) <= found <= 0.85


def test_no_change_is_computed_where_the_pair_is_blocked(simulated: pd.DataFrame) -> None:
    blocked = simulated[simulated["grade"] == "block"]
    assert len(blocked) == AUTHORITIES
    assert blocked["change"].isna().all()
    assert (blocked["reason"] == "This pair is block.").all()


def _read(edition: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows of a made-up file of the survey and the wording of its questions."""
    areas, dataset = AreaBook.from_seeds(SEEDS), load_catalogue().dataset(SURVEY)
    entry = dataset.edition(edition)
    form = usual_form(dataset, edition)
    content = write_publisher_file(dataset, entry, areas, seed=7)
    parsed = PARSERS[str(dataset.parser)](
        content, ParseContext(dataset, entry, areas, f"tables.{form}")
    )
    wording = {
        note.code.removeprefix(QUESTION): note.message
        for note in parsed.notes
        if note.code.startswith(QUESTION)
    }
    rows = parsed.rows[parsed.rows["area_level"] == "lad"]
    return rows.assign(area_code=rows["area_code"].map(areas.current)), wording


@pytest.mark.slow
def test_the_demonstration_finds_what_was_planted_in_its_files() -> None:
    earlier, later = _read("2023-24"), _read("2024-25")
    reworded = {measure for measure in later[1] if later[1][measure] != earlier[1][measure]}
    assert reworded == REWORDED
    rows = [
        {
            "barometer_id": row.measure,
            "dataset": SURVEY,
            "edition": number,
            "period_end": row.period_end,
            "area_code": row.area_code,
            "area_name": row.area_name,
            "value": row.value,
            "se": (row.upper_95 - row.lower_95) / (2 * oracle.Z),
            "base": row.base,
            "origin": "synthetic",
        }
        for number, (frame, _) in (("1", earlier), ("2", later))
        for row in frame.itertuples()
    ]
    built = engine.run_models(MODELS, {"int_barometer_cells": rows, "int_editions": EDITIONS})
    changes = built["int_changes"]
    changes = changes[changes["change_kind"] == "consecutive"]
    planted = [
        is_changed(measure, code)
        for measure, code in zip(changes["barometer_id"], changes["area_code"], strict=True)
    ]
    moved, still = changes[planted], changes[[not each for each in planted]]
    assert set(moved["barometer_id"]) == PLANTED
    found = moved["outcome"].isin(["better", "worse"]).mean()
    assert found >= 0.8 - spread(0.8, len(moved))
    # Shares near the ends of the scale are a matter of their own.
    middle = still[still["from_value"].between(25, 75)]
    for outcome in ("better", "worse"):
        assert (middle["outcome"] == outcome).mean() <= 0.025 + spread(0.025, len(middle))
