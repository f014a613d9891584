"""The workbook reader: what it recognises, what it refuses, and how it reads one cell."""

from __future__ import annotations

import io
import zipfile

import pytest
import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from sources.errors import ParseError
from sources.workbook import read_workbook
from sources.workbook.book import CellValue, Limits, Sheet, Where, column_index, column_letter
from sources.workbook.header import Wanted, find_header
from sources.workbook.values import normalise_label, parse_value
from tests.lazy import lazy

ooxml = lazy("msoffcrypto.format.ooxml")

WHERE = Where("a_dataset", "2023-24", "a-file.xlsx")


def xlsx(cells: dict[tuple[int, int], str | float]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("B4c")
    for (row, column), value in cells.items():
        sheet.write(row, column, value)
    book.close()
    return out.getvalue()


def rows_of(content: bytes, where: Where, **more: object) -> list[object]:
    return [each.rows for each in read_workbook(content, where, **more).sheets]  # type: ignore[arg-type]


def code_of(content: bytes, where: Where = WHERE, **more: object) -> str:
    with pytest.raises(ParseError) as caught:
        rows_of(content, where, **more)
    assert caught.value.file == where.file
    return caught.value.code


def rezip(content: bytes, replace: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, replace.get(name, old.read(name)))
        for name in replace.keys() - set(old.namelist()):
            new.writestr(name, replace[name])
    return out.getvalue()


def test_an_escaped_character_is_the_character() -> None:
    assert rows_of(xlsx({(0, 0): "45.3\r"}), WHERE) == [(("45.3\r",),)]


def test_xlsx_keeps_true_positions_below_blank_rows_and_columns() -> None:
    content = xlsx({(4, 2): 45.3, (6, 1): "x "})
    links = "xl/_rels/workbook.xml.rels"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        from_here = archive.read(links).replace(b'"worksheets/', b'"./worksheets/')
    book = read_workbook(rezip(content, {links: from_here}), WHERE)
    assert book.form == "xlsx"
    rows = book.sheets[0].rows
    assert (rows[4][2], rows[6][1]) == (45.3, "x ")
    assert not any(rows[0])


RAISED = """<document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:s="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:t="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<s:style s:name="T1"><s:text-properties s:text-position="super 58%"/></s:style>
<o:table o:name="B4c"><o:table-row><o:table-cell>
<t:p>54.8<t:span t:style-name="T1">5</t:span></t:p></o:table-cell></o:table-row></o:table>
</document-content>"""


def test_a_raised_digit_is_the_mark_of_a_note_and_no_part_of_the_number() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    raised = book.add_format({"font_script": 1})
    book.add_worksheet().write_rich_string(0, 0, "54.8", raised, "5")
    book.close()
    ods = rezip(
        b"PK\x05\x06" + bytes(18),
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": RAISED.encode(),
        },
    )
    for content in (out.getvalue(), ods):
        reading = parse_value(read_workbook(content, WHERE).sheets[0].rows[0][0])
        assert (reading.value, reading.note) == (54.8, "note_mark")


@pytest.mark.parametrize(
    ("printed", "read"),
    [("a_x000A_b", "a\nb"), ("a_x005F_x000A_b", "a_x000A_b"), ("a_xD800_b", "a_xD800_b")],
)
def test_a_character_is_spelt_out_and_half_a_pair_is_none(printed: str, read: str) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.add_worksheet().write_string(0, 0, "PLACE")
    book.close()
    with zipfile.ZipFile(out) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    strings = parts["xl/sharedStrings.xml"].replace(b"PLACE", printed.encode())
    content = rezip(out.getvalue(), {"xl/sharedStrings.xml": strings})
    assert read_workbook(content, WHERE).sheets[0].rows[0][0] == read


def test_ods_by_another_writer_keeps_true_positions_among_repeats() -> None:
    document = OpenDocumentSpreadsheet()
    table = Table(name="B4b")
    for repeat, value in ((3, None), (1, 12.5), (1_048_000, None)):
        row = TableRow(numberrowsrepeated=str(repeat))
        row.addElement(TableCell(numbercolumnsrepeated="2"))
        if value is not None:
            row.addElement(TableCell(valuetype="float", value=value))
            text = TableCell(valuetype="string")
            text.addElement(P(text="Walsall"))
            row.addElement(text)
        row.addElement(TableCell(numbercolumnsrepeated="16000"))
        table.addElement(row)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.save(out)
    book = read_workbook(out.getvalue(), Where(file="a.ods"))
    assert book.form == "ods"
    assert book.sheets[0].rows[3][2:4] == (12.5, "Walsall")


def test_csv_keeps_empty_cells_and_takes_off_a_byte_order_mark() -> None:
    book = read_workbook(b'\xef\xbb\xbfa,b\r\n,"1,234"\r\n', Where(file="a.csv"))
    assert book.sheets[0].rows == (("a", "b"), (None, "1,234"))
    assert book.remarks == ()


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        ("name\r\nMålilla\r\n".encode("cp1252"), "encoding"),
        ("name,x\r\na,b\r\n".encode("utf-16"), "encoding"),
        (b"a;b\n1;2\n", "delimiter"),
        (b"A title\na;b\n1,5;2\n", "delimiter"),
        (b"a|b\n1|2\n", "delimiter"),
        (b"a,b\n1,2", "no_final_newline"),
    ],
)
def test_csv_oddities_are_read_and_remarked(content: bytes, remark: str) -> None:
    book = read_workbook(content, Where(file="a.csv"))
    assert [code for code, _ in book.remarks] == [remark]


def test_content_decides_over_the_extension() -> None:
    book = read_workbook(xlsx({(0, 0): 1}), Where(file="a.ods"))
    assert book.form == "xlsx"
    assert [code for code, _ in book.remarks] == ["wrong_extension"]


GOOD = xlsx({(0, 0): "x", (1, 1): 2.0})


def twice(row: str) -> bytes:
    """The good workbook with one more row."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    more = sheet.replace("</sheetData>", f"{row}</sheetData>")
    return rezip(GOOD, {"xl/worksheets/sheet1.xml": more.encode()})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \r\n\x00", "empty_file"),
        (b"\xef\xbb\xbf\r\n", "empty_file"),
        (b"<!DOCTYPE html><html><body>Sorry</body></html>", "html_page"),
        (b"\n  <html lang='en'><head></head></html>", "html_page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "not_a_workbook"),
        (b'{"error": {"code": 400}}', "json_document"),
        (b"[1, 2]", "json_document"),
        (b"%PDF-1.7 ...", "not_a_workbook"),
        (b"\x1f\x8b\x08\x00abc", "not_a_workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x01\xff", "not_a_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "legacy_workbook"),
        (GOOD[: len(GOOD) // 2], "truncated"),
        (GOOD[:4], "truncated"),
        (b'a,b\n1,"2', "truncated"),
        (rezip(GOOD, {"xl/worksheets/sheet1.xml": b"<worksheet><row"}), "damaged_workbook"),
        (
            rezip(
                GOOD,
                {
                    "xl/sharedStrings.xml": b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>'
                    b"<sst>&d;</sst>"
                },
            ),
            "xml_entities",
        ),
        (twice('<row r="2"><c r="B2"><v>3</v></c></row>'), "damaged_workbook"),
        (
            twice('<row r="3"><c r="B3"><v>3</v></c><c r="B3"><v>4</v></c></row>'),
            "damaged_workbook",
        ),
        (rezip(GOOD, {"xl/media/a.bin": bytes(21_000_000)}), "zip_bomb"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused_by_name(content: bytes, code: str) -> None:
    assert code_of(content) == code


def test_a_workbook_with_a_password_is_refused_by_name() -> None:
    locked = io.BytesIO()
    ooxml.OOXMLFile(io.BytesIO(GOOD)).encrypt("secret", locked)
    assert code_of(locked.getvalue()) == "password_protected"


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    bomb = bytearray(rezip(GOOD, {"xl/media/a.bin": bytes(21_000_000)}))
    central = bomb.rindex(b"xl/media/a.bin") - 46
    bomb[central + 24 : central + 28] = (10).to_bytes(4, "little")
    assert code_of(bytes(bomb)) in ("damaged_archive", "zip_bomb")


def test_what_an_archiver_adds_is_passed_over_and_binary_data_is_no_csv() -> None:
    packed = rezip(b"PK\x05\x06" + bytes(18), {"a.xlsx": GOOD, "__MACOSX/._a.xlsx": b"x"})
    assert rows_of(packed, WHERE) == rows_of(GOOD, WHERE)
    assert code_of(b"HTTP/1.1 200 OK\r\n" + GOOD, forms=("xlsx",)) == "not_a_workbook"


def test_limits_hold() -> None:
    assert code_of(GOOD, limits=Limits(file_bytes=100)) == "file_too_large"
    assert code_of(GOOD, limits=Limits(entries=2)) == "zip_bomb"
    assert code_of(b"a,b\n1,2\n", limits=Limits(cells=3)) == "too_many_cells"
    assert code_of(GOOD, limits=Limits(cells=2)) == "too_many_cells"
    assert code_of(GOOD, limits=Limits(rows=1)) == "too_many_cells"
    assert code_of(GOOD, forms=("ods",)) == "wrong_form"


def test_column_letters() -> None:
    assert [column_letter(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert [column_index(letter) for letter in ("A", "Z", "AA", "ZZ", "AAA")] == [
        0,
        25,
        26,
        701,
        702,
    ]


@pytest.mark.parametrize(
    "printed",
    [
        "Response Breakdown",
        "Response Breakdown ",
        "response  breakdown",
        "Response\nBreakdown",
        "Response\u00a0Breakdown",
        "Response Breakdown [note 4]",
        "Response Breakdown [Note 4, 5] [r]",
        "Response Breakdown (note 3)",
        "Response Breakdown\u00b9\u00b2",
        "\ufeffResponse Breakdown\u200b",
    ],
)
def test_labels_are_compared_without_marks_and_space(printed: str) -> None:
    assert normalise_label(printed) == "response breakdown"


WANTED = {
    "name": Wanted("Name", ("name",)),
    "value": Wanted("Percentage", (r"percentage( \(%\))?",)),
    "base": Wanted("Base", ("base",), required=False),
}


def sheet(*rows: tuple[CellValue, ...]) -> Sheet:
    return Sheet("S", rows)


def test_header_is_found_wherever_it_is_and_with_a_glued_note_number() -> None:
    found = find_header(
        sheet(("Title",), (None,), (None, "Name", "More", "Percentage (%)4"), (None, "a", 1, 2.0)),
        WANTED,
        WHERE,
    )
    assert (found.row_number, dict(found.columns)) == (3, {"name": 1, "value": 3})
    assert found.extra == ("More",)


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ((("Name", "Percent"), ("a", 1)), "missing_column", "nearest: 'Percent'"),
        ((("a", "b"), (1, 2)), "header_not_found", "'a', 'b'"),
        ((("Name", "Percentage", "percentage "),), "ambiguous_column", "B1 'Percentage', C1"),
        ((("Name", "Percentage"), ("Name", "Percentage")), "ambiguous_header", "row 1, row 2"),
        (((),), "header_not_found", "no text"),
    ],
)
def test_a_header_that_is_unclear_is_refused_with_what_was_found(
    rows: tuple[tuple[CellValue, ...], ...], code: str, words: str
) -> None:
    with pytest.raises(ParseError) as caught:
        find_header(sheet(*rows), WANTED, WHERE)
    assert caught.value.code == code
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "value", "status", "symbol", "note"),
    [
        (45.3, 45.3, "published", None, None),
        (0, 0.0, "published", None, None),
        ("45.3", 45.3, "published", None, "number_as_text"),
        (" 45.3 ", 45.3, "published", None, "number_as_text"),
        ("\u22120.5", -0.5, "published", None, "number_as_text"),
        ("45%", 45.0, "published", None, "percent_sign"),
        ("1,234", 1234.0, "published", None, "thousands_separator"),
        ("1\u2009234\xa0567", 1234567.0, "published", None, "thousands_separator"),
        ("45.3 [note 2]", 45.3, "published", None, "note_mark"),
        ("45.3 [r]", 45.3, "published", "[r]", "number_as_text"),
        ("45.3 [r][e]", 45.3, "published", "[r][e]", "number_as_text"),
        ("45.3 [u]", 45.3, "low_reliability", "[u]", "number_as_text"),
        ("0 [low]", 0.0, "published", "[low]", "number_as_text"),
        ("[c]", None, "suppressed", "[c]", None),
        ("[C]", None, "suppressed", "[C]", None),
        ("[x]", None, "not_available", "[x]", None),
        ("[z]", None, "not_applicable", "[z]", None),
        ("[u]", None, "low_reliability", "[u]", None),
        ("[w]", None, "not_available", "[w]", None),
        ("[low]", None, "not_available", "[low]", None),
        ("[r] [c]", None, "suppressed", "[r][c]", None),
        ("..", None, "not_available", "..", None),
        ("*", None, "suppressed", "*", None),
        ("-", None, "not_available", "-", None),
        (":", None, "not_available", ":", None),
        ("NA", None, "not_available", "NA", None),
        ("", None, "not_available", None, None),
        (None, None, "not_available", None, None),
    ],
)
def test_values_and_symbols(
    cell: CellValue, value: float | None, status: str, symbol: str | None, note: str | None
) -> None:
    reading = parse_value(cell)
    assert (reading.value, reading.status, reading.symbol, reading.note) == (
        value,
        status,
        symbol,
        note,
    )


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("45,3", "decimal_comma"),
        ("1.234,5", "decimal_comma"),
        ("12 34", "unknown_symbol"),
        ("1,234 567", "unknown_symbol"),
        ("[q]", "unknown_symbol"),
        ("about 40", "unknown_symbol"),
        ("nan", "unknown_symbol"),
        ("inf", "unknown_symbol"),
        ("\u0664\u0665", "unknown_symbol"),
        ("45 [c]", "unknown_symbol"),
        ("1e3", "not_a_number"),
        ("1.23E+05", "not_a_number"),
        (float("inf"), "not_a_number"),
        (float("nan"), "not_a_number"),
        (True, "not_a_number"),
    ],
)
def test_what_is_neither_is_refused_with_its_cell(cell: CellValue, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_value(cell, WHERE.at("B4c"), at="C14")
    assert caught.value.code == code
    assert (caught.value.sheet, caught.value.cell) == ("B4c", "C14")


def test_a_comma_in_a_column_of_percentages_is_never_thousands() -> None:
    with pytest.raises(ParseError, match="comma"):
        parse_value("1,234", thousands=False)


def test_a_power_of_ten_in_a_column_of_scores_is_read_and_must_be_finite() -> None:
    assert parse_value("-5e-05", thousands=False).value == -0.00005
    with pytest.raises(ParseError, match="finite"):
        parse_value("1e999", thousands=False)
