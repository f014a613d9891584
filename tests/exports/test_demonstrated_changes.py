"""The demonstration's changes beside those planted in its files: what is found, and what is not there."""

from __future__ import annotations

import math

import duckdb
import pandas as pd
import pytest

from demonstration.publisher_files import PLANTED, REWORDED, is_changed

pytestmark = pytest.mark.slow

LIFE, SUCCESSOR = "dcms_community_life", "dcms_community_engagement"


def spread(rate: float, draws: int) -> float:
    """Three standard errors of a rate over so many draws."""
    return 3 * math.sqrt(rate * (1 - rate) / draws)


@pytest.fixture(scope="module")
def changes(demonstrated: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Changes of authorities between one edition and the next, with whether one was planted."""
    rows = demonstrated.execute(
        "from marts.changes where unit = 'percent' and area_level = 'lad' "
        "and change_kind = 'consecutive'"
    ).df()
    rows["planted"] = [
        later == "2024-25" and is_changed(barometer, area)
        for barometer, area, later in zip(
            rows["barometer_id"], rows["area_code"], rows["to_edition"], strict=True
        )
    ]
    return rows


PAIRS = [("open", LIFE), ("caution", LIFE), ("open", SUCCESSOR)]


@pytest.mark.parametrize(("grade", "dataset"), PAIRS)
def test_where_nothing_changed_each_tail_errs_as_declared(
    changes: pd.DataFrame, grade: str, dataset: str
) -> None:
    pair = changes[(changes["grade"] == grade) & (changes["dataset"] == dataset)]
    still = pair[~pair["planted"]]
    assert len(still) > 200
    tails = {way: (still["outcome"] == way).mean() for way in ("better", "worse")}
    print(f"{dataset} {grade}: {len(still)} unchanged, {tails}")
    assert max(tails.values()) <= 0.025 + spread(0.025, len(still))


@pytest.mark.parametrize("grade", ["open", "caution"])
def test_four_in_five_of_the_planted_changes_are_found(changes: pd.DataFrame, grade: str) -> None:
    planted = changes[(changes["grade"] == grade) & changes["planted"]]
    assert len(planted) > 50
    assert set(planted["barometer_id"]) == (REWORDED if grade == "caution" else PLANTED - REWORDED)
    found = planted["outcome"].isin(["better", "worse"]).mean()
    print(f"{grade}: {len(planted)} planted, {found:.3f} found")
    assert found >= 0.8 - spread(0.8, len(planted))


def test_across_a_block_nothing_is_computed(demonstrated: duckdb.DuckDBPyConnection) -> None:
    blocked = demonstrated.execute(
        "from marts.changes where unit = 'percent' and grade = 'block'"
    ).df()
    assert set(blocked["barometer_id"]) == {"arts_engagement", "library_engagement"}
    assert blocked["difference"].isna().all()
    assert blocked["reason"].str.contains("Questions and definitions changed").all()


def test_the_successor_continues_the_series(demonstrated: duckdb.DuckDBPyConnection) -> None:
    latest = demonstrated.execute(
        "select barometer_id, dataset, edition, count(*) from marts.barometers "
        "where is_latest and area_level = 'lad' and unit = 'percent' group by all"
    ).fetchall()
    community = {row[0]: row[1:3] for row in latest if row[1] != "dcms_participation"}
    assert len(community) == 10
    assert set(community.values()) == {(SUCCESSOR, "2025-26")}
    # From the baseline of the old survey to the newest figure of its successor.
    since = demonstrated.execute(
        "select distinct from_dataset, dataset, from_edition, to_edition, grade from marts.changes "
        f"where change_kind = 'baseline_to_latest' and dataset = '{SUCCESSOR}'"
    ).fetchall()
    assert set(since) == {
        (LIFE, SUCCESSOR, "2023-24", "2025-26", grade) for grade in ("open", "caution")
    }


def test_a_correction_of_the_whole_series_is_shown_as_revisions(
    demonstrated: duckdb.DuckDBPyConnection,
) -> None:
    revised = demonstrated.execute(
        "select dataset, edition, count(distinct measure) from meta.revisions "
        "where kind = 'changed' and field = 'value' group by all order by all"
    ).fetchall()
    assert revised == [(LIFE, "2023-24", 10), (LIFE, "2024-25", 10)]
