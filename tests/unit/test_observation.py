"""The tidy shapes refuse rows that contradict themselves, and give types back unchanged."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from sources.errors import ParseError, PulseError
from sources.observation import (
    MEMBERSHIP_COLUMNS,
    OBSERVATION_COLUMNS,
    OBSERVATION_DTYPES,
    STATUSES_WITHOUT_VALUE,
    MembershipModel,
    ObservationModel,
    as_observations,
    empty_memberships,
    empty_observations,
    has_shape,
)

ROW = {
    "dataset": "d",
    "edition": "2024",
    "revision": "0123456789ab",
    "measure": "trust",
    "area_code": "E08000025",
    "area_name": "Birmingham",
    "area_level": "lad",
    "period_start": "2024-01-01",
    "period_end": "2024-12-31",
    "unit": "percent",
    "value": 41.0,
    "lower_95": 38.0,
    "upper_95": 44.0,
    "base": 500,
    "status": "published",
    "origin": "publisher",
    "file_sha256": "a" * 64,
    "sheet": "B4c",
    "row_number": 10,
    "column_letter": "C",
}


def rows(**changes: object) -> pd.DataFrame:
    return as_observations(pd.DataFrame([ROW | changes]))


def checks_failed(frame: pd.DataFrame) -> set[str]:
    assert not has_shape(frame, ObservationModel.to_schema())
    with pytest.raises(SchemaErrors) as caught:
        ObservationModel.validate(frame, lazy=True)
    return {str(check).split("(")[0] for check in caught.value.failure_cases["check"]}


def test_a_whole_row_passes_and_keeps_its_types():
    checked = ObservationModel.validate(rows(), lazy=True)
    assert tuple(checked.columns) == OBSERVATION_COLUMNS
    assert {column: str(kind).split("[python")[0] for column, kind in checked.dtypes.items()} == (
        dict(OBSERVATION_DTYPES)
    )
    assert has_shape(rows(), ObservationModel.to_schema())


@pytest.mark.parametrize("model", [ObservationModel, MembershipModel])
def test_the_quick_look_at_a_shape_knows_all_that_the_model_asks(model):
    schema = model.to_schema()
    assert (schema.strict, schema.ordered, schema.unique, schema.index) == (True, True, None, None)
    for column in schema.columns.values():
        assert (column.required, column.unique, column.regex, column.parsers) == (
            (True, False, False, [])
        )
    for check in (
        *schema.checks,
        *(each for one in schema.columns.values() for each in one.checks),
    ):
        assert (check.element_wise, check.groupby, check.n_failure_cases) == (False, None, None)


def test_other_types_or_columns_have_no_shape():
    schema, good = ObservationModel.to_schema(), rows()
    assert not has_shape(good.astype({"value": "Float64"}), schema)
    assert not has_shape(good.astype({"area_name": "object"}), schema)
    assert not has_shape(good.drop(columns="citation"), schema)
    assert not has_shape(good[list(reversed(good.columns))], schema)


def test_empty_frames_have_the_shape():
    assert tuple(empty_observations().columns) == OBSERVATION_COLUMNS
    assert tuple(empty_memberships().columns) == MEMBERSHIP_COLUMNS
    ObservationModel.validate(empty_observations(), lazy=True)
    MembershipModel.validate(empty_memberships(), lazy=True)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"value": None}, "published_without_value"),
        ({"status": "suppressed"}, "value_where_none_is_published"),
        ({"value": float("inf"), "upper_95": float("inf")}, "value_not_finite"),
        ({"period_end": "2023-12-31"}, "period_reversed"),
        ({"period_start": "2024-01-01 09:30"}, "period_not_a_day"),
        ({"file_sha256": None}, "no_provenance"),
        ({"row_number": None}, "no_provenance"),
        ({"origin": "transcribed"}, "no_provenance"),
        ({"origin": "transcribed", "citation": "  "}, "no_provenance"),
        ({"area_level": "county"}, "isin"),
        ({"status": "fine"}, "isin"),
        ({"unit": "fraction"}, "isin"),
        ({"origin": "imagined"}, "isin"),
        ({"area_code": " E08000025"}, "str_matches"),
        ({"file_sha256": "abc"}, "str_matches"),
        ({"base": -1}, "greater_than_or_equal_to"),
        ({"breakdown": "sex"}, "group_without_breakdown"),
        ({"category": "Female"}, "group_without_breakdown"),
        ({"breakdown": "sex", "category": ""}, "str_matches"),
        ({"area_name": None}, "not_nullable"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(changes, check):
    assert check in checks_failed(rows(**changes))


@pytest.mark.parametrize("status", STATUSES_WITHOUT_VALUE)
def test_a_withheld_figure_has_no_value(status):
    frame = rows(status=status, value=None, lower_95=None, upper_95=None, status_symbol="[c]")
    ObservationModel.validate(frame, lazy=True)


def test_low_reliability_may_carry_a_value_or_not():
    ObservationModel.validate(rows(status="low_reliability"), lazy=True)
    frame = rows(status="low_reliability", value=None, lower_95=None, upper_95=None)
    ObservationModel.validate(frame, lazy=True)


def test_a_transcribed_row_needs_its_citation_and_no_cell():
    frame = rows(
        origin="transcribed", citation="Report, page 24", file_sha256=None, row_number=None
    )
    ObservationModel.validate(frame, lazy=True)


def test_an_unknown_column_is_refused():
    with pytest.raises(ValueError, match="colour"):
        as_observations(pd.DataFrame([ROW | {"colour": "red"}]))


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="many"):
        rows(value="many")


def test_an_area_is_no_member_of_itself():
    row = dict.fromkeys(MEMBERSHIP_COLUMNS) | {
        "dataset": "d",
        "edition": "2025",
        "revision": "bundled",
        "member_code": "E47000007",
        "member_name": "West Midlands",
        "parent_code": "E47000007",
        "parent_name": "West Midlands",
        "origin": "transcribed",
        "citation": "a lookup",
    }
    frame = pd.DataFrame([row]).astype(empty_memberships().dtypes.to_dict())
    with pytest.raises(SchemaErrors, match="member_of_itself"):
        MembershipModel.validate(frame, lazy=True)
    frame["member_code"] = "E08000025"
    MembershipModel.validate(frame.astype({"member_code": "string"}), lazy=True)


@given(st.floats(0, 100), st.integers(0, 10**9))
def test_numbers_survive_the_way_into_the_shape(value, base):
    frame = rows(value=str(value), lower_95=None, upper_95=None, base=base)
    assert frame["value"].iloc[0] == value
    assert frame["base"].iloc[0] == base


def test_an_error_says_where_what_and_what_next():
    error = ParseError(
        "the sheet is missing",
        code="missing_sheet",
        dataset="dcms_community_life",
        edition="2023-24",
        file="tables.xlsx",
        sheet="B4c",
        cell="A1",
        expected="sheet B4c",
        found="B4b",
        todo="download the file again",
    )
    assert str(error) == (
        "dcms_community_life 2023-24, file tables.xlsx, sheet B4c, cell A1: the sheet is missing. "
        "Expected: sheet B4c. Found: B4b. What to do: download the file again."
    )
    assert (error.code, error.sheet, error.found) == ("missing_sheet", "B4c", "B4b")
    assert isinstance(error, PulseError)


def test_an_error_keeps_its_parts_across_processes():
    error = ParseError("x", code="missing_sheet", dataset="d", expected=3)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code, again.dataset) == (
        ParseError,
        str(error),
        "missing_sheet",
        "d",
    )


def test_an_error_of_a_message_alone_is_that_message():
    assert str(ParseError("x")) == "x."
