"""Population aged 16 and over, as a CSV file from Nomis or one already summed.

Three shapes are read: an area a row with its population of 16 and over; an area and single year of
age a row, with the age; and the same without the age, as Nomis sends it when only code and value
are asked for, which is summed only if each area has exactly the 75 rows from 16 to 90 and over.

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
    level_of,
    midnight,
    observations,
    only_sheet,
    records,
    text_under,
    wanted_columns,
    where_of,
)
from sources.workbook import CSV_SHEET, Header, Reading, Wanted, Where, find_header, normalise_label

_COLUMNS: Final = {
    "area_code": "geography_code",
    "area_name": "geography_name",
    "age": "c_age",
    "year": "date",
    "value": "population_16_plus",
}
_YOUNGEST: Final = 16
_OLDEST: Final = 90
_AGES: Final = frozenset(range(_YOUNGEST, _OLDEST + 1))
_GSS: Final = re.compile(r"[EKNSW][0-9]{8}")


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the population of 16 and over of each area, in people.

    Raises ``ParseError``: any code of ``sources.workbook``, and ``bad_code``, ``incomplete_ages``,
    ``doubled_age``, ``unknown_age``, ``wrong_sex``, ``wrong_edition``, ``wrong_measure``,
    ``not_a_count``, ``code_name_mismatch``, ``truncated``, ``empty_table``.
    """
    where = where_of(context)
    sheet, notes = only_sheet(content, where)
    wanted = wanted_columns(context, _COLUMNS, ("area_code", "value"))
    wanted["sex"] = Wanted("gender", (r"gender(_name|_code)?", r"c_sex(_name)?", r"sex"), False)
    wanted["measures"] = Wanted("measures", (r"measures",), False)
    header = find_header(sheet, wanted, where)
    if header.row_number != 1:
        notes.add("header_moved", f"The header is in row {header.row_number}, usually 1.")
    extra = [label for label in header.extra if normalise_label(label) not in _IGNORED]
    if extra:
        notes.add("extra_column", f"Columns not used: {', '.join(extra)}.")
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
    by_age = "age" in header.columns
    without_age = not by_age and any(len(found) > 1 for found in areas.values())
    if by_age or without_age:
        notes.add(
            "ages_summed",
            f"Single years from {_YOUNGEST} to {_OLDEST} and over were summed for {len(areas)} "
            "areas; each is cited by the first of its cells.",
        )
    rows = []
    for code, found in areas.items():
        number, row = found[0]
        if by_age:
            number, row, people = _sum_by_age(header, code, found, where, notes)
        elif without_age:
            people = _sum_without_age(header, code, found, where, notes)
        else:
            people = _people(header, number, row, where)
        rows.append(_tidy(header, number, row, code, people, context, where, notes))
    notes.statuses(rows)
    return observations(rows, content, context, notes)


_IGNORED: Final = frozenset(
    [
        "record_count",
        "record_offset",
        "geography",
        "geography_type",
        "geography_typecode",
        "geography_sortorder",
        "obs_status",
        "obs_status_name",
        "obs_conf",
        "total_population",
        "measures_name",
        "measures_sortorder",
        "urn",
        "gender_sortorder",
        "gender_type",
        "c_age_sortorder",
        "c_age_type",
        "c_age_typecode",
        "date_code",
        "date_type",
        "c_age_name",
        "gender_name",
    ]
)


def _check_row(
    header: Header, number: int, row: tuple[Any, ...], context: ParseContext, where: Where
) -> None:
    sex = normalise_label(text_under(header, row, "sex"))
    if sex and sex not in ("0", "total", "all persons", "persons", "all"):
        raise where.error(
            "wrong_sex",
            "The file is divided by sex; the total of both is wanted.",
            cell=address(header.columns["sex"], number),
            expected="0 or Total",
            found=sex,
            todo="Download the figures for both sexes together.",
        )
    measure = text_under(header, row, "measures")
    if measure and measure != "20100":
        raise where.error(
            "wrong_measure",
            "The file holds percentages, not people.",
            cell=address(header.columns["measures"], number),
            expected="20100",
            found=measure,
            todo="Download the value, not the percentage.",
        )
    year = text_under(header, row, "year")
    if year and not year.startswith(str(context.edition.period_start.year)):
        raise where.error(
            "wrong_edition",
            "The row is of another year than the edition.",
            cell=address(header.columns["year"], number),
            expected=str(context.edition.period_start.year),
            found=year,
            todo="Hand the file in under its own edition, or download the right one.",
        )


def _people(header: Header, number: int, row: tuple[Any, ...], where: Where) -> Reading:
    cell, at = header.value(row, "value"), address(header.columns["value"], number)
    _, reading = count_of(cell, where, at)
    return reading


def _total(parts: list[Reading]) -> Reading:
    """The sum of the parts, or the first part that has no figure: a sum without it is no sum."""
    without = [part for part in parts if part.value is None]
    if without:
        return without[0]
    return Reading(sum(part.value or 0.0 for part in parts), "published", None)


def _age(header: Header, number: int, row: tuple[Any, ...], where: Where) -> int | None:
    """Age in years, 90 for 90 and over; ``None`` for a total of several years."""
    text = normalise_label(text_under(header, row, "age"))
    if re.fullmatch(r"[0-9]{3}", text):
        return int(text) - 101 if 101 <= int(text) <= 191 else None
    match = re.fullmatch(r"(?:aged? )?([0-9]{1,2})(?: years?)?(\+| ?and over| or over)?", text)
    if match:
        age = int(match.group(1))
        if match.group(2) and age != _OLDEST:
            return None
        if age <= _OLDEST:
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


def _sum_by_age(
    header: Header,
    code: str,
    found: list[tuple[int, tuple[Any, ...]]],
    where: Where,
    notes: Notes,
) -> tuple[int, tuple[Any, ...], Reading]:
    ages: dict[int, tuple[int, tuple[Any, ...]]] = {}
    for number, row in found:
        age = _age(header, number, row, where)
        if age is None:
            notes.add("age_totals_ignored", "Rows that are totals of several ages were left out.")
            continue
        if age in ages:
            raise where.error(
                "doubled_age",
                f"Age {age} of {code} is there twice.",
                cell=address(header.columns["age"], number),
                expected=f"once, in row {ages[age][0]}",
                todo="Download the figures again for one year and both sexes together.",
            )
        ages[age] = (number, row)
    missing = sorted(_AGES - ages.keys())
    if missing:
        raise where.error(
            "incomplete_ages",
            f"Not every age from {_YOUNGEST} is there for {code}.",
            expected=f"ages {_YOUNGEST} to {_OLDEST} (90 and over)",
            found=f"{len(missing)} missing, the first {missing[0]}",
            todo="Download single years of age from 16 to 90 and over.",
        )
    parts = [_people(header, *ages[age], where) for age in sorted(_AGES)]
    first = ages[_YOUNGEST]
    return first[0], first[1], _total(parts)


def _sum_without_age(
    header: Header,
    code: str,
    found: list[tuple[int, tuple[Any, ...]]],
    where: Where,
    notes: Notes,
) -> Reading:
    if len(found) != len(_AGES):
        raise where.error(
            "incomplete_ages",
            f"{code} has {len(found)} rows and none says its age, so they cannot be told apart.",
            cell=address(header.columns["area_code"], found[-1][0]),
            expected=f"{len(_AGES)} rows ({_YOUNGEST} to {_OLDEST} and over), or one",
            found=str(len(found)),
            todo="Download the figures with the column of ages.",
        )
    notes.add("ages_not_printed", "The rows do not print their ages; 75 were counted per area.")
    parts = [_people(header, number, row, where) for number, row in found]
    return _total(parts)


def _tidy(
    header: Header,
    number: int,
    row: tuple[Any, ...],
    code: str,
    people: Reading,
    context: ParseContext,
    where: Where,
    notes: Notes,
) -> dict[str, Any]:
    name = text_under(header, row, "area_name")
    at = address(header.columns["area_code"], number)
    level = level_of(code, context.areas)
    if level is None:
        raise where.error(
            "unknown_area",
            f"The code {code} ({name}) is of no kind of area that is known.",
            cell=at,
            found=code,
            todo="If it is a new kind of area, add it to the areas.",
        )
    if name:
        remark = check_name(name, code, context, where, at)
        if remark:
            notes.add("name_differs", remark)
    elif context.areas.knows(code):
        name = context.areas.name(code)
    return {
        "measure": context.dataset.measures[0].code,
        "area_code": code,
        "area_name": name or code,
        "area_level": level,
        "period_start": midnight(context.edition.period_start),
        "period_end": midnight(context.edition.period_end),
        "unit": "count",
        "value": people.value,
        "lower_95": None,
        "upper_95": None,
        "base": None,
        "status": people.status,
        "status_symbol": people.symbol,
        "sheet": CSV_SHEET,
        "row_number": number,
        "column_letter": header.letter("value"),
    }
