"""The spreadsheet of a release as Office Open XML (XLSX) and as OpenDocument (ODS).

Both are written from one ``SheetBook`` and say the same. XLSX is written by gptables of the
Government Analysis Function, which knows the rules for releasing statistics in spreadsheets; it
has no ODS, whose parts are the templates in ``ods``.

Text is always written as text, never parsed, so that no content can become a formula or a link.
The same book gives the same bytes: creation times are fixed and the archives are packed anew.
"""

import datetime as dt
import io
import re
import warnings
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import gptables
import jinja2
import pandas as pd
from gptables.core.gptable import FormatList
from markupsafe import Markup, escape
from xlsxwriter.utility import xl_rowcol_to_cell

from warehouse.writers.read import Model
from warehouse.writers.sheets import (
    ABOUT,
    INTRODUCTION,
    Cell,
    Sheet,
    SheetBook,
    as_text,
    build_sheets,
)

AUTHOR: Final = "Pulse"
LANGUAGE: Final = "en-GB"
_PACKED_AT = (1980, 1, 1, 0, 0, 0)
_CREATED_AT = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed mark, not a moment
_MOST_DIGITS = 12
_ODS = Path(__file__).parent / "ods"
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_FOLDED = re.compile(r"\t|\n|(?<= ) +|^ +| +$|(?<=[\t\n]) +")

_BODY: Final = {"font_name": "Arial", "font_size": 12, "valign": "top"}
_TITLE: Final = {"bold": True, "font_size": 16}
_THEME: Final = {
    "global": _BODY,
    "cover_title": _TITLE | {"text_wrap": True},
    "cover_subtitle": {"bold": True, "text_wrap": True},
    "cover_text": {"text_wrap": True},
    "title": _TITLE,
    "column_heading": {"bold": True, "bottom": 1, "text_wrap": True},
    "data": {"text_wrap": True},
    "description_order": ["instructions", "source", "legend"],
}


def write_spreadsheets(
    connection: duckdb.DuckDBPyConnection, model: Model, folder: Path, *, content_sha256: str
) -> list[Path]:
    """Write ``spreadsheet/pulse.ods`` and ``spreadsheet/pulse.xlsx``. Returns the files made."""
    book = build_sheets(connection, model, content_sha256=content_sha256)
    target = folder / "spreadsheet"
    target.mkdir(parents=True, exist_ok=True)
    return [write_ods(book, target / "pulse.ods"), write_xlsx(book, target / "pulse.xlsx")]


def write_xlsx(book: SheetBook, path: Path) -> Path:
    """Write a book as XLSX."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The notes are a sheet of the book, which the ODS has too.
        warnings.filterwarnings("ignore", "No note text provided")
        workbook = gptables.produce_workbook(
            buffer,
            {sheet.name: _as_gptable(book, sheet) for sheet in book.sheets},
            theme=gptables.Theme(dict(_THEME)),
            cover=gptables.Cover(
                _verbatim(book.title),
                intro=[_verbatim(line) for line in book.introduction],
                about=[
                    *(_verbatim(line) for line in book.about),
                    {book.licence_url: book.licence_url},
                ],
                width=book.cover_width,
            ),
            contentsheet_label=None,
            auto_width=False,
            workbook_options={
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                # A copy, because the library adds to it.
                "default_format_properties": dict(_BODY),
            },
        )
    described = {"title": book.title, "subject": book.subject, "author": AUTHOR}
    workbook.set_properties(
        {name: as_text(value) for name, value in described.items()} | {"created": _CREATED_AT}
    )
    for worksheet in workbook.worksheets():
        worksheet.set_landscape()
        worksheet.set_paper(9)
        worksheet.fit_to_pages(1, 0)
    for sheet in book.sheets:
        for column, width in enumerate(sheet.widths):
            workbook.get_worksheet_by_name(sheet.name).set_column(column, column, width)
    workbook.close()
    _pack_xlsx(buffer.getvalue(), path)
    return path


def _as_gptable(book: SheetBook, sheet: Sheet) -> gptables.GPTable:
    title, instructions, source, *legend = map(as_text, book.above(sheet))
    formats = []
    cells: list[list[object]] = []
    for number, row in enumerate(sheet.rows, start=1):
        cells.append([float(cell) if isinstance(cell, Decimal) else cell for cell in row])
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                linked = sheet.links and column == 0
                cells[-1][column] = {cell: f"internal:'{cell}'!A1"} if linked else _verbatim(cell)
                continue
            pattern = f"{0:.{digits(cell)}f}"
            shown = {"align": "right", "indent": 1, "num_format": pattern}
            formats.append({"cell": {"cells": (number, column), "format": shown}})
    return gptables.GPTable(
        table=pd.DataFrame(cells, columns=[as_text(header) for header in sheet.headers]),
        table_name=sheet.table,
        title=[{}, title],
        instructions=[{}, instructions],
        source=[{}, source],
        legend=[[{}, line] for line in legend],
        index_columns={},
        additional_formatting=formats,
    )


def _verbatim(text: str) -> FormatList:
    """A text that gptables writes as it is; in a string it looks for links and for signs alone."""
    return FormatList([{}, as_text(text)])


def write_ods(book: SheetBook, path: Path) -> Path:
    """Write a book as ODS."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ODS),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters.update(words=_ods_words, plain=as_text, digits=digits)
    shown: dict[str, Any] = {
        "book": book,
        "author": AUTHOR,
        "language": LANGUAGE,
        "headings": (INTRODUCTION, ABOUT),
        "widths": sorted({book.cover_width, *(w for sheet in book.sheets for w in sheet.widths)}),
        "most_digits": _MOST_DIGITS,
        "cell_name": xl_rowcol_to_cell,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        # The media type comes first and is not compressed: that is how the format is recognised.
        _add(archive, "mimetype", _ODS_TYPE.encode(), compressed=False)
        _add(archive, "META-INF/manifest.xml", (_ODS / "manifest.xml").read_bytes())
        _add(archive, "styles.xml", (_ODS / "styles.xml").read_bytes())
        for part in ("meta.xml", "content.xml"):
            text = templates.get_template(f"{part}.j2").render(shown)
            _add(archive, part, text.encode())
    return path


def digits(cell: Cell) -> int:
    """The decimals that a number is shown with."""
    exponent = cell.as_tuple().exponent if isinstance(cell, Decimal) else 0
    return min(max(-exponent, 0), _MOST_DIGITS) if isinstance(exponent, int) else 0


def _ods_words(value: str) -> Markup:
    """Text as a paragraph holds it: white space that the format would fold is spelt out."""
    return Markup(_FOLDED.sub(_spelt_out, str(escape(as_text(value)))))


def _spelt_out(match: re.Match[str]) -> str:
    found = match.group()
    spelt = {"\t": "<text:tab/>", "\n": "<text:line-break/>"}
    return spelt.get(found, f'<text:s text:c="{len(found)}"/>')


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
