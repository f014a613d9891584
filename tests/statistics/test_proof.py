"""The printed proof: published figures, simulation, reference values, the trust figure."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.proof import published as proof


@pytest.fixture(scope="module")
def figures() -> Iterator[duckdb.DuckDBPyConnection]:
    with proof.published_figures() as connection:
        yield connection


@pytest.fixture(scope="module")
def lines() -> list[proof.Line]:
    return proof.prove()


def test_every_line_of_the_proof_holds(lines: list[proof.Line]) -> None:
    broken = [
        f"{line.what}: {line.found}, wanted {line.wanted}" for line in lines if line.holds is False
    ]
    assert broken == []


def test_the_proof_has_its_four_parts(lines: list[proof.Line]) -> None:
    assert {line.section[0] for line in lines} == {"1", "2", "3", "4"}
    assert sum(line.holds is not None for line in lines) >= 55


def test_the_text_tells_a_line_that_fails() -> None:
    text = proof.as_text([proof.Line("1 x", "a", "2", "3", False), proof.Line("1 x", "b", "2")])
    assert "FAILS" in text
    assert "0 of 1 hold" in text


def test_a_wrong_weight_would_not_pass(figures: duckdb.DuckDBPyConnection) -> None:
    """The unweighted mean, the error that the weighting is there to avoid, breaks the proof's bar."""
    rounds = figures.execute(
        """
        select count(*) from int_combined_authority_checks
        where round(unweighted_mean) = published_value
        """
    ).fetchone()
    assert rounds is not None
    assert rounds[0] < 19


def test_coverage_falls_for_the_unweighted_mean(figures: duckdb.DuckDBPyConnection) -> None:
    shares = proof.coverage(proof._weights(figures), draws=4000)
    assert shares["attractiveness"]["unweighted"] < 90
    assert shares["attractiveness"]["unweighted_bias"] > 0.5


def test_the_correction_for_a_part_of_the_whole_matters(
    figures: duckdb.DuckDBPyConnection,
) -> None:
    rates = proof.false_positives(proof._weights(figures), draws=4000)
    assert rates["Birmingham v WMCA, correction left out"] < 1


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


def test_wmca_libraries_are_a_close_call_whichever_way(
    figures: duckdb.DuckDBPyConnection,
) -> None:
    row = figures.execute(
        """
        select close_call, part_whole_applied, round(part_whole_share, 4), round(sampling_z, 3)
        from int_comparisons
        where
            barometer_id = 'library_engagement' and area_code = 'E47000007'
            and comparator_kind = 'england'
        """
    ).fetchone()
    assert row == (True, True, 0.0506, -1.994)


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
