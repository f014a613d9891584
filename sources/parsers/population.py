"""Population aged 16 and over, from the CSV files that Nomis gives, or one already summed.

Read are: one row per area with its population of 16 and over; one row per area and single year of age,
with the age or (as the service sends it when only code and value are asked for) without; and the table
that a person downloads from the Nomis page, with one column per age and its notes above and below.
Where ages are summed, the cell that a row is cited by is the first of those that make it up.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import (
    Notes,
    address,
    check_name,
    count_of,
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
from sources.workbook import (
    Header,
    Reading,
    Sheet,
    Where,
    column_letter,
    find_header,
    normalise_label,
)

_COLUMNS: Final = {
    "area_code": "geography_code",
    "area_name": "geography_name",
    "age": "c_age",
    "year": "date",
    "value": "population_16_plus",
    "sex": "gender",
    "measures": "measures",
}
_AGES: Final = range(16, 91)
"""Single years from 16; 90 stands for 90 and over."""
_GSS: Final = re.compile(r"[EKNSW][0-9]{8}")
_BOTH_SEXES: Final = frozenset({"", "0", "total", "all persons", "persons", "all"})
_SERVICE_COLUMN: Final = re.compile(
    r"(date|time|geography|gender|c_age|measures|obs_status|obs_conf|obs_value)(_\w+)?"
    r"|urn|record_(offset|count)|total_population"
)
_GET_AGAIN: Final = (
    "Download data set NM_2002_1 from Nomis for one year, all persons, ages 16 to 90 and over."
)


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the population of 16 and over of each area, in people.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``bad_code``, ``incomplete_ages``,
    ``doubled_age``, ``unknown_age``, ``unknown_area``, ``wrong_sex``, ``wrong_edition``,
    ``wrong_measure``, ``not_a_count``, ``code_name_mismatch``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    sheet, notes = only_sheet(content, where)
    header = _header(sheet, context, where)
    if header.row_number != 1:
        sheet = _without_notes(sheet, header, context, where, notes)
    by_column = {} if "value" in header.columns else _ages_in(header.labels)
    used = {normalise_label(header.labels[index]) for index in by_column}
    notes.header(header, lambda label: label in used or _SERVICE_COLUMN.fullmatch(label))
    areas: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}
    for number, row in records(sheet, header, where):
        _check_row(header, number, row, context, where)
        code = text_under(header, row, "area_code")
        if not _GSS.fullmatch(code):
            raise where.error(
                "bad_code",
                f"'{code}' is not a GSS code.",
                cell=address(header.columns["area_code"], number),
                expected="a letter and eight digits, such as E08000025",
                found=code or "nothing",
                todo="Compare the row with the publisher's file.",
            )
        areas.setdefault(code, []).append((number, row))
    rows = []
    for code, found in areas.items():
        parts = _parts(header, by_column, code, found, where, notes)
        rows.append(_tidy(header, code, found[0][1], parts, context, where, notes))
    notes.statuses(rows)
    return tidy(rows, content, context, notes)


def _header(sheet: Sheet, context: ParseContext, where: Where) -> Header:
    """The header; ages that are columns of their own take the place of the column of values."""
    wanted = wanted_columns(context, _COLUMNS, ("area_code", "value"))
    if any(len(_ages_in(row)) == len(_AGES) for row in sheet.rows[:40]):
        del wanted["value"], wanted["age"]
    return find_header(sheet, wanted, where)


def _ages_in(labels: tuple[Any, ...]) -> dict[int, int]:
    """Column -> age, of labels such as "Age 16" and "Aged 90+"."""
    found = {}
    for index, label in enumerate(labels):
        text = normalise_label(label) if isinstance(label, str) else ""
        match = re.fullmatch(r"aged? ([0-9]{1,2})(\+| and over)?", text)
        if match and int(match[1]) in _AGES and bool(match[2]) == (int(match[1]) == _AGES[-1]):
            found[index] = int(match[1])
    return found


def _without_notes(
    sheet: Sheet, header: Header, context: ParseContext, where: Where, notes: Notes
) -> Sheet:
    """The table alone: what Nomis prints above it is checked, and its notes below are left out."""
    for number, row in enumerate(sheet.rows[: header.row_number - 1], 1):
        key, value = (*(normalise_label(cell) for cell in row[:2]), "", "")[:2]
        if key in ("date", "year", "time"):
            _check_year(value, f"B{number}", context, where)
        if key in ("sex", "gender", "population"):
            _check_sex(value, f"B{number}", where)
    body = sheet.rows[header.row_number :]
    blank = next((i for i, row in enumerate(body) if not any(row)), len(body))
    below = [row for row in body[blank:] if any(row)]
    if any(sum(cell is not None for cell in row) > 1 for row in below):
        return sheet
    if below:
        said = " ".join(str(next(cell for cell in row if cell)) for row in below)
        notes.add("notes_below", f"Below the table: {said}")
    return Sheet(sheet.name, sheet.rows[: header.row_number + blank])


def _check_row(
    header: Header, number: int, row: tuple[Any, ...], context: ParseContext, where: Where
) -> None:
    def at(key: str) -> str:
        return address(header.columns[key], number)

    if sex := text_under(header, row, "sex"):
        _check_sex(sex, at("sex"), where)
    measure = text_under(header, row, "measures")
    if measure and normalise_label(measure) not in ("20100", "value"):
        raise where.error(
            "wrong_measure",
            "The file holds percentages, not people.",
            cell=at("measures"),
            expected="20100",
            found=measure,
            todo="Download the value, not the percentage.",
        )
    if year := text_under(header, row, "year"):
        _check_year(year, at("year"), context, where)


def _check_sex(sex: str, at: str, where: Where) -> None:
    if normalise_label(sex) not in _BOTH_SEXES:
        raise where.error(
            "wrong_sex",
            "The file is divided by sex; the total of both is wanted.",
            cell=at,
            expected="0 or Total",
            found=sex,
            todo="Download the figures for all persons.",
        )


def _check_year(year: str, at: str, context: ParseContext, where: Where) -> None:
    wanted = str(context.edition.period_start.year)
    if not year.startswith(wanted):
        raise where.error(
            "wrong_edition",
            "The file is of another year than the edition.",
            cell=at,
            expected=wanted,
            found=year,
            todo=f"Hand it in under its own edition: pulse land {context.dataset.code} mid-{year} "
            "<file>.",
        )


Part = tuple[int, int, Reading]
"""Row number, column (from 0) and what the cell holds."""


def _parts(
    header: Header,
    by_column: dict[int, int],
    code: str,
    found: list[tuple[int, tuple[Any, ...]]],
    where: Where,
    notes: Notes,
) -> list[Part]:
    """The cells that make up an area's population, youngest first."""

    def part(number: int, row: tuple[Any, ...], column: int) -> Part:
        return number, column, count_of(row[column], where, address(column, number))[1]

    value = header.columns.get("value", 0)
    cells: list[tuple[int | None, int, tuple[Any, ...], int]]
    if by_column:
        cells = [(age, *each, column) for each in found for column, age in by_column.items()]
    elif "age" in header.columns:
        cells = [(_age(header, *each, where), *each, value) for each in found]
    elif len(found) == 1:
        return [part(*found[0], value)]
    else:
        if len(found) != len(_AGES):
            raise where.error(
                "incomplete_ages",
                f"{code} has {len(found)} rows without an age, so they cannot be distinguished.",
                cell=address(header.columns["area_code"], found[-1][0]),
                expected=f"{len(_AGES)} rows (16 to 90 and over), or one",
                found=str(len(found)),
                todo="Download the figures with the column of ages.",
            )
        notes.add("ages_not_printed", "The rows do not print their ages; 75 were counted per area.")
        cells = [(age, *each, value) for age, each in zip(_AGES, found, strict=True)]
    by_age: dict[int, Part] = {}
    for age, number, row, column in cells:
        if age is None:
            notes.add("age_totals_ignored", "Rows that are totals of several ages were left out.")
        elif age in by_age:
            raise where.error(
                "doubled_age",
                f"Age {age} of {code} is there twice.",
                cell=address(column, number),
                expected=f"once, in row {by_age[age][0]}",
                todo=_GET_AGAIN,
            )
        elif age in _AGES:
            by_age[age] = part(number, row, column)
    missing = [age for age in _AGES if age not in by_age]
    if missing:
        raise where.error(
            "incomplete_ages",
            f"Not every age from 16 is there for {code}.",
            expected="ages 16 to 90 (90 and over)",
            found=f"{len(missing)} missing, the first {missing[0]}",
            todo=_GET_AGAIN,
        )
    notes.add(
        "ages_summed",
        "Single years from 16 to 90 and over were summed; each area is cited by the first of its "
        "cells.",
    )
    return [by_age[age] for age in _AGES]


def _age(header: Header, number: int, row: tuple[Any, ...], where: Where) -> int | None:
    """Age in years, 90 for 90 and over; ``None`` for a total of several years."""
    text = normalise_label(text_under(header, row, "age"))
    if re.fullmatch(r"[0-9]{3}", text):
        # The service's code: 101 is age 0, 191 is 90 and over.
        return int(text) - 101 if 101 <= int(text) <= 191 else None
    match = re.fullmatch(r"(?:aged? )?([0-9]{1,2})(?: years?)?(\+| ?and over| or over)?", text)
    if match:
        age = int(match[1])
        if match[2] and age != _AGES[-1]:
            return None
        if age <= _AGES[-1]:
            return age
    if re.search(r"all ages|total|[0-9] ?(?:-|to) ?[0-9]", text):
        return None
    raise where.error(
        "unknown_age",
        "The age is neither a single year nor a total.",
        cell=address(header.columns["age"], number),
        expected="such as 117 (Nomis) or 'Age 16'",
        found=text or "nothing",
        todo="Compare the row with the publisher's file.",
    )


def _tidy(
    header: Header,
    code: str,
    row: tuple[Any, ...],
    parts: list[Part],
    context: ParseContext,
    where: Where,
    notes: Notes,
) -> dict[str, Any]:
    name = text_under(header, row, "area_name")
    number, column, first = parts[0]
    at = address(header.columns["area_code"], number)
    level = level_of(code, context.areas)
    if level is None:
        raise unknown_level(code, name, where, at)
    remark = check_name(name, code, context, where, at) if name else None
    if remark:
        notes.add("name_differs", remark)
    if not name and context.areas.knows(code):
        name = context.areas.name(code)
    # A sum without one of its parts is no sum.
    lacking = next((reading for _, _, reading in parts if reading.value is None), None)
    whole = lacking or first
    value = None if lacking else sum(reading.value or 0.0 for _, _, reading in parts)
    return csv_row(
        context,
        number,
        Reading(value, whole.status, whole.symbol),
        {},
        measure=context.dataset.measures[0].code,
        area_code=code,
        area_name=name or code,
        area_level=level,
        unit="count",
        column_letter=column_letter(column),
    )
