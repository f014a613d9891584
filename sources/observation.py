"""The tidy shapes: one row per published cell, or one row per membership.

Belongs here: columns, types and the rules that hold for every dataset (a published row has a value, a
suppressed one has none, a row says where it comes from). Does not belong here: rules that need the
catalogue or the areas; they are in ``sources.contract``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from sources.catalogue import AreaLevel, Unit

# pandera's checks get their functions with its backend, and a model copies those that are there.
pa.DataFrameSchema.get_backend(check_type=pd.DataFrame)

AREA_LEVELS: tuple[str, ...] = get_args(AreaLevel)
UNITS: tuple[str, ...] = get_args(Unit)
STATUSES_WITHOUT_VALUE = ("suppressed", "not_available", "not_applicable", "not_held")
STATUSES = (
    *("published", "suppressed", "low_reliability", "not_available", "not_applicable", "not_held"),
)
ORIGINS = ("publisher", "transcribed", "reported", "derived", "local", "synthetic")

EVERYBODY: tuple[str, str] = ("all", "all")
"""Breakdown and category of a figure that is not of a group of people."""

_TEXT, _REAL, _WHOLE, _DAY = "string", "float64", "Int64", "datetime64[ns]"


class _Rows(pa.DataFrameModel):
    class Config:
        strict = True
        ordered = True
        coerce = True

    @pa.dataframe_check
    @classmethod
    def no_provenance(cls, frame: pd.DataFrame) -> pd.Series:
        """True where the row leads back to a cell of a file, or carries a citation instead."""
        cell = frame["file_sha256"].notna() & frame["row_number"].notna()
        cited = frame["citation"].fillna("").str.strip().ne("")
        from_file = frame["origin"].eq("publisher").fillna(False)
        copied = frame["origin"].isin(["transcribed", "reported"])
        other = ~(from_file | copied)
        return ((from_file & cell) | (copied & cited) | other).astype(bool)


class ObservationModel(_Rows):
    """One row per published cell; percentages are 0 to 100, dates are midnight."""

    dataset: Series[pd.StringDtype]
    edition: Series[pd.StringDtype]
    revision: Series[pd.StringDtype]
    measure: Series[pd.StringDtype]
    area_code: Series[pd.StringDtype] = pa.Field(str_matches=r"^\S(.*\S)?$")
    area_name: Series[pd.StringDtype]
    area_level: Series[pd.StringDtype] = pa.Field(isin=AREA_LEVELS)
    period_start: Series[pa.DateTime]
    period_end: Series[pa.DateTime]
    unit: Series[pd.StringDtype] = pa.Field(isin=UNITS)
    value: Series[float] = pa.Field(nullable=True)
    lower_95: Series[float] = pa.Field(nullable=True)
    upper_95: Series[float] = pa.Field(nullable=True)
    base: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=0)
    breakdown: Series[pd.StringDtype] = pa.Field(str_matches=r"^\S(.*\S)?$")
    category: Series[pd.StringDtype] = pa.Field(str_matches=r"^\S(.*\S)?$")
    group_number: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    group_label: Series[pd.StringDtype] = pa.Field(nullable=True)
    status: Series[pd.StringDtype] = pa.Field(isin=STATUSES)
    status_symbol: Series[pd.StringDtype] = pa.Field(nullable=True)
    origin: Series[pd.StringDtype] = pa.Field(isin=ORIGINS)
    file_sha256: Series[pd.StringDtype] = pa.Field(nullable=True, str_matches=r"^[0-9a-f]{64}$")
    sheet: Series[pd.StringDtype] = pa.Field(nullable=True)
    row_number: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    column_letter: Series[pd.StringDtype] = pa.Field(nullable=True, str_matches=r"^[A-Z]{1,3}$")
    citation: Series[pd.StringDtype] = pa.Field(nullable=True)

    class Config:
        name = "observations"

    @pa.dataframe_check(name="published_without_value")
    @classmethod
    def published_has_value(cls, frame: pd.DataFrame) -> pd.Series:
        return (frame["status"].ne("published") | frame["value"].notna()).astype(bool)

    @pa.dataframe_check(name="value_where_none_is_published")
    @classmethod
    def withheld_has_none(cls, frame: pd.DataFrame) -> pd.Series:
        withheld = frame["status"].isin(STATUSES_WITHOUT_VALUE)
        figures = ["value", "lower_95", "upper_95", "group_number"]
        return (~withheld | frame[figures].isna().all(axis=1)).astype(bool)

    @pa.dataframe_check(name="value_not_finite")
    @classmethod
    def finite(cls, frame: pd.DataFrame) -> pd.Series:
        figures = frame[["value", "lower_95", "upper_95"]]
        infinite: pd.Series = figures.isin([float("inf"), float("-inf")]).any(axis=1)
        return ~infinite

    @pa.dataframe_check(name="group_without_breakdown")
    @classmethod
    def group_has_breakdown(cls, frame: pd.DataFrame) -> pd.Series:
        divided, named = (frame[name].ne("all").fillna(True) for name in ("breakdown", "category"))
        return divided.eq(named).astype(bool)

    @pa.dataframe_check(name="period_reversed")
    @classmethod
    def period_runs_forward(cls, frame: pd.DataFrame) -> pd.Series:
        return frame["period_start"] <= frame["period_end"]

    @pa.dataframe_check(name="period_not_a_day")
    @classmethod
    def periods_are_days(cls, frame: pd.DataFrame) -> pd.Series:
        start, end = frame["period_start"], frame["period_end"]
        days: pd.Series = (start == start.dt.normalize()) & (end == end.dt.normalize())
        return days


class MembershipModel(_Rows):
    """One row per membership: the member area belongs to the parent area in that edition."""

    dataset: Series[pd.StringDtype]
    edition: Series[pd.StringDtype]
    revision: Series[pd.StringDtype]
    member_code: Series[pd.StringDtype] = pa.Field(str_matches=r"^\S(.*\S)?$")
    member_name: Series[pd.StringDtype]
    parent_code: Series[pd.StringDtype] = pa.Field(str_matches=r"^\S(.*\S)?$")
    parent_name: Series[pd.StringDtype]
    origin: Series[pd.StringDtype] = pa.Field(isin=ORIGINS)
    file_sha256: Series[pd.StringDtype] = pa.Field(nullable=True, str_matches=r"^[0-9a-f]{64}$")
    sheet: Series[pd.StringDtype] = pa.Field(nullable=True)
    row_number: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    column_letter: Series[pd.StringDtype] = pa.Field(nullable=True, str_matches=r"^[A-Z]{1,3}$")
    citation: Series[pd.StringDtype] = pa.Field(nullable=True)

    class Config:
        name = "memberships"

    @pa.dataframe_check(name="member_of_itself")
    @classmethod
    def not_its_own_parent(cls, frame: pd.DataFrame) -> pd.Series:
        return frame["member_code"].ne(frame["parent_code"]).astype(bool)


def has_shape(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> bool:
    """True where pandera would find nothing: the schema's own types and checks, column by column.

    What pandera notes down on its way costs many times the checks, so it is asked only where a frame
    is not clean, for the failure cases. False says no more than that pandera has to decide.
    """
    if list(frame.columns) != list(schema.columns):
        return False
    for name, column in schema.columns.items():
        series = frame[name]
        present = series.notna()
        if series.dtype != column.dtype.type or not (column.nullable or present.all()):
            return False
        if column.checks and not all(
            check._check_fn(series[present], **check._check_kwargs).all() for check in column.checks
        ):
            return False
    return all(check._check_fn(frame, **check._check_kwargs).all() for check in schema.checks)


def _dtypes(model: type[pa.DataFrameModel]) -> Mapping[str, str]:
    """Column -> pandas dtype, in order. A null value or bound is NaN."""
    columns = model.to_schema().columns
    return {name: str(column.dtype).removesuffix("[python]") for name, column in columns.items()}


OBSERVATION_DTYPES = _dtypes(ObservationModel)
OBSERVATION_COLUMNS = tuple(OBSERVATION_DTYPES)
MEMBERSHIP_DTYPES = _dtypes(MembershipModel)
MEMBERSHIP_COLUMNS = tuple(MEMBERSHIP_DTYPES)


def _empty(dtypes: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series([], dtype=kind) for column, kind in dtypes.items()})


def empty_observations() -> pd.DataFrame:
    """No observations, in the right columns and types."""
    return _empty(OBSERVATION_DTYPES)


def empty_memberships() -> pd.DataFrame:
    """No memberships, in the right columns and types."""
    return _empty(MEMBERSHIP_DTYPES)


def _conform(frame: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    unknown = [str(column) for column in frame.columns if column not in dtypes]
    if unknown:
        raise ValueError(f"columns that the tidy shape does not have: {', '.join(unknown)}")
    if dict(frame.dtypes.astype(str)) == dict(dtypes) and list(frame.columns) == list(dtypes):
        return frame.reset_index(drop=True)
    whole = frame.reset_index(drop=True)
    columns: dict[str, Any] = {}
    for column, kind in dtypes.items():
        if column not in whole:
            columns[column] = pd.Series(None, index=whole.index, dtype=kind)
            continue
        series: Any = whole[column]
        if series.dtype == kind:
            columns[column] = series
        elif kind == _DAY:
            columns[column] = pd.to_datetime(series).astype(kind)
        elif kind == _WHOLE:
            columns[column] = pd.to_numeric(series).astype("Float64").astype(kind)
        elif kind == _TEXT:
            columns[column] = series.astype(kind)
        else:
            # Through Python's own reading of a number: pandas' quick one loses the last digit.
            columns[column] = (
                series.astype("object").where(series.notna(), float("nan")).astype(kind)
            )
    return pd.DataFrame(columns)


def as_observations(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame in the tidy columns, order and types; columns left out become null.

    A frame without ``breakdown`` and ``category`` is of everybody. Raises ValueError for a column that
    the shape does not have, or a value that its type cannot hold.
    """
    whole = dict(zip(("breakdown", "category"), EVERYBODY, strict=True))
    missing = {name: each for name, each in whole.items() if name not in frame}
    return _conform(frame.assign(**missing) if missing else frame, OBSERVATION_DTYPES)


def as_memberships(frame: pd.DataFrame) -> pd.DataFrame:
    """As ``as_observations``, for memberships."""
    return _conform(frame, MEMBERSHIP_DTYPES)
