"""The seeds carry each community barometer on from the old survey to its successor."""

from __future__ import annotations

import csv
from pathlib import Path

from sources.catalogue import load_catalogue

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"


def _measures() -> dict[str, set[tuple[str, str]]]:
    """Dataset -> the pairs of barometer and measure that the seed lists."""
    (path,) = SEEDS.glob("*_measures.csv")
    found: dict[str, set[tuple[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            barometer = next(iter(row.values()))
            found.setdefault(row["dataset"], set()).add((barometer, row["measure"]))
    return found


def test_each_community_barometer_continues_measure_by_measure() -> None:
    seed = _measures()
    assert seed["dcms_community_engagement"] == seed["dcms_community_life"]
    listed = {m.code for m in load_catalogue().dataset("dcms_community_engagement").measures}
    assert {measure for _, measure in seed["dcms_community_engagement"]} == listed


def test_the_engagement_pathway_continues_nothing_of_the_participation_survey() -> None:
    seed = _measures()
    assert not seed["dcms_community_engagement"] & seed["dcms_participation"]
