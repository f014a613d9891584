"""The cells of XLSX, ODS and CSV files.

Workbooks are read from their own XML, because a general reader gives an empty cell for an error
value, for a formula without a stored result and for a number that is none. Here these are
``Unreadable`` cells, so that "could not be read" is never taken for "the publisher has none".
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Final
from xml.etree import ElementTree

from sources.workbook.archive import GET_AGAIN
from sources.workbook.book import (
    CSV_SHEET,
    CellValue,
    Limits,
    Rows,
    Sheet,
    Unreadable,
    Where,
    column_index,
    column_letter,
)

NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
ERROR_VALUE: Final = re.compile(r"#(?:N/A|[A-Z_/0]{3,}[!?])|#NAME\?|Err:[0-9]{3}", re.I)
_NO_RESULT: Final = "a formula without a stored result"
_NO_NUMBER: Final = "a number without a value"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
# A raised digit is the mark of a note: 54.8 with note 5 is not 54.85.
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# That which most lines have; a title above the table may have none. The first wins a tie.
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_EPOCH: Final = dt.date(1899, 12, 30)
_DATE_FORMATS: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])

_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"
_OFFICE: Final = f"{{{_OASIS}:office:1.0}}"
_TABLE: Final = f"{{{_OASIS}:table:1.0}}"
_WORDS: Final = f"{{{_OASIS}:text:1.0}}"
_STYLE: Final = f"{{{_OASIS}:style:1.0}}"
_CALCEXT: Final = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_CELL, _COVERED = f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"
_FORMULA: Final = f"{_TABLE}formula"
_PASSED_OVER: Final = frozenset(
    {f"{_OFFICE}annotation", f"{_TABLE}table", f"{{{_OASIS}:drawing:1.0}}frame"}
)
_BREAKS: Final = {f"{_WORDS}tab": "\t", f"{_WORDS}line-break": "\n"}


class _Grid:
    """The filled cells of one sheet as they come, row by row."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rows: dict[int, dict[int, CellValue | _Bad]] = {}
        self.cells = 0
        self.last: str | None = None
        self.twice: str | None = None

    def add(self, row: int, cells: Mapping[int, CellValue | _Bad], repeat: int = 1) -> None:
        """Write a row's filled cells (column -> value) at ``row``, counted from 0."""
        filled: dict[int, CellValue | _Bad] = {
            column: value for column, value in cells.items() if value is not None
        }
        if not filled:
            return
        width = max(filled) + 1
        self.cells += width * repeat
        self.last = f"{column_letter(width - 1)}{row + repeat}"
        if row + repeat > self._limits.rows:
            self.cells = max(self.cells, self._limits.cells + 1)
        if row in self._rows:
            self.twice = f"row {row + 1}"
        if not self.full:
            for number in range(row, row + repeat):
                self._rows[number] = filled

    @property
    def full(self) -> bool:
        return self.cells > self._limits.cells

    def result(self, where: Where) -> tuple[Rows, tuple[Unreadable, ...]]:
        if self.full:
            raise where.error(
                "too_many_cells",
                "The sheet has filled cells farther out than any published table.",
                cell=self.last,
                expected=f"at most {self._limits.cells:,} cells in {self._limits.rows:,} rows",
                found=f"{self.cells:,} or more, up to {self.last}",
                todo="Open the sheet and look at that cell: delete what does not belong to the "
                "table, or hand in the publisher's own file.",
            )
        if self.twice:
            raise where.error(
                "damaged_workbook",
                "The sheet has a row or cell twice, and its figures could be those of either.",
                expected="each once",
                found=self.twice,
                todo=GET_AGAIN,
            )
        rows: list[tuple[CellValue, ...]] = [()] * (max(self._rows, default=-1) + 1)
        unreadable = []
        for number, cells in self._rows.items():
            values: list[CellValue] = [None] * (max(cells) + 1)
            for column, value in cells.items():
                if isinstance(value, _Bad):
                    unreadable.append(Unreadable(number + 1, column, str(value)))
                else:
                    values[column] = value
            rows[number] = tuple(values)
        return tuple(rows), tuple(unreadable)


class _Bad(str):
    """What is wrong with a cell that holds something and has no value."""


def _number(text: str) -> float | _Bad:
    text = text.strip()
    return float(text) if NUMBER.fullmatch(text) else _Bad(f"'{text[:40]}' stored as a number")


def _text(text: str) -> str | _Bad | None:
    if ERROR_VALUE.fullmatch(text.strip()):
        return _Bad(f"the error value {text.strip()}")
    return text if text.strip() else None


def _day(text: str) -> dt.date | _Bad:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return _Bad(f"'{text[:40]}' stored as a date")


# --- XLSX -----------------------------------------------------------------------------------------


def xlsx_sheets(parts: Mapping[str, bytes], where: Where, limits: Limits) -> tuple[Sheet, ...]:
    """The worksheets of an XLSX workbook, in order, each read when its rows are asked for."""
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in _tree(parts, "xl/_rels/workbook.xml.rels")
    }
    strings = [_string(item) for item in _tree(parts, "xl/sharedStrings.xml")]
    dates = _date_styles(parts)
    sheets = []
    for element in _tree(parts, "xl/workbook.xml").iter():
        if _local(element.tag) != "sheet":
            continue
        name = element.get("name", "")
        key = next((v for k, v in element.attrib.items() if _local(k) == "id"), None)
        target = targets.get(key, "")
        path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
        if path not in parts:
            raise where.error(
                "damaged_workbook",
                "The workbook lists a sheet that it does not hold.",
                sheet=name,
                found=target or None,
                todo=GET_AGAIN,
            )
        rows = partial(_xlsx_rows, parts[path], strings, dates, where.at(name), limits)
        sheets.append(Sheet(name, rows, hidden=element.get("state", "visible") != "visible"))
    return tuple(sheets)


# Every part was refused already if it declares entities or is not well-formed.
def _tree(parts: Mapping[str, bytes], name: str) -> ElementTree.Element:
    return ElementTree.fromstring(parts[name]) if name in parts else ElementTree.Element("none")


@lru_cache(maxsize=256)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _string(item: ElementTree.Element) -> str:
    """The text of a string; phonetic guides (rPh) are no part of it, and ``_x000D_`` is a character."""
    text = "".join(t.text or "" for t in item if _local(t.tag) == "t")
    for run in item:
        if _local(run.tag) == "r":
            raised = any(each.get("val") == "superscript" for each in run.iter())
            part = "".join(t.text or "" for t in run if _local(t.tag) == "t")
            text += part.translate(_RAISED) if raised else part
    # Half of a surrogate pair is no character, and stays as it is printed.
    character = "_x(?![Dd][89A-Fa-f])([0-9A-Fa-f]{4})_"
    return re.sub(character, lambda match: chr(int(match[1], 16)), text)


def _date_styles(parts: Mapping[str, bytes]) -> frozenset[str]:
    """The cell styles (attribute ``s``) that show a number as a date or time."""
    tree = _tree(parts, "xl/styles.xml")
    dates = {str(number) for number in _DATE_FORMATS}
    for element in tree.iter():
        if _local(element.tag) == "numFmt":
            shown = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", element.get("formatCode", ""))
            number = element.get("numFmtId", "")
            (dates.add if re.search(r"[dmyhs]", shown, re.I) else dates.discard)(number)
    styles = [e for group in tree if _local(group.tag) == "cellXfs" for e in group]
    return frozenset(str(i) for i, e in enumerate(styles) if e.get("numFmtId", "0") in dates)


def _xlsx_rows(
    data: bytes, strings: list[str], dates: frozenset[str], where: Where, limits: Limits
) -> tuple[Rows, tuple[Unreadable, ...]]:
    grid = _Grid(limits)
    row = -1
    for _, element in ElementTree.iterparse(io.BytesIO(data)):
        if _local(element.tag) != "row":
            continue
        printed = element.get("r", "")
        row = int(printed) - 1 if re.fullmatch(r"[1-9][0-9]{0,8}", printed) else row + 1
        column = -1
        cells: dict[int, CellValue | _Bad] = {}
        for cell in element if not grid.full else ():
            if _local(cell.tag) == "c":
                match = re.fullmatch(r"([A-Z]{1,4})[0-9]{1,9}", cell.get("r", ""))
                column = column_index(match.group(1)) if match else column + 1
                if column in cells:
                    grid.twice = f"{column_letter(column)}{row + 1}"
                cells[column] = _xlsx_value(cell, strings, cell.get("s", "") in dates)
        grid.add(row, cells)
        element.clear()
    return grid.result(where)


def _xlsx_value(cell: ElementTree.Element, strings: list[str], is_date: bool) -> CellValue | _Bad:
    kind = cell.get("t", "n")
    parts = {_local(part.tag): part for part in cell}
    value = (parts["v"].text or "") if "v" in parts else None
    if kind == "e":
        return _Bad(f"the error value {value or '(unnamed)'}")
    if kind == "inlineStr":
        return _text(_string(parts["is"])) if "is" in parts else None
    if value is None or (kind != "str" and not value.strip()):
        if "f" in parts:
            return _Bad(_NO_RESULT)
        return None if value is None else _Bad(_NO_NUMBER)
    if kind == "str":
        return _text(value)
    if kind == "s":
        known = value.strip().isdecimal() and int(value) < len(strings)
        return _text(strings[int(value)]) if known else _Bad("a text that the file does not hold")
    if kind == "b":
        return value.strip() == "1"
    if kind == "d":
        return _day(value.strip())
    number = _number(value)
    if is_date and isinstance(number, float) and 0 <= number < 2_958_466:
        return _EPOCH + dt.timedelta(days=number)
    return number


# --- ODS ------------------------------------------------------------------------------------------


def ods_sheets(parts: Mapping[str, bytes], where: Where, limits: Limits) -> tuple[Sheet, ...]:
    """The tables of an ODS spreadsheet, in order. White space between elements means nothing.

    Notes on cells, and tables and pictures inside cells, are passed over.
    """
    tables: list[tuple[str, _Grid, bool]] = []
    raised: set[str] = set()
    undisplayed: set[str | None] = set()
    inside = row = 0
    content = io.BytesIO(parts["content.xml"])
    for event, element in ElementTree.iterparse(content, ("start", "end")):
        if element.tag in (_CELL, _COVERED):
            inside += 1 if event == "start" else -1
        elif inside:
            continue
        elif event == "end" and element.tag == f"{_STYLE}style":
            shown = [each.get(f"{_STYLE}text-position", "") for each in element]
            if any(re.match("super|[1-9]", position) for position in shown):
                raised.add(element.get(f"{_STYLE}name", ""))
            if any(each.get(f"{_TABLE}display") == "false" for each in element):
                undisplayed.add(element.get(f"{_STYLE}name"))
        elif event == "start" and element.tag == f"{_TABLE}table":
            hidden = element.get(f"{_TABLE}style-name") in undisplayed
            tables.append((element.get(f"{_TABLE}name", ""), _Grid(limits), hidden))
            row = 0
        elif event == "end" and element.tag == f"{_TABLE}table-row" and tables:
            repeat = _repeat(element, f"{_TABLE}number-rows-repeated")
            tables[-1][1].add(row, _ods_cells(element, raised), repeat)
            row += repeat
            element.clear()
    return tuple(
        Sheet(name, partial(grid.result, where.at(name)), hidden=hidden)
        for name, grid, hidden in tables
    )


def _ods_cells(row: ElementTree.Element, raised: set[str]) -> dict[int, CellValue | _Bad]:
    cells: dict[int, CellValue | _Bad] = {}
    column = 0
    for cell in row:
        if cell.tag in (_CELL, _COVERED):
            repeat = _repeat(cell, f"{_TABLE}number-columns-repeated")
            value = _ods_value(cell, "\n".join(_paragraphs(cell, raised)))
            if value is not None:
                cells.update(dict.fromkeys(range(column, column + min(repeat, 20_000)), value))
            column += repeat
    return cells


def _paragraphs(element: ElementTree.Element, raised: set[str]) -> Iterator[str]:
    for child in element:
        if child.tag in (f"{_WORDS}p", f"{_WORDS}h"):
            yield _words(child, raised)
        elif child.tag not in _PASSED_OVER:
            yield from _paragraphs(child, raised)


def _words(element: ElementTree.Element, raised: set[str]) -> str:
    """The text of a paragraph, in which white space is spelt out."""
    text = element.text or ""
    for child in element:
        if child.tag == f"{_WORDS}s":
            text += " " * min(_repeat(child, f"{_WORDS}c"), 100)
        elif child.tag in _BREAKS:
            text += _BREAKS[child.tag]
        elif child.tag not in _PASSED_OVER:
            part = _words(child, raised)
            marks = child.get(f"{_WORDS}style-name") in raised
            text += part.translate(_RAISED) if marks else part
        text += child.tail or ""
    return text


def _repeat(element: ElementTree.Element, name: str) -> int:
    printed = element.get(name, "1")
    return max(int(printed), 1) if re.fullmatch(r"[0-9]{1,9}", printed) else 1


def _ods_value(cell: ElementTree.Element, text: str) -> CellValue | _Bad:
    kind = cell.get(f"{_OFFICE}value-type", "")
    error = cell.get(f"{_CALCEXT}value-type") == "error"
    if error or ERROR_VALUE.fullmatch(text.strip()):
        return _Bad(f"the error value {text.strip() or '(unnamed)'}")
    if kind in ("float", "percentage", "currency"):
        printed = cell.get(f"{_OFFICE}value", "")
        if not printed.strip():
            return _Bad(_NO_RESULT if _FORMULA in cell.attrib else _NO_NUMBER)
        return _number(printed)
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    if kind == "date":
        return _day(cell.get(f"{_OFFICE}date-value", ""))
    if kind == "time":
        return dt.timedelta()
    text = text or cell.get(f"{_OFFICE}string-value", "")
    if not kind and not text and _FORMULA in cell.attrib:
        return _Bad(_NO_RESULT)
    return _text(text)


# --- CSV ------------------------------------------------------------------------------------------


def csv_sheet(
    content: bytes, where: Where, limits: Limits
) -> tuple[Sheet, tuple[tuple[str, str], ...]]:
    """The one sheet of a CSV file, and remarks on its encoding, delimiter and end.

    Raises ``ParseError``: ``not_a_workbook``, ``unknown_encoding``, ``too_many_cells``,
    ``malformed_csv`` or ``truncated``.
    """
    text, remarks = _decode(content, where)
    if _CONTROL.search(text):
        raise _not_text(where, "control characters")
    head = text.splitlines()[:100]
    delimiter = max(_DELIMITERS, key=lambda each: sum(each in line for line in head))
    if delimiter != ",":
        remarks = (
            *remarks,
            ("delimiter", f"The columns are divided by {_DELIMITERS[delimiter]}."),
        )
    rows: list[tuple[CellValue, ...]] = []
    cells = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for record in reader:
            cells += len(record)
            if cells > limits.cells:
                raise where.error(
                    "too_many_cells",
                    "The file has more cells than any published table.",
                    expected=f"at most {limits.cells:,}",
                    todo="Choose fewer areas or periods, or hand in the publisher's own file.",
                )
            if any(len(value) > limits.csv_field_characters for value in record):
                raise where.error(
                    "malformed_csv",
                    f"Line {reader.line_num} has a field longer than any label or figure.",
                    todo="Look at that line in a text editor: a quotation mark may be missing.",
                )
            rows.append(tuple(value if value.strip() else None for value in record))
    except csv.Error as error:
        unclosed = "unexpected end" in str(error)
        raise where.error(
            "truncated" if unclosed else "malformed_csv",
            "The file breaks off inside a quoted field."
            if unclosed
            else f"Line {reader.line_num} is not well-formed CSV.",
            found=str(error),
            todo=GET_AGAIN,
        ) from error
    if not text.endswith(("\n", "\r")):
        note = "The last line has no end; check that the file is complete."
        remarks = (*remarks, ("no_final_newline", note))
    return Sheet(CSV_SHEET, tuple(rows)), remarks


def _not_text(where: Where, found: str) -> Exception:
    return where.error(
        "not_a_workbook",
        "The file is neither a workbook nor text.",
        expected="XLSX, ODS or CSV",
        found=found,
        todo="Check that this is the file of data tables; hand in its XLSX, ODS or CSV form.",
    )


def _decode(content: bytes, where: Where) -> tuple[str, tuple[tuple[str, str], ...]]:
    attempts: tuple[tuple[str, str], ...] = (
        ("utf-8-sig", ""),
        ("cp1252", "The file is not UTF-8; it was read as Windows-1252."),
    )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        attempts = (("utf-16", "The file is in UTF-16."),)
    found = ""
    for encoding, remark in attempts:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            found = found or str(error)
            if encoding == "utf-8-sig" and b"\x00" in content:
                raise _not_text(where, "binary data") from error
            continue
        return text, ((("encoding", remark),) if remark else ())
    raise where.error(
        "unknown_encoding",
        "The text is neither UTF-8, UTF-16 nor Windows-1252.",
        found=found,
        todo="Open the file and save it as CSV UTF-8.",
    )


SHEETS: Final[Mapping[str, Callable[..., tuple[Sheet, ...]]]] = {
    "xlsx": xlsx_sheets,
    "ods": ods_sheets,
}
