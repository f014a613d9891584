"""The contract of an edition: the rules its rows must meet before anything is built on them.

Belongs here: every rule that needs the rows of one edition, its catalogue entry, the areas, and at
most the editions before it. Does not belong here: rules on marts (``warehouse.contracts``), reading
files, or deciding what happens to a file that fails (``sources.examination``).

A rule never changes rows. It returns findings: ``error`` refuses the edition, ``warning`` lets it in
and is shown, ``note`` is kept for the record.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors
from pydantic import ConfigDict

from sources.areas import AreaBook
from sources.catalogue import Coverage, Dataset, Edition, JumpRule, Measure
from sources.consistency import (
    design_effect,
    design_effect_fit,
    half_unit,
    log_odds,
    stored_decimals,
)
from sources.errors import counted, listed
from sources.observation import (
    MembershipModel,
    ObservationModel,
    as_memberships,
    as_observations,
    has_shape,
)

Severity = Literal["error", "warning", "note"]

#: At these levels an interval of no width can only be a fault: samples are some hundred people.
AUTHORITY_LEVELS: tuple[str, ...] = ("lad", "utla", "cauth", "itl2", "ward", "lsoa")
#: Fewer shared figures than this could agree by chance.
_SAME_FILE_AREAS = 20
#: In log-odds, from the median of the authorities. Published ones are at most 1.2 away; a tenth of a
#: percentage above 36, or a hundredth of one above 14, is farther.
_FAR = 2.7
_NAMED = 8
_KEY = ["measure", "area_code", "period_start", "period_end", "breakdown", "category"]
_MEASURE_AND_PERIOD = ["measure", "period_start", "period_end"]
_SHOWN = [
    *("measure", "area_code", "area_name", "area_level", "period_start", "breakdown", "category"),
    *("value", "lower_95", "upper_95", "group_number", "group_label", "unit", "status"),
    *("sheet", "row_number", "column_letter"),
]


@dataclass(frozen=True)
class Finding:
    """What one rule found. ``failure_cases`` holds the rows that broke it, with their cells."""

    __pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)

    code: str
    severity: Severity
    message: str
    where: str | None = None
    failure_cases: pd.DataFrame | None = None


def check_rows(
    rows: pd.DataFrame,
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    *,
    previous: pd.DataFrame | None = None,
) -> list[Finding]:
    """Every finding on the rows of one edition, errors first; an empty list is a clean edition.

    ``rows`` has the observation columns, or the membership columns where the dataset's shape is
    memberships. ``previous`` holds accepted rows of earlier editions of the same dataset, any number
    of them; rows of the edition itself or of later ones are left out of account.
    """
    memberships = dataset.shape == "memberships"
    model: Any = MembershipModel if memberships else ObservationModel
    conform = as_memberships if memberships else as_observations
    judged = _Judged(dataset, edition, areas)
    findings = _shape_findings(rows, model, judged)
    if any(finding.code in ("missing_column", "unknown_column") for finding in findings):
        return findings
    try:
        rows = conform(rows)
    except (ValueError, TypeError) as error:
        return findings or [judged.finding("bad_type", f"a value does not fit its column: {error}")]
    if rows.empty:
        return [
            judged.finding("empty_table", "there are no rows; expected figures for this edition")
        ]
    # What a row must have and lacks is reported above; the rules below may rely on it.
    required = [name for name, column in model.to_schema().columns.items() if not column.nullable]
    rows = rows.dropna(subset=required).reset_index(drop=True)
    if rows.empty:
        return findings
    for rule in _MEMBERSHIP_RULES if memberships else _OBSERVATION_RULES:
        findings.extend(rule(rows, judged))
    if not memberships and previous is not None and not previous.empty:
        findings.extend(_against_earlier(rows, judged, previous))
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(findings, key=lambda finding: order[finding.severity])


@dataclass(frozen=True)
class _Judged:
    """What rows are judged by; its findings name the dataset, the edition and the first cells."""

    dataset: Dataset
    edition: Edition
    areas: AreaBook

    def finding(
        self,
        code: str,
        message: str,
        cases: pd.DataFrame | None = None,
        severity: Severity = "error",
    ) -> Finding:
        where = shown = None
        if cases is not None and not cases.empty:
            columns = [column for column in _SHOWN if column in cases.columns]
            shown = (cases[columns] if "sheet" in columns else cases).reset_index(drop=True)
            where = cells(cases)
        text = f"{self.dataset.code} {self.edition.edition}: {message}"
        return Finding(code, severity, f"{text} ({where})." if where else f"{text}.", where, shown)

    def broken(
        self, code: str, cases: pd.DataFrame, message: str, severity: Severity = "error"
    ) -> Iterable[Finding]:
        """A finding on the rows that break a rule; none where no row does."""
        if not cases.empty:
            yield self.finding(code, message, cases, severity)

    def named(self, codes: Iterable[str]) -> str:
        """The first few areas, with name and code."""
        known = self.areas.knows
        return _listed([f"{self.areas.name(c)} {c}" if known(c) else c for c in sorted(set(codes))])


def cells(cases: pd.DataFrame, most: int = _NAMED) -> str | None:
    """Where the first few cases are: ``B4c!C14, B4c!C15 and 3 more``, else their areas."""
    places: list[str] = []
    for _, row in cases.head(most).iterrows():
        number = row.get("row_number")
        if number is not None and not pd.isna(number):
            sheet = row.get("sheet")
            letter = row.get("column_letter")
            column = "" if letter is None or pd.isna(letter) else str(letter)
            # Rows that do not have the shape yet may hold anything here.
            line = str(number).removesuffix(".0")
            cell = f"{column}{line}" if column else f"row {line}"
            places.append(cell if sheet is None or pd.isna(sheet) else f"{sheet}!{cell}")
        elif row.get("area_code") is not None and not pd.isna(row.get("area_code")):
            named = (row.get("measure"), row.get("area_name"), row.get("area_code"))
            places.append(" ".join(str(part) for part in named if part is not None))
    return listed(places, most, total=len(cases))


def _listed(items: Sequence[str]) -> str:
    """The first few items, and how many more there are; empty where there are none."""
    return listed(items, _NAMED) or ""


def _rows_have(cases: pd.DataFrame, measure: str = "") -> str:
    """How many rows have what is said next, of a measure where one is named."""
    of = f" of {measure}" if measure else ""
    return counted(len(cases), f"row{of} has", f"rows{of} have")


def _values(column: pd.Series) -> str:
    """The first few of the values that a column has."""
    return "" if column.empty else _listed([str(each) for each in column.dropna().unique()])


def _plain(frame: pd.DataFrame, mask: pd.Series) -> pd.DataFrame:
    """Rows where the mask, of the same rows, is true; null counts as false."""
    chosen = mask.to_numpy(dtype=bool, na_value=False)
    if not chosen.any():
        return frame.iloc[:0]
    return frame if chosen.all() else frame[chosen]


# --- shape ---------------------------------------------------------------------------------------

_SHAPE_CODES = {
    "isin": "unknown_{column}",
    "not_nullable": "missing_{column}",
    "str_matches": "malformed_{column}",
    "greater_than_or_equal_to": "out_of_range_{column}",
    "column_in_schema": "unknown_column",
    "column_in_dataframe": "missing_column",
    "column_ordered": "column_order",
}


def _shape_findings(rows: pd.DataFrame, model: Any, judged: _Judged) -> list[Finding]:
    if has_shape(rows, model.to_schema()):
        return []
    try:
        model.validate(rows, lazy=True)
    except SchemaErrors as error:
        return _from_schema_errors(error.failure_cases, rows, judged)
    except (pa.errors.SchemaError, ValueError, TypeError) as error:
        return [judged.finding("bad_type", f"the rows do not have the tidy shape: {error}")]
    return []


def _from_schema_errors(cases: pd.DataFrame, rows: pd.DataFrame, judged: _Judged) -> list[Finding]:
    findings = []
    # A check on whole rows lists every column of a bad row: its own name is the code, and its
    # column says nothing.
    whole = cases["schema_context"].eq("DataFrameSchema")
    label = cases["column"].astype("string").where(~whole, "")
    groups = cases.assign(label=label.fillna("")).groupby(["check", "label"], sort=True)
    for (check, column), group in groups:
        name = str(check).split("(")[0]
        if name.startswith(("coerce_dtype", "dtype")):
            code = f"bad_{column}" if column else "bad_type"
        else:
            code = _SHAPE_CODES.get(name, name).format(column=column or "value")
        if code in ("unknown_column", "missing_column", "column_order"):
            found = _listed([str(case) for case in group["failure_case"].unique()])
            findings.append(judged.finding(code, f"{code.replace('_', ' ')}: {found}"))
            continue
        index = [i for i in group["index"].dropna().unique() if i in rows.index]
        bad = rows.loc[index]
        values = "" if not column else _listed([repr(v) for v in group["failure_case"].unique()])
        fault = _SHAPE_MESSAGES.get(code, code.replace("_", " "))
        message = f"{fault}: {len(bad)} of {counted(len(rows), 'row', 'rows')}"
        if column:
            message += f", column {column}, found {values}"
        findings.append(judged.finding(code, message, bad))
    return findings


_SHAPE_MESSAGES = {
    "published_without_value": "a published figure without a value",
    "value_where_none_is_published": "a value, bound or group where the status says there is none",
    "value_not_finite": "an infinite value",
    "period_reversed": "a period that ends before it starts",
    "period_not_a_day": "a period with a time of day",
    "group_without_breakdown": "a group of people without a breakdown, or the other way round",
    "no_provenance": "a figure that leads back to no cell and carries no citation",
    "member_of_itself": "an area that is its own member",
}


# --- rules on observations -----------------------------------------------------------------------


def _identity(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    for column, wanted in (("dataset", judged.dataset.code), ("edition", judged.edition.edition)):
        bad = _plain(rows, rows[column].ne(wanted))
        found = _values(bad[column]) or "nothing"
        message = f"{counted(len(bad), 'row says', 'rows say')} {column} {found}; expected {wanted}"
        yield from judged.broken(f"wrong_{column}", bad, message)
    known = {entry.edition for entry in judged.dataset.editions}
    unlisted = _plain(rows, ~rows["edition"].isin(known))
    if not unlisted.empty or judged.edition.edition not in known:
        yield judged.finding(
            "unknown_edition",
            f"the edition is not in the catalogue; listed are {', '.join(sorted(known)) or 'none'}",
            unlisted,
        )


def _measures(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    listed = {measure.code: measure for measure in judged.dataset.measures}
    bad = _plain(rows, ~rows["measure"].isin(listed))
    yield from judged.broken(
        "unknown_measure",
        bad,
        f"measures that the catalogue does not list: {_values(bad['measure'])}; listed are "
        f"{', '.join(listed) or 'none'}",
    )
    units = rows["measure"].map({code: measure.unit for code, measure in listed.items()})
    bad = _plain(rows, units.notna() & rows["unit"].ne(units))
    yield from judged.broken(
        "wrong_unit",
        bad,
        f"{_rows_have(bad)} unit {_listed(sorted(set(bad['unit'].dropna())))}; expected "
        f"{_listed(sorted({listed[code].unit for code in bad['measure']}))}",
    )


def _area_codes(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    known = rows["area_code"].map(judged.areas.knows).fillna(False).astype(bool)
    unknown = rows[~known]
    names = unknown.drop_duplicates("area_code")
    yield from judged.broken(
        "unknown_area",
        unknown,
        f"area codes that are not known: {_values(names['area_code'] + ' (' + names['area_name'] + ')')}"
        "; add them to dbt_project/seeds/areas.csv if they are real",
    )
    gss = rows["area_code"].str.fullmatch("[A-Z][0-9]{8}")
    abroad = _plain(rows, gss & ~rows["area_code"].str.startswith(judged.dataset.country))
    yield from judged.broken(
        "outside_country",
        abroad,
        f"areas outside the country of the dataset: {judged.named(abroad['area_code'])}; expected "
        f"codes that begin with {judged.dataset.country}",
    )
    levels = rows["area_code"].where(known).map(judged.areas.level, na_action="ignore")
    # The commission's areas are authorities, counties or groups of them; they keep their own level.
    wrong = _plain(rows, known & rows["area_level"].ne("smc_area") & rows["area_level"].ne(levels))
    if not wrong.empty:
        first = wrong.iloc[0]
        yield judged.finding(
            "wrong_level",
            f"{_rows_have(wrong)} an area level that is not their area's, e.g. "
            f"{first['area_code']} ({first['area_name']}) as {first['area_level']}, expected "
            f"{judged.areas.level(str(first['area_code']))}",
            wrong,
        )
    if judged.edition.levels:
        extra = _plain(rows, ~rows["area_level"].isin(judged.edition.levels))
        yield from judged.broken(
            "unexpected_level",
            extra,
            f"area levels that the catalogue does not expect in this edition: "
            f"{_listed(sorted(set(extra['area_level'].dropna())))}; expected "
            f"{', '.join(judged.edition.levels)}",
            "warning",
        )


def _vintage(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    if judged.edition.code_vintage is None:
        return
    year = judged.edition.code_vintage
    bad = _plain(
        rows,
        rows["area_level"].isin(["lad", "utla"])
        & rows["area_code"].map(
            lambda code: judged.areas.knows(code) and not judged.areas.valid_in(code, year)
        ),
    )
    yield from judged.broken(
        "code_vintage",
        bad,
        f"codes that were not in use in {year}, the vintage the catalogue declares: "
        f"{judged.named(bad['area_code'])}; they are followed to current codes. "
        "Correct code_vintage in the catalogue if the publisher changed it",
        "warning",
    )


def _periods(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    start, end = pd.Timestamp(judged.edition.period_start), pd.Timestamp(judged.edition.period_end)
    # A period of the file belongs to the year in which it begins, and may end later.
    last = rows["period_end" if judged.dataset.periods == "edition" else "period_start"]
    bad = _plain(rows, (rows["period_start"] < start) | (last > end))
    if not bad.empty:
        first = bad.iloc[0]
        yield judged.finding(
            "period_outside_edition",
            f"{_rows_have(bad)} a period outside that of the edition, e.g. "
            f"{first['period_start']:%Y-%m-%d} to {first['period_end']:%Y-%m-%d}; expected within "
            f"{start:%Y-%m-%d} to {end:%Y-%m-%d}",
            bad,
        )


def _missing_periods(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    """An edition of several periods must have all of them: the newest would be an older one else."""
    if judged.dataset.periods != "edition" or not rows["origin"].eq("publisher").any():
        return
    day = pd.Timedelta(days=1)
    begins, edition_ends = (
        pd.Timestamp(each) for each in (judged.edition.period_start, judged.edition.period_end)
    )
    held = rows[["period_start", "period_end"]].drop_duplicates().sort_values("period_start")
    for start, end in [*held.itertuples(index=False), (edition_ends + day, edition_ends)]:
        if start > begins:
            yield judged.finding(
                "missing_period",
                f"there are no rows from {begins:%Y-%m-%d} to {start - day:%Y-%m-%d}, which is within "
                "the edition",
            )
        begins = max(begins, end + day)


def _fractions(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    percent = {measure.code for measure in judged.dataset.measures if measure.unit == "percent"}
    valued = _plain(rows, rows["value"].notna() & rows["measure"].isin(percent))
    for measure, group in valued.groupby("measure"):
        if (group["value"].abs() <= 1).all():
            yield judged.finding(
                "percent_as_fraction",
                f"every value of {measure} lies between 0 and 1 (largest "
                f"{group['value'].max():g}), so these are fractions; expected percentages from "
                "0 to 100",
                group,
            )


def _ranges(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    measures = judged.dataset.measures
    limits = {measure.code: _limits(measure) for measure in measures}
    ends = [
        rows["measure"].map({code: each[side] for code, each in limits.items()}).astype("float64")
        for side in (0, 1)
    ]
    figures = rows[["value", "lower_95", "upper_95"]]
    out = figures.lt(ends[0], axis=0).any(axis=1) | figures.gt(ends[1], axis=0).any(axis=1)
    for measure in measures if out.any() else ():
        low, high = limits[measure.code]
        bad = _plain(rows, out & rows["measure"].eq(measure.code))
        if not bad.empty:
            found = bad[["value", "lower_95", "upper_95"]]
            yield judged.finding(
                "out_of_range",
                f"{_rows_have(bad, measure.code)} a figure outside its range; expected "
                f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'} "
                f"({measure.unit}), found {found.min().min():g} to {found.max().max():g}",
                bad,
            )


def _limits(measure: Measure) -> tuple[float | None, float | None]:
    low, high = measure.minimum, measure.maximum
    low = 0.0 if low is None and measure.unit != "z_score" else low
    return low, 100.0 if high is None and measure.unit == "percent" else high


def _intervals(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    lower, value, upper = rows["lower_95"], rows["value"], rows["upper_95"]
    half = _plain(rows, lower.notna() ^ upper.notna())
    yield from judged.broken("half_interval", half, f"{_rows_have(half)} one bound of two")
    swapped = lower > upper
    bad = _plain(rows, swapped)
    yield from judged.broken(
        "bounds_swapped",
        bad,
        f"{_rows_have(bad)} a lower bound above the upper one; the two columns may have "
        "been exchanged",
    )
    allowed = _rounding(rows, ["value"]) + _rounding(rows, ["lower_95", "upper_95"]) + 1e-9
    gap: Any = np.maximum(lower - value, value - upper)
    near = " by no more than the rounding of its column"
    for mask, how in ((gap > allowed, ""), ((gap > 0) & (gap <= allowed), near)):
        bad = _plain(rows, mask & ~swapped)
        if not bad.empty:
            first = bad.iloc[0]
            yield judged.finding(
                "interval_excludes_value",
                f"{_rows_have(bad)} a value outside its own interval{how}, e.g. "
                f"{first['area_name']} {first['value']:g}, limits {first['lower_95']:g} to "
                f"{first['upper_95']:g}",
                bad,
                "warning" if how else "error",
            )
    flat = rows["lower_95"].notna() & (lower == upper) & (gap <= 0) & value.notna()
    authority = rows["area_level"].isin(AUTHORITY_LEVELS)
    bad = _plain(rows, flat & authority)
    yield from judged.broken(
        "zero_width_interval",
        bad,
        f"{counted(len(bad), 'authority has', 'authorities have')} an interval of no width, which a "
        "sample of some hundred people cannot have",
    )
    wide = _plain(rows, flat & ~authority)
    yield from judged.broken(
        "zero_width_interval",
        wide,
        f"{counted(len(wide), 'row', 'rows')} for a nation or region with an interval of no width, "
        "as rounding can give; the standard error takes its floor",
        "warning",
    )


def _rounding(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """By how much each row's figures may differ from the unrounded ones.

    Half a unit of the last decimal that the measure's column of the sheet is stored with.
    """
    out = pd.Series(0.0, index=rows.index)
    for _, group in rows.groupby(["measure", "sheet"], dropna=False):
        decimals = max(stored_decimals(group[column]) for column in columns)
        out.loc[group.index] = half_unit(decimals)
    return out


def _against_itself(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    """Value, limits and base of a percentage must be those of one sample."""
    whole = _plain(rows, rows["unit"].eq("percent") & rows["value"].between(0, 100))
    nothing = _plain(whole, whole["upper_95"] - whole["lower_95"] >= 99.5)
    yield from judged.broken(
        "interval_says_nothing",
        nothing,
        f"{_rows_have(nothing)} an interval from about 0 to 100",
    )
    # A collection holds counts too: every resident of a town may live near a library.
    asked = whole["area_level"].isin(AUTHORITY_LEVELS) & (judged.dataset.periods == "edition")
    local = _plain(whole, asked)
    medians = local.groupby("measure")["value"].median()
    enough = local.groupby("measure").size() >= _SAME_FILE_AREAS
    beside = whole["measure"].map(medians[enough].map(log_odds))
    # Nobody or everybody in a small sample is judged below, by its base.
    asked_all = whole["breakdown"].eq("all") & ~whole["value"].isin([0, 100])
    far = _plain(whole, asked_all & ((whole["value"].map(log_odds) - beside).abs() > _FAR))
    yield from judged.broken(
        "far_from_others",
        far,
        f"{_rows_have(far)} a percentage too far from the median of the authorities, "
        f"{_values(far['measure'].map(medians))}: a fraction among percentages or a slipped "
        "decimal point",
    )
    typical = local["measure"].map(medians)
    people = local["base"].astype("float64").fillna(100)
    empty = (local["value"].eq(0) & (typical * people > 1000)) | (
        local["value"].eq(100) & ((100 - typical) * people > 1000)
    )
    bad = _plain(local, empty)
    yield from judged.broken(
        "zero_in_place_of_symbol",
        bad,
        f"{counted(len(bad), 'authority has', 'authorities have')} exactly "
        f"{_listed(sorted({f'{v:g}' for v in bad['value']}))} percent where others are far from "
        "it, so a figure that is not published was written as a number",
    )
    bad = _plain(whole, whole["base"].eq(0))
    yield from judged.broken("figure_without_base", bad, f"{_rows_have(bad)} a figure of nobody")
    usable = whole["base"].gt(0) & (whole["upper_95"] - whole["lower_95"]).between(0, 99.5)
    usable &= ~whole.index.isin(bad.index) & (whole["upper_95"] > whole["lower_95"])
    whole = _plain(whole, usable)
    yield from _design_effects(whole, judged)


def _design_effects(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    """The design effect that value, interval and base imply must be one that a survey has."""
    if rows.empty:
        return
    figures = rows[["value", "lower_95", "upper_95", "base"]].astype("float64")
    rounding = _rounding(rows, ["lower_95", "upper_95"])
    judgements = figures.assign(rounding=rounding).itertuples(index=False)
    fits = pd.Series([design_effect_fit(*row) for row in judgements], index=rows.index)
    kinds: tuple[tuple[str, str, Severity], ...] = (
        ("contradicts", "cannot", "error"),
        ("odd", "can hardly", "warning"),
    )
    for fit, can, severity in kinds:
        bad = _plain(rows, fits.eq(fit))
        if not bad.empty:
            first = bad.iloc[0]
            yield judged.finding(
                "interval_contradicts_base",
                f"{_rows_have(bad)} an interval that a sample of their base {can} give, e.g. "
                f"{first['area_name']} {first['value']:g}, limits {first['lower_95']:g} to "
                f"{first['upper_95']:g}, base {first['base']}: a moved decimal point, a weighted "
                "base or other limits",
                bad,
                severity,
            )
    local = rows[rows["area_level"].isin(AUTHORITY_LEVELS)]
    of_local = figures.loc[local.index].itertuples(index=False)
    effects = pd.Series([design_effect(*row) for row in of_local], index=local.index, dtype=float)
    medians = effects.groupby(local["measure"]).median()
    for measure, median in medians.items():
        others = medians.drop(measure)
        beside = others.median() if len(others) else median
        enough = (local["measure"] == measure).sum() >= _SAME_FILE_AREAS
        if enough and not (0.6 < median / beside < 1.5 and 0.8 < median < 2.6):
            yield judged.finding(
                "interval_level_differs",
                f"the intervals of {measure} imply a median design effect of {median:.1f} "
                f"(other measures {beside:.1f}), as limits of another level than 95 percent, such "
                "as 99, or a weighted base would",
                severity="warning",
            )


def _doubled(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    # A file of many periods has an area and what it became beside each other.
    areas, whole = judged.areas, judged.dataset.periods == "edition"
    code_of = areas.current if whole else areas.same_ground
    keyed = rows.assign(area_code=rows["area_code"].map(code_of), printed=rows["area_code"])
    same = keyed.duplicated(_KEY, keep=False)
    if not same.any():
        return
    conflicting: list[Any] = []
    equal: list[Any] = []
    for _, group in keyed[same].groupby(_KEY, dropna=False):
        codes = list(group["printed"])
        # Predecessors of a merger are side by side until they are summed; that is no doubling.
        if len(set(codes)) == len(codes) and str(group["area_code"].iloc[0]) not in codes:
            continue
        figures = group[["value", "lower_95", "upper_95", "group_number", "status"]]
        (equal if len(figures.drop_duplicates()) == 1 else conflicting).extend(group.index)
    for index, code, what in (
        (conflicting, "conflicting_area", "different figures"),
        (equal, "doubled_area", "the same figures"),
    ):
        bad = rows.loc[index].sort_values(_KEY)
        named = judged.named(bad["area_code"].map(areas.current))
        message = f"areas that appear more than once, with {what}: {named}"
        yield from judged.broken(code, bad, message)


def _coverage(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    # The figures that ship with the project are what is published in text: they may be few.
    severity: Severity = "error" if rows["origin"].eq("publisher").any() else "note"
    periods = list(rows[["period_start", "period_end"]].drop_duplicates().itertuples(index=False))
    for rule in judged.dataset.coverage_of(judged.edition.edition):
        expected = _expected(rule, judged)
        of_rule = rows["area_level"].eq(rule.level) & rows["area_code"].str.startswith(rule.prefix)
        of_rule &= rows["breakdown"].eq("all")
        held = {
            key: frozenset(codes)
            for key, codes in _plain(rows, of_rule).groupby(_MEASURE_AND_PERIOD)["area_code"]
        }
        alike: dict[frozenset[str], list[str]] = {}
        for measure in rule.measures or tuple(entry.code for entry in judged.dataset.measures):
            for start, end in periods:
                when = f" {start:%Y-%m-%d} to {end:%Y-%m-%d}" if len(periods) > 1 else ""
                here = held.get((measure, start, end), frozenset())
                alike.setdefault(here, []).append(f"{measure}{when}")
        # Measures that lack the same areas share one finding.
        for present, measures in alike.items():
            what = f"{rule.level}, {_listed(measures)}"
            lost = not present and len(measures) <= judged.dataset.allowance.tables
            allowed: Severity = "warning" if lost and severity == "error" else severity
            yield from _count(rule, expected, present, what, allowed, judged)


def _count(
    rule: Coverage,
    expected: frozenset[str] | None,
    present: frozenset[str],
    what: str,
    severity: Severity,
    judged: _Judged,
) -> Iterable[Finding]:
    areas = judged.areas
    wanted = f"{'' if rule.exact else 'at least '}{rule.areas}"
    missing: set[str] = set()
    extra: set[str] = set()
    if expected is not None and rule.exact:
        todays = {areas.current(code) for code in present}
        wanted_today = {areas.current(code) for code in expected}
        missing = {code for code in expected if areas.current(code) not in todays}
        extra = {code for code in present if areas.current(code) not in wanted_today}
    if missing or len(present) < rule.areas:
        code, fault, named = "missing_area", "missing", missing
        short = max(rule.areas - len(present), 0)
    elif rule.exact and (extra or len(present) > rule.areas):
        code, fault, named = "unexpected_area", "not expected", extra
        short = len(present) - rule.areas
    else:
        return
    lacking = "all" if not present else judged.named(named) if named else short
    message = (
        f"{what}: {counted(len(present), 'area', 'areas')}, expected {wanted}; {fault}: {lacking}"
    )
    cases = pd.DataFrame({"area_code": sorted(named)}) if named else None
    yield replace(judged.finding(code, message, severity=severity), where=what, failure_cases=cases)


def _expected(rule: Coverage, judged: _Judged) -> frozenset[str] | None:
    """The codes that the rule counts, where the book of areas knows exactly that many."""
    dataset, edition, areas = judged.dataset, judged.edition, judged.areas
    if rule.level == "smc_area":
        codes = areas.aliased(dataset.code, edition.edition)
    else:
        codes = areas.codes(rule.level, prefix=rule.prefix, year=edition.code_vintage)
    return frozenset(codes) if len(codes) == rule.areas else None


def _groups(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    for measure in judged.dataset.measures:
        scale = measure.group_labels(judged.edition.edition)
        if not scale:
            continue
        mine = _plain(rows, rows["measure"].eq(measure.code) & rows["status"].eq("published"))
        absent = _plain(mine, mine["group_number"].isna() | mine["group_label"].isna())
        yield from judged.broken(
            "missing_group", absent, f"{_rows_have(absent, measure.code)} no group"
        )
        grouped = _plain(mine, mine["group_number"].notna() & mine["group_label"].notna())
        by_label = {label.casefold(): number for label, number in scale.items()}
        wanted = grouped["group_label"].str.strip().str.casefold().map(by_label)
        printed: Any = grouped["group_number"].astype("Float64")
        bad = _plain(grouped, wanted.isna() | wanted.ne(printed))
        if not bad.empty:
            first = bad.iloc[0]
            yield judged.finding(
                "group_contradicts_scale",
                f"{_rows_have(bad, measure.code)} a group that is not on the scale of the "
                f"edition, e.g. {first['group_number']} {first['group_label']!r}; expected "
                f"{', '.join(f'{number} {label}' for label, number in scale.items())}",
                bad,
            )
        for _, period in grouped.groupby(["period_start", "period_end"]):
            yield from _group_order(period, measure, judged)


def _group_order(period: pd.DataFrame, measure: Measure, judged: _Judged) -> Iterable[Finding]:
    """Groups are bands of the value: no value of a lower group may lie above one of a higher."""
    bands = period.groupby("group_number")["value"].agg(["min", "max"]).sort_index()
    highest_below = bands["max"].cummax().shift()
    crossed = bands.index[(bands["min"] < highest_below).to_numpy()]
    if len(crossed):
        floor = float(highest_below.loc[crossed[0]])
        wrong = (period["group_number"] >= crossed[0]) & (period["value"] < floor)
        beyond = (period["group_number"] < crossed[0]) & (
            period["value"] > float(bands.loc[crossed[0], "min"])
        )
        yield judged.finding(
            "group_contradicts_value",
            f"groups of {measure.code} do not follow its values in the period from "
            f"{period['period_start'].iloc[0]:%Y-%m-%d}: group {crossed[0]} begins below the top of "
            "a lower group",
            _plain(period, wrong | beyond),
        )


# --- rules against earlier editions --------------------------------------------------------------


def _against_earlier(
    rows: pd.DataFrame, judged: _Judged, previous: pd.DataFrame
) -> Iterable[Finding]:
    held = set(previous["edition"].dropna())
    earlier = [
        entry for entry in judged.dataset.before(judged.edition.edition) if entry.edition in held
    ]
    if judged.dataset.periods == "file":
        # Each row says its own period, so an older file is no other edition's.
        earlier = earlier[:1]
    before = _plain(previous, previous["edition"].isin([entry.edition for entry in earlier]))
    compared = _latest(rows, judged.areas).merge(
        _latest(before, judged.areas),
        on=["measure", "today", "area_level"],
        suffixes=("", "_before"),
    )
    for entry in earlier:
        both = _plain(compared, compared["edition_before"].eq(entry.edition))
        for measure, group in both.groupby("measure"):
            yield from _same_file(group, str(measure), entry, judged)
        if entry is earlier[0]:
            own = {each.code: each.jump for each in judged.dataset.measures}
            for measure, group in both.groupby("measure"):
                jump = own.get(str(measure)) or judged.dataset.jump
                if jump is not None:
                    yield from _jump(group, str(measure), entry, jump, judged)


def _latest(rows: pd.DataFrame, areas: AreaBook) -> pd.DataFrame:
    """The newest figure of each edition, measure and area, by its current code.

    Sums of mergers are absent.
    """
    valued = _plain(rows, rows["value"].notna() & rows["breakdown"].eq("all"))
    today = {code: areas.current(code) for code in valued["area_code"].unique()}
    valued = valued.assign(today=valued["area_code"].map(today))
    valued = valued.sort_values(["period_end", "period_start"], kind="stable")
    key = ["edition", "measure", "today"]
    newest = valued.groupby(key)["period_end"].transform("max")
    return valued[valued["period_end"].eq(newest)].drop_duplicates(key, keep=False)


def _same_file(
    both: pd.DataFrame, measure: str, entry: Edition, judged: _Judged
) -> Iterable[Finding]:
    if len(both) < _SAME_FILE_AREAS or both["value"].nunique() < 2:
        return
    same = pd.Series(True, index=both.index)
    for column in ("value", "lower_95", "upper_95"):
        before = both[f"{column}_before"]
        same &= (both[column] == before) | (both[column].isna() & before.isna())
    if same.all():
        yield judged.finding(
            "last_years_file",
            f"all {len(both)} figures of {measure} are those of edition {entry.edition}, so this is "
            "an earlier file under a newer name; land the file of this edition",
            both,
        )


def _jump(
    both: pd.DataFrame, measure: str, entry: Edition, rule: JumpRule, judged: _Judged
) -> Iterable[Finding]:
    both = _plain(both, both["area_level"].isin(["lad", "utla", "smc_area"]))
    if len(both) < rule.areas:
        return
    change = (both["value"] - both["value_before"]).abs()
    if rule.relative:
        change = 100 * change / both["value_before"].abs()
    far = change > rule.points
    share, median = float(far.mean()), float(change.median())
    if share > rule.share or median > rule.median:
        unit = "percent" if rule.relative else "points"
        yield judged.finding(
            "implausible_jump",
            f"{measure} moved too far against edition {entry.edition}: {far.sum()} of {len(both)} "
            f"authorities by more than {rule.points:g} {unit} (at most {100 * rule.share:g} percent "
            f"of them may), median change {median:.1f} (at most {rule.median:g}); the measure, its "
            "response or its scale may have changed",
            both[far] if far.any() else both,
        )


# --- rules on memberships ------------------------------------------------------------------------


def _membership_areas(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    for side, level in (("member", "lad"), ("parent", "cauth")):
        column = f"{side}_code"
        known = rows[column].map(judged.areas.knows).fillna(False).astype(bool)
        unknown = rows[~known]
        yield from judged.broken(
            "unknown_area",
            unknown,
            f"{side} codes that are not known: "
            f"{_values(unknown[column])}; add them to "
            "dbt_project/seeds/areas.csv if they are real",
        )
        known_rows = rows[known]
        wrong = known_rows[known_rows[column].map(judged.areas.level).ne(level)]
        yield from judged.broken(
            "wrong_level",
            wrong,
            f"{side} areas that are not of level {level}: {judged.named(wrong[column])}",
        )
        if judged.edition.code_vintage is not None:
            year = judged.edition.code_vintage
            valid = known_rows[column].map(partial(judged.areas.valid_in, year=year)).astype(bool)
            old = known_rows[~valid]
            yield from judged.broken(
                "code_vintage",
                old,
                f"{side} codes that were not in use in {year}: {judged.named(old[column])}",
                "warning",
            )


def _membership_members(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    current = rows["member_code"].map(judged.areas.current)
    twice = rows[current.duplicated(keep=False)]
    yield from judged.broken(
        "doubled_member",
        twice,
        "areas listed as a member more than once, so that they would count twice: "
        f"{judged.named(twice['member_code'])}",
    )


def _membership_coverage(rows: pd.DataFrame, judged: _Judged) -> Iterable[Finding]:
    severity: Severity = "error" if rows["origin"].eq("publisher").any() else "note"
    for rule in judged.dataset.coverage_of(judged.edition.edition):
        column = "parent_code" if rule.level == "cauth" else "member_code"
        present = frozenset(str(code) for code in rows[column] if str(code).startswith(rule.prefix))
        # The lookup lists members only, so the other authorities of the level are not missing.
        expected = _expected(rule, judged) if column == "parent_code" else None
        what = f"{column.split('_')[0]} areas"
        yield from _count(rule, expected, present, what, severity, judged)


_Rule = Callable[[pd.DataFrame, _Judged], Iterable[Finding]]

_OBSERVATION_RULES: tuple[_Rule, ...] = (
    *(_identity, _measures, _area_codes, _vintage, _periods, _missing_periods, _fractions),
    *(_ranges, _intervals, _against_itself, _doubled, _coverage, _groups),
)
_MEMBERSHIP_RULES: tuple[_Rule, ...] = (
    *(_identity, _membership_areas, _membership_members, _membership_coverage),
)
