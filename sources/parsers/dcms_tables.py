"""The annual tables of the Community Life Survey and the Participation Survey (DCMS).

Here belongs how those workbooks are laid out: one table per sheet, a demographic sheet with England
and the regions (``B4b``, ``Table_A2``) and an authority sheet (``B4c``, ``Table_A3``) for each
question. Which sheet and response a measure is read from is declared by the catalogue's layouts.

Sheets are found by code and title, headers by what their labels say. Percentages come out as 0 to
100 whatever the file used. The two sheets of a measure must be about the same response and question
and print the same England figures, which shows if one of them is about something else. Rows of a
demographic sheet by a topic of the layout are England's figures of those people.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sources.catalogue import Measure, Table, fill
from sources.consistency import half_unit, respondents_fit, stored_decimals
from sources.contract import Finding
from sources.errors import ParseError, combined, counted
from sources.observation import EVERYBODY
from sources.parsers import QUESTION, ParseContext, Parsed
from sources.parsers.tidy import (
    Line,
    Notes,
    address,
    check_name,
    level_of,
    midnight,
    refuse_divided,
    tidy,
    where_of,
)
from sources.workbook import read_workbook
from sources.workbook.book import Sheet, Where
from sources.workbook.header import Header, Wanted, find_header, refuse_unreadable
from sources.workbook.values import Reading, normalise_label, tidy_text

_GSS: Final = re.compile(r"[A-Z][0-9]{8}")
_ITL: Final = re.compile(r"TL[A-Z][0-9]?")
_YEARS: Final = re.compile(
    r"(?<![0-9/])(?:20)?([0-9]{2})(?:\s?[/\u2013-]\s?(?:20)?| to 20)([0-9]{2})(?![0-9/])"
)

# Key -> how a column is named in messages, then its labels as the 2023/24 workbooks print them; a
# layout's own patterns are tried before these.
# {when} stands for the edition in any of its spellings. A year is required wherever the publisher
# prints one: the block of the year before has the same labels otherwise. Limits of another level
# than 95 % and weighted bases are none that are looked for.
_NO_OTHER: Final = r"(?!.*(?:change|differ|signific|(?<![0-9])(?:80|90|99)(?:\.[0-9])? ?%))"
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "question": ("Question", r"question"),
    "response": ("Response Breakdown", r"response", r"response breakdown"),
    "topic": ("Topic Breakdown", r"topic breakdown", r"topic"),
    "breakdown": ("Individual Breakdown", r"individual breakdown"),
    "area_name": (
        "Local authority name",
        r"(?:local authority|lad|area)(?: district)?(?: \(lad\))?(?: name)?",
        r"lad[0-9]{2} ?(?:nm|name)",
    ),
    "area_code": (
        "LAD code",
        r"lad ?[0-9]{2} ?(?:code|cd)",
        r"(?:local authority|lad|area|ons)(?: district)?(?: [0-9]{4})? ?codes?",
    ),
    "value": (
        "{edition} Percentage (%)",
        rf"(?=.*{{when}})(?=.*percent)(?!.*(?:lower|upper|base)){_NO_OTHER}.*",
        r"percentage(?: of respondents)?(?: ?\(%\))?",
    ),
    "lower_95": (
        "{edition} Lower Estimate percentage (%)",
        rf"(?=.*{{when}})(?=.*lower){_NO_OTHER}.*",
        r"(?:percentage of respondents )?lower estimate(?: percentage)?(?: ?\(%\))?",
    ),
    "upper_95": (
        "{edition} Upper Estimate percentage (%)",
        rf"(?=.*{{when}})(?=.*upper){_NO_OTHER}.*",
        r"(?:percentage of respondents )?upper estimate(?: percentage)?(?: ?\(%\))?",
    ),
    "respondents": (
        "{edition} Number of respondents",
        rf"(?=.*{{when}})(?=.*(?:no\.|number) of respondents)(?!.*base){_NO_OTHER}.*",
        r"(?:no\.|number) of respondents",
    ),
    "base": (
        "{edition} Unweighted Base",
        rf"(?=.*{{when}})(?=.*base)(?!.*(?<!un)weighted){_NO_OTHER}.*",
        r"(?:unweighted )?base(?! ?\(?20)(?!.*[0-9]{2}/[0-9]{2}).*",
    ),
}
_OF_FIGURES: Final = re.compile(r"percent|estimate|respondents|base\b", re.I)
_FIGURES: Final = ("value", "lower_95", "upper_95")
_REQUIRED: Final = (*_FIGURES, "base")
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "nation": (r"total", r"all(?: adults)?", r"england", r"overall"),
    "itl1": (r"regions?(?: ?\(.*\))?", r"itl ?1.*"),
    "itl2": (r"itl ?2.*",),
    "cauth": (r"combined authorit.*",),
    "lad": (r"local authority.*", r"lad[0-9]{0,2}"),
}
# Published for the Participation Survey, but whether in the workbook is not established.
_OFTEN_ABSENT: Final = frozenset({"itl2", "cauth"})
_TOTAL_NAMES: Final = frozenset({"england", "total", "all", "all adults", "overall", ""})
_NO_CODE: Final = frozenset({"", "n/a", "na", "-", "..", ":", "*"})
#: Faults of layout: the table could not be read, and nothing in it contradicts the rest.
_UNREAD: Final = frozenset(
    {
        *("missing_sheet", "ambiguous_sheet", "wrong_table", "too_many_cells", "empty_table"),
        *("header_not_found", "missing_column", "ambiguous_column", "ambiguous_header"),
        *("missing_response", "ambiguous_response"),
    }
)
_COMPARE: Final = (
    "Compare the titles, questions and responses of the two sheets with the publisher's."
)


#: Level, code and name of an area; breakdown and category of people.
_Place = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class _Figure:
    """One row of a table, read; percentages still as the file has them, until scaled."""

    level: str
    code: str
    name: str
    breakdown: str
    category: str
    row_number: int
    readings: tuple[Reading, ...]
    addresses: tuple[str, ...]
    respondents: int | None
    base: int | None

    @property
    def value(self) -> float | None:
        return self.readings[0].value

    @property
    def of_everybody(self) -> bool:
        return (self.breakdown, self.category) == EVERYBODY

    @property
    def blank(self) -> bool:
        """No percentage, and no symbol that says why."""
        return self.value is None and self.readings[0].symbol is None


@dataclass(frozen=True)
class _Read:
    """A sheet's figures in percent, and what it says that it is about."""

    sheet: Sheet
    header: Header
    figures: tuple[_Figure, ...]
    question: str
    head: str
    responses: tuple[str, ...]

    def half_unit(self) -> float:
        """By how much a percentage may differ from the unrounded one."""
        return half_unit(stored_decimals(figure.value for figure in self.figures))


def parse(content: bytes, context: ParseContext) -> Parsed:
    """Read the measures that the catalogue's layout names from one workbook (XLSX or ODS).

    Returns observations in percent (0 to 100) with limits and unweighted base, and findings of
    severity warning. Raises one ``ParseError`` that lists every fault of the file.
    """
    reader = _Reader(content, context)
    tables = reader.layout.tables
    if not tables:
        raise reader.where.error(
            "no_layout",
            "The catalogue's layout for this edition names no tables.",
            todo=f"Describe them in sources/catalogue/{context.dataset.code}.yaml.",
        )
    rows: list[dict[str, Any]] = []
    for measure in context.dataset.measures:
        if measure.code in tables:
            rows.extend(reader.measure(measure, tables[measure.code]))
    lost = {code for code, _ in reader.unread}
    if len(lost) > context.dataset.allowance.tables or not rows:
        reader.faults.extend(error for _, error in reader.unread)
    for code, error in reader.unread:
        reader.warn(error.code, f"{code} is left out in part. {error.render()}")
    for name, sheets in reader.absent.items():
        reader.warn(
            "area_not_listed",
            f"{name} is not listed in {', '.join(sheets)}; it is taken as not available.",
        )
    if reader.faults:
        raise combined(reader.faults)
    parsed = tidy(rows, content, context, reader.notes)
    return replace(parsed, findings=tuple(reader.findings))


class _Reader:
    """One workbook; collects notes, warnings and faults, so that all are reported at once."""

    def __init__(self, content: bytes, context: ParseContext) -> None:
        self.context = context
        self.where = where_of(context)
        self.edition = context.edition.edition
        self.layout = context.dataset.layout(self.edition)
        self.book = read_workbook(content, self.where, forms=("xlsx", "ods"))
        self.notes = Notes(self.book.remarks)
        self.findings: list[Finding] = []
        self.faults: list[ParseError] = []
        self.unread: list[tuple[str, ParseError]] = []
        self.absent: dict[str, list[str]] = {}
        nation = context.areas.codes("nation", prefix=context.dataset.country)[0]
        self._nation = ("nation", nation, context.areas.name(nation))

    def warn(self, code: str, message: str) -> None:
        """Add a warning; the file is let in with it."""
        place = f"{self.context.dataset.code} {self.edition}: "
        self.findings.append(Finding(code, "warning", place + message.removeprefix(place)))

    def note(self, sheet: str | None, code: str, text: str) -> None:
        """Note what was accepted of a sheet."""
        self.notes.add(code, f"Sheet {sheet}: {text}")

    def fault(self, where: Where, code: str, message: str, **more: Any) -> None:
        """Record a fault; ``more`` as ``Where.error``."""
        self.faults.append(where.error(code, message, **more))

    # --- One measure ------------------------------------------------------------------------------

    def measure(self, measure: Measure, table: Table) -> list[dict[str, Any]]:
        """The rows of one measure, from every sheet that the edition's levels need."""
        published = self.context.edition.levels
        chosen: dict[str, str] = {}
        read: dict[str, _Read] = {}
        # Levels that a workbook may lack come last: they share the sheet of one that it must have.
        for level, codes in sorted(table.sheets.items(), key=lambda item: item[0] in _OFTEN_ABSENT):
            if published and level not in published:
                continue
            shared = [k for k, c in table.sheets.items() if c == codes and k in chosen]
            if shared:
                chosen[level] = chosen[shared[0]]
                continue
            try:
                found = self._sheet(measure, table, level, codes, list(read.values()))
                chosen[level] = found.sheet.name
                read.setdefault(found.sheet.name, found)
            except ParseError as error:
                if level in _OFTEN_ABSENT and error.code == "missing_sheet":
                    self.notes.add("level_absent", f"No sheet for level {level} ({measure.code}).")
                elif error.code in _UNREAD:
                    if error.message not in [other.message for _, other in self.unread]:
                        self.unread.append((measure.code, error))
                else:
                    self.faults.append(error)
        self._compare(list(read.values()), measure, table)
        rows: list[dict[str, Any]] = []
        for name, result in read.items():
            levels = [level for level, sheet in chosen.items() if sheet == name]
            if "lad" in levels:
                result = self._with_absent(result)
                self._refuse_mostly_blank(result, measure)
            rows.extend(
                self._row(figure, measure, result)
                for figure in result.figures
                if (chosen.get(figure.level, name) == name or not figure.of_everybody)
                and (not published or figure.level in (*published, "cauth"))
            )
            everybody = {figure.level for figure in result.figures if figure.of_everybody}
            for absent in sorted(set(levels) - everybody):
                text = f"The sheet has no row of level {absent} for measure {measure.code}."
                if absent in _OFTEN_ABSENT:
                    self.note(name, "level_absent", text)
                    continue
                todo = "Open the sheet and compare its groups with the catalogue's layout."
                fault = self.where.at(name).error("empty_table", text, todo=todo)
                self.unread.append((measure.code, fault))
        return rows

    def _row(self, figure: _Figure, measure: Measure, read: _Read) -> dict[str, Any]:
        value, lower, upper = (reading.value for reading in figure.readings)
        return {
            "measure": measure.code,
            "area_code": figure.code,
            "area_name": figure.name,
            "area_level": figure.level,
            "period_start": midnight(self.context.edition.period_start),
            "period_end": midnight(self.context.edition.period_end),
            "unit": measure.unit,
            "value": value,
            "lower_95": None if value is None else lower,
            "upper_95": None if value is None else upper,
            "base": figure.base,
            "breakdown": figure.breakdown,
            "category": figure.category,
            "status": figure.readings[0].status,
            "status_symbol": figure.readings[0].symbol,
            "sheet": read.sheet.name,
            "row_number": figure.row_number or read.header.row_number,
            "column_letter": read.header.letter("value"),
            "citation": None if figure.row_number else "not listed in the table of this header",
        }

    def _with_absent(self, read: _Read) -> _Read:
        """Add the areas that the catalogue lets a table leave out, as not available."""
        areas = self.context.areas
        listed = {areas.current(figure.code) for figure in read.figures}
        nothing = (Reading(None, "not_available", None),) * 3
        absent = tuple(
            _Figure("lad", code, areas.name(code), *EVERYBODY, 0, nothing, ("",) * 3, None, None)
            for code in self.context.dataset.allowance.absent
            if areas.knows(code) and areas.current(code) not in listed
        )
        whole = len(listed) > 10 * len(absent)
        if not absent or not whole:  # a small extract lacks far more; coverage reports it
            return read
        for figure in absent:
            self.absent.setdefault(figure.name, []).append(read.sheet.name)
        return replace(read, figures=read.figures + absent)

    def _refuse_mostly_blank(self, read: _Read, measure: Measure) -> None:
        mine = [figure for figure in read.figures if figure.level == "lad" and figure.row_number]
        blank = [figure for figure in mine if figure.blank]
        if 2 * len(blank) <= len(mine) or not mine:
            return
        column = read.header.letter("value")
        self.faults = [e for e in self.faults if (e.code, e.sheet) != (_BLANK, read.sheet.name)]
        self.fault(
            self.where.at(read.sheet.name),
            "mostly_blank",
            f"{len(blank)} of {len(mine)} authorities ({100 * len(blank) // len(mine)} "
            f"percent) have no percentage of {measure.code} and no symbol that says why.",
            cell=f"{column}{mine[0].row_number}:{column}{mine[-1].row_number}",
            expected="a percentage or a symbol such as [c] or [x] for most authorities",
            found="empty cells",
            todo="Open the file in a spreadsheet program; if the column is empty there too, "
            "ask the publisher for a corrected file.",
        )

    # --- The two sheets of a measure --------------------------------------------------------------

    def _compare(self, sheets: Sequence[_Read], measure: Measure, table: Table) -> None:
        """Record a fault where a sheet is about another response or question than it should be."""
        labels = {label for read in sheets for label in read.responses}
        ours = re.compile(fill(table.response, self.edition), re.I)
        asked = next((read.question for read in sheets if read.responses), "")
        for read in sheets:
            if read.responses:
                continue
            where = self.where.at(read.sheet.name)
            other = _other_response(read.head, labels, ours)
            if other:
                self.fault(
                    where,
                    "wrong_response",
                    f"The sheet is about another response than that of {measure.code}.",
                    expected=measure.response or table.response,
                    found=other,
                    todo=_COMPARE,
                )
            alike = difflib.SequenceMatcher(None, asked, read.question).ratio()
            if asked and read.question and read.question not in _TOTAL_NAMES and alike < 0.5:
                self.fault(
                    where,
                    "wrong_question",
                    f"The sheet is about another question than the other sheet of {measure.code}.",
                    expected=asked[:200],
                    found=read.question[:200],
                    todo=_COMPARE,
                )
            elif asked and read.question and asked != read.question:
                text = f"'{read.question[:120]}', elsewhere '{asked[:120]}'."
                self.note(read.sheet.name, "question_differs", text)
        englands = [(read, e) for read in sheets if (e := _england(read))]
        for read, england in englands[1:]:
            difference = _disagreement(*englands[0], read, england)
            place = f"{read.sheet.name}!{england.addresses[0]}"
            first = f"{englands[0][0].sheet.name}!{englands[0][1].addresses[0]}"
            if difference:
                self.fault(
                    self.where,
                    "totals_disagree",
                    f"The England figures of {measure.code} differ between the two sheets, so "
                    "one of them is about something else.",
                    cell=place,
                    expected=f"{difference[0]} as in {first}",
                    found=f"{difference[1]} in {place}",
                    todo=_COMPARE,
                )
            elif abs((england.value or 0) - (englands[0][1].value or 0)) > 1e-6:
                self.notes.add(
                    "totals_differ_by_rounding",
                    f"{measure.code}: England {englands[0][1].value:g} in {first}, "
                    f"{england.value:g} in {place}.",
                )

    # --- Sheets -----------------------------------------------------------------------------------

    def _sheet(
        self, measure: Measure, table: Table, level: str, codes: Sequence[str], read: list[_Read]
    ) -> _Read:
        """The sheet of one level: by its code if its title fits, else the one whose title does."""
        misfit: Sheet | None = None
        for code in codes:
            found = [s for s in self.book.sheets if _sheet_key(s.name) == _sheet_key(code)]
            if len(found) > 1:
                raise self.where.error(
                    "ambiguous_sheet",
                    f"More than one sheet has the code {code}.",
                    found=", ".join(sheet.name for sheet in found),
                    todo="Open the workbook to see which is meant.",
                )
            if found and _title_fits(found[0], table):
                known = [r for r in read if r.sheet is found[0]]
                return known[0] if known else self._read(found[0], measure, table)
            misfit = misfit or (found[0] if found else None)
        wanted = " or ".join(codes)
        fitting = [
            sheet
            for sheet in self.book.sheets
            if table.title_contains
            and sheet is not misfit
            and _title_fits(sheet, table)
            and self._fits(sheet, measure, table, level, read)
        ]
        if len(fitting) == 1:
            text = f"The sheet {wanted} is called '{fitting[0].name}'; it was found by its title."
            self.notes.add("sheet_renamed", text)
            self.warn("sheet_renamed", text)
            return self._read(fitting[0], measure, table)
        if fitting:
            raise self.where.error(
                "ambiguous_sheet",
                f"No sheet is called {wanted}, and several have the title of {measure.code}.",
                expected=f"one sheet for {measure.code} by {level}",
                found=", ".join(sheet.name for sheet in fitting),
                todo="Add the right sheet's code to the catalogue's layout.",
            )
        correct = f"correct the codes in sources/catalogue/{self.context.dataset.code}.yaml"
        if misfit is not None:
            raise self.where.at(misfit.name).error(
                "wrong_table",
                f"The sheet has the code {wanted}, but its title is not that of {measure.code}.",
                expected=f"a title or question with '{table.title_contains}'",
                found=_title(misfit)[:200] or "no title",
                todo=f"If the publisher renumbered its tables, {correct}.",
            )
        names = [sheet.name for sheet in self.book.sheets]
        near = difflib.get_close_matches(codes[0] if codes else "", names, n=5, cutoff=0.4)
        raise self.where.error(
            "missing_sheet",
            f"The workbook has no sheet for {measure.code} by {level}.",
            expected=wanted,
            found=(f"nearest {', '.join(near)}; " if near else "")
            + f"all sheets: {', '.join(names[:60])}",
            todo="Check that this is the file of annual data tables for the edition; if the "
            f"publisher renamed the sheet, {correct}.",
        )

    def _fits(
        self, sheet: Sheet, measure: Measure, table: Table, level: str, read: list[_Read]
    ) -> bool:
        """Whether a sheet that has another code is the one of this measure and level."""
        kept = (self.notes, self.findings, self.faults)
        self.notes, self.findings, self.faults = Notes(), [], []
        try:
            found = self._read(sheet, measure, table)
            england = _england(found)
            return (
                any(each.level == level and each.of_everybody for each in found.figures)
                and not self.faults
                and not any(
                    _disagreement(other, total, found, england)
                    for other in read
                    if england and (total := _england(other))
                )
            )
        except ParseError:
            return False
        finally:
            self.notes, self.findings, self.faults = kept

    # --- One sheet --------------------------------------------------------------------------------

    def _read(self, sheet: Sheet, measure: Measure, table: Table) -> _Read:
        where = self.where.at(sheet.name)
        header = self._header(sheet)
        remark = refuse_unreadable(sheet, header, where)
        if remark:
            self.notes.add("cells_without_value", remark)
        # The others are blank rows, notes below the table, or headings inside it.
        rows = enumerate(sheet.rows[header.row_number :], header.row_number + 1)
        lines = [Line(number, row, header, where) for number, row in rows]
        body = [
            line
            for line in lines
            if any(line.value(key) is not None for key in _REQUIRED)
            or _GSS.fullmatch(tidy_text(line.value("area_code")).upper())
        ]
        refuse_divided(header, body)
        name_key = next(
            (k for k in ("breakdown", "area_name", "response") if k in header.columns), ""
        )
        if not name_key:
            raise where.error(
                "missing_column",
                "The table has no column of area names.",
                cell=f"A{header.row_number}",
                expected="'Response Breakdown' or 'Individual Breakdown'",
                found=", ".join(label for label in header.labels if label),
                todo="If the publisher renamed the column, add a layout to the catalogue.",
            )
        question = normalise_label(body[0].value("question")) if body else ""
        responses: tuple[str, ...] = ()
        # Where no other column has them, 'Response Breakdown' holds the names of areas.
        if "response" in header.columns and name_key != "response":
            body, question, responses = self._of_response(body, table)
            # The wording, with every response offered, decides whether editions can be compared.
            self.notes.add(f"{QUESTION}{measure.code}", f"{question} [{' | '.join(responses)}]")
        places = self._places(body, name_key)
        figures = [figure for line, place in places if (figure := self._figure(place, line))]
        if not figures:
            if all(fault.sheet != sheet.name for fault in self.faults):
                raise where.error(
                    "empty_table",
                    f"The sheet has a header and no rows of figures for {measure.code}.",
                    todo="Open the sheet; the publisher may have released it too early.",
                )
            return _Read(sheet, header, (), question, "", responses)
        self.notes.readings([r for f in figures for r in f.readings], sheet.name)
        self.notes.symbols([figure.readings[0] for figure in figures], sheet.name)
        scaled = tuple(self._scaled(figures, where))
        self._check_figures(scaled, header, where)
        first = [normalise_label(cell) for cell in body[0].cells if isinstance(cell, str)]
        head = "\n".join([*_head_lines(sheet, header.row_number - 1), *first])
        return _Read(sheet, header, scaled, question, head, responses)

    def _header(self, sheet: Sheet) -> Header:
        """The sheet's header; only columns of this edition are taken."""
        where = self.where.at(sheet.name)
        wanted = {}
        for key, (spoken, *default) in _COLUMNS.items():
            own = tuple(fill(p, self.edition) for p in self.layout.columns.get(key, ()))
            usual = tuple(p.replace("{when}", _when(self.edition)) for p in default)
            label = spoken.replace("{edition}", self.edition.replace("-", "/"))
            wanted[key] = Wanted(label, own + usual, required=key in _REQUIRED)
        try:
            header = find_header(_with_years_above(sheet), wanted, where)
        except ParseError as error:
            cells = [cell for row in sheet.rows[:40] for cell in row if isinstance(cell, str)]
            others = _editions_in(" ".join(cell for cell in cells if len(cell) < 200))
            if error.code in ("missing_column", "header_not_found") and others:
                self._refuse_edition(where, others, error)
            raise
        labels = [normalise_label(label) for label in header.labels]
        in_header = _editions_in(" ".join(labels))
        if self.edition not in _editions_in(" ".join(labels[header.columns[k]] for k in _REQUIRED)):
            self._refuse_edition(where, _editions_in(_title(sheet)) | in_header)
            text = "the columns of figures do not say which edition they are of."
            self.note(sheet.name, "columns_without_edition", text)
        beside = in_header - {self.edition}
        if beside:
            text = f"columns of {', '.join(sorted(beside))} were left out."
            self.note(sheet.name, "other_editions_beside", text)
        extra = [
            label
            for label in header.extra
            if not (_editions_in(normalise_label(label)) - {self.edition})
            and not re.search(r"itl ?[12]|region", label, re.I)
        ]
        if extra:
            self.note(sheet.name, "extra_column", f"{', '.join(extra)} not used.")
        row = self.layout.header_rows.get("authority" if "area_code" in header.columns else "other")
        if row and header.row_number != row:
            text = f"the header is in row {header.row_number}, usually {row}."
            self.note(sheet.name, "header_moved", text)
        return header

    def _refuse_edition(
        self, where: Where, found: set[str], error: ParseError | None = None
    ) -> None:
        if found and self.edition not in found:
            raise where.error(
                "wrong_edition",
                "The sheet is of another edition.",
                expected=self.edition.replace("-", "/"),
                found=", ".join(sorted(other.replace("-", "/") for other in found)),
                todo="Hand the file in under its own edition, or download the right one.",
            ) from error

    def _of_response(
        self, body: Sequence[Line], table: Table
    ) -> tuple[list[Line], str, tuple[str, ...]]:
        """The rows of the measure's response, its question, and every response of the sheet.

        Blank labels continue the one above.
        """
        pattern = re.compile(fill(table.response, self.edition), re.I)
        question = response = ""
        matched: dict[tuple[str, str], list[Line]] = {}
        met: dict[str, None] = {}
        for line in body:
            question = normalise_label(line.value("question")) or question
            response = normalise_label(line.value("response")) or response
            met[response] = None
            if pattern.fullmatch(response):
                matched.setdefault((question, response), []).append(line)
        if not matched and met:
            header = body[0].header
            raise body[0].where.error(
                "missing_response",
                "No row has the response that the measure means.",
                cell=f"{header.letter('response')}{header.row_number}",
                expected=f"a label that matches '{table.response}'",
                found=", ".join(f"'{label}'" for label in list(met)[:20]),
                todo="If the publisher reworded the response, check that it means the same, then "
                f"correct it in sources/catalogue/{self.context.dataset.code}.yaml.",
            )
        if len(matched) > 1 and table.title_contains:
            words = normalise_label(table.title_contains)
            narrowed = {key: rows for key, rows in matched.items() if words in key[0]}
            matched = narrowed if len(narrowed) == 1 else matched
        if len(matched) > 1:
            raise body[0].where.error(
                "ambiguous_response",
                "More than one question or response matches the one that the measure means.",
                expected=f"one label that matches '{table.response}'",
                found="; ".join(f"'{q[:80]}': '{r}'" for q, r in matched),
                todo="Make the response in the catalogue's layout more exact.",
            )
        if not matched:
            return [], "", ()
        (question, _), rows = next(iter(matched.items()))
        return rows, question, tuple(met)

    # --- Rows -------------------------------------------------------------------------------------

    def _places(self, body: Sequence[Line], name_key: str) -> list[tuple[Line, _Place]]:
        """Each row about an area, with the area and the people of it that the row is about.

        Rows of an area that is not known are left out with a warning; too many are a fault. Rows by a
        topic that the layout does not name, or names for another topic of the sheet, are noted.
        """
        places = []
        unknown: list[ParseError] = []
        topics: dict[str, str] = {}
        left_out: dict[str, None] = {}
        group = ""
        for line in body:
            columns = line.header.columns
            group = (
                normalise_label(line.value("topic" if "topic" in columns else "question")) or group
            )
            name = tidy_text(line.value(name_key))
            try:
                place = self._place(line, name, group, line is body[0], line.at(name_key))
            except ParseError as error:
                vars(error).update(vars(line.where), cell=line.at(name_key))
                error.found = error.found or name
                if error.code == "unknown_area":
                    error.message, error.todo = _UNKNOWN, _ADD
                (unknown if error.code == "unknown_area" else self.faults).append(error)
                continue
            if place is not None:
                places.append((line, (*place, *EVERYBODY)))
            elif "area_code" not in columns:
                breakdown = _matching(self.layout.topics, group)
                if breakdown and name and topics.setdefault(breakdown, group) == group:
                    places.append((line, (*self._nation, breakdown, name)))
                else:
                    left_out[group or name] = None
        if left_out:
            text = (
                f"Rows by {', '.join(left_out)} are left out: the layout's topics do not name them."
            )
            self.notes.add("breakdown_left_out", text)
        if len(unknown) > self.context.dataset.allowance.rows:
            self.faults.extend(unknown)
        elif unknown:
            rows = ", ".join(f"{error.cell} {error.found}" for error in unknown)
            self.warn(
                "unknown_area",
                f"sheet {body[0].where.sheet}, rows of areas that are not known are left out: {rows}. If "
                "they are real, add them to dbt_project/seeds/areas.csv.",
            )
        return places

    def _place(
        self, line: Line, name: str, group: str, first: bool, cell: str
    ) -> tuple[str, str, str] | None:
        """Level, code and printed name of a row's area; ``None`` for a row about something else."""
        where, columns = line.where, line.header.columns
        areas = self.context.areas
        code = tidy_text(line.value("area_code")).upper()
        if _ITL.fullmatch(code):
            code = areas.resolve_code(code, dataset=self.context.dataset.code, edition=self.edition)
        if _GSS.fullmatch(code) or areas.knows(code):
            self._refuse_abroad(code, name, where, cell)
            level = level_of(code, areas)
            if level is None or level not in _GROUPS:
                text = f"{code} {name} is of a kind of area that is not used."
                self.note(where.sheet, "level_left_out", text)
                return None
            if not areas.knows(code):
                raise where.error("unknown_area", _UNKNOWN, found=f"{code} {name}", todo=_ADD)
            if level != "nation" and (remark := check_name(name, code, self.context, where, cell)):
                self.note(where.sheet, "name_differs", remark)
            return level, code, name or areas.name(code)
        if code and code.casefold() not in _NO_CODE:
            raise where.error("unknown_area", _UNKNOWN, found=f"{code} {name}", todo=_ADD)
        level = self._group_level(group)
        plain = normalise_label(name)
        authority_sheet = "area_code" in columns
        if "topic" in columns:
            if level not in ("nation", "itl1"):
                return None
            if level == "nation":
                return self._nation if plain in _TOTAL_NAMES else None
        elif level in (None, "nation") and (
            plain == "england" or (first and (plain in _TOTAL_NAMES or not self._code_of(name)))
        ):
            # The first row of these tables carries the question, and England's figures.
            return self._nation
        elif level is None and not authority_sheet:
            return None  # a demographic group
        if level == "lad" or (level is None and authority_sheet):
            level = "itl1" if self._code_of(name, "itl1") else "lad"
        if level not in ("itl1", "itl2", "lad", "cauth"):
            return None
        self._refuse_abroad(self._code_of(name) or "", name, where, cell)
        resolved = areas.resolve(
            name, dataset=self.context.dataset.code, edition=self.edition, level=level
        )
        if level == "lad":
            text = f"rows without a code were placed by name ({name})."
            self.note(where.sheet, "code_from_name", text)
        return level, resolved, name

    def _refuse_abroad(self, code: str, name: str, where: Where, cell: str) -> None:
        country = self.context.dataset.country
        abroad = bool(country) and normalise_label(name) in _OTHER_NATIONS
        if abroad or (code and not code.startswith(country)):
            raise where.error(
                "outside_country",
                "The row is about an area outside the country of the survey.",
                cell=cell,
                expected=f"codes that begin with {country}",
                found=f"{code} {name}",
                todo="Compare the row with the publisher's file; this may be another survey's.",
            )

    def _group_level(self, group: str) -> str | None:
        own = self.layout.breakdowns
        patterns = {
            level: (*own.get(level, ()), *usual)  # type: ignore[call-overload]
            for level, usual in _GROUPS.items()
        }
        return _matching(patterns, group)

    def _code_of(self, name: str, level: str | None = None) -> str | None:
        try:
            return self.context.areas.resolve(
                name, dataset=self.context.dataset.code, edition=self.edition, level=level
            )
        except ParseError:
            return None

    def _figure(self, place: _Place, line: Line) -> _Figure | None:
        readings = []
        counts: dict[str, int | None] = {}
        failed = len(self.faults)
        for key in (*_FIGURES, "respondents", "base"):
            try:
                if key in _FIGURES:
                    readings.append(line.reading(key))
                else:
                    counts[key] = line.count(key)
            except ParseError as error:
                self.faults.append(error)
        if len(self.faults) > failed:
            return None
        addresses = tuple(line.at(key) for key in _FIGURES)
        respondents, base = counts["respondents"], counts["base"]
        return _Figure(*place, line.number, tuple(readings), addresses, respondents, base)

    # --- Figures ----------------------------------------------------------------------------------

    def _scaled(self, figures: Sequence[_Figure], where: Where) -> list[_Figure]:
        """The figures in percent: multiplied by 100 where the whole table is fractions of 1."""
        printed = [
            (reading.value, at, reading.note == "percent_sign")
            for figure in figures
            for reading, at in zip(figure.readings, figure.addresses, strict=True)
            if reading.value is not None
        ]
        largest = max((abs(value) for value, _, _ in printed), default=0.0)
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
        if not 0 < largest <= 1 or any(sign for _, _, sign in printed):
            return list(figures)
        text = "percentages are written as fractions of 1; they were multiplied by 100."
        self.note(where.sheet, "percent_as_fraction", text)

        def percent(reading: Reading) -> Reading:
            # 0.453 * 100 is 45.300000000000004 in binary; the file says 45.3.
            value = reading.value
            return replace(reading, value=None if value is None else round(value * 100, 10))

        return [replace(f, readings=tuple(percent(r) for r in f.readings)) for f in figures]

    def _check_figures(self, figures: Sequence[_Figure], header: Header, where: Where) -> None:
        """Check each row against itself: what is printed beside the percentage must fit it."""
        odd: list[str] = []
        beside: list[str] = []
        lacking: list[str] = []
        for figure in figures:
            value, lower, upper = (reading.value for reading in figure.readings)
            at, respondents, base = figure.addresses[0], figure.respondents, figure.base
            for reading, cell in zip(figure.readings, figure.addresses, strict=True):
                if reading.value is not None and not 0 <= reading.value <= 100:
                    self.fault(
                        where,
                        "percent_out_of_range",
                        "A percentage is outside 0 to 100.",
                        cell=cell,
                        expected="0 to 100",
                        found=f"{reading.value:g}",
                        todo="Open the cell in the publisher's file.",
                    )
            printed = [number for number in (lower, upper, respondents, base) if number is not None]
            if figure.blank and printed:
                self.fault(
                    where,
                    _BLANK,
                    "A percentage is blank beside printed limits, respondents or base.",
                    cell=at,
                    expected="a percentage, or a symbol such as [c] that says why there is none",
                    found=f"{figure.name}: {', '.join(f'{number:g}' for number in printed)}",
                    todo="Ask the publisher for the figure, or for a corrected file.",
                )
            if value is None and not figure.blank and (lower is not None or upper is not None):
                beside.append(f"{at} {figure.name}")
            if figure.blank or (value is not None and None in (lower, upper, base)):
                lacking.append(f"{at} {figure.name}")
            if base is None or respondents is None:
                continue
            if respondents > base:
                self.fault(
                    where,
                    "respondents_exceed_base",
                    "More people gave the answer than were asked.",
                    cell=address(header.columns["respondents"], figure.row_number),
                    expected=f"at most the unweighted base, {base}",
                    found=f"{respondents} in {figure.name}",
                    todo="Open the row in the publisher's file; its columns may have been moved.",
                )
            elif value is not None and 0 <= value <= 100 and base > 0:
                fit = respondents_fit(value, respondents, base)
                if fit == "contradicts":
                    self.fault(
                        where,
                        "row_contradicts_itself",
                        "A percentage does not fit the respondents and base of its row.",
                        cell=at,
                        expected=f"about {100 * respondents / base:.1f} ({respondents} of {base})",
                        found=f"{value:g} in {figure.name}",
                        todo="Compare the row with the publisher's file: a fraction among "
                        "percentages, a slipped decimal point or a moved cell.",
                    )
                elif fit == "odd":
                    odd.append(f"{at} {figure.name} {value:g} ({respondents} of {base})")
        for code, rows, text in (
            ("respondents_differ", odd, "a percentage far from the share of respondents"),
            ("incomplete_row", lacking, "a blank percentage, or one without limits or base"),
            ("limits_beside_symbol", beside, "a symbol beside printed limits, which are left out"),
        ):
            if rows:
                shown = f"{counted(len(rows), 'row', 'rows')} with {text}: {', '.join(rows[:8])}."
                self.warn(code, f"sheet {where.sheet}, {shown}")


_OTHER_NATIONS: Final = frozenset(
    {"wales", "scotland", "northern ireland", "united kingdom", "great britain"}
)
_UNKNOWN: Final = "The area of a row is not known."
_ADD: Final = "If it is real, add it to dbt_project/seeds/areas.csv; else compare the row."
_BLANK: Final = "blank_beside_figures"


def _sheet_key(name: str) -> str:
    return re.sub(r"^table", "", re.sub(r"[\s_.()-]+", "", name.casefold()))


def _head_lines(sheet: Sheet, depth: int = 14) -> list[str]:
    """The text at the head of a sheet: its title, notes, and the question of its first rows."""
    return [normalise_label(c) for row in sheet.rows[:depth] for c in row[:2] if isinstance(c, str)]


def _title(sheet: Sheet) -> str:
    return " ".join(_head_lines(sheet))


def _title_fits(sheet: Sheet, table: Table) -> bool:
    title = _title(sheet)
    return all(word in title for word in normalise_label(table.title_contains).split())


def _when(edition: str) -> str:
    match = re.fullmatch(r"20([0-9]{2})-([0-9]{2})", edition)
    if match is None:
        return re.escape(edition)
    return rf"(?<![0-9])(?:20)?{match[1]}(?:\s?[/\u2013-]\s?(?:20)?| to 20){match[2]}(?![0-9])"


def _editions_in(text: str) -> set[str]:
    """The editions named in a text, however spelt: 2021/22, 2021-2022, 21/22."""
    return {
        f"20{first}-{last}"
        for first, last in _YEARS.findall(text)
        if int(last) == (int(first) + 1) % 100
    }


def _with_years_above(sheet: Sheet) -> Sheet:
    """The top of a sheet, with an edition that is printed above several labels, once, put before each.

    Its cell is merged with those to its right, or they are blank.
    """
    rows = list(sheet.rows[:40])
    for number, above in enumerate(rows[:-1]):
        edition, labels = "", list(rows[number + 1])
        for column, label in enumerate(labels):
            over = above[column] if 0 < column < len(above) else None
            if isinstance(over, str):
                edition = over if _editions_in(over) and not _OF_FIGURES.search(over) else ""
            if edition and isinstance(label, str) and _OF_FIGURES.search(label):
                labels[column] = f"{edition} {label}"
        rows[number + 1] = tuple(labels)
    return Sheet(sheet.name, tuple(rows))


def _england(read: _Read) -> _Figure | None:
    totals = (f for f in read.figures if f.level == "nation" and f.of_everybody)
    return next((figure for figure in totals if figure.value is not None), None)


def _matching(patterns: Mapping[str, Sequence[str]], label: str) -> str | None:
    """The first name with a pattern that the whole label matches, whatever its case."""
    for name, each in patterns.items():
        if any(re.fullmatch(pattern, label, re.I) for pattern in each):
            return name
    return None


def _disagreement(
    read: _Read, england: _Figure, other: _Read, total: _Figure | None
) -> tuple[str, str] | None:
    """The England figures of two sheets where they cannot be of one response, else ``None``.

    Percentages may differ by the rounding of the decimals that the columns are stored with.
    """
    if total is None or england.value is None or total.value is None:
        return None
    if abs(england.value - total.value) > read.half_unit() + other.half_unit() + 1e-6:
        return f"{england.value:g}", f"{total.value:g}"
    for what, mine, theirs in (
        ("respondents", england.respondents, total.respondents),
        ("base", england.base, total.base),
    ):
        if mine is not None and theirs is not None and mine != theirs:
            return f"{what} {mine}", f"{what} {theirs}"
    return None


def _other_response(head: str, labels: set[str], ours: re.Pattern[str]) -> str | None:
    """The response that a sheet says it is about, where that is another than ours."""
    for line in head.split("\n"):
        stated = re.fullmatch(r"response(?: breakdown)? ?[:\u2013-] ?(.+)", line)
        named = stated[1] if stated else line
        if (stated or line in labels) and not ours.fullmatch(named):
            return named
    found = []
    for label in sorted(labels, key=len, reverse=True):
        whole = rf"(?<!\w){re.escape(label)}(?!\w)"
        if len(label) > 3 and re.search(whole, head):
            found.append(label)
            head = re.sub(whole, " ", head)  # so that 'agree' is not found in 'tend to agree'
    return found[0] if found and not any(ours.fullmatch(label) for label in found) else None
