"""The cells of XLSX, ODS and CSV files.

Workbooks are read from their own XML, because a general reader gives an empty cell for an error
value, for a formula without a stored result and for a number that is none. Here these are
``Unreadable`` cells, so that "could not be read" is never taken for "the publisher has none".
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final
from xml.etree import ElementTree

from sources.workbook.archive import GET_AGAIN, walk
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
_EPOCH: Final = dt.date(1899, 12, 30)
_DATE_FORMATS: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])


class _Grid:
    """The filled cells of one sheet as they come, row by row."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rows: dict[int, dict[int, CellValue | _Bad]] = {}
        self.cells = 0
        self.last: str | None = None

    def add(self, row: int, cells: Mapping[int, CellValue | _Bad], repeat: int = 1) -> None:
        """Write a row's filled cells (column -> value) at ``row``, counted from 0."""
        filled = {column: value for column, value in cells.items() if value is not None}
        if not filled:
            return
        width = max(filled) + 1
        self.cells += width * repeat
        self.last = f"{column_letter(width - 1)}{row + repeat}"
        if row + repeat > self._limits.rows:
            self.cells = max(self.cells, self._limits.cells + 1)
        if not self.full:
            for number in range(row, row + repeat):
                self._rows.setdefault(number, {}).update(filled)

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
    strings = _strings(parts)
    dates = _date_styles(parts)
    sheets = []
    for element in _tree(parts, "xl/workbook.xml").iter():
        if _local(element.tag) != "sheet":
            continue
        name = element.get("name", "")
        key = next((v for k, v in element.attrib.items() if _local(k) == "id"), None)
        target = targets.get(key, "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if path not in parts:
            raise where.error(
                "damaged_workbook",
                "The workbook lists a sheet that it does not hold.",
                sheet=name,
                found=target or None,
                todo=GET_AGAIN,
            )
        read = partial(_xlsx_rows, path, parts[path], strings, dates, where.at(name), limits)
        sheets.append(Sheet(name, read))
    return tuple(sheets)


def _tree(parts: Mapping[str, bytes], name: str) -> ElementTree.Element:
    # Every part was refused already if it declares entities or is not well-formed.
    return ElementTree.fromstring(parts[name]) if name in parts else ElementTree.Element("none")


@lru_cache(maxsize=256)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2]


def _strings(parts: Mapping[str, bytes]) -> list[str]:
    """The shared strings; phonetic guides (rPh) are no part of the text."""
    texts = []
    for item in _tree(parts, "xl/sharedStrings.xml"):
        runs = [item, *(run for run in item if _local(run.tag) == "r")]
        texts.append("".join(t.text or "" for run in runs for t in run if _local(t.tag) == "t"))
    return texts


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
    part: str,
    data: bytes,
    strings: list[str],
    dates: frozenset[str],
    where: Where,
    limits: Limits,
) -> tuple[Rows, tuple[Unreadable, ...]]:
    grid = _Grid(limits)
    row = column = -1
    cells: dict[int, CellValue | _Bad] = {}
    kind = style = ""
    inside = ""
    texts: dict[str, list[str]] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, cells, kind, style, inside, texts
        name = _local(tag)
        if name == "row":
            printed = attributes.get("r", "")
            row = int(printed) - 1 if re.fullmatch(r"[1-9][0-9]{0,8}", printed) else row + 1
            column, cells = -1, {}
        elif name == "c":
            match = re.fullmatch(r"([A-Z]{1,4})[0-9]{1,9}", attributes.get("r", ""))
            column = column_index(match.group(1)) if match else column + 1
            kind, style = attributes.get("t", "n"), attributes.get("s", "")
            texts = {}
        elif name in ("v", "f", "t") and inside != "rPh":
            inside = name
            texts.setdefault(name, [])
        elif name == "rPh":
            inside = name

    def text(data: str) -> None:
        if inside in ("v", "f", "t"):
            texts.setdefault(inside, []).append(data)

    def end(tag: str) -> None:
        nonlocal inside
        name = _local(tag)
        if name == "c":
            if not grid.full:
                cells[column] = _xlsx_value(
                    kind, {key: "".join(t) for key, t in texts.items()}, strings, style in dates
                )
        elif name == "row":
            grid.add(row, cells)
        elif name == "rPh" or (name in ("v", "f", "t") and inside != "rPh"):
            inside = ""

    walk(
        part,
        data,
        where,
        {"StartElementHandler": start, "CharacterDataHandler": text, "EndElementHandler": end},
    )
    return grid.result(where)


def _xlsx_value(
    kind: str, texts: Mapping[str, str], strings: list[str], is_date: bool
) -> CellValue | _Bad:
    value = texts.get("v")
    if kind == "e":
        return _Bad(f"the error value {value or '(unnamed)'}")
    if kind == "inlineStr":
        return _text(texts.get("t", ""))
    if value is None or (kind != "str" and not value.strip()):
        if "f" in texts:
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
    """The tables of an ODS spreadsheet, in order. White space between elements means nothing."""
    reader = _OdsReader(limits)
    walk(
        "content.xml",
        parts["content.xml"],
        where,
        {
            "StartElementHandler": reader.start,
            "CharacterDataHandler": reader.text,
            "EndElementHandler": reader.end,
        },
    )
    return tuple(Sheet(name, partial(g.result, where.at(name))) for name, g in reader.tables)


class _OdsReader:
    """Collects the cells of each table. Notes on cells and tables inside cells are passed over."""

    _BREAKS: Final = {"text:tab": "\t", "text:line-break": "\n"}

    def __init__(self, limits: Limits) -> None:
        self.tables: list[tuple[str, _Grid]] = []
        self._limits = limits
        self._row = self._column = 0
        self._row_repeat = 1
        self._cells: dict[int, CellValue | _Bad] = {}
        self._cell: dict[str, str] | None = None
        self._paragraphs: list[str] = []
        self._skipped = 0
        self._in_paragraph = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._skipped or (
            self._cell is not None and tag in ("office:annotation", "table:table", "draw:frame")
        ):
            self._skipped += 1
        elif self._cell is not None:
            if tag in ("text:p", "text:h"):
                self._in_paragraph += 1
                self._paragraphs.append("")
            elif tag == "text:s":
                self.text(" " * min(_repeat(attributes, "text:c"), 100))
            elif tag in self._BREAKS:
                self.text(self._BREAKS[tag])
        elif tag == "table:table":
            self.tables.append((attributes.get("table:name", ""), _Grid(self._limits)))
            self._row = 0
        elif tag == "table:table-row":
            self._row_repeat = _repeat(attributes, "table:number-rows-repeated")
            self._column, self._cells = 0, {}
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._cell, self._paragraphs = attributes, []

    def text(self, data: str) -> None:
        if self._in_paragraph and not self._skipped:
            self._paragraphs[-1] += data

    def end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif tag in ("text:p", "text:h"):
            self._in_paragraph = max(self._in_paragraph - 1, 0)
        elif tag in ("table:table-cell", "table:covered-table-cell") and self._cell is not None:
            value = _ods_value(self._cell, "\n".join(self._paragraphs))
            repeat = _repeat(self._cell, "table:number-columns-repeated")
            if value is not None:
                for column in range(self._column, self._column + min(repeat, 20_000)):
                    self._cells[column] = value
            self._column += repeat
            self._cell = None
        elif tag == "table:table-row" and self.tables:
            self.tables[-1][1].add(self._row, self._cells, self._row_repeat)
            self._row += self._row_repeat


def _repeat(attributes: Mapping[str, str], name: str) -> int:
    printed = attributes.get(name, "1")
    return max(int(printed), 1) if re.fullmatch(r"[0-9]{1,9}", printed) else 1


def _ods_value(attributes: Mapping[str, str], text: str) -> CellValue | _Bad:
    kind = attributes.get("office:value-type", "")
    error = attributes.get("calcext:value-type") == "error"
    if error or ERROR_VALUE.fullmatch(text.strip()):
        return _Bad(f"the error value {text.strip() or '(unnamed)'}")
    if kind in ("float", "percentage", "currency"):
        printed = attributes.get("office:value", "")
        if not printed.strip():
            return _Bad(_NO_RESULT if "table:formula" in attributes else _NO_NUMBER)
        return _number(printed)
    if kind == "boolean":
        return attributes.get("office:boolean-value") == "true"
    if kind == "date":
        return _day(attributes.get("office:date-value", ""))
    if kind == "time":
        return dt.timedelta()
    text = text or attributes.get("office:string-value", "")
    if not kind and not text and "table:formula" in attributes:
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
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = ","
    if "," not in first:
        for candidate, spoken in ((";", "semicolons"), ("\t", "tabs")):
            if candidate in first:
                delimiter = candidate
                remarks = (*remarks, ("delimiter", f"The columns are divided by {spoken}."))
                break
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
            rows.append(tuple(value if value != "" else None for value in record))
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
