"""Which figure a combined authority has, in the release of the bundled figures."""

from __future__ import annotations

import duckdb
import pytest

pytestmark = pytest.mark.slow

CREATED_IN_2026 = {
    "CA-cheshire-and-warrington": 3,
    "CA-cumbria": 2,
    "CA-hampshire-and-the-solent": 14,
    "CA-sussex-and-brighton": 13,
}


def test_those_without_a_code_are_computed_from_their_members(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = warehouse.execute(
        "select area_code, members, our_estimate, value, our_estimate_less_published "
        "from marts.combined_authorities "
        "where starts_with(area_code, 'CA-') and barometer_id = 'arts_engagement' and is_latest"
    ).fetchall()
    assert {code: members for code, members, *_ in found} == CREATED_IN_2026
    for _, _, ours, shown, error in found:
        assert 85 < ours < 95
        assert shown is not None
        assert error is None or abs(error) < 1


def test_the_figure_of_the_same_footprint_goes_before_ours(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = warehouse.execute(
        "select area_code, published_area_code, value, lower_95, upper_95, origin "
        "from marts.barometers where barometer_id = 'arts_engagement' and edition = '2023-24' "
        "and area_level = 'cauth' and starts_with(published_area_code, 'TL') order by 1"
    ).fetchall()
    assert found == [
        ("CA-cheshire-and-warrington", "TLD6", 93, 91, 94, "transcribed"),
        ("CA-cumbria", "TLD1", 91, 90, 92, "transcribed"),
        ("CA-hampshire-and-the-solent", "TLJ3", 93, 93, 94, "transcribed"),
        ("E47000018", "TLD4", 89, 88, 90, "transcribed"),
    ]


def test_the_weights_of_the_census_are_shown_beside_ours(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = warehouse.execute(
        "select barometer_id, round(our_estimate, 2), round(our_estimate_at_census_shares, 2) "
        "from marts.combined_authorities "
        "where our_estimate is not null and area_code = 'E47000007' order by all"
    ).fetchall()
    assert found == [("arts_engagement", 85.48, 85.48), ("library_engagement", 24.31, 24.27)]
    [(ours, both, either, furthest)] = warehouse.execute(
        "select count(our_estimate), count(our_estimate + our_estimate_at_census_shares), "
        "count(coalesce(our_estimate, our_estimate_at_census_shares)), "
        "round(max(abs(our_estimate_at_census_shares - our_estimate)), 2) "
        "from marts.combined_authorities"
    ).fetchall()
    # Every one of ours has it, and none is without ours.
    assert (ours, both, either, furthest) == (38, 38, 38, 0.2)
