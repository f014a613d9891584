"""What a release says in words is what its figures are: one test per kind of statement.

The words of a sentence are read back and compared with the columns of its row, in the release of the
bundled figures and in that of the demonstration, where every kind of verdict and change occurs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.slow

Row = dict[str, Any]
PERCENT = re.compile(r"(?:under |over )?\d[\d.]*%")
#: Percents that are not figures: the level of an interval, the power of a test, part of a definition.
FIXED = ("95% interval", "probability of 80%", "10% or more of the school year")


@pytest.fixture(params=["warehouse", "demonstrated"])
def release(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    found: duckdb.DuckDBPyConnection = request.getfixturevalue(request.param)
    return found


def _rows(release: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Row]:
    """The rows of a query by column; the test fails where there are none."""
    result = release.execute(sql)
    names = [column[0] for column in result.description or []]
    rows = result.fetchall()
    assert rows, f"nothing of the kind is in the release: {sql}"
    return (dict(zip(names, row, strict=True)) for row in rows)


def percent(value: float, decimals: int = 0) -> str:
    """A percentage as sentences have it: halves up, whole unless its indicator says otherwise."""
    if decimals:
        return f"{math.floor(value * 10**decimals + 0.5 + 1e-9) / 10**decimals:.{decimals}f}%"
    if 0 < value < 0.5:
        return "under 1%"
    if 99.5 <= value < 100:
        return "over 99%"
    return f"{math.floor(value + 0.5 + 1e-9)}%"


def percents(sentence: str) -> list[str]:
    for phrase in FIXED:
        sentence = sentence.replace(phrase, "")
    return PERCENT.findall(sentence)


def points(difference: float) -> str:
    size = math.floor(abs(difference) + 0.5 + 1e-9)
    if abs(difference) < 0.5:
        return "under 1 point"
    return "1 point" if size == 1 else f"{size} points"


def _decimals(release: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many decimals each indicator is shown with."""
    rows = _rows(release, "select indicator_id, decimals from reference.indicators")
    return {row["indicator_id"]: row["decimals"] for row in rows}


_AGAINST_ENGLAND = """
    marts.barometers as b
    inner join marts.comparisons as c
        on
            b.barometer_id = c.barometer_id and b.area_code = c.area_code
            and b.edition = c.edition and b.period_end = c.period_end
            and c.comparator_kind = 'england'
    where b.unit = 'percent' and b.value is not null
"""


def test_the_sentence_against_england_is_that_of_the_comparison(
    release: duckdb.DuckDBPyConnection,
) -> None:
    for row in _rows(
        release, f"select b.sentence as ours, c.sentence as its from {_AGAINST_ENGLAND}"
    ):
        assert row["ours"] == row["its"]


def test_close_calls_read_the_same(release: duckdb.DuckDBPyConnection) -> None:
    for row in _rows(
        release,
        f"select b.close_call as ours, c.close_call as its, b.sentence from {_AGAINST_ENGLAND}",
    ):
        assert row["ours"] == row["its"] == ("close" in row["sentence"])


@pytest.mark.parametrize(
    ("mart", "figures"),
    [
        ("barometers", ("value", "lower_95", "upper_95", "comparator_value")),
        ("context", ("value", "lower_95", "upper_95", "comparator_value")),
        (
            "comparisons",
            (
                *("value", "lower_95", "upper_95", "comparator_value"),
                *("comparator_lowest", "comparator_highest"),
            ),
        ),
        ("changes", ("from_value", "to_value")),
        ("pulse", ("value", "lower_95", "upper_95", "england_value")),
        ("combined_authorities", ("value", "lower_95", "upper_95", "comparator_value")),
    ],
)
def test_every_percent_sign_has_a_percent(
    release: duckdb.DuckDBPyConnection, mart: str, figures: tuple[str, ...]
) -> None:
    key = "barometer_id, area_code, edition, period_end"
    cells = "(from marts.barometers union all by name from marts.context)"
    beside = f"left join (select distinct {key}, lower_95, upper_95 from {cells}) using ({key})"
    if mart == "combined_authorities":
        beside = f"left join (select distinct {key}, comparator_value from marts.barometers) using ({key})"
    beside = beside if mart in ("comparisons", "combined_authorities") else ""
    decimals = _decimals(release)
    for row in _rows(
        release,
        f"from marts.{mart} {beside} where contains(sentence, '%') and sentence is not null",
    ):
        shown = decimals[row["barometer_id"]]
        held = {percent(row[name], shown) for name in figures if row[name] is not None}
        said = set(percents(row["sentence"]))
        assert said <= held, row["sentence"]
        assert not said or row["unit"] == "percent", row["sentence"]


@pytest.mark.parametrize("mart", ["barometers", "context", "comparisons", "pulse"])
def test_a_figure_is_named_with_its_own_edition(
    release: duckdb.DuckDBPyConnection, mart: str
) -> None:
    titles = {
        row["edition"]: row["title"]
        for row in _rows(
            release,
            "select distinct barometer_id || '|' || edition as edition, edition_title as title "
            "from (from marts.barometers union all by name from marts.context)",
        )
    }
    every = set(titles.values())
    for row in _rows(release, f"from marts.{mart} where value is not null and unit = 'percent'"):
        own = titles[f"{row['barometer_id']}|{row['edition']}"]
        named = {title for title in every if f"({title})" in row["sentence"]}
        assert named == {own}, row["sentence"]


def test_a_change_says_what_its_row_says(release: duckdb.DuckDBPyConnection) -> None:
    for row in _rows(release, "from marts.changes where unit = 'percent' and role != 'context'"):
        said = row["sentence"]
        figures = re.search(
            r", ((?:under |over )?\d+%)( \[\w\]| \[quoted\])* in (\S+), "
            r"after ((?:under |over )?\d+%)( \[\w\]| \[quoted\])* in (\S+?)[.:]",
            said,
        )
        assert figures, said
        assert (figures[1], figures[4]) == (percent(row["to_value"]), percent(row["from_value"]))
        assert figures[3] == row["to_edition"].replace("-", "/")
        assert figures[6] == row["from_edition"].replace("-", "/")
        for side, mark in (("from", figures[5]), ("to", figures[2])):
            origin = {"reported": "[quoted]", "derived": "[e]"}.get(row[f"{side}_origin"])
            assert origin is None or origin in (mark or ""), said
        assert ("Caution: " in said) == (row["grade"] == "caution"), said
        if row["z"] is None:
            assert row["outcome"] == "cannot_say"
            assert row["difference"] is None or row["reason"]
            assert f"No test of the change: {row['reason']}" in said
            continue
        assert row["grade"] != "block"
        assert f"A true change of about {points(row['minimum_detectable_change'])} would be" in said
        assert ("though the call is close" in said) == row["close_call"], said
        if row["outcome"] == "similar":
            assert ": no change shown" in said
        else:
            way = "an increase" if row["difference"] > 0 else "a decrease"
            assert f": {way} of about {points(row['difference'])}" in said
            assert (row["outcome"] in ("better", "higher")) == (
                (row["difference"] > 0) == (row["polarity"] != "low_good")
            )


def test_a_move_between_groups_says_what_its_row_says(release: duckdb.DuckDBPyConnection) -> None:
    for row in _rows(release, "from marts.changes where outcome = 'relative_position'"):
        moved = row["to_group_number"] - row["from_group_number"]
        assert row["group_movement"] == moved
        start = (
            f"Same group ({row['to_group_number']}, {row['to_group_label']})"
            if moved == 0
            else f"{'Up' if moved > 0 else 'Down'} from group {row['from_group_number']} "
            f"to group {row['to_group_number']}"
        )
        assert row["sentence"].startswith(start)
        scores = re.search(
            r"its score moved from (-?\d+\.\d\d) to (-?\d+\.\d\d)\.", row["sentence"]
        )
        assert scores, row["sentence"]
        for said, held in zip(scores.groups(), (row["from_value"], row["to_value"]), strict=True):
            assert abs(float(said) - held) <= 0.005 + 1e-9
        assert f"in {row['to_period_start'].year}" in row["sentence"]


VERDICTS = {
    "similar": "similar to",
    "better": "higher than",
    "higher": "higher than",
    "worse": "lower than",
    "lower": "lower than",
}


def test_the_pulse_says_what_its_row_says(release: duckdb.DuckDBPyConnection) -> None:
    for row in _rows(release, "from marts.pulse"):
        said = row["sentence"]
        if row["unit"] == "z_score":
            assert row["groups_in_words"] in said
            continue
        if row["value"] is None:
            assert "There is no figure" in said
            assert row["england_value"] is None or percent(row["england_value"]) in said
            continue
        marked = f"{percent(row['value'])}{' ' + row['mark'] if row['mark'] else ''} of adults"
        assert marked in said
        if row["outcome"] == "cannot_say":
            assert "cannot be tested" in said
        elif row["close_call"]:
            assert "too close to call against England" in said
        else:
            assert f"{VERDICTS[row['outcome']]} England ({percent(row['england_value'])}" in said
        assert row["since_baseline"] != "cannot_say" or row["since_baseline_reason"]


def test_what_the_pulse_says_since_the_baseline_is_the_change_s_outcome(
    release: duckdb.DuckDBPyConnection,
) -> None:
    for row in _rows(
        release,
        "select p.since_baseline, c.outcome from marts.pulse as p left join marts.changes as c "
        "on p.barometer_id = c.barometer_id and p.area_code = c.area_code "
        "and p.edition = c.to_edition and c.change_kind = 'baseline_to_latest'",
    ):
        assert row["since_baseline"] == (row["outcome"] or "cannot_say")


def test_only_a_figure_that_is_not_the_report_s_confirms_a_claim(
    release: duckdb.DuckDBPyConnection,
) -> None:
    for row in _rows(
        release, "from marts.report_reconciliation where verdict in ('agrees', 'differs')"
    ):
        assert row["our_origin"] in ("publisher", "transcribed", "derived", "synthetic")
