"""Indicators of Explore Local Statistics (Office for National Statistics).

Read are both forms of them, as CSV: the service's answer (indicator, area, period, value, bounds) and
the data files of the publisher's repository, which add geography, unit and status. One row per area
and indicator of the edition: its own period, or the periods that begin in its year where the
catalogue says that the file prints them. Only the indicators that the layout names are read. Some
files print an area twice: under two levels, or under its former and its current code.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from sources.catalogue import OnsElsDiscovery
from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import (
    Notes,
    address,
    check_name,
    csv_row,
    level_of,
    only_sheet,
    records,
    text_under,
    tidy,
    unknown_level,
    wanted_columns,
    where_of,
)
from sources.workbook import Header, Reading, Where, find_header, normalise_label, parse_value

_GSS: Final = re.compile(r"[EKNSW][0-9]{8}")
_PERIOD: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:/P([0-9]{1,2})Y)?")
_UNITS: Final = {
    "%": "percent",
    "percentage": "percent",
    "percent": "percent",
    "mins": "minutes",
    "yrs": "years",
    "£": "pounds",
    "£ million": "pounds_million",
    "score out of 10": "score",
    "count per 10,000 people": "per_10k",
    "count per 100,000 people": "per_100k",
    "rate per 100,000 population": "per_100k",
}
_COLUMNS: Final = {
    "area_code": "areacd",
    "area_name": "areanm",
    "level": "geography",
    "indicator": "indicator",
    "period": "period",
    "value": "value",
    "unit": "unit",
    "lower_95": "lci_95",
    "upper_95": "uci_95",
    "status": "status",
}
_REQUIRED: Final = ("area_code", "indicator", "period", "value")
_NOT_USED: Final = frozenset({"measure", "notes"})
_FIGURES: Final = ("value", "lower_95", "upper_95")


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the wanted indicators of the edition's period.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``missing_indicator``,
    ``wrong_edition``, ``wrong_unit``, ``bad_period``, ``conflicting_duplicates``, ``unknown_area``,
    ``code_name_mismatch``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    sheet, notes = only_sheet(content, where)
    header = find_header(sheet, wanted_columns(context, _COLUMNS, _REQUIRED), where)
    notes.header(header, _NOT_USED.__contains__)
    wanted = _indicators(context)
    ignored = context.dataset.layout(context.edition.edition).ignored_codes
    skipped = re.compile(ignored) if ignored else None
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    others: set[str] = set()
    periods: set[str] = set()
    merged: set[str] = set()
    for number, row in records(sheet, header, where):
        indicator = text_under(header, row, "indicator")
        measure = wanted.get(normalise_label(indicator))
        if measure is None:
            others.add(indicator)
            continue
        period = text_under(header, row, "period")
        if not period.startswith(str(context.edition.period_start.year)):
            periods.add(period or "no period")
            continue
        if skipped is not None and skipped.match(text_under(header, row, "area_code")):
            continue
        own = context.dataset.periods == "file"
        if not own and period[:10] != context.edition.period_start.isoformat():
            notes.add(
                "nominal_period",
                f"The file's period {period} is nominal; the edition's fieldwork period is used.",
            )
        read = _row(header, number, row, measure, context, where, notes)
        if read is None:
            continue
        if own:
            at = address(header.columns["period"], number)
            read["period_start"], read["period_end"] = _period(period, where, at)
        first = rows.setdefault((measure, read["area_code"]), read)
        if any(first[column] != read[column] for column in (*_FIGURES, "status")):
            raise where.error(
                "conflicting_duplicates",
                f"{read['area_name']} ({read['area_code']}) is there twice with different figures.",
                cell=address(header.columns["value"], number),
                expected=f"{first['value']} as in row {first['row_number']}",
                found=f"{read['value']}",
                todo="Ask the publisher which is right.",
            )
        if first is not read:
            merged.add(read["area_code"])
    _check_found(rows, wanted, others, periods, context, where)
    if others:
        notes.add("indicator_ignored", f"Not used: {', '.join(sorted(others))}.")
    if periods:
        notes.add("other_periods", f"Periods of other editions: {', '.join(sorted(periods))}.")
    former = _drop_former_codes(rows, context)
    if former:
        notes.add(
            "former_code",
            f"{len(former)} areas are there under a former and the current code, which is used: "
            f"{', '.join(sorted(former))}.",
        )
    if merged:
        notes.add(
            "duplicates_merged",
            f"{len(merged)} areas are there twice with equal figures: {', '.join(sorted(merged))}.",
        )
    found = list(rows.values())
    if context.dataset.periods == "edition":
        _rescale(found, notes)
    notes.statuses(found)
    return tidy(found, content, context, notes)


def _indicators(context: ParseContext) -> dict[str, str]:
    """Measure by printed indicator: the label of the data file, or the service's short name."""
    layout = context.dataset.layout(context.edition.edition)
    wanted = {normalise_label(label): measure for label, measure in layout.indicators.items()}
    discovery = context.dataset.discovery
    if isinstance(discovery, OnsElsDiscovery):
        wanted |= {normalise_label(slug): code for code, slug in discovery.indicators.items()}
    return wanted


def _check_found(
    rows: dict[tuple[str, str], dict[str, Any]],
    wanted: dict[str, str],
    others: set[str],
    periods: set[str],
    context: ParseContext,
    where: Where,
) -> None:
    """Refuse a file without the edition's period, or without one of the indicators."""
    if periods and not rows:
        raise where.error(
            "wrong_edition",
            "The file has no row of the edition's period.",
            expected=f"a period that begins in {context.edition.period_start.year}",
            found=", ".join(sorted(periods)),
            todo="If the catalogue lists the edition of that period, hand the file in under it.",
        )
    read = {measure for measure, _ in rows}
    missing = sorted(set(wanted.values()) - read)
    # Which indicators a year has is a matter of its coverage.
    if context.dataset.periods == "edition" and missing and (rows or others):
        raise where.error(
            "missing_indicator",
            "The file has no row of an indicator that is wanted.",
            expected=", ".join(missing),
            found=", ".join(sorted(others)) or "other indicators only",
            todo="Ask the service for every indicator that the catalogue lists, or hand in the data "
            "file on engagement with culture and heritage.",
        )


def _row(
    header: Header,
    number: int,
    row: tuple[Any, ...],
    measure: str,
    context: ParseContext,
    where: Where,
    notes: Notes,
) -> dict[str, Any] | None:
    edition = context.edition
    unit = _unit(header, number, row, measure, context, where)
    printed = text_under(header, row, "area_code")
    name = text_under(header, row, "area_name")
    at = address(header.columns["area_code"], number)
    code = printed
    if not _GSS.fullmatch(printed):
        try:
            code = context.areas.resolve_code(
                printed, dataset=context.dataset.code, edition=edition.edition
            )
        except ParseError as error:
            raise where.error(
                error.code, error.message, cell=at, found=printed, todo=error.todo
            ) from error
    declared = context.dataset.layout(edition.edition).levels.get(
        text_under(header, row, "level"), None
    )
    # Some combined authorities are labelled as the ITL2 area of the same extent.
    level = "cauth" if code.startswith("E47") else (level_of(code, context.areas) or declared)
    if level is None:
        raise unknown_level(printed, name, where, at)
    if edition.levels and level not in edition.levels:
        notes.add("level_ignored", f"Rows of level {level} are not of this edition.")
        return None
    if name and _GSS.fullmatch(printed):
        remark = check_name(name, code, context, where, at)
        if remark:
            notes.add("name_differs", remark)
    readings = {
        key: parse_value(
            header.value(row, key), where, at=address(header.columns[key], number), thousands=False
        )
        for key in _FIGURES
        if key in header.columns
    }
    value = readings["value"]
    status, symbol = value.status, value.symbol
    if text_under(header, row, "status"):
        marked = parse_value(
            _mark(header, row), where, at=address(header.columns["status"], number)
        )
        symbol = marked.symbol
        if value.value is None or marked.status == "low_reliability":
            status = marked.status
        if value.value is None and status == "low_reliability":
            # Too unreliable to be printed.
            status = "not_available"
    bounds = {key: readings[key].value if key in readings else None for key in _FIGURES[1:]}
    if (
        value.value is None
        and symbol is None
        and any(bound is not None for bound in bounds.values())
    ):
        raise where.error(
            "blank_beside_figures",
            "The figure is blank beside printed limits.",
            cell=address(header.columns["value"], number),
            expected="a figure, or a symbol such as [c] that says why there is none",
            found=f"{name}: {', '.join(f'{b:g}' for b in bounds.values() if b is not None)}",
            todo="Ask the publisher for the figure, or for a corrected file.",
        )
    return csv_row(
        context,
        number,
        Reading(value.value, status, symbol),
        bounds,
        measure=measure,
        area_code=code,
        area_name=name or (context.areas.name(code) if context.areas.knows(code) else code),
        area_level=level,
        unit=unit,
        column_letter=header.letter("value"),
    )


def _mark(header: Header, row: tuple[Any, ...]) -> str:
    """The status column's shorthand in brackets, with which the file prints it or without."""
    text = str(header.value(row, "status")).strip()
    return text if text.startswith("[") else f"[{text}]"


def _unit(
    header: Header,
    number: int,
    row: tuple[Any, ...],
    measure: str,
    context: ParseContext,
    where: Where,
) -> str:
    """The unit as printed; the measure's own where the file prints none."""
    printed = text_under(header, row, "unit")
    known = _UNITS.get(printed.casefold()) if printed else context.dataset.measure(measure).unit
    if known is None or (known != "percent" and context.dataset.periods == "edition"):
        raise where.error(
            "wrong_unit",
            "The unit of the figures is not the one expected.",
            cell=address(header.columns["unit"], number),
            expected=context.dataset.measure(measure).unit,
            found=printed,
            todo="Compare the unit with the publisher's page; a new one needs the parser's list.",
        )
    return known


def _period(printed: str, where: Where, at: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day of a printed period: a day, or a day and a number of years."""
    found = _PERIOD.fullmatch(printed)
    try:
        if not found:
            raise ValueError(printed)
        start = pd.Timestamp(found[1])
        if found[2] is None:
            return start, start
        return start, start + pd.DateOffset(years=int(found[2]), days=-1)
    except ValueError:
        raise where.error(
            "bad_period",
            "The period cannot be read.",
            cell=at,
            expected="a day, or a day and a length, such as 2023-04-01/P1Y",
            found=printed,
            todo="Compare the row with the publisher's file; columns may have been shifted.",
        ) from None


def _drop_former_codes(
    rows: dict[tuple[str, str], dict[str, Any]], context: ParseContext
) -> set[str]:
    """Leave out the rows of a code whose successor for the same ground has a row too."""
    former = {
        (measure, code)
        for measure, code in rows
        if (current := context.areas.same_ground(code)) != code and (measure, current) in rows
    }
    for key in former:
        del rows[key]
    return {code for _, code in former}


@dataclass(frozen=True)
class YearRows:
    """The header and the rows of one year as CSV, and the number of each of its lines in the file."""

    content: bytes
    lines: tuple[int, ...]


def rows_by_year(content: bytes) -> dict[int, YearRows]:
    """A file cut by the year in which each row's period begins; nothing of one without periods."""
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    header = [label.strip().casefold() for label in lines[0]] if lines else []
    column = header.index("period") if "period" in header else len(header)
    years: dict[int, list[int]] = {}
    for number, line in enumerate(lines[1:], start=2):
        year = line[column][:4] if len(line) > column else ""
        if year.isdigit():
            years.setdefault(int(year), []).append(number)
    cut = {}
    for begins, numbers in years.items():
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([lines[0], *(lines[number - 1] for number in numbers)])
        cut[begins] = YearRows(out.getvalue().encode(), (1, *numbers))
    return cut


def _rescale(rows: list[dict[str, Any]], notes: Notes) -> None:
    """Turn fractions of 1 into percentages, where every figure of the file is one."""
    printed = [row[key] for row in rows for key in _FIGURES if row[key] is not None]
    if not printed or max(printed) > 1 or max(printed) == 0:
        return
    for row in rows:
        for key in _FIGURES:
            if row[key] is not None:
                row[key] = round(row[key] * 100, 10)
    notes.add(
        "percent_as_fraction",
        "Percentages are written as fractions of 1; they were multiplied by 100.",
    )
