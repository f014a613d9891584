"""The Social Mobility Commission's composite indices, as published in 2024 and in 2025.

Here belong the two layouts of those CSV files. Values are z-scores: an area's place in a list of UK
areas, re-standardised in every period. They are not percentages, and are never averaged.

Codes inside the files are reused for different indices between editions, so a file is recognised by
its title. Areas are known by the name as printed; the numbers of the 2024 edition are the
publisher's own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import (
    address,
    count_of,
    csv_row,
    midnight,
    only_sheet,
    records,
    text_under,
    tidy,
    wanted_columns,
    where_of,
)
from sources.workbook import (
    Header,
    Sheet,
    Wanted,
    Where,
    find_header,
    normalise_label,
    parse_value,
    tidy_text,
)

_PERIOD: Final = re.compile(r"([0-9]{4})\s*(?:to|-|\u2013)\s*([0-9]{4})")


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read one index; one observation per area and period, with its group.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``wrong_file`` (another index),
    ``wrong_edition`` (the other edition's layout), ``unknown_layout``, ``unknown_area``, ``ambiguous_area``,
    ``unknown_group``, ``group_mismatch``, ``bad_period``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    sheet, notes = only_sheet(content, where)
    measure = context.dataset.measures[0]
    layout = context.dataset.layout(context.edition.edition)
    header = _header(sheet, context, where)
    notes.header(header, _KNOWN.__contains__)
    labels = measure.group_labels(context.edition.edition) or measure.group_labels(
        layout.from_edition
    )
    rows = [_row(header, *each, labels, context, where) for each in records(sheet, header, where)]
    notes.statuses(rows)
    return tidy(rows, content, context, notes)


# Columns of the two layouts that are known and carry nothing that is used.
_KNOWN: Final = frozenset(
    {
        *("ind_code", "area_type", "area_code", "seb", "age", "sex", "category_type"),
        *("category_type2", "category2", "value", "se", "unit", "value_note", "group"),
        *("measure_code", "chart_type", "primary_split_type", "primary_split_value"),
        *("secondary_split_type", "tertiary_split_type", "tertiary_split_value"),
        *("fourth_split_type", "fourth_split_value"),
    }
)
_SPOKEN: Final[Mapping[str, str]] = {
    "title": "measure_title",
    "area_name": "area_name",
    "period": "time_period",
    "value": "value",
    "group_label": "category",
    "group_number": "group_number",
    "lower_95": "lci",
    "upper_95": "uci",
    "base": "sample_size",
}


def _wanted(context: ParseContext) -> dict[str, Wanted]:
    """The columns of the edition's layout, ``title`` first."""
    layout = context.dataset.layout(context.edition.edition)
    needed = {"title", "area_name", "period", "value", "group_label"}
    return wanted_columns(context, _SPOKEN, needed | ({"group_number"} & set(layout.columns)))


def _header(sheet: Sheet, context: ParseContext, where: Where) -> Header:
    """The header of the edition; an error that names the edition whose layout the file has, if any."""
    try:
        return find_header(sheet, _wanted(context), where)
    except ParseError as error:
        if error.code not in ("missing_column", "header_not_found"):
            raise
        looked_for = []
        for edition in context.dataset.editions:
            wanted = _wanted(replace(context, edition=edition))
            columns = ", ".join(w.patterns[0] for w in wanted.values() if w.required)
            looked_for.append(f"{edition.edition}: {columns}")
            try:
                find_header(sheet, wanted, where)
            except ParseError:
                continue
            raise where.error(
                "wrong_edition",
                "The file is laid out as in another edition of the index.",
                expected=f"the {context.edition.edition} edition",
                found=f"the columns of the {edition.edition} edition",
                todo="Hand the file in under its own edition, or download the right one.",
            ) from error
        labels = [tidy_text(cell) for cell in (sheet.rows[0] if sheet.rows else ())]
        raise where.error(
            "unknown_layout",
            "No known edition of this index is laid out as this file is.",
            expected="; ".join(looked_for),
            found=", ".join(label for label in labels if label)[:600] or "no text in row 1",
            todo="If it is of an edition that the catalogue lists, compare its columns with those "
            "looked for and add a layout; earlier editions, such as that of 2023 with 41 areas and "
            "quintiles, are not read.",
        ) from error


def _title(printed: str) -> str:
    return normalise_label(printed).removesuffix(" index")


def _row(
    header: Header,
    number: int,
    row: tuple[Any, ...],
    labels: Mapping[str, int],
    context: ParseContext,
    where: Where,
) -> dict[str, Any]:
    measure = context.dataset.measures[0]
    edition = context.edition.edition
    title = text_under(header, row, "title")
    titles = {_title(each) for each in (measure.title, *measure.printed_titles)}
    if _title(title) not in titles:
        raise where.error(
            "wrong_file",
            "The file is of another index; the codes in these files are reused, the titles are "
            "not.",
            cell=address(header.columns["title"], number),
            expected=measure.title,
            found=title or "no title",
            todo="Hand the file in under its own dataset.",
        )
    name = text_under(header, row, "area_name")
    at = address(header.columns["area_name"], number)
    try:
        code = context.areas.resolve(name, dataset=context.dataset.code, edition=edition)
    except ParseError as error:
        raise where.error(
            error.code, error.message, cell=at, found=error.found or name, todo=error.todo
        ) from error
    start, end = _period(header, number, row, where)
    value_at = address(header.columns["value"], number)
    value = parse_value(header.value(row, "value"), where, at=value_at, thousands=False)
    bounds = {
        key: parse_value(
            header.value(row, key), where, at=address(header.columns[key], number), thousands=False
        ).value
        for key in ("lower_95", "upper_95")
        if key in header.columns
    }
    base = None
    if "base" in header.columns:
        base, _ = count_of(
            header.value(row, "base"), where, address(header.columns["base"], number)
        )
    group_label, group_number = _group(header, number, row, labels, where)
    return csv_row(
        context,
        number,
        value,
        bounds,
        measure=measure.code,
        area_code=code,
        area_name=name,
        area_level="smc_area",
        period_start=start,
        period_end=end,
        unit="z_score",
        base=base,
        group_number=None if value.value is None else group_number,
        group_label=group_label,
        column_letter=header.letter("value"),
    )


def _period(header: Header, number: int, row: tuple[Any, ...], where: Where) -> tuple[Any, Any]:
    text = text_under(header, row, "period")
    match = _PERIOD.fullmatch(text)
    if match is None or match.group(1) > match.group(2) or match.group(1) < "1900":
        raise where.error(
            "bad_period",
            "The period is not a range of years.",
            cell=address(header.columns["period"], number),
            expected="such as '2018-2022' or '2018 to 2024'",
            found=text or "nothing",
            todo="Compare the row with the publisher's file.",
        )
    first, last = (int(year) for year in match.groups())
    return midnight(dt.date(first, 1, 1)), midnight(dt.date(last, 12, 31))


def _group(
    header: Header, number: int, row: tuple[Any, ...], labels: Mapping[str, int], where: Where
) -> tuple[str | None, int | None]:
    label = text_under(header, row, "group_label")
    by_label = {normalise_label(known): group for known, group in labels.items()}
    at = address(header.columns["group_label"], number)
    if not label:
        return None, None
    if labels and normalise_label(label) not in by_label:
        raise where.error(
            "unknown_group",
            "The group is none of the edition's.",
            cell=at,
            expected=", ".join(labels),
            found=label,
            todo="If the publisher changed the groups, list them in the catalogue.",
        )
    named = by_label.get(normalise_label(label))
    if "group_number" not in header.columns:
        return label, named
    printed, _ = count_of(
        header.value(row, "group_number"), where, address(header.columns["group_number"], number)
    )
    if printed is not None and named is not None and printed != named:
        raise where.error(
            "group_mismatch",
            "The group's number and label contradict each other.",
            cell=address(header.columns["group_number"], number),
            expected=f"{named} for '{label}'",
            found=str(printed),
            todo="Ask the publisher for a corrected file.",
        )
    return label, printed if printed is not None else named
