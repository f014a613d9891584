"""The spreadsheets of a release: the rules for releasing statistics, and the marts they come from."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from odf import opendocument, style, table

from tests.exports.read_back import Grid, grids, table_of
from warehouse.connection import reading
from warehouse.release import Manifest
from warehouse.workspace import Workspace
from warehouse.writers.read import read_model
from warehouse.writers.sheets import NOTES, build_sheets
from warehouse.writers.spreadsheet import write_spreadsheets

pytestmark = pytest.mark.slow

GOALS = {
    "Connected": "connected",
    "Supportive": "supportive",
    "Inclusive": "inclusive",
    "Equitable": "equitable",
}
LEAD = "E47000007"
SHORTHAND = re.compile(r"^(\[[a-z]+\])+$")


@pytest.fixture(scope="module")
def ods(exported: Path) -> dict[str, Grid]:
    return grids(exported / "spreadsheet" / "pulse.ods")


@pytest.fixture(scope="module")
def xlsx(exported: Path) -> dict[str, Grid]:
    return grids(exported / "spreadsheet" / "pulse.xlsx")


def test_both_forms_hold_the_same_cells(ods: dict[str, Grid], xlsx: dict[str, Grid]) -> None:
    assert list(ods) == list(xlsx)
    for name in ods:
        assert ods[name] == xlsx[name], name


def test_the_order_of_sheets(ods: dict[str, Grid]) -> None:
    assert list(ods)[:3] == ["Cover", "Contents", "Notes"]
    assert set(GOALS) < set(ods)
    _, listed = table_of(ods["Contents"])
    assert [row["Worksheet"] for row in listed] == list(ods)[2:]
    for row in listed:
        assert row["Title"] == ods[str(row["Worksheet"])][0][0]
        assert row["Rows"] == len(table_of(ods[str(row["Worksheet"])])[1])


def test_every_sheet_starts_in_a1_and_says_that_it_has_one_table(ods: dict[str, Grid]) -> None:
    for name, grid in ods.items():
        assert grid[0][0], name
        if name == "Cover":
            continue
        assert grid[1] == ["This worksheet contains one table."], name
        assert str(grid[2][0]).startswith("Source: "), name


def test_no_row_column_or_cell_is_empty(ods: dict[str, Grid]) -> None:
    for name, grid in ods.items():
        assert all(row for row in grid), name
        if name == "Cover":
            assert {len(row) for row in grid} == {1}
            continue
        headers, rows = table_of(grid)
        assert len(set(headers)) == len(headers), name
        for row in rows:
            assert all(value != "" for value in row.values()), (name, row)


def test_notes_are_numbered_and_those_named_exist(ods: dict[str, Grid]) -> None:
    _, notes = table_of(ods["Notes"])
    assert [row["Note number"] for row in notes] == list(range(1, len(NOTES) + 1))
    used: set[int] = set()
    for name, grid in ods.items():
        for row in grid[:6]:
            if isinstance(row[0], str) and row[0].startswith("Read with note"):
                found = [int(number) for number in re.findall(r"\d+", row[0])]
                assert found == sorted(found), name
                used |= set(found)
    # Note 1 is about everything.
    assert used | {1} == set(range(1, len(NOTES) + 1))


def test_every_symbol_is_explained_above_its_table_and_in_the_list(ods: dict[str, Grid]) -> None:
    _, listed = table_of(ods["Shorthand"])
    known = {row["Symbol"] for row in listed}
    assert {"[x]", "[z]", "[c]", "[e]", "[b]", "[u]"} <= known
    for name, grid in ods.items():
        if name in ("Cover", "Shorthand"):
            continue
        _, rows = table_of(grid)
        used = {
            symbol
            for row in rows
            for value in row.values()
            if isinstance(value, str) and SHORTHAND.match(value)
            for symbol in re.findall(r"\[[a-z]+\]", value)
        }
        assert used <= known, name
        above = " ".join(str(row[0]) for row in grid[:6] if len(row) == 1)
        for symbol in used:
            assert f"{symbol} " in above, (name, symbol)


def test_the_cover_states_what_this_is(ods: dict[str, Grid]) -> None:
    text = "\n".join(str(row[0]) for row in ods["Cover"])
    assert "Analysis of official statistics, not itself official statistics" in text
    assert "Open Government Licence v3.0" in text
    assert "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/" in text
    assert "{" not in text


def test_numbers_are_numbers_and_dates_are_iso(ods: dict[str, Grid]) -> None:
    figures = 0
    for name in GOALS:
        _, rows = table_of(ods[name])
        for row in rows:
            value = row["Index score" if name == "Equitable" else "Percentage"]
            assert isinstance(value, (int, float)) or SHORTHAND.match(str(value)), (name, value)
            figures += isinstance(value, (int, float))
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(row["Period to"]))
    assert figures > 50


@pytest.mark.parametrize("sheet", GOALS)
def test_a_goal_is_its_mart(
    sheet: str, ods: dict[str, Grid], warehouse: duckdb.DuckDBPyConnection
) -> None:
    """Row for row: the lead authority, its members, England, their region, all of its kind."""
    expected = {
        (title, code): (value, lower, upper, origin, status, key, digits)
        for title, code, value, lower, upper, origin, status, key, digits in warehouse.execute(
            """
            with areas as (
                select area_code from marts.authority_profiles
                where combined_authority_code = $lead
                union
                select region_code from marts.authority_profiles
                where combined_authority_code = $lead
                union
                select area_code from reference.areas
                where area_level = 'cauth' and valid_to is null
                union
                select 'E92000001'
            ),

            whole as (
                select
                    barometer_id, edition,
                    count(*) filter (
                        value <> floor(value) or lower_95 <> floor(lower_95)
                        or upper_95 <> floor(upper_95)
                    ) = 0 as is_whole
                from marts.barometers
                where origin <> 'derived'
                group by all
            )

            select
                d.short_title, b.area_code, b.value, b.lower_95, b.upper_95, b.origin, b.status,
                b.provenance_id,
                case when b.unit = 'z_score' then 6 when is_whole then 0 else 1 end
            from marts.barometers as b
            inner join (from meta.indicator_roles where is_report) as d using (barometer_id)
            left join whole on b.barometer_id = whole.barometer_id and b.edition = whole.edition
            where b.is_latest and b.goal_id = $goal
            and b.area_code in (select area_code from areas)
            """,
            {"lead": LEAD, "goal": GOALS[sheet]},
        ).fetchall()
    }
    _, rows = table_of(ods[sheet])
    assert len(rows) == len(expected)
    column = "Index score" if sheet == "Equitable" else "Percentage"
    for row in rows:
        value, lower, upper, origin, status, key, digits = expected.pop(
            (str(row["Barometer"]), str(row["Area code"]))
        )
        _holds(row[column], value, digits)
        if sheet != "Equitable":
            _holds(row["Lower 95% limit"], lower, digits)
            _holds(row["Upper 95% limit"], upper, digits)
        assert ("[e]" in str(row["Shorthand"])) == (origin == "derived"), row
        if value is None:
            symbol = {"not_applicable": "[z]", "suppressed": "[c]"}.get(status, "[x]")
            assert row[column] == symbol
            assert row["Why there is no figure"] != "[z]"
        else:
            assert row["Key of the figure"] == key
    assert not expected


def test_every_computed_combined_authority_is_marked(
    ods: dict[str, Grid], warehouse: duckdb.DuckDBPyConnection
) -> None:
    derived = {
        (title, code)
        for title, code in warehouse.execute(
            "select d.short_title, b.area_code from marts.barometers as b "
            "inner join (from meta.indicator_roles where is_report) as d using (barometer_id) "
            "where b.is_latest and b.area_level = 'cauth' and b.origin = 'derived'"
        ).fetchall()
    }
    assert derived
    _, rows = table_of(ods["Combined_authorities"])
    marked = {
        (str(row["Barometer"]), str(row["Area code"]))
        for row in rows
        if "[e]" in str(row["Shorthand"])
    }
    assert marked == derived
    for row in rows:
        made = isinstance(row["Estimate made here"], (int, float))
        assert (row["Shorthand of the estimate"] == "[e]") == made


def test_comparisons_and_changes_are_their_marts(
    ods: dict[str, Grid], warehouse: duckdb.DuckDBPyConnection
) -> None:
    near = (
        "(area_code = $lead or area_code in (select area_code from marts.authority_profiles "
        "where combined_authority_code = $lead))"
    )
    compared = Counter(
        warehouse.execute(
            f"""
            select
                d.short_title, c.area_code, coalesce(c.comparator_code, '[z]'),
                round(c.z, 1) from marts.comparisons as c
            inner join (from meta.indicator_roles where is_report) as d using (barometer_id)
            semi join (
                select barometer_id, area_code, edition, period_end from marts.barometers
                where is_latest and value is not null
            ) as b using (barometer_id, area_code, edition, period_end)
            where {near} and c.unit = 'percent'
            """,
            {"lead": LEAD},
        ).fetchall()
    )
    _, rows = table_of(ods["Comparisons"])
    found = Counter((row["Barometer"], row["Area code"], row["Code of the other"]) for row in rows)
    assert found == Counter(key[:3] for key in compared.elements())
    assert sum(isinstance(row["z"], (int, float)) for row in rows) == sum(
        count for key, count in compared.items() if key[3] is not None
    )
    changed = warehouse.execute(
        f"select count(*), count(*) filter (grade = 'block'), count(difference) from marts.changes "
        f"where ({near} or area_code = 'E92000001') and role != 'context'",
        {"lead": LEAD},
    ).fetchone()
    _, rows = table_of(ods["Changes"])
    assert changed == (
        len(rows),
        sum(row["Shorthand"] == "[b]" for row in rows),
        sum(isinstance(row["Difference in points"], (int, float)) for row in rows),
    )


def test_claims_editions_gaps_and_checks_are_all_there(
    ods: dict[str, Grid], warehouse: duckdb.DuckDBPyConnection
) -> None:
    for sheet, source in {
        "Report_claims": "marts.report_reconciliation",
        "Barometers": "(from meta.indicator_roles where role != 'context')",
        "Breaks": "reference.series_breaks",
        "Editions": "meta.editions",
        "Gaps": "meta.gap_reasons",
        "Checks": "meta.checks",
    }.items():
        counted = warehouse.execute(f"select count(*) from {source}").fetchone()
        assert counted == (len(table_of(ods[sheet])[1]),), sheet
    verdicts = Counter(
        verdict.replace("_", " ").capitalize()
        for (verdict,) in warehouse.execute(
            "select verdict from marts.report_reconciliation"
        ).fetchall()
    )
    assert verdicts == Counter(row["Verdict"] for row in table_of(ods["Report_claims"])[1])


def test_every_key_of_a_figure_leads_to_its_source(ods: dict[str, Grid]) -> None:
    keys = {
        row["Key of the figure"]
        for name in (*GOALS, "Combined_authorities")
        for row in table_of(ods[name])[1]
        if not SHORTHAND.match(str(row["Key of the figure"]))
    }
    assert keys
    _, rows = table_of(ods["Provenance"])
    assert keys == {row["Key of the figure"] for row in rows}
    for row in rows:
        assert row["Citation"] != "[z]" or (row["Sheet"] != "[z]" and row["Row"] != "[z]"), row


def test_the_xlsx_is_marked_up_as_the_rules_ask(exported: Path) -> None:
    book = openpyxl.load_workbook(exported / "spreadsheet" / "pulse.xlsx")
    assert book.properties.title.startswith("Barometers of inclusive communities")
    assert book.properties.creator == "Pulse"
    assert book.properties.language == "en-GB"
    assert book.active.title == "Cover"
    assert book.active.sheet_view.selection[0].activeCell == "A1"
    for sheet in book.worksheets:
        assert not sheet.merged_cells.ranges, sheet.title
        assert sheet.freeze_panes is None, sheet.title
        assert sheet.auto_filter.ref is None, sheet.title
        assert not sheet._images, sheet.title
        assert not sheet._charts, sheet.title
        assert sheet.sheet_state == "visible", sheet.title
        assert sheet["A1"].font.name == "Arial", sheet.title
        assert (sheet["A1"].font.size, sheet["A1"].font.bold) == (16, True), sheet.title
        fonts = {
            (cell.font.name, cell.font.size) for row in sheet.iter_rows(min_row=2) for cell in row
        }
        assert fonts == {("Arial", 12)}, sheet.title
        if sheet.title == "Cover":
            assert not sheet.tables
            continue
        (marked,) = sheet.tables.values()
        assert marked.autoFilter is None, sheet.title
        assert marked.headerRowCount == 1, sheet.title
        first, last = marked.ref.split(":")
        assert first[0] == "A", sheet.title
        assert last == f"{openpyxl.utils.get_column_letter(sheet.max_column)}{sheet.max_row}"
        header_row = int(first[1:])
        headers = [cell.value for cell in sheet[header_row]]
        assert headers == [column.name for column in marked.tableColumns], sheet.title
        for row in sheet.iter_rows(min_row=header_row, max_row=header_row + 3):
            for cell in row:
                if cell.data_type == "s":
                    assert cell.alignment.wrap_text, (sheet.title, cell.coordinate)


def test_the_ods_is_marked_up_as_the_rules_ask(exported: Path) -> None:
    document = opendocument.load(str(exported / "spreadsheet" / "pulse.ods"))
    described = {
        element.qname[1]: "".join(str(child) for child in element.childNodes)
        for element in document.meta.childNodes
    }
    assert described["title"].startswith("Barometers of inclusive communities")
    assert (described["creator"], described["language"]) == ("Pulse", "en-GB")
    sheets = document.spreadsheet.getElementsByType(table.Table)
    ranges = {
        element.getAttribute("name"): element
        for element in document.spreadsheet.getElementsByType(table.DatabaseRange)
    }
    assert len(ranges) == len(sheets) - 1
    assert not document.spreadsheet.getElementsByType(table.CoveredTableCell)
    for sheet in sheets:
        name = sheet.getAttribute("name")
        for cell in sheet.getElementsByType(table.TableCell):
            assert cell.getAttribute("numbercolumnsspanned") is None, name
            assert cell.getAttribute("numberrowsspanned") is None, name
            assert cell.getAttribute("formula") is None, name
        if name == "Cover":
            continue
        marked = ranges[name.lower()]
        assert marked.getAttribute("displayfilterbuttons") == "false"
        assert marked.getAttribute("containsheader") == "true"
        rows = sheet.getElementsByType(table.TableRow)
        assert marked.getAttribute("targetrangeaddress").endswith(str(len(rows))), name
    cells = {
        element.getAttribute("name"): element.getElementsByType(style.TextProperties)[0]
        for element in document.automaticstyles.getElementsByType(style.Style)
        if element.getAttribute("family") == "table-cell"
    }
    assert {text.getAttribute("fontname") for text in cells.values()} == {"Arial"}
    assert cells["title"].getAttribute("fontsize") == "16pt"
    assert cells["title"].getAttribute("fontweight") == "bold"
    assert {text.getAttribute("fontsize") for name, text in cells.items() if name != "title"} == {
        "12pt"
    }


def test_a_second_writing_gives_the_same_bytes(
    exported: Path, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = Manifest.read(exported.parent).content_sha256
    model = read_model(warehouse)
    for path in write_spreadsheets(warehouse, model, tmp_path, content_sha256=content):
        assert path.read_bytes() == (exported / "spreadsheet" / path.name).read_bytes()


def test_hostile_marts_stay_text(own_workspace: Any, tmp_path: Path) -> None:
    """An area's name, a reason and a citation that want to be formulas."""
    from warehouse.connection import writing

    workspace: Workspace = own_workspace()
    warehouse = shutil.copyfile(workspace.warehouse_file, tmp_path / "pulse.duckdb")
    with writing(warehouse) as connection:
        connection.execute("update marts.barometers set area_name = '=1+1', status_reason = '@x'")
        connection.execute("update marts.provenance set citation = '+A1'")
    with reading(warehouse) as connection:
        book = build_sheets(connection, read_model(connection), content_sha256="0" * 64)
    from warehouse.writers.spreadsheet import write_ods, write_xlsx

    read = grids(write_xlsx(book, tmp_path / "book.xlsx"))
    assert {row["Area"] for row in table_of(read["Connected"])[1]} == {"=1+1"}
    assert read == grids(write_ods(book, tmp_path / "book.ods"))
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Connected"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def _holds(shown: object, value: float | None, digits: int) -> None:
    if value is None:
        assert isinstance(shown, str)
        assert SHORTHAND.match(shown)
        return
    assert isinstance(shown, (int, float)), shown
    assert abs(shown - value) <= 0.5 * 10**-digits + 1e-9
    assert round(shown, digits) == shown
