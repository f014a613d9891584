"""The copy of the Participation Survey in Explore Local Statistics (Office for National Statistics).

Read are both forms of it, as CSV: the service's answer (indicator, area, period, value, bounds) and the
data file in the publisher's repository, which adds geography, unit and status and codes regions TLC to
TLK. One row per area and indicator: whole percentages with bounds and no base. Only the indicators
that the catalogue's layout names are read, and only the edition's period. The data file prints some
combined authorities twice, once as an ITL2 area.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sources.catalogue import OnsElsDiscovery
from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import (
    Notes,
    address,
    check_name,
    level_of,
    midnight,
    observations,
    only_sheet,
    records,
    text_under,
    wanted_columns,
    where_of,
)
from sources.workbook import CSV_SHEET, Header, Where, find_header, normalise_label, parse_value

_GSS: Final = re.compile(r"[EKNSW][0-9]{8}")
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
    ``wrong_edition``, ``wrong_unit``, ``conflicting_duplicates``, ``unknown_area``,
    ``code_name_mismatch``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    sheet, notes = only_sheet(content, where)
    header = find_header(sheet, wanted_columns(context, _COLUMNS, _REQUIRED), where)
    if header.row_number != 1:
        notes.add("header_moved", f"The header is in row {header.row_number}, usually 1.")
    extra = [label for label in header.extra if normalise_label(label) not in _NOT_USED]
    if extra:
        notes.add("extra_column", f"Columns not used: {', '.join(extra)}.")
    wanted = _indicators(context)
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
        if period[:10] != context.edition.period_start.isoformat():
            notes.add(
                "nominal_period",
                f"The file's period {period} is nominal; the edition's fieldwork period is used.",
            )
        tidy = _row(header, number, row, measure, context, where, notes)
        if tidy is None:
            continue
        first = rows.setdefault((measure, tidy["area_code"]), tidy)
        if any(first[column] != tidy[column] for column in (*_FIGURES, "status")):
            raise where.error(
                "conflicting_duplicates",
                f"{tidy['area_name']} ({tidy['area_code']}) is there twice with different figures.",
                cell=address(header.columns["value"], number),
                expected=f"{first['value']} as in row {first['row_number']}",
                found=f"{tidy['value']}",
                todo="Ask the publisher which is right.",
            )
        if first is not tidy:
            merged.add(tidy["area_code"])
    _check_found(rows, wanted, others, periods, context, where)
    if others:
        notes.add("indicator_ignored", f"Not used: {', '.join(sorted(others))}.")
    if periods:
        notes.add("other_periods", f"Periods of other editions: {', '.join(sorted(periods))}.")
    if merged:
        notes.add(
            "duplicates_merged",
            f"{len(merged)} areas are there twice with equal figures: {', '.join(sorted(merged))}.",
        )
    found = list(rows.values())
    _rescale(found, notes)
    notes.statuses(found)
    return observations(found, content, context, notes)


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
    if missing and (rows or others):
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
    _check_unit(header, number, row, where)
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
        raise where.error(
            "unknown_area",
            f"The code {printed} ({name}) is of no kind of area that is known.",
            cell=at,
            found=printed,
            todo="If it is a new kind of area, add it to the areas.",
        )
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
    without = value.value is None
    bounds = {key: readings[key].value if key in readings else None for key in _FIGURES[1:]}
    return {
        "measure": measure,
        "area_code": code,
        "area_name": name or (context.areas.name(code) if context.areas.knows(code) else code),
        "area_level": level,
        "period_start": midnight(edition.period_start),
        "period_end": midnight(edition.period_end),
        "unit": context.dataset.measure(measure).unit,
        "value": value.value,
        "lower_95": None if without else bounds["lower_95"],
        "upper_95": None if without else bounds["upper_95"],
        "base": None,
        "status": status,
        "status_symbol": symbol,
        "sheet": CSV_SHEET,
        "row_number": number,
        "column_letter": header.letter("value"),
    }


def _mark(header: Header, row: tuple[Any, ...]) -> str:
    """The status column's shorthand in brackets, with which the file prints it or without."""
    text = str(header.value(row, "status")).strip()
    return text if text.startswith("[") else f"[{text}]"


def _check_unit(header: Header, number: int, row: tuple[Any, ...], where: Where) -> None:
    unit = text_under(header, row, "unit")
    if unit and unit not in ("%", "Percentage", "percent"):
        raise where.error(
            "wrong_unit",
            "The figures are not percentages.",
            cell=address(header.columns["unit"], number),
            expected="%",
            found=unit,
            todo="Hand in the data file on engagement with culture and heritage.",
        )


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
