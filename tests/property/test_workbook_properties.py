"""Whatever it is given, the reader ends, raises only its own error, and invents no value."""

from __future__ import annotations

import csv
import io
import re

import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sources.workbook import read_workbook
from sources.workbook.book import Sheet, Where, column_index, column_letter
from sources.workbook.header import Wanted, find_header
from sources.workbook.values import normalise_label, parse_value
from tests.publisher_files import attempt, write

QUICK = settings(deadline=2000)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.from_regex(r"[-+0-9.,eE% \[\]a-z]{0,12}", fullmatch=True),
)
ODS = write("dcms_participation", "2022-23", form="ods")
XLSX = write("dcms_participation", "2022-23", form="xlsx")
HEADS = st.sampled_from(
    [b"", b"PK\x03\x04", b"<html>", b"{", b"\xff\xfe", b"\xd0\xcf\x11\xe0", b'"']
)


@QUICK
@given(HEADS, st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(head: bytes, tail: bytes) -> None:
    book, code = attempt(lambda: read_workbook(head + tail, Where(file="x.csv")))
    if book is None:
        assert code is not None
        assert re.fullmatch(r"[a-z_]+", code)
    else:
        assert book.form == "csv"


@settings(deadline=4000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([ODS, XLSX]),
    st.lists(st.tuples(st.floats(0, 0.999999), st.integers(0, 255)), max_size=12),
    st.floats(0.0, 1.0),
)
@example(ODS, [], 1.0)
@example(XLSX, [], 0.5)
def test_a_damaged_workbook_is_read_or_refused(
    content: bytes, changes: list[tuple[float, int]], kept: float
) -> None:
    damaged = bytearray(content[: int(len(content) * kept)])
    for place, byte in changes:
        if damaged:
            damaged[int(place * len(damaged))] = byte
    rows, code = attempt(
        lambda: [sheet.rows for sheet in read_workbook(bytes(damaged), Where(file="x")).sheets]
    )
    assert (rows is None) is (code is not None)
    assert code != "parse"


@QUICK
@given(st.lists(st.lists(TEXT, min_size=1, max_size=5), min_size=1, max_size=8))
def test_no_cell_of_a_csv_file_is_lost_or_invented(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["first", "row"], *rows])
    content = out.getvalue().encode(errors="replace")
    book, code = attempt(lambda: read_workbook(content, Where(file="x.csv")))
    if book is None:
        assert code == "not_a_workbook"  # a control character is not text
        return
    read = [[cell or "" for cell in row] for row in book.sheets[0].rows]
    assert read == [["first", "row"], *rows]


@settings(deadline=4000)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 60), st.integers(0, 30)),
        st.floats(-1e9, 1e9, allow_nan=False),
        min_size=1,
        max_size=20,
    )
)
def test_every_number_of_an_xlsx_file_is_in_its_cell(cells: dict[tuple[int, int], float]) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for (row, column), value in cells.items():
        sheet.write_number(row, column, value)
    book.close()
    read = read_workbook(out.getvalue(), Where(file="x.xlsx")).sheets[0]
    held = {
        (r, c): value
        for r, row in enumerate(read.rows)
        for c, value in enumerate(row)
        if value is not None
    }
    assert held.keys() == cells.keys()
    for place, value in cells.items():
        assert abs(float(str(held[place])) - value) <= abs(value) * 1e-14


@QUICK
@given(CELLS, st.booleans())
@example("1e400", True)
@example("[c][c][c]", True)
@example("[low", True)
def test_a_cell_is_a_number_it_prints_or_nothing(cell: object, thousands: bool) -> None:
    reading, code = attempt(lambda: parse_value(cell, thousands=thousands))  # type: ignore[arg-type]
    if reading is None:
        assert code in ("unknown_symbol", "decimal_comma", "not_a_number")
        return
    if reading.value is None:
        assert reading.status != "published"
        return
    assert reading.status in ("published", "low_reliability")
    if isinstance(cell, str):
        assert reading.note is not None
        digits = re.sub(r"\[[^\]]*\]|[,%\s\u200b-\u200f\u2060\ufeff\u00ad]", "", cell)
        digits = re.sub("[\u00b9\u00b2\u00b3\u2070-\u2079]", "", digits)
        assert float(digits.replace("\u2212", "-")) == reading.value
    else:
        assert reading.value == float(cell)  # type: ignore[arg-type]


@QUICK
@given(st.floats(-1e12, 1e12, allow_nan=False))
def test_every_number_printed_plainly_is_read(value: float) -> None:
    assert parse_value(repr(value), thousands=False).value == value
    assert parse_value(f"{value!r} [r]", thousands=False).value == value


WANTED = {
    "a": Wanted("Name", (r"name",)),
    "b": Wanted("Value", (r"value.*",)),
    "c": Wanted("Base", (r"base",), False),
}
LABELS = st.one_of(CELLS, st.sampled_from(["Name", "name ", "Value", "value [note 1]", "BASE"]))


@QUICK
@given(st.lists(st.lists(LABELS, max_size=6), max_size=10))
def test_a_header_has_the_labels_or_is_refused(rows: list[list[object]]) -> None:
    sheet = Sheet("S", tuple(tuple(row) for row in rows))  # type: ignore[arg-type]
    found, code = attempt(lambda: find_header(sheet, WANTED, Where()))
    if found is None:
        assert code in (
            "header_not_found",
            "missing_column",
            "ambiguous_column",
            "ambiguous_header",
        )
        return
    row = sheet.rows[found.row_number - 1]
    assert normalise_label(row[found.columns["a"]]).startswith("name")
    assert normalise_label(row[found.columns["b"]]).startswith("value")
    assert len(set(found.columns.values())) == len(found.columns)


@QUICK
@given(st.integers(0, 20_000))
def test_column_letters_go_there_and_back(index: int) -> None:
    assert column_index(column_letter(index)) == index


@QUICK
@given(TEXT)
def test_a_normalised_label_has_single_spaces_and_no_case(text: str) -> None:
    label = normalise_label(text)
    assert label == " ".join(label.split())
    assert normalise_label(f"  {text} [note 12] ") == label
