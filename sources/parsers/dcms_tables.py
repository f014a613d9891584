"""The annual tables of the Community Life Survey and the Participation Survey (DCMS).

Here belongs how those workbooks are laid out: one table a sheet, a demographic sheet with England
and the regions (``B4b``, ``Table_A2``) and an authority sheet (``B4c``, ``Table_A3``) for each
question. Which sheet and response a measure is read from is declared by the catalogue's layouts.

Sheets are found by code or, where they were renamed, by what their title says; headers by what
their labels say. Percentages come out as 0 to 100 whatever the file used. The England figure that
the authority sheet repeats is compared with that of the demographic sheet, which shows at once if
one of the two is about another question or edition.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sources.catalogue import Layout, Measure, Table, fill
from sources.errors import ParseError
from sources.parsers import ParseContext, Parsed
from sources.parsers.tidy import (
    Notes,
    address,
    check_name,
    count_of,
    level_of,
    midnight,
    observations,
    where_of,
)
from sources.workbook import (
    Book,
    CellValue,
    Header,
    Reading,
    Sheet,
    Wanted,
    Where,
    column_letter,
    find_header,
    normalise_label,
    parse_value,
    read_workbook,
    refuse_unreadable,
    tidy_text,
)

ENGLAND: Final = "E92000001"
_GSS: Final = re.compile(r"[EKNSW][0-9]{8}")
_ITL: Final = re.compile(r"TL[A-Z][0-9]?")
_EDITION: Final = re.compile(r"(?<![0-9])(20[0-9]{2})\s?[/\u2013-]\s?((?:20)?[0-9]{2})(?![0-9])")

# Labels as the 2023/24 workbooks print them; a layout's own patterns are tried before these.
# {when} stands for the edition in any of its spellings.
_NOT_CHANGE: Final = r"(?!.*(?:change|differ|signific))"
_DEFAULT_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "question": (r"question",),
    "response": (r"response", r"response breakdown"),
    "topic": (r"topic breakdown", r"topic"),
    "breakdown": (r"individual breakdown",),
    "area_name": (
        r"(?:local authority|lad|area)(?: district)?(?: \(lad\))?(?: name)?",
        r"lad[0-9]{2} ?(?:nm|name)",
    ),
    "area_code": (
        r"lad ?[0-9]{2} ?(?:code|cd)",
        r"(?:local authority|lad|area|ons)(?: district)?(?: [0-9]{4})? ?codes?",
    ),
    "value": (
        rf"(?=.*{{when}})(?=.*percent)(?!.*(?:lower|upper|base)){_NOT_CHANGE}.*",
        r"percentage(?: of respondents)?(?: ?\(%\))?",
    ),
    "lower_95": (
        rf"(?=.*{{when}})(?=.*lower){_NOT_CHANGE}.*",
        r"(?:percentage of respondents )?lower estimate(?: percentage)?(?: ?\(%\))?",
    ),
    "upper_95": (
        rf"(?=.*{{when}})(?=.*upper){_NOT_CHANGE}.*",
        r"(?:percentage of respondents )?upper estimate(?: percentage)?(?: ?\(%\))?",
    ),
    "respondents": (
        rf"(?=.*{{when}})(?=.*(?:no\.|number) of respondents)(?!.*base){_NOT_CHANGE}.*",
        r"(?:no\.|number) of respondents",
    ),
    "base": (
        rf"(?=.*{{when}})(?=.*base){_NOT_CHANGE}.*",
        r"(?:unweighted )?base.*",
    ),
}
_DEFAULT_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "nation": (r"total", r"all(?: adults)?", r"england", r"overall"),
    "itl1": (r"regions?(?: ?\(.*\))?", r"itl ?1.*"),
    "itl2": (r"itl ?2.*",),
    "lad": (r"local authority.*", r"lad[0-9]{0,2}"),
    "cauth": (r"combined authorit.*",),
}
_SPOKEN: Final[Mapping[str, str]] = {
    "question": "Question",
    "response": "Response Breakdown",
    "topic": "Topic Breakdown",
    "breakdown": "Individual Breakdown",
    "area_name": "Local authority name",
    "area_code": "LAD code",
    "value": "{edition} Percentage (%)",
    "lower_95": "{edition} Lower Estimate percentage (%)",
    "upper_95": "{edition} Upper Estimate percentage (%)",
    "respondents": "{edition} Number of respondents",
    "base": "{edition} Unweighted Base",
}
_REQUIRED: Final = ("value", "lower_95", "upper_95", "base")
# Published for the Participation Survey, but whether in the workbook is not established.
_OFTEN_ABSENT: Final = frozenset({"itl2", "cauth"})
_TOTAL_NAMES: Final = frozenset({"england", "total", "all", "all adults", "overall", ""})

# Rounded totals of two sheets may differ by a rounding; more than this is another table.
_TOTALS_MAY_DIFFER: Final = 1.0


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the measures that the catalogue's layout names from one workbook (XLSX or ODS).

    Returns observations in percent (0 to 100) with bounds and unweighted base. Raises
    ``ParseError``: any code of ``sources.workbook``, and ``missing_sheet``, ``ambiguous_sheet``,
    ``wrong_table``, ``wrong_edition``, ``missing_response``, ``ambiguous_response``,
    ``mixed_scale``, ``percent_out_of_range``, ``totals_disagree``, ``code_name_mismatch``,
    ``unknown_area``, ``ambiguous_area``, ``not_a_count``, ``empty_table``.
    """
    where = where_of(context)
    book = read_workbook(content, where, forms=("xlsx", "ods"))
    notes = Notes(book.remarks)
    layout = context.dataset.layout(context.edition.edition)
    if not layout.tables:
        raise where.error(
            "no_layout",
            "The catalogue's layout for this edition names no tables.",
            todo=f"Describe them in sources/catalogue/{context.dataset.code}.yaml.",
        )
    rows: list[dict[str, Any]] = []
    for measure in context.dataset.measures:
        table = layout.tables.get(measure.code)
        if table is not None:
            rows.extend(_measure_rows(book, measure, table, layout, context, notes))
    return observations(rows, content, context, notes)


@dataclass(frozen=True)
class _Figure:
    """One row of a table, read; percentages still as the file has them."""

    level: str
    code: str
    name: str
    row_number: int
    value: Reading
    lower: Reading
    upper: Reading
    base: int | None
    addresses: tuple[str, str, str]


@dataclass(frozen=True)
class _Read:
    """A sheet's figures, and by how much they are multiplied to be percentages."""

    sheet: Sheet
    letter: str
    figures: tuple[_Figure, ...]
    scale: float


def _measure_rows(
    book: Book,
    measure: Measure,
    table: Table,
    layout: Layout,
    context: ParseContext,
    notes: Notes,
) -> list[dict[str, Any]]:
    where = where_of(context)
    published = context.edition.levels
    chosen: dict[str, str] = {}
    read: dict[str, _Read] = {}
    # Levels that a workbook may lack come last: they share the sheet of one that it must have.
    for level, codes in sorted(table.sheets.items(), key=lambda item: item[0] in _OFTEN_ABSENT):
        if published and level not in published:
            continue
        shared = next(
            (chosen[k] for k, c in table.sheets.items() if c == codes and k in chosen), None
        )
        if shared is not None:
            chosen[level] = shared
            continue
        try:
            sheet = _find_sheet(book, measure, table, level, codes, layout, context, notes)
        except ParseError as error:
            if error.code != "missing_sheet" or level not in _OFTEN_ABSENT:
                raise
            notes.add("level_absent", f"No sheet for level {level} ({measure.code}).")
            continue
        chosen[level] = sheet.name
        if sheet.name not in read:
            read[sheet.name] = _read_sheet(sheet, measure, table, layout, context, notes)
    totals: list[tuple[float, str]] = []
    rows: list[dict[str, Any]] = []
    for name, result in read.items():
        seen: set[str] = set()
        for figure in result.figures:
            value = _scaled(figure.value, result.scale)
            if figure.level == "nation" and value is not None:
                totals.append((value, f"{name}!{figure.addresses[0]}"))
            if chosen.get(figure.level, name) != name:
                continue
            if published and figure.level not in published and figure.level != "cauth":
                continue
            seen.add(figure.level)
            rows.append(_row(figure, value, measure, result, context))
        for wanted_level, sheet_name in chosen.items():
            if sheet_name != name or wanted_level in seen:
                continue
            if wanted_level in _OFTEN_ABSENT:
                notes.add(
                    "level_absent",
                    f"Sheet {name}: no row of level {wanted_level} ({measure.code}).",
                )
            else:
                raise where.at(name).error(
                    "empty_table",
                    f"The sheet has no row of level {wanted_level} for measure {measure.code}.",
                    expected=f"at least one area of level {wanted_level}",
                    found=f"{len(result.figures)} rows of other levels",
                    todo="Open the sheet and compare its groups with the catalogue's layout.",
                )
    for value, place in totals[1:]:
        difference = abs(value - totals[0][0])
        if difference > _TOTALS_MAY_DIFFER:
            raise where.error(
                "totals_disagree",
                f"The England figures of {measure.code} differ between the two sheets, so one of "
                "them is about something else.",
                cell=place,
                expected=f"{totals[0][0]:g} as in {totals[0][1]}",
                found=f"{value:g} in {place}",
                todo="Compare the titles and responses of the two sheets.",
            )
        if difference > 1e-6:
            notes.add(
                "totals_differ_by_rounding",
                f"{measure.code}: England {totals[0][0]:g} in {totals[0][1]}, {value:g} in {place}.",
            )
    return rows


def _row(
    figure: _Figure, value: float | None, measure: Measure, read: _Read, context: ParseContext
) -> dict[str, Any]:
    without = value is None
    return {
        "measure": measure.code,
        "area_code": figure.code,
        "area_name": figure.name,
        "area_level": figure.level,
        "period_start": midnight(context.edition.period_start),
        "period_end": midnight(context.edition.period_end),
        "unit": measure.unit,
        "value": value,
        "lower_95": None if without else _scaled(figure.lower, read.scale),
        "upper_95": None if without else _scaled(figure.upper, read.scale),
        "base": figure.base,
        "status": figure.value.status,
        "status_symbol": figure.value.symbol,
        "sheet": read.sheet.name,
        "row_number": figure.row_number,
        "column_letter": read.letter,
    }


def _scaled(reading: Reading, scale: float) -> float | None:
    if reading.value is None or scale == 1.0:
        return reading.value
    # 0.453 * 100 is 45.300000000000004 in binary; the file says 45.3.
    return round(reading.value * scale, 10)


# --- Sheets ---------------------------------------------------------------------------------------


def _sheet_key(name: str) -> str:
    return re.sub(r"^table", "", re.sub(r"[\s_.()-]+", "", name.casefold()))


def _find_sheet(
    book: Book,
    measure: Measure,
    table: Table,
    level: str,
    codes: Sequence[str],
    layout: Layout,
    context: ParseContext,
    notes: Notes,
) -> Sheet:
    where = where_of(context)
    for code in codes:
        found = [sheet for sheet in book.sheets if _sheet_key(sheet.name) == _sheet_key(code)]
        if len(found) > 1:
            raise where.error(
                "ambiguous_sheet",
                f"More than one sheet has the code {code}.",
                found=", ".join(sheet.name for sheet in found),
                todo="Open the workbook to see which is meant.",
            )
        if found:
            if not _title_fits(found[0], table):
                raise where.at(found[0].name).error(
                    "wrong_table",
                    f"The sheet has the code {code}, but its title is not that of {measure.code}.",
                    expected=f"a title or question with '{table.title_contains}'",
                    found=_title(found[0])[:200] or "no title",
                    todo="The publisher may have renumbered its tables: correct the codes in "
                    f"sources/catalogue/{context.dataset.code}.yaml.",
                )
            return found[0]
    taken = {
        _sheet_key(code)
        for other in layout.tables.values()
        for others in other.sheets.values()
        for code in others
    }
    # None has the code: look for the one whose title and header are those of the table.
    fitting = [
        sheet
        for sheet in book.sheets
        if table.title_contains
        and _sheet_key(sheet.name) not in taken
        and _title_fits(sheet, table)
        and _fits_level(sheet, level, table, layout, context)
    ]
    wanted = " or ".join(codes)
    if len(fitting) == 1:
        notes.add(
            "sheet_renamed",
            f"The sheet {wanted} is called '{fitting[0].name}'; it was found by its title.",
        )
        return fitting[0]
    names = [sheet.name for sheet in book.sheets]
    if fitting:
        raise where.error(
            "ambiguous_sheet",
            f"No sheet is called {wanted}, and several have the title of {measure.code}.",
            expected=f"one sheet for {measure.code} by {level}",
            found=", ".join(sheet.name for sheet in fitting),
            todo="Add the right sheet's code to the catalogue's layout.",
        )
    near = difflib.get_close_matches(codes[0] if codes else "", names, n=5, cutoff=0.4)
    raise where.error(
        "missing_sheet",
        f"The workbook has no sheet for {measure.code} by {level}.",
        expected=wanted,
        found=(f"nearest {', '.join(near)}; " if near else "")
        + f"all sheets: {', '.join(names[:60])}",
        todo="Check that this is the file of annual data tables for the edition; if the publisher "
        "renamed the sheet, add its code to the catalogue's layout.",
    )


def _title(sheet: Sheet, depth: int = 14) -> str:
    """The text at the head of a sheet: its title, notes, and the question of its first rows."""
    return " ".join(
        normalise_label(cell)
        for row in sheet.rows[:depth]
        for cell in row[:2]
        if isinstance(cell, str)
    )


def _title_fits(sheet: Sheet, table: Table) -> bool:
    if not table.title_contains:
        return True
    title = _title(sheet)
    words = normalise_label(table.title_contains)
    return words in title or all(word in title for word in words.split())


def _fits_level(
    sheet: Sheet, level: str, table: Table, layout: Layout, context: ParseContext
) -> bool:
    quiet = Notes()
    try:
        header, _ = _header(sheet, layout, context, quiet)
        figures = _figures(sheet, header, table, layout, context, quiet)
    except ParseError:
        return False
    return any(figure.level == level for figure in figures)


# --- One sheet ------------------------------------------------------------------------------------


def _read_sheet(
    sheet: Sheet,
    measure: Measure,
    table: Table,
    layout: Layout,
    context: ParseContext,
    notes: Notes,
) -> _Read:
    where = where_of(context).at(sheet.name)
    header, usual_row = _header(sheet, layout, context, notes)
    if usual_row is not None and header.row_number != usual_row:
        notes.add(
            "header_moved",
            f"Sheet {sheet.name}: the header is in row {header.row_number}, usually {usual_row}.",
        )
    remark = refuse_unreadable(sheet, header, where)
    if remark:
        notes.add("cells_without_value", remark)
    figures = _figures(sheet, header, table, layout, context, notes)
    if not figures:
        raise where.error(
            "empty_table",
            f"The sheet has a header and no rows of figures for {measure.code}.",
            todo="Open the sheet; the publisher may have released it too early.",
        )
    readings = [r for f in figures for r in (f.value, f.lower, f.upper)]
    notes.readings(readings, sheet.name)
    notes.symbols([figure.value for figure in figures], sheet.name)
    scale = _scale(figures, where)
    if scale != 1.0:
        notes.add(
            "percent_as_fraction",
            f"Sheet {sheet.name}: percentages are written as fractions of 1; they were multiplied "
            "by 100.",
        )
    for figure in figures:
        readings_at = zip((figure.value, figure.lower, figure.upper), figure.addresses, strict=True)
        for reading, at in readings_at:
            value = _scaled(reading, scale)
            if value is not None and not 0 <= value <= 100:
                raise where.error(
                    "percent_out_of_range",
                    "A percentage is outside 0 to 100.",
                    cell=at,
                    expected="0 to 100" if scale == 1.0 else "0 to 1",
                    found=f"{reading.value:g}",
                    todo="Open the cell in the publisher's file.",
                )
    return _Read(sheet, header.letter("value"), figures, scale)


def _scale(figures: Sequence[_Figure], where: Where) -> float:
    """100 where the table's percentages are fractions of 1, else 1."""
    printed = [
        (reading.value, at, reading.note == "percent_sign")
        for figure in figures
        for reading, at in zip(
            (figure.value, figure.lower, figure.upper), figure.addresses, strict=True
        )
        if reading.value is not None
    ]
    if not printed:
        return 1.0
    largest = max(abs(value) for value, _, _ in printed)
    if largest <= 1.0:
        signed = any(sign for _, _, sign in printed)
        return 1.0 if signed or largest == 0 else 100.0
    small = [at for value, at, sign in printed if 0 < value <= 1 and not sign]
    if largest > 5 and len(small) > max(3, len(printed) // 50):
        raise where.error(
            "mixed_scale",
            "Some percentages of the table are written as fractions of 1 and others are not.",
            cell=small[0],
            expected="one scale throughout",
            found=f"{len(small)} of {len(printed)} numbers between 0 and 1, the largest "
            f"{largest:g}",
            todo="Ask the publisher for a corrected file.",
        )
    return 1.0


def _editions_in(text: str) -> set[str]:
    return {f"{first}-{last[-2:]}" for first, last in _EDITION.findall(text)}


def _when(edition: str) -> str:
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", edition)
    if match is None:
        return re.escape(edition)
    return rf"{match.group(1)}\s?[/\u2013-]\s?(?:20)?{match.group(2)}(?![0-9])"


def _patterns(key: str, layout: Layout, edition: str) -> tuple[str, ...]:
    own = tuple(fill(pattern, edition) for pattern in layout.columns.get(key, ()))
    default = tuple(
        pattern.replace("{when}", _when(edition)) for pattern in _DEFAULT_COLUMNS.get(key, ())
    )
    return own + default


def _header(
    sheet: Sheet, layout: Layout, context: ParseContext, notes: Notes
) -> tuple[Header, int | None]:
    """The sheet's header, and the row that it is usually in (``None`` if that is not known)."""
    edition = context.edition.edition
    where = where_of(context).at(sheet.name)
    spoken = edition.replace("-", "/")
    wanted = {
        key: Wanted(
            _SPOKEN[key].replace("{edition}", spoken),
            _patterns(key, layout, edition),
            required=key in _REQUIRED,
        )
        for key in _DEFAULT_COLUMNS
    }
    try:
        header = find_header(sheet, wanted, where)
    except ParseError as error:
        if error.code in ("missing_column", "header_not_found"):
            heads = " ".join(
                normalise_label(cell)
                for row in sheet.rows[:40]
                for cell in row
                if isinstance(cell, str) and len(cell) < 200
            )
            others = _editions_in(heads)
            if others and edition not in others:
                raise _wrong_edition(where, edition, others) from error
        raise
    printed = " ".join(normalise_label(header.labels[header.columns[key]]) for key in _REQUIRED)
    in_header = _editions_in(" ".join(normalise_label(label) for label in header.labels))
    if edition not in _editions_in(printed):
        on_sheet = _editions_in(_title(sheet)) | in_header
        if on_sheet and edition not in on_sheet:
            raise _wrong_edition(where, edition, on_sheet)
        notes.add(
            "columns_without_edition",
            f"Sheet {sheet.name}: the columns of figures do not say which edition they are of.",
        )
    beside = in_header - {edition}
    if beside:
        notes.add(
            "other_editions_beside",
            f"Sheet {sheet.name}: columns of {', '.join(sorted(beside))} were left out.",
        )
    extra = [
        label
        for label in header.extra
        if not (_editions_in(normalise_label(label)) - {edition})
        and not re.search(r"itl ?[12]|region", label, re.I)
    ]
    if extra:
        notes.add("extra_column", f"Sheet {sheet.name}: {', '.join(extra)} not used.")
    return header, _usual_header_row(header, context)


def _usual_header_row(header: Header, context: ParseContext) -> int | None:
    participation = "participation" in (context.dataset.survey or context.dataset.title).casefold()
    authorities = "area_code" in header.columns
    if participation:
        return 5 if authorities else 4
    return 8 if authorities else 7


def _wrong_edition(where: Where, edition: str, others: set[str]) -> ParseError:
    return where.error(
        "wrong_edition",
        "The sheet is of another edition.",
        expected=edition.replace("-", "/"),
        found=", ".join(sorted(other.replace("-", "/") for other in others)),
        todo="Hand the file in under its own edition, or download the right one.",
    )


def _groups(layout: Layout, level: str) -> tuple[str, ...]:
    own: tuple[str, ...] = tuple(
        pattern
        for known, patterns in layout.breakdowns.items()
        if known == level
        for pattern in patterns
    )
    return own + _DEFAULT_GROUPS.get(level, ())


def _group_level(group: str, layout: Layout) -> str | None:
    for level in ("nation", "itl1", "itl2", "cauth", "lad"):
        if any(re.fullmatch(pattern, group, re.I) for pattern in _groups(layout, level)):
            return level
    return None


def _figures(
    sheet: Sheet,
    header: Header,
    table: Table,
    layout: Layout,
    context: ParseContext,
    notes: Notes,
) -> tuple[_Figure, ...]:
    body = list(enumerate(sheet.rows[header.row_number :], start=header.row_number + 1))
    name_key = next(
        (key for key in ("breakdown", "area_name", "response") if key in header.columns), None
    )
    if name_key is None:
        raise (
            where_of(context)
            .at(sheet.name)
            .error(
                "missing_column",
                "The table has no column of area names.",
                cell=f"A{header.row_number}",
                expected="'Response Breakdown' or 'Individual Breakdown'",
                found=", ".join(label for label in header.labels if label),
                todo="If the publisher renamed the column, add a layout to the catalogue.",
            )
        )
    # Where no other column has them, 'Response Breakdown' holds the names of areas.
    if "response" in header.columns and name_key != "response":
        body = _of_response(sheet, header, body, table, context)
    figures: list[_Figure] = []
    group = ""
    for position, (row_number, row) in enumerate(body):
        own_group = normalise_label(
            header.value(row, "topic" if "topic" in header.columns else "question")
        )
        group = own_group or group
        cells = [header.value(row, key) for key in ("value", "lower_95", "upper_95", "base")]
        if all(cell is None for cell in cells):
            continue  # a blank row, a note below the table, or a heading inside it
        place = _place(
            header, row, row_number, group, position == 0, name_key, sheet, layout, context, notes
        )
        if place is not None:
            figures.append(_figure(place, row_number, row, header, sheet, context))
    return tuple(figures)


def _of_response(
    sheet: Sheet,
    header: Header,
    body: Sequence[tuple[int, tuple[CellValue, ...]]],
    table: Table,
    context: ParseContext,
) -> list[tuple[int, tuple[CellValue, ...]]]:
    """The rows of the response that the measure means; blank labels continue the one above."""
    where = where_of(context).at(sheet.name)
    pattern = re.compile(fill(table.response, context.edition.edition), re.I)
    question = response = ""
    matched: dict[tuple[str, str], list[tuple[int, tuple[CellValue, ...]]]] = {}
    met: dict[str, None] = {}
    for row_number, row in body:
        if header.value(row, "value") is None and header.value(row, "base") is None:
            continue
        question = normalise_label(header.value(row, "question")) or question
        response = normalise_label(header.value(row, "response")) or response
        met[response] = None
        if pattern.fullmatch(response):
            matched.setdefault((question, response), []).append((row_number, row))
    if not matched:
        if not met:
            return []
        raise where.error(
            "missing_response",
            "No row has the response that the measure means.",
            cell=f"{header.letter('response')}{header.row_number}",
            expected=f"a label that matches '{table.response}'",
            found=", ".join(f"'{label}'" for label in list(met)[:20]),
            todo="If the publisher reworded the response, check that it means the same, then "
            f"correct it in sources/catalogue/{context.dataset.code}.yaml.",
        )
    if len(matched) > 1 and table.title_contains:
        words = normalise_label(table.title_contains)
        narrowed = {key: rows for key, rows in matched.items() if words in key[0]}
        matched = narrowed if len(narrowed) == 1 else matched
    if len(matched) > 1:
        raise where.error(
            "ambiguous_response",
            "More than one question or response matches the one that the measure means.",
            expected=f"one label that matches '{table.response}'",
            found="; ".join(f"'{q[:80]}': '{r}'" for q, r in matched),
            todo="Make the response in the catalogue's layout more exact.",
        )
    return next(iter(matched.values()))


def _place(
    header: Header,
    row: Sequence[CellValue],
    row_number: int,
    group: str,
    first: bool,
    name_key: str,
    sheet: Sheet,
    layout: Layout,
    context: ParseContext,
    notes: Notes,
) -> tuple[str, str, str] | None:
    """Level, code and printed name of a row's area; ``None`` for a row about something else."""
    where = where_of(context).at(sheet.name)
    name = tidy_text(header.value(row, name_key))
    at = address(header.columns[name_key], row_number)
    code = tidy_text(header.value(row, "area_code")).upper()
    if _ITL.fullmatch(code):
        code = context.areas.resolve_code(
            code, dataset=context.dataset.code, edition=context.edition.edition
        )
    if _GSS.fullmatch(code) or context.areas.knows(code):
        level = level_of(code, context.areas)
        if level is None:
            raise where.error(
                "unknown_area",
                f"The code {code} ({name}) is of no kind of area that is known.",
                cell=at,
                found=code,
                todo="If it is a new kind of area, add it to the areas.",
            )
        remark = check_name(name, code, context, where, at) if level != "nation" else None
        if remark:
            notes.add("name_differs", f"Sheet {sheet.name}: {remark}")
        return level, code, name or context.areas.name(code)
    if code and normalise_label(header.value(row, "area_code")) not in _NO_CODE:
        raise where.error(
            "unknown_area",
            f"'{code}' is not a GSS code.",
            cell=address(header.columns["area_code"], row_number),
            expected="a letter and eight digits, such as E08000025",
            found=code,
            todo="Compare the row with the publisher's file.",
        )
    level = _group_level(group, layout)
    plain = normalise_label(name)
    authority_sheet = "area_code" in header.columns
    if "topic" in header.columns:
        if level not in ("nation", "itl1"):
            return None
        if level == "nation":
            return ("nation", ENGLAND, "England") if plain in _TOTAL_NAMES else None
    elif (
        plain in _TOTAL_NAMES - {""} and level in (None, "nation") and (first or plain == "england")
    ):
        return "nation", ENGLAND, "England"
    elif first and (level in (None, "nation")) and not _resolves(name, context):
        # The first row of these tables carries the question, and England's figures.
        return "nation", ENGLAND, "England"
    elif level is None and not authority_sheet:
        return None  # a demographic group
    if level == "lad" or (level is None and authority_sheet):
        level = "itl1" if _resolves(name, context, "itl1") else "lad"
    if level not in ("itl1", "itl2", "lad", "cauth"):
        return None
    try:
        resolved = context.areas.resolve(
            name,
            dataset=context.dataset.code,
            edition=context.edition.edition,
            level=level,
        )
    except ParseError as error:
        raise where.error(
            error.code,
            error.message,
            cell=at,
            found=error.found or name,
            todo=error.todo,
        ) from error
    if level == "lad":
        notes.add(
            "code_from_name",
            f"Sheet {sheet.name}: rows without a code were placed by name ({name}).",
        )
    return level, resolved, name


_NO_CODE: Final = frozenset({"", "n/a", "na", "-", "..", ":", "*"})


def _resolves(name: str, context: ParseContext, level: str | None = None) -> bool:
    try:
        context.areas.resolve(
            name, dataset=context.dataset.code, edition=context.edition.edition, level=level
        )
    except ParseError:
        return False
    return True


def _figure(
    place: tuple[str, str, str],
    row_number: int,
    row: Sequence[CellValue],
    header: Header,
    sheet: Sheet,
    context: ParseContext,
) -> _Figure:
    where = where_of(context).at(sheet.name)
    level, code, name = place
    addresses = tuple(
        f"{column_letter(header.columns[key])}{row_number}"
        for key in ("value", "lower_95", "upper_95")
    )
    value, lower, upper = (
        parse_value(header.value(row, key), where, at=at, thousands=False)
        for key, at in zip(("value", "lower_95", "upper_95"), addresses, strict=True)
    )
    base_at = address(header.columns["base"], row_number)
    base, _ = count_of(header.value(row, "base"), where, base_at)
    if "respondents" in header.columns:
        respondents_at = address(header.columns["respondents"], row_number)
        respondents, _ = count_of(header.value(row, "respondents"), where, respondents_at)
        if base is not None and respondents is not None and respondents > base:
            raise where.error(
                "respondents_exceed_base",
                f"More people gave the answer in {name} than were asked.",
                cell=respondents_at,
                expected=f"at most the unweighted base, {base}",
                found=str(respondents),
                todo="Open the row in the publisher's file; its columns may have been moved.",
            )
    return _Figure(
        level,
        code,
        name,
        row_number,
        value,
        lower,
        upper,
        base,
        (addresses[0], addresses[1], addresses[2]),
    )
