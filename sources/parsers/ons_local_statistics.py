"""The copy of the Participation Survey in Explore Local Statistics (Office for National Statistics).

Here belongs that CSV file: one row an area and indicator, whole percentages with bounds and no base.
Only the indicators that the catalogue's layout names are read. The file prints some combined
authorities twice, once as an ITL2 area, and codes regions TLC to TLK; known faults of its intervals
are declared as corrections in the catalogue and applied here, where the file's own rows are at hand.
"""

from __future__ import annotations

import re
from typing import Any, Final

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
    "value": "observation",
    "measure": "measure",
    "unit": "unit",
    "lower_95": "lci_95",
    "upper_95": "uci_95",
    "status": "status",
    "notes": "notes",
}
_REQUIRED: Final = ("area_code", "area_name", "indicator", "period", "value")


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the wanted indicators.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``missing_indicator``,
    ``wrong_edition``, ``wrong_unit``, ``conflicting_duplicates``, ``unknown_area``,
    ``code_name_mismatch``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    sheet, notes = only_sheet(content, where)
    layout = context.dataset.layout(context.edition.edition)
    header = find_header(sheet, wanted_columns(context, _COLUMNS, _REQUIRED), where)
    if header.row_number != 1:
        notes.add("header_moved", f"The header is in row {header.row_number}, usually 1.")
    if header.extra:
        notes.add("extra_column", f"Columns not used: {', '.join(header.extra)}.")
    wanted = {normalise_label(name): code for name, code in layout.indicators.items()}
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    others: set[str] = set()
    read: set[str] = set()
    merged: list[str] = []
    for number, row in records(sheet, header, where):
        indicator = text_under(header, row, "indicator")
        measure = wanted.get(normalise_label(indicator))
        if measure is None:
            others.add(indicator)
            continue
        read.add(measure)
        tidy = _row(header, number, row, measure, context, where, notes)
        if tidy is None:
            continue
        key = (measure, tidy["area_code"])
        if key in seen:
            first = seen[key]
            figures = ("value", "lower_95", "upper_95", "status")
            if any(first[column] != tidy[column] for column in figures):
                raise where.error(
                    "conflicting_duplicates",
                    f"{tidy['area_name']} ({tidy['area_code']}) is there twice with different "
                    "figures.",
                    cell=address(header.columns["value"], number),
                    expected=f"{first['value']} as in row {first['row_number']}",
                    found=f"{tidy['value']}",
                    todo="Ask the publisher which is right.",
                )
            merged.append(tidy["area_code"])
            continue
        seen[key] = tidy
        rows.append(tidy)
    if others:
        notes.add("indicator_ignored", f"Not used: {', '.join(sorted(others))}.")
    missing = [name for name, code in layout.indicators.items() if code not in read]
    if missing and (rows or others):
        raise where.error(
            "missing_indicator",
            "The file has no row of an indicator that is wanted.",
            expected=", ".join(missing),
            found=", ".join(sorted(others)) or "other indicators only",
            todo="Check that the file is the one on engagement with culture and heritage.",
        )
    if merged:
        notes.add(
            "duplicates_merged",
            f"{len(merged)} rows repeat an area with equal figures: "
            f"{', '.join(sorted(set(merged)))}.",
        )
    _rescale(rows, notes)
    notes.statuses(rows)
    _correct(rows, context, notes)
    return observations(rows, content, context, notes)


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
    _check_period(header, number, row, context, where, notes)
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
    if _GSS.fullmatch(printed):
        remark = check_name(name, code, context, where, at)
        if remark:
            notes.add("name_differs", remark)
    readings = {
        key: parse_value(
            header.value(row, key), where, at=address(header.columns[key], number), thousands=False
        )
        for key in ("value", "lower_95", "upper_95")
        if key in header.columns
    }
    value = readings["value"]
    status, symbol = value.status, value.symbol
    if text_under(header, row, "status"):
        mark = text_mark(header, row)
        told = parse_value(mark, where, at=address(header.columns["status"], number))
        symbol = told.symbol
        if value.value is None or told.status == "low_reliability":
            status = told.status
    without = value.value is None
    bounds = {key: readings[key].value if key in readings else None for key in _BOUNDS}
    return {
        "measure": measure,
        "area_code": code,
        "area_name": name,
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


_BOUNDS: Final = ("lower_95", "upper_95")


def text_mark(header: Header, row: tuple[Any, ...]) -> str:
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
            todo="Check that the file is the one on engagement with culture and heritage.",
        )


def _check_period(
    header: Header,
    number: int,
    row: tuple[Any, ...],
    context: ParseContext,
    where: Where,
    notes: Notes,
) -> None:
    period = text_under(header, row, "period")
    year = str(context.edition.period_start.year)
    if not period.startswith(year):
        raise where.error(
            "wrong_edition",
            "The row is of another period than the edition.",
            cell=address(header.columns["period"], number),
            expected=f"a period that begins in {year}",
            found=period or "nothing",
            todo="Hand the file in under its own edition, or download the right one.",
        )
    if period[:10] != context.edition.period_start.isoformat():
        notes.add(
            "nominal_period",
            f"The file's period {period} is nominal; the edition's fieldwork period is used.",
        )


def _rescale(rows: list[dict[str, Any]], notes: Notes) -> None:
    """Turn fractions of 1 into percentages, where every figure of the file is one."""
    figures = ("value", "lower_95", "upper_95")
    printed = [row[key] for row in rows for key in figures if row[key] is not None]
    if not printed or max(printed) > 1 or max(printed) == 0:
        return
    for row in rows:
        for key in figures:
            if row[key] is not None:
                row[key] = round(row[key] * 100, 10)
    notes.add(
        "percent_as_fraction",
        "Percentages are written as fractions of 1; they were multiplied by 100.",
    )


def _correct(rows: list[dict[str, Any]], context: ParseContext, notes: Notes) -> None:
    """Apply the catalogue's corrections to the rows they choose, if the fault is there."""
    for correction in context.dataset.corrections:
        if correction.edition != context.edition.edition:
            continue
        chosen = [
            row
            for row in rows
            if correction.measure in (None, row["measure"])
            and correction.level in (None, row["area_level"])
            and None not in (row["value"], row["lower_95"], row["upper_95"])
        ]
        if correction.expect == "interval_excludes_value":
            faulty = [r for r in chosen if not r["lower_95"] <= r["value"] <= r["upper_95"]]
        else:
            faulty = [r for r in chosen if r["lower_95"] == r["upper_95"]]
        if not faulty:
            notes.add(
                "correction_not_needed",
                f"The fault is no longer in the file: {correction.reason}",
            )
            continue
        equal = [r for r in chosen if r["lower_95"] == r["upper_95"]]
        dropped = {id(r): r for r in [*faulty, *equal]}
        for row in dropped.values():
            row["lower_95"] = row["upper_95"] = None
        notes.add(
            "faulty_interval",
            f"The intervals of {len(dropped)} rows were dropped, their values kept "
            f"({', '.join(r['area_name'] for r in dropped.values())}): {correction.reason}",
        )
