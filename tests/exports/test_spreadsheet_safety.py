"""What no content can do to a spreadsheet: become a formula, break the file, change with the clock."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path
from xml.dom import minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odf import opendocument, table, teletype

from tests.exports.read_back import grids, table_of
from tests.lazy import lazy

openpyxl = lazy("openpyxl")
sheets = lazy("warehouse.writers.sheets")
spreadsheet = lazy("warehouse.writers.spreadsheet")

HOSTILE = (
    '=HYPERLINK("http://127.0.0.1/?"&A1,"look")',
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "{=1+1}",
    "=cmd|'/C calc'!A0",
    "http://127.0.0.1/",
    "0123",
    "1e5",
    "TRUE",
    "#REF!",
    "<b>&amp;</b>",
    "]]>",
    "_x0041_",
    "  two  spaces  ",
    "two\nlines",
    "[look](http://127.0.0.1/)",
    "$$note$$ 1",
    "–",
    " ",
    "sheet!A1",
    "'quoted",
)


def _book(
    texts: tuple[str, ...], *, headers: tuple[str, ...] = ("Text", "Figure")
) -> sheets.SheetBook:
    sheet = sheets.Sheet(
        name="Sheet",
        title=texts[0],
        source=texts[0],
        notes=(1,),
        headers=headers,
        rows=tuple((text, Decimal("41.50")) for text in texts),
    )
    return sheets.SheetBook(
        title=texts[0],
        subject=texts[0],
        introduction=texts,
        about=texts,
        licence_url="https://127.0.0.1/",
        sheets=(sheet,),
        symbols={"[x]": "Not available"},
    )


@pytest.mark.slow
def test_hostile_text_stays_text_in_an_xlsx(tmp_path: Path) -> None:
    path = spreadsheet.write_xlsx(_book(HOSTILE), tmp_path / "book.xlsx")
    sheet = openpyxl.load_workbook(path)["Sheet"]
    cells = [row[0] for row in sheet.iter_rows(min_row=6)]
    assert [cell.data_type for cell in cells] == ["s"] * len(HOSTILE)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet"):
                content = archive.read(name)
                assert b"<f>" not in content
                assert b"<f " not in content
        # A link would be one more part beside the sheet; only the licence on the cover is one.
        links = [n for n in archive.namelist() if n.startswith("xl/worksheets/_rels/")]
        assert links == [
            "xl/worksheets/_rels/sheet1.xml.rels",
            "xl/worksheets/_rels/sheet2.xml.rels",
        ]
        assert b"hyperlink" not in archive.read(links[1])


def test_hostile_text_stays_text_in_an_ods(tmp_path: Path) -> None:
    path = spreadsheet.write_ods(_book(HOSTILE), tmp_path / "book.ods")
    document = opendocument.load(str(path))
    sheets = document.spreadsheet.getElementsByType(table.Table)
    cells = [
        row.getElementsByType(table.TableCell)[0]
        for row in sheets[1].getElementsByType(table.TableRow)[5:]
    ]
    assert [cell.getAttribute("valuetype") for cell in cells] == ["string"] * len(HOSTILE)
    assert [cell.getAttribute("formula") for cell in cells] == [None] * len(HOSTILE)
    assert [teletype.extractText(cell) for cell in cells] == list(HOSTILE)


@pytest.mark.parametrize("suffix", ["ods", "xlsx"])
def test_hostile_text_is_read_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"book.{suffix}"
    (spreadsheet.write_ods if suffix == "ods" else spreadsheet.write_xlsx)(_book(HOSTILE), path)
    headers, rows = table_of(grids(path)["Sheet"])
    assert headers == ["Text", "Figure"]
    # This reader of ODS skips tabs and repeated spaces; the test above reads them with another.
    folded = "".join if suffix == "xlsx" else lambda text: "".join(text.split())
    assert [folded(str(row["Text"])) for row in rows] == [folded(text) for text in HOSTILE]
    assert {row["Figure"] for row in rows} == {41.5}


@pytest.mark.slow
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=5))
def test_any_text_gives_files_that_open(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    book = _book(tuple(texts))
    ods = spreadsheet.write_ods(book, folder / "book.ods")
    xlsx = spreadsheet.write_xlsx(book, folder / "book.xlsx")
    for path in (ods, xlsx):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".xml"):
                    minidom.parseString(archive.read(name))
    written = [sheets.as_text(text) for text in texts]
    read = [row[0].value for row in openpyxl.load_workbook(xlsx)["Sheet"].iter_rows(min_row=6)]
    assert read == written
    document = opendocument.load(str(ods))
    rows = document.spreadsheet.getElementsByType(table.Table)[1].getElementsByType(table.TableRow)
    cells = [row.getElementsByType(table.TableCell)[0] for row in rows[5:]]
    assert [teletype.extractText(cell) for cell in cells] == written


@pytest.mark.parametrize("form", ["write_ods", "write_xlsx"])
def test_the_same_book_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    write = getattr(spreadsheet, form)
    first = write(_book(HOSTILE), tmp_path / "first")
    second = write(_book(HOSTILE), tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_ods_opens_with_its_media_type(tmp_path: Path) -> None:
    path = spreadsheet.write_ods(_book(HOSTILE), tmp_path / "book.ods")
    opening = b"mimetype" + b"application/vnd.oasis.opendocument.spreadsheet"
    assert path.read_bytes()[30 : 30 + len(opening)] == opening
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (40.5, 0, "41"),
        (41.5, 0, "42"),
        (-0.5, 0, "-1"),
        (-0.4, 0, "0"),
        (40.25, 1, "40.3"),
        (2.675, 2, "2.68"),
        (41.0, 0, "41"),
        (41.0, 1, "41.0"),
    ],
)
def test_halves_go_away_from_zero_and_zero_has_no_sign(
    value: float, digits: int, shown: str
) -> None:
    assert str(sheets.rounded(value, digits)) == shown
