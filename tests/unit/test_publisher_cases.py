"""Kinds of fault met in publisher files, planted in small ones; and the case files themselves."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sources.contract import check_rows
from sources.errors import ParseError
from sources.parsers import Parsed
from tests.lazy import lazy
from tests.publisher_files import FEW, area_book, attempt, catalogue, codes, parse, plain, write
from tests.reference_data import CASES, needs_cases

openpyxl = lazy("openpyxl")

CLS, PS = FEW, "dcms_participation"
Change = Callable[[Any], object]


def edited(change: Change) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(write(CLS, "2023-24")))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(change: Callable[[str], str]) -> bytes:
    """The content.xml of a small ODS workbook, changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(write(CLS, "2023-24", form="ods"))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data.decode()).encode() if name == "content.xml" else data)
    return out.getvalue()


def walsall(cell: str) -> Callable[[str], str]:
    """Put other markup in place of Walsall's first percentage of sheet B4c."""

    def change(text: str) -> str:
        name = text.index("Walsall", text.index('"B4c"'))
        start = text.index("<table:table-cell", name)
        end = text.index("</table:table-cell>", start) + len("</table:table-cell>")
        return text[:start] + cell + text[end:]

    return change


def place(sheet: str, column: str, value: object, row: int = 12) -> Change:
    return lambda book: book[sheet].__setitem__(f"{column}{row}", value)


def append(sheet: str, name: str, code: str | None) -> Change:
    return lambda book: book[sheet].append([None, name, 41, 39, 43, 800, 1950, code])


def refused(content: bytes) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(CLS, "2023-24", content)
    assert caught.value.todo
    return caught.value


FLOAT = '<table:table-cell office:value-type="float"'
CALCEXT = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "formula without a result": ("unreadable_cells", lambda: edited(place("B4c", "C", "=1+1"))),
    "error value": ("unreadable_cells", lambda: edited(place("X9c", "D", "#REF!"))),
    "ODS error value": (
        "unreadable_cells",
        lambda: ods(
            walsall(
                f'<table:table-cell office:value-type="string" {CALCEXT} calcext:value-type="error">'
                "<text:p>#DIV/0!</text:p></table:table-cell>"
            )
        ),
    ),
    "ODS prefix without a namespace": (
        "damaged_workbook",
        lambda: ods(walsall('<table:table-cell calcext:value-type="error"/>')),
    ),
    "ODS number without a value": ("unreadable_cells", lambda: ods(walsall(f"{FLOAT}/>"))),
    "ODS decimal comma": (
        "unreadable_cells",
        lambda: ods(walsall(f'{FLOAT} office:value="61,1"/>')),
    ),
    "fraction": ("row_contradicts_itself", lambda: edited(place("B4c", "C", 0.411))),
    "blank beside figures": ("blank_beside_figures", lambda: edited(place("B3c", "C", None))),
    "blank column": (
        "mostly_blank",
        lambda: edited(lambda b: [place("B4c", "C", None, row)(b) for row in range(10, 22)]),
    ),
    "another response": (
        "wrong_response",
        lambda: edited(place("B4c", "A", "Response: Some of the people can be trusted", 7)),
    ),
    "another question": (
        "wrong_question",
        lambda: edited(place("X9c", "A", "How lonely people in a civic parish feel", 9)),
    ),
    "a column of groups": (
        "divided_table",
        lambda: edited(lambda b: [place("B4c", "J", "Sex", 8)(b), place("B4c", "J", "Female")(b)]),
    ),
    "area abroad": ("outside_country", lambda: edited(append("B4c", "Cardiff", "W06000015"))),
    "nation abroad": ("outside_country", lambda: edited(append("B4c", "Wales", None))),
    "many unknown areas": (
        "unknown_area",
        lambda: edited(lambda b: [append("B4c", f"Nowhere {n}", None)(b) for n in range(4)]),
    ),
    "three sheets gone": (
        "missing_sheet",
        lambda: edited(lambda b: [b.remove(b[name]) for name in ("B4c", "B1c", "X9c")]),
    ),
}


# Each needs a workbook of its own. Kinds that are near one of the others are slow tests.
NEAR = {"error value", "nation abroad", "another response", "blank column", "many unknown areas"}
NEAR |= {"sheet gone", "sheet renamed", "ODS decimal comma", "another question"}


def kinds(cases: Iterable[str]) -> list[Any]:
    return [pytest.param(kind, marks=[pytest.mark.slow] * (kind in NEAR)) for kind in cases]


@pytest.mark.parametrize("kind", kinds(REFUSED))
def test_what_contradicts_itself_or_cannot_be_read_is_refused(kind: str) -> None:
    code, make = REFUSED[kind]
    assert refused(make()).code == code


def test_all_faults_of_a_file_are_in_one_error() -> None:
    error = refused(edited(lambda b: [place("B3c", "C", "[q]")(b), place("X9c", "C", None)(b)]))
    assert "2 kinds of fault" in str(error)
    assert "B3c" in str(error)
    assert "X9c" in str(error)


WARNED: dict[str, tuple[str, Change]] = {
    "subtotal": ("unknown_area", append("B4c", "Metropolitan districts", None)),
    "base gone": ("incomplete_row", place("B4c", "G", None)),
    "limits of 99 percent": (
        "missing_column",
        place("B4c", "D", "2023/24 Lower 99% Estimate percentage (%)", 8),
    ),
    "weighted base only": ("missing_column", place("B4c", "G", "2023/24 Weighted Base", 8)),
    "symbol beside limits": ("limits_beside_symbol", place("B4c", "C", "[c]")),
    "sheet gone": ("missing_sheet", lambda book: book.remove(book["B17c"])),
    "sheet renamed": ("sheet_renamed", lambda book: setattr(book["B17c"], "title", "B18c")),
}


@pytest.mark.parametrize("kind", kinds(WARNED))
def test_a_loss_within_the_allowance_is_a_warning(kind: str) -> None:
    code, change = WARNED[kind]
    found = parse(CLS, "2023-24", edited(change)).findings
    assert [(finding.code, finding.severity) for finding in found] == [(code, "warning")]


def test_a_kind_of_area_that_is_not_used_is_left_out_with_a_note() -> None:
    parsed = parse(CLS, "2023-24", edited(append("B4c", "Inner London", "E13000001")))
    assert "level_left_out" in codes(parsed)
    assert "E13000001" not in set(parsed.rows["area_code"])


def same_rows(left: Parsed, right: Parsed) -> bool:
    return left.rows["value"].tolist() == right.rows["value"].tolist()


@pytest.mark.slow
def test_empty_cells_and_white_space_far_out_change_nothing() -> None:
    for sheet, text in (("B4c", " "), ("Notes", "x")):
        far = edited(lambda b, s=sheet, t=text: b[s].cell(1_048_576, 16_384, t))  # type: ignore[misc]
        assert same_rows(plain(CLS, "2023-24"), parse(CLS, "2023-24", far))
    between = ods(lambda text: re.sub(r"(</table:table-cell>|</table:table-row>)", r"\1\n ", text))
    assert same_rows(plain(CLS, "2023-24"), parse(CLS, "2023-24", between))


def test_columns_of_the_year_before_and_of_change_are_not_read() -> None:
    labels = ("21/22 Percentage (%)", " 21/22 Lower Estimate percentage (%)", "21/22 Upper", "Base")
    labels = (*labels[:3], "21/22 Unweighted Base", "Change between 2021/22 and 2023/24")

    def add(book: openpyxl.Workbook) -> None:
        for number, label in enumerate(labels, 10):
            book["B4b"].cell(7, number, label)
            book["B4b"].cell(8, number, 11)

    assert same_rows(plain(CLS, "2023-24"), parse(CLS, "2023-24", edited(add)))


def test_a_year_that_is_printed_once_above_its_columns_is_theirs() -> None:
    """An older block in front, and of both only the year above it says which it is of."""

    def add(book: openpyxl.Workbook) -> None:
        sheet = book["B4c"]
        sheet.insert_cols(3, 5)
        sheet["C7"], sheet["H7"] = "2021 to 2022", "2023 to 2024"
        for row in sheet.iter_rows(min_row=8, max_col=12):
            for older, newer in zip(row[2:7], row[7:], strict=True):
                if isinstance(newer.value, str) and newer.row == 8:
                    newer.value = newer.value.replace("2023/24 ", "")
                older.value = newer.value
                if newer.row > 8 and older.column < 6 and isinstance(newer.value, float):
                    older.value = newer.value + 1

    parsed = parse(CLS, "2023-24", edited(add))
    assert same_rows(plain(CLS, "2023-24"), parsed)
    assert "other_editions_beside" in codes(parsed)


def test_hidden_sheets_are_not_read() -> None:
    def copy(book: openpyxl.Workbook) -> None:
        older = book.copy_worksheet(book["B4c"])
        older.title, older.sheet_state = "Table B4c", "veryHidden"

    hidden = parse(CLS, "2023-24", edited(copy))
    assert same_rows(plain(CLS, "2023-24"), hidden)
    assert "hidden_sheet" in codes(hidden)
    style = (
        '<office:automatic-styles><style:style xmlns:style="urn:oasis:names:tc:opendocument:xmlns:'
        'style:1.0" style:name="ta9"><style:table-properties table:display="false"/></style:style>'
        "</office:automatic-styles><office:body>"
    )
    marked = ods(
        lambda text: text.replace("<office:body>", style).replace(
            'table:name="Notes"', 'table:name="Notes" table:style-name="ta9"'
        )
    )
    (note,) = [each for each in parse(CLS, "2023-24", marked).notes if each.code == "hidden_sheet"]
    assert note.message == "Hidden sheets are not read: Notes."


def test_an_index_file_of_an_unknown_layout_names_what_was_looked_for() -> None:
    content = b"Ind_code,Ind_name,Area_name,Value,Quintile\nCI1,Promising prospects,West,0.1,2\n"
    for edition in ("2024", "2025"):
        with pytest.raises(ParseError) as caught:
            parse("smc_promising_prospects", edition, content)
        assert caught.value.code == "unknown_layout"
        assert "measure_title" in str(caught.value)


CASE_OUTCOMES = {
    "01/tables.xlsx": "unreadable_cells",
    "03/one.xlsx": "row_contradicts_itself",
    "08/cover.xlsx": "",
    "08/table.xlsx": "",
    "08/stray_space.ods": "",
    "09/comma.ods": "unreadable_cells",
    "09/pretty.ods": "",
    "12/tables.xlsx": "interval_excludes_value",
    "13/tables.xlsx": "area_not_listed",
    "14/all.xlsx": "mostly_blank",
    "14/one.xlsx": "blank_beside_figures",
    "15/tables.xlsx": "unexpected_level",
    "19/tables.xlsx": "wrong_response",
}


@needs_cases
@pytest.mark.slow
@pytest.mark.parametrize("name", CASE_OUTCOMES)
def test_case_file_has_its_outcome(name: str) -> None:
    content = (CASES / name).read_bytes()
    entry = catalogue().dataset("dcms_community_life")
    parsed, code = attempt(lambda: parse(entry.code, "2023-24", content, name=name))
    if parsed is None:
        assert code == CASE_OUTCOMES[name]
        return
    found = check_rows(parsed.rows, entry, entry.edition("2023-24"), area_book())
    found = [*parsed.findings, *found]
    assert [finding.message for finding in found if finding.severity == "error"] == []
    assert {finding.code for finding in found} == ({CASE_OUTCOMES[name]} - {""})
