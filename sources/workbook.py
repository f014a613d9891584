"""Publisher files as cells: the bytes of an XLSX, ODS or CSV file in, sheets of cells out.

Here belongs everything that is true of any publisher's table: recognising what a file really is,
refusing one that could do harm before it is opened, finding a header by what its labels say, and
reading one cell as a number or as the shorthand that stands where a number would. What a
particular publisher's tables mean belongs in ``sources.parsers``.

Every fault raises ``ParseError`` with a short ``code``; nothing else leaves this module, and no
value is returned that the file does not hold.

Shorthand follows the Government Statistical Service's guidance on symbols, and the older signs
(``..``, ``*``, ``-``, ``:``) that some publishers still print.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import io
import json
import math
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from xml.parsers import expat

from python_calamine import CalamineWorkbook

from sources.errors import ParseError

CellValue = str | float | int | bool | dt.date | dt.time | dt.timedelta | None
Form = Literal["xlsx", "ods", "csv"]

CSV_SHEET: Final = "csv"
"""The sheet name that cells of a CSV file are cited under."""


@dataclass(frozen=True)
class Where:
    """Where reading stands, so that an error can say it."""

    dataset: str | None = None
    edition: str | None = None
    file: str | None = None
    sheet: str | None = None

    def at(self, sheet: str) -> Where:
        """The same file, on one of its sheets."""
        return Where(self.dataset, self.edition, self.file, sheet)

    def error(self, code: str, message: str, **more: Any) -> ParseError:
        """A ``ParseError`` that names this place; ``more``: cell, expected, found, todo."""
        return ParseError(
            message,
            code=code,
            dataset=self.dataset,
            edition=self.edition,
            file=self.file,
            sheet=more.pop("sheet", self.sheet),
            **more,
        )


@dataclass(frozen=True)
class Limits:
    """What a publisher's table may be at most: bytes, archive entries, expansion, cells.

    The largest real file known (Community Life Survey, 2024/25) has about 3 MB; the limits leave
    room for ten times that and stop an archive made to exhaust memory.
    """

    file_bytes: int = 100_000_000
    entries: int = 2_000
    expanded_bytes: int = 400_000_000
    ratio: int = 300
    ratio_from_bytes: int = 20_000_000
    cells: int = 5_000_000
    csv_field_characters: int = 100_000


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Sheet:
    """One sheet; ``rows[0]`` is row 1 and ``rows[0][0]`` is cell A1, whatever is empty."""

    name: str
    rows: tuple[tuple[CellValue, ...], ...]

    def cell(self, row_number: int, column_letter: str) -> CellValue:
        """The value of one cell; ``None`` where nothing is written, also beyond the last row."""
        row = row_number - 1
        column = column_index(column_letter)
        if row < 0 or row >= len(self.rows) or column >= len(self.rows[row]):
            return None
        return self.rows[row][column]


@dataclass(frozen=True)
class Book:
    """A file's sheets, what form it really has, and remarks as ``(code, message)`` pairs."""

    form: Form
    sheets: tuple[Sheet, ...]
    remarks: tuple[tuple[str, str], ...] = ()


def column_letter(index: int) -> str:
    """Column number, counted from 0, as a spreadsheet writes it: 0 -> A, 26 -> AA."""
    if index < 0:
        raise ValueError(f"column index {index} is negative")
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letter: str) -> int:
    """The inverse of ``column_letter``: A -> 0, AA -> 26."""
    if not re.fullmatch(r"[A-Z]{1,7}", letter):
        raise ValueError(f"{letter!r} is not a column letter")
    index = 0
    for character in letter:
        index = index * 26 + ord(character) - 64
    return index - 1


# --- What the bytes are ---------------------------------------------------------------------------

_OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS_TYPE: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_GET_AGAIN: Final = (
    "Download the data tables again from the publisher's release page and hand that file in."
)


def read_workbook(
    content: bytes,
    where: Where,
    *,
    forms: Sequence[Form] = ("xlsx", "ods", "csv"),
    limits: Limits = DEFAULT_LIMITS,
) -> Book:
    """Read ``content`` as what it is, not as what its name says.

    ``forms``: the forms that the caller's parser can use. Raises ``ParseError`` with code
    ``empty_file``, ``file_too_large``, ``html_page``, ``json_document``, ``not_a_workbook``,
    ``legacy_workbook``, ``password_protected``, ``truncated``, ``damaged_archive``, ``zip_bomb``,
    ``too_many_cells``, ``xml_entities``, ``damaged_workbook``, ``unknown_encoding``,
    ``malformed_csv`` or ``wrong_form``.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise where.error("empty_file", "The file is empty.", todo=_GET_AGAIN)
    if len(content) > limits.file_bytes:
        raise where.error(
            "file_too_large",
            "The file is larger than any table this publisher has released.",
            expected=f"at most {limits.file_bytes:,} bytes",
            found=f"{len(content):,} bytes",
            todo=_GET_AGAIN,
        )
    if content.startswith(_OLE_MAGIC):
        raise _ole_error(content, where)
    if content.startswith(b"PK"):
        form, parts = _open_archive(content, where, limits)
        _allow_form(form, forms, where)
        _check_parts(form, parts, where, limits)
        sheets = _read_sheets(content, where, limits)
        remarks: tuple[tuple[str, str], ...] = ()
    else:
        _refuse_other_documents(content, where)
        _allow_form("csv", forms, where)
        form = "csv"
        sheet, remarks = _read_csv(content, where, limits)
        sheets = (sheet,)
    return Book(form, sheets, remarks + _extension_remark(form, where))


def _allow_form(form: Form, forms: Sequence[Form], where: Where) -> None:
    if form not in forms:
        raise where.error(
            "wrong_form",
            "The file is of a form that this dataset is not published in.",
            expected=" or ".join(f.upper() for f in forms),
            found=form.upper(),
            todo=_GET_AGAIN,
        )


def _extension_remark(form: Form, where: Where) -> tuple[tuple[str, str], ...]:
    match = re.search(r"\.(\w+)$", where.file or "")
    if match is None or match.group(1).lower() in {form, "xlsm" if form == "xlsx" else form}:
        return ()
    return (
        (
            "wrong_extension",
            f"The file is named .{match.group(1)} and holds {form.upper()}; it was read as what "
            "it holds.",
        ),
    )


def _ole_error(content: bytes, where: Where) -> ParseError:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return _password_error(where)
    return where.error(
        "legacy_workbook",
        "The file is an old binary Office document, not an XLSX or ODS workbook.",
        expected="XLSX, ODS or CSV",
        found="an OLE compound document (.xls or .doc)",
        todo="Save it as XLSX, or download the XLSX or ODS form from the publisher.",
    )


def _password_error(where: Where) -> ParseError:
    return where.error(
        "password_protected",
        "The workbook is protected by a password and cannot be read.",
        expected="a workbook that opens without a password",
        todo="Download the published file again, or save a copy without a password.",
    )


def _refuse_other_documents(content: bytes, where: Where) -> None:
    """Raise for what publishers send in place of a table: pages, error objects, other files."""
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if content.startswith(b"\x1f\x8b"):
        raise where.error(
            "not_a_workbook",
            "The file is gzip-compressed.",
            expected="XLSX, ODS or CSV",
            found="gzip",
            todo="Unpack it and hand in the table itself.",
        )
    if head.startswith(b"%pdf"):
        raise where.error(
            "not_a_workbook",
            "The file is a PDF document.",
            expected="XLSX, ODS or CSV",
            found="PDF",
            todo=_GET_AGAIN,
        )
    if head.startswith(b"<"):
        is_page = b"<html" in head or head.startswith((b"<!doctype html", b"<!--", b"<head"))
        raise where.error(
            "html_page" if is_page else "not_a_workbook",
            "A web page was sent in place of the table."
            if is_page
            else "A markup document was sent in place of the table.",
            expected="XLSX, ODS or CSV",
            found=_excerpt(content),
            todo="Open the address in a browser to see what the publisher says. " + _GET_AGAIN,
        )
    if head.startswith((b"{", b"[")):
        try:
            json.loads(content.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            if head.startswith(b"["):
                return  # a table may well open with a note in square brackets
        raise where.error(
            "json_document",
            "A JSON document was sent in place of the table; publishers report errors this way.",
            expected="XLSX, ODS or CSV",
            found=_excerpt(content),
            todo=_GET_AGAIN,
        )


def _excerpt(content: bytes) -> str:
    text = " ".join(content[:400].decode("utf-8", errors="replace").split())
    return text if len(text) <= 120 else text[:119] + "…"


# --- Archives -------------------------------------------------------------------------------------


def _open_archive(content: bytes, where: Where, limits: Limits) -> tuple[Form, dict[str, bytes]]:
    """The form of an archive and its XML parts, each expanded under the limits.

    The sizes that an archive declares can be false, so each part is expanded here, with a ceiling,
    before any other reader is given the file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, struct.error, EOFError, NotImplementedError) as error:
        raise where.error(
            "truncated",
            "The workbook breaks off: the directory at the end of the archive is missing or "
            "damaged.",
            found=str(error) or None,
            todo=_GET_AGAIN,
        ) from error
    except (OSError, OverflowError, UnicodeDecodeError) as error:
        raise _damaged(where, str(error)) from error
    if len(entries) > limits.entries:
        raise where.error(
            "zip_bomb",
            "The archive has more parts than any workbook needs.",
            expected=f"at most {limits.entries:,}",
            found=f"{len(entries):,}",
            todo=_GET_AGAIN,
        )
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise _damaged(where, "two parts of the archive have the same name")
    if any(entry.flag_bits & 1 for entry in entries):
        raise _password_error(where)
    declared = sum(entry.file_size for entry in entries)
    _refuse_expansion(declared, len(content), where, limits)

    parts: dict[str, bytes] = {}
    room = limits.expanded_bytes
    total = 0
    for entry in entries:
        data = _expand(content, entry, room - total, where, limits)
        total += len(data)
        _refuse_expansion(total, len(content), where, limits)
        if entry.filename.endswith((".xml", ".rels")) or entry.filename == "mimetype":
            parts[entry.filename] = data
    if "xl/workbook.xml" in parts:
        return "xlsx", parts
    if "content.xml" in parts and _ODS_TYPE in parts.get("mimetype", b"") + parts.get(
        "META-INF/manifest.xml", b""
    ):
        return "ods", parts
    raise where.error(
        "not_a_workbook",
        "The file is an archive, but neither an XLSX nor an ODS workbook.",
        expected="xl/workbook.xml, or content.xml of a spreadsheet",
        found=", ".join(sorted(names)[:6]) or "no parts",
        todo=_GET_AGAIN,
    )


def _refuse_expansion(expanded: int, size: int, where: Where, limits: Limits) -> None:
    too_large = expanded > limits.expanded_bytes
    too_steep = expanded > limits.ratio_from_bytes and expanded > limits.ratio * size
    if too_large or too_steep:
        raise where.error(
            "zip_bomb",
            "The archive expands to far more than a table needs, so it was not opened.",
            expected=f"at most {limits.expanded_bytes:,} bytes and {limits.ratio} to 1",
            found=f"{expanded:,} bytes or more from {size:,}",
            todo=_GET_AGAIN,
        )


def _damaged(where: Where, found: str) -> ParseError:
    return where.error(
        "damaged_archive",
        "The workbook's archive is damaged.",
        found=found,
        todo=_GET_AGAIN,
    )


def _expand(
    content: bytes, entry: zipfile.ZipInfo, room: int, where: Where, limits: Limits
) -> bytes:
    start = entry.header_offset
    header = content[start : start + 30]
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise where.error(
            "truncated", f"The part {entry.filename!r} of the workbook is missing.", todo=_GET_AGAIN
        )
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    start += 30 + name_length + extra_length
    raw = content[start : start + entry.compress_size]
    if len(raw) != entry.compress_size:
        raise where.error(
            "truncated", f"The part {entry.filename!r} of the workbook breaks off.", todo=_GET_AGAIN
        )
    if entry.compress_type == zipfile.ZIP_STORED:
        data = raw
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        expander = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = expander.decompress(raw, max(room, 0) + 1)
        except zlib.error as error:
            raise _damaged(where, f"{entry.filename!r}: {error}") from error
        if len(data) > room:
            _refuse_expansion(limits.expanded_bytes + 1, len(content), where, limits)
        if not expander.eof:
            raise _damaged(where, f"{entry.filename!r} breaks off")
    else:
        raise _damaged(where, f"{entry.filename!r} is compressed by method {entry.compress_type}")
    if len(data) != entry.file_size or zlib.crc32(data) != entry.CRC:
        raise _damaged(where, f"{entry.filename!r} does not have the size or checksum it declares")
    return data


class _Extent:
    """Counts the cells that a part would take up once its repeats are written out."""

    def __init__(self) -> None:
        self.cells = 0
        self._row = 0
        self._last_row = 0
        self._column = 0
        self._last_column = 0
        self._widest = 0
        self._row_repeat = 1
        self._in_row = False
        self._has_content = False

    def start_xlsx(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "row":
            printed = attributes.get("r", "")
            self._row = int(printed) if re.fullmatch(r"[0-9]{1,9}", printed) else self._row + 1
            self._column = 0
        elif tag == "c":
            match = re.fullmatch(r"([A-Z]{1,4})([0-9]{1,9})", attributes.get("r", ""))
            if match:
                self._column = column_index(match.group(1)) + 1
                self._row = max(self._row, int(match.group(2)))
            else:
                self._column += 1
            self._last_row = max(self._last_row, self._row)
            self._widest = max(self._widest, self._column)

    def start_ods(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "table":
            self._close_table()
        elif tag == "table-row":
            self._row_repeat = _repeat(attributes.get("table:number-rows-repeated"))
            self._column = self._last_column = 0
            self._in_row = True
        elif tag in ("table-cell", "covered-table-cell") and self._in_row:
            self._column += _repeat(attributes.get("table:number-columns-repeated"))
            if "office:value-type" in attributes or "calcext:value-type" in attributes:
                self._last_column = self._column
        elif tag in ("p", "a", "span", "annotation") and self._in_row:
            self._last_column = self._column

    def end_ods(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag == "table-row":
            self._row += self._row_repeat
            if self._last_column:
                self._last_row = self._row
                self._widest = max(self._widest, self._last_column)
            self._in_row = False
        elif tag == "table":
            self._close_table()

    def _close_table(self) -> None:
        self.cells += self._last_row * self._widest
        self._row = self._last_row = self._widest = 0

    def total(self) -> int:
        """Cells of all tables seen, as rows times columns up to the last cell in use."""
        return self.cells + self._last_row * self._widest


def _repeat(printed: str | None) -> int:
    if printed is None:
        return 1
    return int(printed) if re.fullmatch(r"[0-9]{1,9}", printed) else 1


class _EntityDeclaredError(Exception):
    pass


def _check_parts(form: Form, parts: Mapping[str, bytes], where: Where, limits: Limits) -> None:
    manifest = parts.get("META-INF/manifest.xml", b"")
    if form == "ods" and b"encryption-data" in manifest:
        raise _password_error(where)
    cells = 0
    for name, data in parts.items():
        if name == "mimetype":
            continue
        extent = _Extent()
        reader = expat.ParserCreate()
        reader.StartDoctypeDeclHandler = _refuse_doctype
        if form == "xlsx" and name.startswith("xl/worksheets/") and name.endswith(".xml"):
            reader.StartElementHandler = extent.start_xlsx
        elif form == "ods" and name == "content.xml":
            reader.StartElementHandler = extent.start_ods
            reader.EndElementHandler = extent.end_ods
        try:
            reader.Parse(data, True)
        except _EntityDeclaredError as error:
            raise where.error(
                "xml_entities",
                f"The part {name!r} of the workbook declares entities of its own, which no "
                "published workbook does; it was not opened.",
                todo=_GET_AGAIN,
            ) from error
        except (expat.ExpatError, ValueError) as error:
            raise where.error(
                "damaged_workbook",
                f"The part {name!r} of the workbook is not well-formed.",
                found=str(error),
                todo=_GET_AGAIN,
            ) from error
        cells += extent.total()
        if cells > limits.cells:
            raise where.error(
                "too_many_cells",
                "The workbook's sheets span more cells than any published table.",
                expected=f"at most {limits.cells:,}",
                found=f"{cells:,} or more",
                todo=_GET_AGAIN,
            )


def _refuse_doctype(*_: Any) -> None:
    raise _EntityDeclaredError


def _read_sheets(content: bytes, where: Where, limits: Limits) -> tuple[Sheet, ...]:
    sheets: list[Sheet] = []
    name = None
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in workbook.sheet_names:
            # Rows and columns keep their true positions only with skip_empty_area=False.
            cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            rows = tuple(tuple(_plain(cell) for cell in row) for row in cells)
            sheets.append(Sheet(name, rows))
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # a panic of the compiled reader is a BaseException
        raise where.error(
            "damaged_workbook",
            "The workbook cannot be read.",
            sheet=name,
            found=f"{type(error).__name__}: {error}",
            todo=_GET_AGAIN,
        ) from error
    if not sheets:
        raise where.error("damaged_workbook", "The workbook has no sheets.", todo=_GET_AGAIN)
    return tuple(sheets)


def _plain(cell: Any) -> CellValue:
    if isinstance(cell, str) and cell == "":
        return None
    value: CellValue = cell
    return value


# --- CSV ------------------------------------------------------------------------------------------


def _read_csv(
    content: bytes, where: Where, limits: Limits
) -> tuple[Sheet, tuple[tuple[str, str], ...]]:
    text, remarks = _decode(content, where)
    if any(ord(c) < 32 and c not in "\t\r\n\x0b\x0c" for c in text):
        raise where.error(
            "not_a_workbook",
            "The file is neither a workbook nor text.",
            expected="XLSX, ODS or CSV",
            found="control characters",
            todo=_GET_AGAIN,
        )
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
    # strict=True would also refuse harmless stray quotes; an unclosed one is looked for below.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for record in reader:
            cells += len(record)
            if cells > limits.cells:
                raise where.error(
                    "too_many_cells",
                    "The file has more cells than any published table.",
                    expected=f"at most {limits.cells:,}",
                    todo=_GET_AGAIN,
                )
            if any(len(value) > limits.csv_field_characters for value in record):
                raise where.error(
                    "malformed_csv",
                    f"Line {reader.line_num} has a field longer than any label or figure.",
                    todo=_GET_AGAIN,
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
            todo=_GET_AGAIN,
        ) from error
    if not text.endswith(("\n", "\r")):
        remarks = (
            *remarks,
            ("no_final_newline", "The last line has no end; check that the file is complete."),
        )
    return Sheet(CSV_SHEET, tuple(rows)), remarks


def _decode(content: bytes, where: Where) -> tuple[str, tuple[tuple[str, str], ...]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16"), (("encoding", "The file is in UTF-16."),)
        except UnicodeDecodeError as error:
            raise where.error(
                "unknown_encoding", "The file is not valid UTF-16.", found=str(error)
            ) from error
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        if b"\x00" in content:
            raise where.error(
                "not_a_workbook",
                "The file is neither a workbook nor text.",
                expected="XLSX, ODS or CSV",
                found="binary data",
                todo=_GET_AGAIN,
            ) from error
        try:
            return content.decode("cp1252"), (
                ("encoding", "The file is not UTF-8; it was read as Windows-1252."),
            )
        except UnicodeDecodeError:
            raise where.error(
                "unknown_encoding",
                "The text is neither UTF-8 nor Windows-1252.",
                found=str(error),
                todo=_GET_AGAIN,
            ) from error


# --- Labels and headers ---------------------------------------------------------------------------

_NOTE_MARK: Final = re.compile(
    r"[\[(]\s*(?:foot)?notes?\s*[0-9]+(?:\s*(?:,|and|&|to|-)\s*(?:notes?\s*)?[0-9]+)*\s*[\])]", re.I
)
_SHORTHAND_MARK: Final = re.compile(r"\[\s*[a-z]{1,4}\s*\]", re.I)
_SUPERSCRIPTS: Final = re.compile("[\u00b9\u00b2\u00b3\u2070-\u2079]+")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_GLUED_MARK: Final = re.compile(r"(?<=[a-z)%])\s?[0-9]{1,2}(?:\s?,\s?[0-9]{1,2})*$")


def normalise_label(cell: CellValue) -> str:
    """A label as it is compared: lower case, single spaces, no note marks or shorthand."""
    if cell is None:
        return ""
    text = _SUPERSCRIPTS.sub("", str(cell))
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = _SHORTHAND_MARK.sub(" ", _NOTE_MARK.sub(" ", text))
    return " ".join(text.casefold().split())


def tidy_text(cell: CellValue) -> str:
    """A name as printed, without its note marks and needless space; case is kept."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    text = _INVISIBLE.sub("", _SUPERSCRIPTS.sub("", str(cell)))
    text = _SHORTHAND_MARK.sub(" ", _NOTE_MARK.sub(" ", text))
    return " ".join(text.split())


@dataclass(frozen=True)
class Wanted:
    """A column that is looked for, named ``label`` in messages.

    One of ``patterns`` must match its whole normalised label; they are tried best first, and the
    next is only tried where no column matches the one before.
    """

    label: str
    patterns: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True)
class Header:
    """Where a table's header is: ``columns`` maps each wanted key to its index, from 0."""

    row_number: int
    columns: Mapping[str, int]
    labels: tuple[str, ...]
    extra: tuple[str, ...] = field(default=())

    def letter(self, key: str) -> str:
        """The column letter of a wanted key that was found."""
        return column_letter(self.columns[key])

    def value(self, row: Sequence[CellValue], key: str) -> CellValue:
        """The cell of ``row`` under ``key``; ``None`` where the column or the cell is absent."""
        index = self.columns.get(key)
        return None if index is None or index >= len(row) else row[index]


def find_header(
    sheet: Sheet, wanted: Mapping[str, Wanted], where: Where, *, depth: int = 40
) -> Header:
    """Find the row, among the first ``depth``, whose labels are the wanted ones.

    Raises ``ParseError``: ``header_not_found``, ``missing_column`` (lists the labels found and the
    nearest), ``ambiguous_column`` (two columns match one label, or one column two labels; lists
    them) or ``ambiguous_header`` (two rows match as well).
    """
    where = where.at(sheet.name)
    required = {key for key, want in wanted.items() if want.required}
    best: list[tuple[int, dict[str, list[int]]]] = []
    best_score = (0, 0)
    for index, row in enumerate(sheet.rows[:depth]):
        hits = _matches(row, wanted)
        score = (len(required & hits.keys()), len(hits))
        if score > best_score:
            best_score, best = score, [(index, hits)]
        elif hits and score == best_score:
            best.append((index, hits))
    names = ", ".join(f"'{want.label}'" for want in wanted.values() if want.required)
    if not best or 2 * best_score[0] < len(required):
        index, labels = _likeliest_header(sheet, depth)
        raise where.error(
            "header_not_found",
            f"No row among the first {depth} has the labels of the table's header.",
            expected=names,
            found=f"row {index + 1}: {_listed(labels)}" if labels else "no text",
            todo="Open the sheet and compare its header; add a layout to the catalogue if the "
            "publisher changed it.",
        )
    index, hits = best[0]
    row = sheet.rows[index]
    printed_labels = tuple(tidy_text(cell) for cell in row)
    missing = [wanted[key].label for key in wanted if key in required and key not in hits]
    if missing:
        printed = [label for label in printed_labels if label]
        near = {
            label: difflib.get_close_matches(label, printed, n=1, cutoff=0.3) for label in missing
        }
        raise where.error(
            "missing_column",
            "A column of the table has no label that is known for it: "
            + "; ".join(
                f"'{label}'" + (f" (nearest: '{close[0]}')" if close else "")
                for label, close in near.items()
            )
            + ".",
            cell=f"A{index + 1}",
            expected=", ".join(f"'{label}'" for label in missing),
            found=_listed(printed),
            todo="If the publisher renamed the column, add a layout to the catalogue.",
        )
    if len(best) > 1:
        raise where.error(
            "ambiguous_header",
            "More than one row has the labels of the table's header.",
            found=", ".join(f"row {row_index + 1}" for row_index, _ in best),
            todo="Open the sheet: it may hold two tables.",
        )
    for key, columns in hits.items():
        if len(columns) > 1:
            raise where.error(
                "ambiguous_column",
                f"{len(columns)} columns could be '{wanted[key].label}', and one was expected.",
                cell=f"{column_letter(columns[0])}{index + 1}",
                expected=f"one column '{wanted[key].label}'",
                found=", ".join(
                    f"{column_letter(c)}{index + 1} '{printed_labels[c]}'" for c in columns
                ),
                todo="Open the sheet to see which is meant, then make the layout say so.",
            )
    chosen = {key: found[0] for key, found in hits.items()}
    for column in set(chosen.values()):
        keys = [key for key in chosen if chosen[key] == column]
        if len(keys) > 1:
            raise where.error(
                "ambiguous_column",
                "One column could be two of those wanted: "
                + ", ".join(f"'{wanted[key].label}'" for key in keys)
                + ".",
                cell=f"{column_letter(column)}{index + 1}",
                found=f"'{printed_labels[column]}'",
                todo="Make the layout's labels tell the columns apart.",
            )
    taken = set(chosen.values())
    extra = tuple(label for i, label in enumerate(printed_labels) if label and i not in taken)
    return Header(index + 1, chosen, printed_labels, extra)


def _matches(row: Sequence[CellValue], wanted: Mapping[str, Wanted]) -> dict[str, list[int]]:
    labels = [normalise_label(cell) if isinstance(cell, str) else "" for cell in row]
    # A superscript note mark loses its raised form in the file and sticks to the label.
    bare = [_GLUED_MARK.sub("", label) for label in labels]
    hits: dict[str, list[int]] = {}
    for key, want in wanted.items():
        for text in want.patterns:
            pattern = re.compile(text, re.I)
            found = [i for i, label in enumerate(labels) if label and pattern.fullmatch(label)]
            if not found:
                found = [i for i, label in enumerate(bare) if label and pattern.fullmatch(label)]
            if found:
                hits[key] = found
                break
    return hits


def _likeliest_header(sheet: Sheet, depth: int) -> tuple[int, list[str]]:
    best: tuple[int, list[str]] = (0, [])
    for index, row in enumerate(sheet.rows[:depth]):
        labels = [tidy_text(cell) for cell in row if isinstance(cell, str) and tidy_text(cell)]
        if len(labels) > len(best[1]):
            best = (index, labels)
    return best


def _listed(labels: Sequence[str], limit: int = 30) -> str:
    shown = ", ".join(f"'{label[:80]}'" for label in labels[:limit] if label)
    return shown + (f" and {len(labels) - limit} more" if len(labels) > limit else "")


# --- One cell -------------------------------------------------------------------------------------

Status = Literal["published", "suppressed", "low_reliability", "not_available", "not_applicable"]

_BRACKETED: Final[Mapping[str, Status]] = {
    "c": "suppressed",
    "x": "not_available",
    "z": "not_applicable",
    "u": "low_reliability",
    # These qualify a figure that is printed; where they stand alone there is no figure.
    "low": "published",
    "k": "published",
    "w": "not_available",
    "a": "published",
    "b": "published",
    "d": "published",
    "e": "published",
    "f": "published",
    "p": "published",
    "r": "published",
    "t": "published",
    "ns": "published",
    "s": "published",
    "ss": "published",
    "sss": "published",
}
_BARE: Final[Mapping[str, Status]] = {
    "..": "not_available",
    "…": "not_available",
    ":": "not_available",
    "-": "not_available",
    "–": "not_available",
    "—": "not_available",
    "*": "suppressed",
    "na": "not_available",
    "n/a": "not_available",
    "#n/a": "not_available",
}
# The first of these that is printed decides.
_STRENGTH: Final[tuple[Status, ...]] = (
    "suppressed",
    "not_applicable",
    "not_available",
    "low_reliability",
)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_THOUSANDS: Final = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_WITH_COMMA: Final = re.compile(r"[+-]?[0-9.]*,[0-9][0-9.,]*")
_SYMBOLS: Final = re.compile(r"\[\s*([A-Za-z]{1,4})\s*\]")


@dataclass(frozen=True)
class Reading:
    """One cell: a number, or the reason there is none.

    ``value`` is as printed (a ``%`` sign does not scale it); ``symbol`` is the shorthand as
    printed, ``None`` where there is none; ``note`` is a short code where a number was not stored
    as one: ``number_as_text``, ``thousands_separator``, ``percent_sign`` or ``note_mark``.
    """

    value: float | None
    status: Status
    symbol: str | None
    note: str | None = None


def parse_value(
    cell: CellValue, where: Where | None = None, *, at: str | None = None, thousands: bool = True
) -> Reading:
    """Read one cell as a number or as shorthand.

    ``thousands``: whether commas may divide thousands, as in a column of counts. In a column of
    percentages or scores they may not, so that ``45,3`` and ``1,234`` are refused there alike.

    Raises ``ParseError``: ``unknown_symbol``, ``decimal_comma`` or ``not_a_number``.
    """
    where = where or Where()
    if cell is None:
        return Reading(None, "not_available", None)
    if isinstance(cell, bool) or not isinstance(cell, (int, float, str)):
        raise where.error(
            "not_a_number",
            "The cell holds a date or a truth value where a number or a symbol was expected.",
            cell=at,
            found=repr(cell),
            todo="Open the cell in the publisher's file.",
        )
    if isinstance(cell, (int, float)):
        try:
            number = float(cell)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise where.error("not_a_number", "The number is not finite.", cell=at, found=str(cell))
        return Reading(number, "published", None)

    text = " ".join(_INVISIBLE.sub("", cell).replace("\u2212", "-").split())
    note: str | None = None
    bare = _SUPERSCRIPTS.sub("", _NOTE_MARK.sub(" ", text)).strip()
    if bare != text:
        note, text = "note_mark", bare
    symbols = _SYMBOLS.findall(text)
    unknown = [symbol for symbol in symbols if symbol.casefold() not in _BRACKETED]
    if unknown:
        raise _unknown_symbol(cell, where, at)
    rest = _SYMBOLS.sub(" ", text).strip()
    printed = "".join(f"[{symbol}]" for symbol in symbols) or None
    statuses = [_BRACKETED[symbol.casefold()] for symbol in symbols]

    if rest == "":
        if printed is None:
            return Reading(None, "not_available", None, note)
        return Reading(None, _strongest(statuses, alone=True), printed, note)
    if rest.casefold() in _BARE:
        statuses.append(_BARE[rest.casefold()])
        return Reading(
            None, _strongest(statuses, alone=True), (rest + (printed or "")) or None, note
        )

    number, number_note = _number(rest, cell, where, at, thousands=thousands)
    status = _strongest(statuses, alone=False)
    if status in ("suppressed", "not_available", "not_applicable"):
        raise where.error(
            "unknown_symbol",
            "The cell holds both a number and a symbol that says there is none.",
            cell=at,
            found=repr(cell),
            todo="Open the cell in the publisher's file and ask the publisher which is meant.",
        )
    return Reading(number, status, printed, note or number_note)


def _strongest(statuses: Sequence[Status], *, alone: bool) -> Status:
    for status in _STRENGTH:
        if status in statuses:
            return status
    return "not_available" if alone else "published"


def _number(
    rest: str, cell: str, where: Where, at: str | None, *, thousands: bool
) -> tuple[float, str]:
    note = "number_as_text"
    digits = rest
    if digits.endswith("%"):
        digits, note = digits[:-1].rstrip(), "percent_sign"
    if _NUMBER.fullmatch(digits):
        pass
    elif thousands and _THOUSANDS.fullmatch(digits):
        digits, note = digits.replace(",", ""), "thousands_separator"
    elif _WITH_COMMA.fullmatch(digits):
        raise where.error(
            "decimal_comma",
            "The number has a comma, which could mean a decimal point or thousands.",
            cell=at,
            expected="a decimal point" + (", or commas between thousands" if thousands else ""),
            found=repr(cell),
            todo="Save the file with decimal points, or ask the publisher for such a file.",
        )
    else:
        raise _unknown_symbol(cell, where, at)
    value = float(digits)
    if not math.isfinite(value):
        raise where.error("not_a_number", "The number is not finite.", cell=at, found=repr(cell))
    return value, note


def _unknown_symbol(cell: str, where: Where, at: str | None) -> ParseError:
    shown = cell if len(cell) <= 60 else cell[:59] + "…"
    return where.error(
        "unknown_symbol",
        "The cell holds neither a number nor a symbol that is known.",
        cell=at,
        expected="a number, or one of "
        + " ".join(f"[{symbol}]" for symbol in _BRACKETED)
        + " .. : - * NA, or nothing",
        found=repr(shown),
        todo="Look the symbol up in the file's notes; add it to the status codes if it is meant.",
    )
