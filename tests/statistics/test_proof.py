"""The proof's parts hold, and would not hold with the errors that they are there to find."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.proof import at_scale, published, respondents
from tests.proof.lines import Line, as_text
from tests.proof.respondents import Setting
from tests.reference_data import needs_reference_data

# `make proof` runs most of it too.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def figures() -> Iterator[duckdb.DuckDBPyConnection]:
    with published.published_figures() as connection:
        yield connection


def _broken(lines: list[Line]) -> list[str]:
    return [
        f"{line.what}: {line.found}, wanted {line.wanted}" for line in lines if line.holds is False
    ]


def test_published_figures_and_reference_values(figures: duckdb.DuckDBPyConnection) -> None:
    lines = [
        *published.against_published(figures),
        *published.reference_values(figures),
    ]
    assert _broken(lines) == []
    assert sum(line.holds is not None for line in lines) >= 55


def test_the_report_s_trust_figure() -> None:
    shares = list(respondents.MEMBERS)
    assert _broken(published.trust_arithmetic(shares)) == []


def test_a_failing_line_is_printed_as_one() -> None:
    text = as_text([Line("1 x", "a", "2", "3", False), Line("1 x", "b", "2")])
    assert "FAILS" in text
    assert "0 of 1 hold" in text


def test_unweighted_means_would_not_pass(figures: duckdb.DuckDBPyConnection) -> None:
    rounds = figures.execute(
        "select count(*) from int_combined_authority_checks "
        "where round(unweighted_mean) = published_value"
    ).fetchone()
    assert rounds is not None
    assert rounds[0] < 21


# Six thousand draws: a tail of 2.5% has a standard error of 0.2.
@pytest.mark.parametrize("level", [5, 95, 97])
@pytest.mark.parametrize("pair", ["authority v England", "largest member v own combined authority"])
def test_each_tail_has_two_and_a_half_percent(level: float, pair: respondents.Pair) -> None:
    found = respondents.tails(Setting(pair, level, 550), 6_000)
    assert found.within(1.8, 3.2), found


@pytest.mark.parametrize("level", [50, 95])
def test_whole_percentages(level: float) -> None:
    found = respondents.tails(Setting("authority v England", level, 550, decimals=0), 6_000)
    assert found.within(1.5, 3.8), found


@pytest.mark.parametrize("scale", ["points", "logit"])
def test_other_scales_are_lopsided_near_the_ceiling(scale: str) -> None:
    setting = Setting("authority v England", 97, 550)
    found = respondents.on_other_scales(setting, 6_000)[scale]
    assert not found.within(1.8, 3.2), found
    assert (found.higher > found.lower) == (scale == "points")


def test_the_interval_of_a_difference_agrees_with_its_verdict() -> None:
    rows = respondents.verdicts(Setting("authority v England", 95, 550, decimals=0), 3_000)
    rows = rows[rows["z"].notna()]
    excludes_zero = rows["difference"].abs() > respondents.Z * rows["difference_se"]
    assert (excludes_zero == (rows["outcome"] != "similar")).all()


def test_coverage_and_the_bias_of_the_unweighted_mean() -> None:
    found = respondents.coverage(respondents.PATTERNS["attractiveness"], 4_000)
    assert 93.5 < found["covered"] < 96
    assert found["bias of the unweighted mean"] > 0.5


def test_every_tail_of_the_proof() -> None:
    assert _broken(respondents.false_findings()) == []
    assert _broken(respondents.coverages()) == []


@needs_reference_data
def test_at_scale() -> None:
    lines = at_scale.at_scale()
    assert _broken(lines) == []
    modelled = next(line for line in lines if line.what == "modelled-unemployment")
    assert "width ratio 0.67" in modelled.found
    assert modelled.holds is None


@pytest.mark.parametrize(
    ("barometer", "area", "outcome", "close"),
    [
        ("arts_engagement", "E47000007", "worse", False),
        ("arts_engagement", "E08000025", "worse", False),
        ("arts_engagement", "E08000026", "worse", False),
        ("arts_engagement", "E08000027", "similar", False),
        ("arts_engagement", "E08000028", "worse", False),
        ("arts_engagement", "E08000029", "similar", False),
        ("arts_engagement", "E08000030", "worse", False),
        ("arts_engagement", "E08000031", "worse", False),
        ("library_engagement", "E47000007", "similar", True),
        ("library_engagement", "E08000025", "similar", False),
        ("library_engagement", "E08000026", "similar", False),
        ("library_engagement", "E08000027", "similar", False),
        ("library_engagement", "E08000028", "worse", False),
        ("library_engagement", "E08000029", "similar", False),
        ("library_engagement", "E08000030", "similar", True),
        ("library_engagement", "E08000031", "worse", False),
    ],
)
def test_verdicts_against_england(
    figures: duckdb.DuckDBPyConnection, barometer: str, area: str, outcome: str, close: bool
) -> None:
    row = figures.execute(
        """
        select outcome, close_call from int_comparisons
        where barometer_id = $1 and area_code = $2 and comparator_kind = 'england'
        """,
        [barometer, area],
    ).fetchone()
    assert row == (outcome, close)


def test_shares_of_england(figures: duckdb.DuckDBPyConnection) -> None:
    rows = dict(
        figures.execute(
            """
            select area_code, round(part_whole_share, 4) from int_comparisons
            where
                barometer_id = 'arts_engagement' and comparator_kind = 'england'
                and area_code in ('E47000007', 'E08000025', 'E08000029')
            """
        ).fetchall()
    )
    assert rows == {"E47000007": 0.0506, "E08000025": 0.0193, "E08000029": 0.0038}


def test_south_yorkshire_is_whole_under_its_new_codes(
    figures: duckdb.DuckDBPyConnection,
) -> None:
    members = figures.execute(
        """
        select member_code from int_combined_authority_parts
        where parent_code = 'E47000002' and barometer_id = 'arts_engagement' and weight > 0
        order by member_code
        """
    ).fetchall()
    assert [row[0] for row in members] == ["E08000017", "E08000018", "E08000038", "E08000039"]


def test_regions_whose_interval_misses_the_value_cannot_be_compared_with(
    figures: duckdb.DuckDBPyConnection,
) -> None:
    row = figures.execute(
        """
        select outcome, reason_code from int_comparisons
        where
            barometer_id = 'arts_engagement' and area_code = 'E08000025'
            and comparator_kind = 'region'
        """
    ).fetchone()
    assert row == ("cannot_say", "no_comparator_standard_error")


def test_design_effects_need_the_rows_own_base(figures: duckdb.DuckDBPyConnection) -> None:
    row = figures.execute(
        "select count(*) from int_standard_errors where design_effect_implied is not null and base is null"
    ).fetchone()
    assert row == (0,)
