"""What parsers share when they turn read cells into tidy rows.

Here belong the context of a file as every parser needs it, and the assembly of rows in the columns
and types of ``sources.observation``. What a publisher's table means belongs in that publisher's
parser.
"""

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pandas as pd

from sources.areas import AreaBook
from sources.catalogue import fill
from sources.errors import ParseError, counted, listed, shortened
from sources.observation import as_memberships, as_observations
from sources.parsers import Note, ParseContext, Parsed
from sources.workbook import read_workbook
from sources.workbook.book import CSV_SHEET, CellValue, Where, column_letter
from sources.workbook.header import Header, Wanted, find_header
from sources.workbook.values import Reading, normalise_label, parse_value, tidy_text

LEVEL_BY_PREFIX: Final[Mapping[str, str]] = {
    **dict.fromkeys(("E92", "K02", "W92", "S92", "N92"), "nation"),
    "E12": "itl1",
    "E47": "cauth",
    **dict.fromkeys(("E10", "E11"), "utla"),
    **dict.fromkeys(("E06", "E07", "E08", "E09", "W06", "S12", "N09"), "lad"),
}
"""Area level by the first three characters of a GSS code, for codes that the seeds do not list."""


def where_of(context: ParseContext) -> Where:
    """The place that errors of this file name."""
    return Where(context.dataset.code, context.edition.edition, context.file_name)


def level_of(code: str, areas: AreaBook) -> str | None:
    """The level of a code: as the seeds have it, else by its prefix, else ``None``."""
    return areas.level(code) if areas.knows(code) else LEVEL_BY_PREFIX.get(code[:3])


def midnight(day: dt.date) -> pd.Timestamp:
    """A date as the tidy shape holds it."""
    return pd.Timestamp(day.year, day.month, day.day)


class Notes:
    """Collects notes; the same code is one note however often it occurs."""

    def __init__(self, remarks: Iterable[tuple[str, str]] = ()) -> None:
        self._messages: dict[str, list[str]] = {}
        for code, message in remarks:
            self.add(code, message)

    def add(self, code: str, message: str) -> None:
        """Remember one thing that was accepted."""
        self._messages.setdefault(code, []).append(message)

    def readings(self, readings: Iterable[Reading], sheet: str) -> None:
        """Note numbers that were not stored as numbers, counted per sheet."""
        for code, count in sorted(Counter(r.note for r in readings if r.note).items()):
            self.add(
                code,
                f"Sheet {sheet}: {counted(count, 'cell', 'cells')}, {_NOTE_WORDS.get(code, code)}.",
            )

    def symbols(self, readings: Iterable[Reading], sheet: str) -> None:
        """Note the shorthand met in a value column, counted per sheet."""
        met = (r.symbol for r in readings if r.symbol or r.value is None)
        self._counted(met, f"Sheet {sheet}: ")

    def statuses(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Note the rows without a figure, or with one of low reliability, by their shorthand."""
        self._counted(
            (r["status_symbol"] for r in rows if r.get("status", "published") != "published"), ""
        )

    def _counted(self, symbols: Iterable[str | None], place: str) -> None:
        counted = Counter(symbol or "blank" for symbol in symbols)
        if counted:
            words = ", ".join(f"{symbol} {n}" for symbol, n in sorted(counted.items()))
            self.add("status_symbols", f"{place}{words}.")

    def header(self, header: Header, is_known: Callable[[str], object]) -> None:
        """Note a header of a CSV file that is not in row 1, and columns that are neither read nor known."""
        if header.row_number != 1:
            self.add("header_moved", f"The header is in row {header.row_number}, usually 1.")
        extra = [label for label in header.extra if not is_known(normalise_label(label))]
        if extra:
            self.add("extra_column", f"Columns not used: {', '.join(extra)}.")

    def all(self) -> tuple[Note, ...]:
        """The notes, one per code, in the order in which the codes were first met."""
        notes = []
        for code, messages in self._messages.items():
            shown = list(dict.fromkeys(messages))
            more = f" And {len(shown) - 12} more of the kind." if len(shown) > 12 else ""
            notes.append(Note(code, " ".join(shown[:12]) + more))
        return tuple(notes)


_NOTE_WORDS: Final[Mapping[str, str]] = {
    "number_as_text": "numbers stored as text",
    "thousands_separator": "numbers with divided thousands",
    "percent_sign": "numbers with a % sign",
    "note_mark": "numbers with a note mark",
}


def count_of(cell: Any, where: Where, at: str) -> tuple[int | None, Reading]:
    """A cell of a column of counts; ``ParseError(code="not_a_count")`` where it is no whole number."""
    reading = parse_value(cell, where, at=at)
    if reading.value is None:
        return None, reading
    is_whole = 0 <= reading.value <= 2**53 and reading.value.is_integer()
    if not is_whole or reading.note == "percent_sign":
        raise where.error(
            "not_a_count",
            "A count must be a whole number, zero or more.",
            cell=at,
            found=repr(cell),
            todo="Open the cell in the publisher's file; the columns may have been moved.",
        )
    return int(reading.value), reading


def address(index: int, row_number: int) -> str:
    """A cell as a spreadsheet names it, from a column counted from 0 and a row counted from 1."""
    return f"{column_letter(index)}{row_number}"


def names_agree(printed: str, code: str, context: ParseContext) -> bool | None:
    """Whether a printed name is that of its code.

    True if it is; False if the name is that of another area; ``None`` if the name is not known.
    """
    areas = context.areas
    if not areas.knows(code):
        return None
    if _plain(printed) == _plain(areas.name(code)):
        return True
    try:
        named = areas.resolve(
            printed, dataset=context.dataset.code, edition=context.edition.edition
        )
    except ParseError as error:
        return True if error.code == "ambiguous_area" else None
    return areas.current(named) == areas.current(code)


def _plain(name: str) -> str:
    words = tidy_text(name).casefold().replace("&", "and").replace(",", " ").replace("-", " ")
    return " ".join(words.split())


def check_name(printed: str, code: str, context: ParseContext, where: Where, at: str) -> str | None:
    """Refuse a row whose code and name are of two areas; return a remark where it is not known."""
    agree = names_agree(printed, code, context)
    if agree is False:
        raise where.error(
            "code_name_mismatch",
            "The row's code and name belong to different areas.",
            cell=at,
            expected=f"{code} {context.areas.name(code)}",
            found=f"{code} {printed}",
            todo="Compare the row with the publisher's file; columns may have been shifted.",
        )
    if agree is None and context.areas.knows(code):
        shown = shortened(printed, 80)
        return f"{code} is printed as '{shown}'; it is known as '{context.areas.name(code)}'."
    return None


@dataclass(frozen=True)
class Line:
    """A row of a table under its header; ``number`` counts the rows of the sheet from 1."""

    number: int
    cells: tuple[CellValue, ...]
    header: Header
    where: Where

    def at(self, key: str) -> str:
        """The address of the cell under ``key``."""
        return address(self.header.columns[key], self.number)

    def value(self, key: str) -> CellValue:
        """The cell under ``key`` as it is; ``None`` where the column is absent."""
        return self.header.value(self.cells, key)

    def text(self, key: str) -> str:
        """A text cell, tidied; the string NA, which stands for nothing, comes back empty."""
        text = tidy_text(self.value(key))
        return "" if text == "NA" else text

    def code(self, key: str) -> str:
        """The code of an area, in capitals."""
        return self.text(key).upper()

    def reading(self, key: str) -> Reading:
        """A figure, or the reason there is none; of an absent column that it is not available."""
        if key not in self.header.columns:
            return Reading(None, "not_available", None)
        return parse_value(self.value(key), self.where, at=self.at(key), thousands=False)

    def count(self, key: str) -> int | None:
        """A count; ``None`` also where the column is absent. Raises as ``count_of``."""
        if key not in self.header.columns:
            return None
        return count_of(self.value(key), self.where, self.at(key))[0]

    def error(self, code: str, message: str, key: str, **more: Any) -> ParseError:
        """An error about the cell under ``key``; ``more``: expected, found, todo."""
        return self.where.error(code, message, cell=self.at(key), **more)


def refuse_blank(
    reading: Reading, beside: Iterable[object], name: str, where: Where, at: str
) -> None:
    """Refuse a figure that is blank, with no symbol that says why, beside others that belong to it."""
    if reading.value is not None or reading.symbol is not None:
        return
    printed = [f"{each:g}" if isinstance(each, float) else str(each) for each in beside if each]
    if printed:
        raise where.error(
            "blank_beside_figures",
            "The figure is blank beside others of its row.",
            cell=at,
            expected="a figure, or a symbol such as [c] that says why there is none",
            found=f"{name}: {listed(printed, 4)}",
            todo="Ask the publisher for the figure, or for a corrected file.",
        )


_DIVIDES: Final = re.compile(
    r"sex|gender|age(?: ?(?:group|band))?|ethnic.*|disab.*|seb|(?:tertiary|fourth)_split_value"
)
_OF_ALL: Final = frozenset(
    {"", "na", "all", "total", "persons", "people", "all persons", "all adults"}
)


def refuse_divided(header: Header, lines: Iterable[Line]) -> None:
    """Refuse rows of a group of people, by a column that is not read, in place of everybody's."""
    read = set(header.columns.values())
    divides = {
        index: label
        for index, label in enumerate(header.labels)
        if index not in read and _DIVIDES.fullmatch(normalise_label(label))
    }
    for line in lines if divides else ():
        for index, label in divides.items():
            found = line.cells[index] if index < len(line.cells) else None
            if normalise_label(found) not in _OF_ALL:
                raise line.where.error(
                    "divided_table",
                    f"The column '{label}' says that a row is of a group of people.",
                    cell=address(index, line.number),
                    expected="rows of everybody, such as All or Total",
                    found=found,
                    todo="Hand in the table of everybody, or leave out the rows of groups.",
                )


class CsvReader:
    """One CSV file while it is read: its sheet, the header once it is found, and what is noted.

    A parser is a subclass that gives ``rows`` and, where the columns depend on the file, ``find``.
    """

    columns: ClassVar[Mapping[str, str]]
    """Key -> how the column is named in messages."""
    required: Iterable[str]

    def __init__(self, content: bytes, context: ParseContext) -> None:
        self.content, self.context = content, context
        self.edition = context.edition
        self.where = where_of(context)
        book = read_workbook(content, self.where, forms=("csv",))
        self.layout = context.dataset.layout(context.edition.edition)
        self.sheet, self.notes = book.sheets[0], Notes(book.remarks)
        self.header = self.find()

    def parse(self) -> Parsed:
        """The file in the tidy shape. Raises ``ParseError``."""
        rows = self.rows()
        self.notes.statuses(rows)
        return tidy(rows, self.content, self.context, self.notes)

    def rows(self) -> list[dict[str, Any]]:
        """The tidy rows, without the columns that every row of a file shares."""
        raise NotImplementedError

    def find(self) -> Header:
        """The header. Raises as ``find_header``."""
        return find_header(self.sheet, self.wanted(self.context), self.where)

    def wanted(self, context: ParseContext) -> dict[str, Wanted]:
        """The columns that the layout of an edition declares; a column's own name where it has none."""
        layout = context.dataset.layout(context.edition.edition)
        wanted = {}
        for key, label in self.columns.items():
            patterns = tuple(fill(p, context.edition.edition) for p in layout.columns.get(key, ()))
            fallback = (re.escape(label.casefold()),)
            wanted[key] = Wanted(label, patterns or fallback, key in self.required)
        return wanted

    def lines(self) -> Iterator[Line]:
        """The rows below the header.

        Raises ``ParseError``: ``truncated`` where the last row has fewer fields than the header,
        ``ragged_row`` where another has fewer or any has more, and ``ambiguous_header`` where the header
        is there again. Empty fields after the last label count for nothing.
        """
        top = self.header.row_number
        width = max(index for index, label in enumerate(self.header.labels, 1) if label)
        body = [
            (number, row[:width] if not any(row[width:]) else row)
            for number, row in enumerate(self.sheet.rows[top:], top + 1)
            if any(cell is not None for cell in row)
        ]
        for number, row in body:
            if row == self.sheet.rows[top - 1][:width]:
                raise self.where.error(
                    "ambiguous_header",
                    "The header is there again, so the file may be several put together.",
                    cell=f"A{number}",
                    expected=f"one header, in row {top}",
                    todo="Hand in one file as the publisher sends it.",
                )
            if len(row) == width:
                continue
            last = number == body[-1][0] and len(row) < width
            raise self.where.error(
                "truncated" if last else "ragged_row",
                "The file breaks off in its last row."
                if last
                else "A row does not have as many fields as the header.",
                cell=f"A{number}",
                expected=f"{width} fields",
                found=f"{len(row)}, the first {shortened(str(row[0]), 60)!r}",
                todo="Download the file again; if the row is a note, delete it.",
            )
        return (Line(number, row, self.header, self.where) for number, row in body)

    def check_name(self, name: str, code: str, line: Line) -> None:
        """Refuse a row whose code and name are of two areas; note a name that is not known."""
        if remark := check_name(name, code, self.context, self.where, line.at("area_code")):
            self.notes.add("name_differs", remark)

    def known_name(self, name: str, code: str) -> str:
        """The name as printed, else as it is known, else the code."""
        areas = self.context.areas
        return name or (areas.name(code) if areas.knows(code) else code)

    def unknown_level(self, code: str, name: str, line: Line) -> ParseError:
        """The error of a row whose code is of no kind of area that is known."""
        return line.error(
            "unknown_area",
            f"The code {code} ({name}) is of no kind of area that is known.",
            "area_code",
            found=code,
            todo="If it is a new kind of area, add it to the areas.",
        )

    def row(
        self, number: int, reading: Reading, bounds: Mapping[str, float | None], **columns: Any
    ) -> dict[str, Any]:
        """A row in the tidy columns, of the edition's period unless ``columns`` say another.

        ``bounds``: lower_95 and upper_95, which a row without a value does not keep.
        """
        if reading.value is None and any(bound is not None for bound in bounds.values()):
            text = f"Row {number}: limits beside {reading.symbol}, which are left out."
            self.notes.add("limits_beside_symbol", text)
        if reading.note == "percent_sign" and columns["unit"] != "percent":
            raise self.where.error(
                "wrong_unit",
                "The figure has a percent sign, and is none.",
                cell=f"{columns['column_letter']}{number}",
                expected=columns["unit"],
                found=f"{reading.value:g} %",
                todo="Compare the cell with the publisher's file; columns may have been shifted.",
            )
        return {
            "period_start": midnight(self.edition.period_start),
            "period_end": midnight(self.edition.period_end),
            "value": reading.value,
            **{key: None if reading.value is None else bound for key, bound in bounds.items()},
            "status": reading.status,
            "status_symbol": reading.symbol,
            "sheet": CSV_SHEET,
            "row_number": number,
            **columns,
        }


def tidy(rows: list[dict[str, Any]], content: bytes, context: ParseContext, notes: Notes) -> Parsed:
    """Rows with the columns that every row of a file shares, in the dataset's shape and types.

    Raises ``ParseError(code="empty_table")`` where there are none.
    """
    shape = as_memberships if context.dataset.shape == "memberships" else as_observations
    if not rows:
        raise where_of(context).error(
            "empty_table",
            "The table has a header and no rows of figures.",
            todo="Open the file; the publisher may have released it too early. Try again later.",
        )
    sha256 = hashlib.sha256(content).hexdigest()
    shared = {
        "dataset": context.dataset.code,
        "edition": context.edition.edition,
        "revision": sha256[:12],
        "origin": "publisher",
        "file_sha256": sha256,
    }
    frame = pd.DataFrame([{**shared, **row} for row in rows])
    return Parsed(shape(frame), notes.all())
