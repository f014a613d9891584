"""The spreadsheet of a release as OpenDocument (ODS) and as Office Open XML (XLSX).

Both are written from one ``SheetBook`` and say the same. They follow the rules for releasing
statistics in spreadsheets: everything starts in A1, one marked-up table a sheet with one header
row, no merged cells, no blank rows or columns, no filters, no frozen panes.

Text is always written as a typed text cell, never parsed, so that no content can become a formula.
The same book gives the same bytes: creation times are fixed and the archives are packed anew.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import duckdb
import xlsxwriter

from warehouse.writers.sheets import AUTHOR, LANGUAGE, Cell, Sheet, SheetBook, as_text, build_sheets

_PACKED_AT = (1980, 1, 1, 0, 0, 0)
_CREATED_AT = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed mark, not a moment
_FONT = "Arial"
_BODY_POINTS = 12
_TITLE_POINTS = 16
_NARROWEST, _WIDEST = 10, 80
_COVER_WIDTH = 100
_MOST_DIGITS = 12
_LINE_POINTS = 15.75
_TALLEST_ROW = 409.0

_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_ODS_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "office": f"{_OASIS}office:1.0",
        "table": f"{_OASIS}table:1.0",
        "text": f"{_OASIS}text:1.0",
        "style": f"{_OASIS}style:1.0",
        "number": f"{_OASIS}datastyle:1.0",
        "fo": f"{_OASIS}xsl-fo-compatible:1.0",
        "svg": f"{_OASIS}svg-compatible:1.0",
        "meta": f"{_OASIS}meta:1.0",
        "dc": "http://purl.org/dc/elements/1.1/",
        "xlink": "http://www.w3.org/1999/xlink",
    }.items()
)
_ODS_FONT = (
    f'<style:font-face style:name="{_FONT}" svg:font-family="{_FONT}" '
    'style:font-family-generic="swiss"/>'
)
_ODS_STYLES = (
    f'{_XML}<office:document-styles {_ODS_NAMESPACES} office:version="1.3">'
    f"<office:font-face-decls>{_ODS_FONT}</office:font-face-decls><office:styles>"
    '<style:default-style style:family="table-cell">'
    f'<style:text-properties style:font-name="{_FONT}" fo:font-size="{_BODY_POINTS}pt" '
    f'fo:language="{LANGUAGE[:2]}" fo:country="{LANGUAGE[3:]}"/></style:default-style>'
    '<style:style style:name="Default" style:family="table-cell"/></office:styles>'
    '<office:automatic-styles><style:page-layout style:name="page">'
    '<style:page-layout-properties fo:page-width="29.7cm" fo:page-height="21cm" '
    'style:print-orientation="landscape" style:scale-to-X="1" style:scale-to-Y="0"/>'
    "</style:page-layout></office:automatic-styles><office:master-styles>"
    '<style:master-page style:name="Default" style:page-layout-name="page"/>'
    "</office:master-styles></office:document-styles>"
)
_ODS_MANIFEST = (
    f'{_XML}<manifest:manifest xmlns:manifest="{_OASIS}manifest:1.0" manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}" '
    'manifest:version="1.3"/>'
    + "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="text/xml"/>'
        for name in ("content.xml", "styles.xml", "meta.xml")
    )
    + "</manifest:manifest>"
)
_WRAP = ' fo:wrap-option="wrap"'
_FOLDED = re.compile(r"\t|\n|(?<= ) +|^ +| +$|(?<=[\t\n]) +")


def write_spreadsheets(
    connection: duckdb.DuckDBPyConnection, folder: Path, *, content_sha256: str
) -> list[Path]:
    """Write ``spreadsheet/pulse.ods`` and ``spreadsheet/pulse.xlsx``.

    Returns:
        The files made.

    Raises:
        ExportError: when the warehouse names no one lead combined authority.
    """
    book = build_sheets(connection, content_sha256=content_sha256)
    target = folder / "spreadsheet"
    target.mkdir(parents=True, exist_ok=True)
    return [write_ods(book, target / "pulse.ods"), write_xlsx(book, target / "pulse.xlsx")]


def write_xlsx(book: SheetBook, path: Path) -> Path:
    """Write a book as XLSX."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "default_format_properties": {"font_name": _FONT, "font_size": _BODY_POINTS},
        },
    )
    workbook.set_properties(
        {
            "title": as_text(book.title),
            "subject": as_text(book.subject),
            "author": AUTHOR,
            "created": _CREATED_AT,
        }
    )
    formats = _XlsxFormats(workbook)
    cover = workbook.add_worksheet("Cover")
    cover.set_column(0, 0, _COVER_WIDTH)
    _xlsx_page(cover)
    for row, line in enumerate(book.cover):
        cover.set_row(row, _TITLE_POINTS * 1.4 if row == 0 else _height([line], [_COVER_WIDTH]))
        cover.write_string(row, 0, as_text(line), formats.title if row == 0 else formats.wrapped)
    cover.write_url(
        len(book.cover),
        0,
        book.licence_url,
        formats.link,
        string=book.licence_url,
    )
    for sheet in book.sheets:
        _xlsx_sheet(workbook, formats, book, sheet)
    workbook.close()
    _pack_xlsx(buffer.getvalue(), path)
    return path


def write_ods(book: SheetBook, path: Path) -> Path:
    """Write a book as ODS.

    The five parts of the archive are written as text: a document model of 50,000 cells takes
    eight seconds, and its order of attributes differs between runs.
    """
    styles = _OdsStyles()
    tables = [_ods_cover(styles, book)]
    ranges = []
    for sheet in book.sheets:
        tables.append(_ods_sheet(styles, book, sheet))
        first = len(book.above(sheet)) + 1
        last = f"{column_letter(len(sheet.headers))}{first + len(sheet.rows)}"
        ranges.append(
            f"<table:database-range table:name={_quoted(sheet.table)} "
            f"table:target-range-address={_quoted(f'{sheet.name}.A{first}:{sheet.name}.{last}')} "
            'table:contains-header="true" table:display-filter-buttons="false"/>'
        )
    content = (
        f'{_XML}<office:document-content {_ODS_NAMESPACES} office:version="1.3">'
        f"<office:font-face-decls>{_ODS_FONT}</office:font-face-decls>"
        f"<office:automatic-styles>{styles.xml()}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{''.join(tables)}"
        f"<table:database-ranges>{''.join(ranges)}</table:database-ranges>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    described = (
        f'{_XML}<office:document-meta {_ODS_NAMESPACES} office:version="1.3"><office:meta>'
        f"<dc:title>{escape(as_text(book.title))}</dc:title>"
        f"<dc:subject>{escape(as_text(book.subject))}</dc:subject>"
        f"<meta:initial-creator>{AUTHOR}</meta:initial-creator><dc:creator>{AUTHOR}</dc:creator>"
        f"<dc:language>{LANGUAGE}</dc:language>"
        "</office:meta></office:document-meta>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        # The media type comes first and is not compressed: that is how the format is recognised.
        _add(archive, "mimetype", _ODS_TYPE.encode(), compressed=False)
        _add(archive, "META-INF/manifest.xml", _ODS_MANIFEST.encode())
        _add(archive, "meta.xml", described.encode())
        _add(archive, "styles.xml", _ODS_STYLES.encode())
        _add(archive, "content.xml", content.encode())
    return path


def column_letter(number: int) -> str:
    """The letters of a column, counted from 1: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _widths(sheet: Sheet) -> list[int]:
    """A width for each column, in characters: its longest word or a part of its longest text."""
    widths = []
    for index, header in enumerate(sheet.headers):
        texts = [header, *(str(row[index]) for row in sheet.rows)]
        word = max(len(word) for text_ in texts for word in text_.split() or [""])
        whole = max(len(text_) for text_ in texts)
        widths.append(
            max(_NARROWEST, min(_WIDEST, max(min(word, 36), min(whole, 30), whole // 3)) + 2)
        )
    return widths


def _height(cells: Sequence[Cell], widths: Sequence[int]) -> float:
    """The height of a row, in points, that its longest wrapped cell needs.

    It is written because a program that trusts an XLSX shows wrapped text in rows of one line.
    """
    lines = 1
    for cell, width in zip(cells, widths, strict=True):
        if isinstance(cell, str):
            # Wrapping leaves a part of each line empty.
            fitting = max(width * 0.9, 1)
            lines = max(
                lines, sum(math.ceil(len(part) / fitting) or 1 for part in cell.split("\n"))
            )
    return min(lines * _LINE_POINTS, _TALLEST_ROW)


def _digits(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return min(max(-exponent, 0), _MOST_DIGITS) if isinstance(exponent, int) else 0


class _XlsxFormats:
    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self.title = self._add(bold=True, font_size=_TITLE_POINTS)
        self.plain = self._add()
        self.wrapped = self._add(text_wrap=True, valign="top")
        self.header = self._add(text_wrap=True, valign="top", bold=True, bottom=1)
        self.link = self._add(font_color="#0000EE", underline=1, text_wrap=True, valign="top")
        self._numbers: dict[int, Any] = {}

    def _add(self, **properties: Any) -> Any:
        return self._workbook.add_format(
            {"font_name": _FONT, "font_size": _BODY_POINTS, **properties}
        )

    def number(self, digits: int) -> Any:
        if digits not in self._numbers:
            pattern = "0" if digits == 0 else "0." + "0" * digits
            self._numbers[digits] = self._add(
                valign="top", align="right", indent=1, num_format=pattern
            )
        return self._numbers[digits]


def _xlsx_sheet(workbook: Any, formats: _XlsxFormats, book: SheetBook, sheet: Sheet) -> None:
    worksheet = workbook.add_worksheet(sheet.name)
    widths = _widths(sheet)
    for column, width in enumerate(widths):
        worksheet.set_column(column, column, width)
    above = book.above(sheet)
    worksheet.set_row(len(above), _height(sheet.headers, widths))
    for row, line in enumerate(above):
        worksheet.write_string(row, 0, as_text(line), formats.title if row == 0 else formats.plain)
    first = len(above)
    worksheet.add_table(
        first,
        0,
        first + len(sheet.rows),
        len(sheet.headers) - 1,
        {
            "name": sheet.table,
            "autofilter": False,
            "banded_rows": False,
            "style": None,
            "columns": [
                {"header": as_text(header), "header_format": formats.header}
                for header in sheet.headers
            ],
        },
    )
    for row, cells in enumerate(sheet.rows, start=first + 1):
        worksheet.set_row(row, _height(cells, widths))
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                if sheet.links and column == 0:
                    worksheet.write_url(
                        row, column, f"internal:'{cell}'!A1", formats.link, string=cell
                    )
                else:
                    worksheet.write_string(row, column, as_text(cell), formats.wrapped)
            else:
                digits = _digits(cell) if isinstance(cell, Decimal) else 0
                worksheet.write_number(row, column, float(cell), formats.number(digits))
    _xlsx_page(worksheet)


def _xlsx_page(worksheet: Any) -> None:
    """A4, lying, as wide as the table."""
    worksheet.set_landscape()
    worksheet.set_paper(9)
    worksheet.fit_to_pages(1, 0)


class _OdsStyles:
    """The styles of a document. Widths and numbers are added when first asked for."""

    title, plain, wrapped, header, link = "title", "plain", "wrapped", "header", "link"

    def __init__(self) -> None:
        self._widths: set[int] = set()
        self._digits: set[int] = set()

    def width(self, characters: int) -> str:
        """The name of a column style so many characters wide."""
        self._widths.add(characters)
        return f"width{characters}"

    def number(self, digits: int) -> str:
        """The name of a cell style that shows so many decimals."""
        self._digits.add(digits)
        return f"number{digits}"

    def xml(self) -> str:
        """All of them, in order."""
        bold = ' fo:font-weight="bold"'
        parts = [
            self._cell(self.title, points=_TITLE_POINTS, words=bold),
            self._cell(self.plain),
            self._cell(self.wrapped, cell=_WRAP),
            self._cell(
                self.header, cell=_WRAP + ' fo:border-bottom="0.5pt solid #000000"', words=bold
            ),
            self._cell(
                self.link,
                cell=_WRAP,
                words=' fo:color="#0000ee" style:text-underline-style="solid"',
            ),
            '<style:style style:name="sheet" style:family="table" '
            'style:master-page-name="Default"><style:table-properties table:display="true"/>'
            "</style:style>",
            '<style:style style:name="row" style:family="table-row"><style:table-row-properties '
            'style:use-optimal-row-height="true"/></style:style>',
        ]
        for characters in sorted(self._widths):
            parts.append(
                f'<style:style style:name="width{characters}" style:family="table-column">'
                f'<style:table-column-properties style:column-width="{characters * 0.24:.2f}cm"/>'
                "</style:style>"
            )
        for digits in sorted(self._digits):
            parts.append(
                f'<number:number-style style:name="digits{digits}"><number:number '
                f'number:decimal-places="{digits}" number:min-decimal-places="{digits}" '
                'number:min-integer-digits="1"/></number:number-style>'
            )
            parts.append(
                self._cell(
                    f"number{digits}",
                    cell=' fo:padding-right="0.2cm"',
                    data=f' style:data-style-name="digits{digits}"',
                )
            )
        return "".join(parts)

    @staticmethod
    def _cell(
        name: str, *, points: int = _BODY_POINTS, cell: str = "", words: str = "", data: str = ""
    ) -> str:
        return (
            f'<style:style style:name="{name}" style:family="table-cell" '
            f'style:parent-style-name="Default"{data}>'
            f'<style:table-cell-properties style:vertical-align="top"{cell}/>'
            f'<style:text-properties style:font-name="{_FONT}" fo:font-size="{points}pt"{words}/>'
            "</style:style>"
        )


def _ods_cover(styles: _OdsStyles, book: SheetBook) -> str:
    rows = [
        _ods_row([_ods_text(line, styles.title if row == 0 else styles.wrapped)])
        for row, line in enumerate(book.cover)
    ]
    rows.append(_ods_row([_ods_link(book.licence_url, book.licence_url, styles)]))
    return _ods_table("Cover", [styles.width(_COVER_WIDTH)], rows)


def _ods_sheet(styles: _OdsStyles, book: SheetBook, sheet: Sheet) -> str:
    rows = [
        _ods_row([_ods_text(line, styles.title if row == 0 else styles.plain)])
        for row, line in enumerate(book.above(sheet))
    ]
    rows.append(_ods_row([_ods_text(header, styles.header) for header in sheet.headers]))
    for cells in sheet.rows:
        rows.append(
            _ods_row(
                [
                    _ods_link(f"#{cell}.A1", str(cell), styles)
                    if sheet.links and column == 0
                    else _ods_cell(cell, styles)
                    for column, cell in enumerate(cells)
                ]
            )
        )
    return _ods_table(sheet.name, [styles.width(width) for width in _widths(sheet)], rows)


def _ods_table(name: str, columns: list[str], rows: list[str]) -> str:
    return (
        f'<table:table table:name={_quoted(name)} table:style-name="sheet">'
        + "".join(f'<table:table-column table:style-name="{column}"/>' for column in columns)
        + "".join(rows)
        + "</table:table>"
    )


def _ods_row(cells: list[str]) -> str:
    return f'<table:table-row table:style-name="row">{"".join(cells)}</table:table-row>'


def _ods_cell(cell: Cell, styles: _OdsStyles) -> str:
    if isinstance(cell, str):
        return _ods_text(cell, styles.wrapped)
    digits = _digits(cell) if isinstance(cell, Decimal) else 0
    return (
        f'<table:table-cell table:style-name="{styles.number(digits)}" '
        f'office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p>'
        "</table:table-cell>"
    )


def _ods_text(value: str, named: str) -> str:
    return (
        f'<table:table-cell table:style-name="{named}" office:value-type="string">'
        f"<text:p>{_ods_words(value)}</text:p></table:table-cell>"
    )


def _ods_link(target: str, words: str, styles: _OdsStyles) -> str:
    return (
        f'<table:table-cell table:style-name="{styles.link}" office:value-type="string"><text:p>'
        f'<text:a xlink:type="simple" xlink:href={_quoted(target)}>{_ods_words(words)}</text:a>'
        "</text:p></table:table-cell>"
    )


def _ods_words(value: str) -> str:
    """Text as a paragraph holds it: white space that the format would fold is spelt out."""
    return _FOLDED.sub(_spelt_out, escape(as_text(value)))


def _spelt_out(match: re.Match[str]) -> str:
    found = match.group()
    if found == "\t":
        return "<text:tab/>"
    if found == "\n":
        return "<text:line-break/>"
    return f'<text:s text:c="{len(found)}"/>'


def _quoted(value: str) -> str:
    return quoteattr(as_text(value))


def _pack_xlsx(archive: bytes, path: Path) -> None:
    """Pack an XLSX anew with fixed times and its language, which xlsxwriter cannot set."""
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            content = old.read(member)
            if member.filename == "docProps/core.xml":
                content = content.replace(
                    b"</cp:coreProperties>",
                    f"<dc:language>{LANGUAGE}</dc:language></cp:coreProperties>".encode(),
                )
            _add(new, member.filename, content)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, *, compressed: bool = True) -> None:
    entry = zipfile.ZipInfo(name, _PACKED_AT)
    entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)
