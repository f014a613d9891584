"""What a release says in words is what its figures are: one test per kind of statement."""

from __future__ import annotations

import duckdb
import pytest

pytestmark = pytest.mark.slow


def _rows(warehouse: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return warehouse.execute(sql).fetchall()


def _some(warehouse: duckdb.DuckDBPyConnection, sql: str) -> None:
    """The kind that a test asks about occurs in the release at all."""
    (found,) = _rows(warehouse, f"select count(*) from {sql}")
    assert found != (0,)


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
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    _some(warehouse, _AGAINST_ENGLAND)
    assert (
        _rows(
            warehouse,
            "select b.barometer_id, b.area_code, b.sentence, c.sentence from "
            f"{_AGAINST_ENGLAND} and b.sentence is distinct from c.sentence",
        )
        == []
    )


def test_close_calls_read_the_same(warehouse: duckdb.DuckDBPyConnection) -> None:
    _some(warehouse, f"{_AGAINST_ENGLAND} and c.close_call")
    assert (
        _rows(
            warehouse,
            f"select b.barometer_id, b.area_code, b.sentence from {_AGAINST_ENGLAND} and "
            "(b.close_call is distinct from c.close_call "
            "or c.close_call != contains(b.sentence, 'close'))",
        )
        == []
    )


def test_a_percent_sign_belongs_to_a_percentage(warehouse: duckdb.DuckDBPyConnection) -> None:
    _some(warehouse, "marts.barometers where contains(sentence, '%')")
    assert (
        _rows(
            warehouse,
            "select barometer_id, area_code, sentence from marts.barometers "
            "where contains(sentence, '%') and unit != 'percent'",
        )
        == []
    )


def test_a_figure_is_named_with_its_own_edition(warehouse: duckdb.DuckDBPyConnection) -> None:
    _some(warehouse, "marts.barometers where value is not null and unit = 'percent'")
    assert (
        _rows(
            warehouse,
            "select barometer_id, area_code, edition_title, sentence from marts.barometers "
            "where value is not null and not contains(sentence, edition_title)",
        )
        == []
    )


def test_only_a_figure_that_is_not_the_report_s_confirms_a_claim(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    _some(warehouse, "marts.report_reconciliation where verdict = 'agrees'")
    assert (
        _rows(
            warehouse,
            "select claim_id, our_origin from marts.report_reconciliation where "
            "verdict = 'agrees' and (our_origin is null or our_origin = 'reported')",
        )
        == []
    )
