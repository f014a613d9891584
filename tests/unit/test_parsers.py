"""The parsers: each layout's turns, and the publishers' own files where there are copies."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sources.errors import ParseError
from sources.observation import MembershipModel, ObservationModel
from sources.parsers import PARSERS, Parsed
from tests.lazy import lazy
from tests.publisher_files import FEW, Cells, catalogue, codes, entry_of, parse, plain, write
from tests.reference_data import REFERENCE_DATA, needs_reference_data

openpyxl = lazy("openpyxl")

CLS = FEW
PS = "dcms_participation"


def edited(content: bytes, change: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def refused(dataset: str, edition: str, content: bytes) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(dataset, edition, content)
    assert caught.value.dataset == entry_of(dataset).code
    assert caught.value.edition == edition
    assert caught.value.todo
    return caught.value


def test_every_parser_that_the_catalogue_names_is_there() -> None:
    named = {entry.parser for entry in catalogue().datasets.values() if entry.parser}
    assert named == set(PARSERS)
    assert all(callable(parser) for parser in PARSERS.values())


@pytest.mark.slow
@pytest.mark.parametrize("dataset", [c for c, d in catalogue().datasets.items() if d.parser])
def test_whole_made_up_editions_meet_the_tidy_model(dataset: str) -> None:
    entry = catalogue().dataset(dataset)
    edition = entry.editions[-1].edition
    parsed = parse(dataset, edition, write(dataset, edition, whole=True))
    model = ObservationModel if entry.shape == "observations" else MembershipModel
    model.validate(parsed.rows)


@pytest.mark.slow
def test_xlsx_and_ods_of_one_edition_hold_the_same_rows() -> None:
    both = [parse(CLS, "2023-24", write(CLS, "2023-24", form=form)) for form in ("xlsx", "ods")]
    left, right = (p.rows.drop(columns=["revision", "file_sha256"]) for p in both)
    pd.testing.assert_frame_equal(left, right)


def test_response_is_chosen_by_its_label_and_blank_labels_continue_it() -> None:
    content = write(CLS, "2023-24")

    def blank(book: openpyxl.Workbook) -> None:
        for name in book.sheetnames:
            if name.endswith("b"):
                last = None
                for row in book[name].iter_rows(min_row=8):
                    if row[1].value == last:
                        row[1].value = None
                    else:
                        last = row[1].value

    filled = parse(CLS, "2023-24", edited(content, blank))
    assert plain(CLS, "2023-24").rows["value"].tolist() == filled.rows["value"].tolist()


@pytest.mark.parametrize(("dataset", "sheet", "topic"), [(CLS, "B4b", "C"), (PS, "Table_A2", "A")])
def test_rows_by_topic_are_england_by_group_and_other_topics_are_noted(
    dataset: str, sheet: str, topic: str
) -> None:
    """Whatever a topic is called or holds, the figures of everybody are as they were."""
    content = write(dataset, "2023-24", form="xlsx")
    before = parse(dataset, "2023-24", content)
    of_groups = before.rows[before.rows["breakdown"].ne("all")]
    assert set(of_groups["breakdown"]) == {"age", "sex", "disability", "ethnicity", "deprivation"}
    assert set(of_groups["area_code"]) == {"E92000001"}
    first = of_groups[of_groups["sheet"].eq(sheet)]
    ages = ["16 to 24", "25 to 49", "50 to 64", "65 and over"]
    assert first["category"].head(5).tolist() == [*ages, "Female"]
    assert first["base"].gt(0).all()
    (left_out,) = [note for note in before.notes if note.code == "breakdown_left_out"]
    assert left_out.message == (
        "Rows by housing tenure are left out: the layout's topics do not name them."
    )

    def change(book: openpyxl.Workbook) -> None:
        rows = [cell for cell in book[sheet][topic] if cell.value in ("Sex", "Deprivation")]
        for cell in rows:
            # One topic that nobody knows, and one that is named as another of the sheet is.
            cell.value = "Star sign" if cell.value == "Sex" else "Age group (detailed)"

    after = parse(dataset, "2023-24", edited(content, change))
    mine = after.rows[after.rows["sheet"].eq(sheet)]
    assert set(mine["breakdown"]) == {"all", "age", "disability", "ethnicity"}
    noted = " ".join(note.message for note in after.notes if note.code == "breakdown_left_out")
    assert "Rows by star sign, age group (detailed), housing tenure are left out" in noted
    same = [each.rows[each.rows["breakdown"].eq("all")] for each in (before, after)]
    columns = ["measure", "area_code", "value", "base", "row_number"]
    left, right = (rows[columns].reset_index(drop=True) for rows in same)
    pd.testing.assert_frame_equal(left, right)


def test_an_unknown_response_is_refused_with_those_found() -> None:
    def reword(book: openpyxl.Workbook) -> None:
        for row in book["B4b"].iter_rows(min_row=8):
            if str(row[1].value).startswith("Many"):
                row[1].value = "Most people can be trusted"

    parsed = parse(CLS, "2023-24", edited(write(CLS, "2023-24"), reword))
    (warning,) = [f for f in parsed.findings if f.code == "missing_response"]
    assert "most people can be trusted" in warning.message
    trust = parsed.rows[parsed.rows["measure"] == "trust_in_neighbours"]
    assert "itl1" not in set(trust["area_level"])


def test_a_renumbered_table_is_found_by_its_title_or_left_out() -> None:
    def renumber(book: openpyxl.Workbook) -> None:
        book["B16c"].title, book["B17c"].title = "swap", "B16c"
        book["swap"].title = "B17c"

    content = write(CLS, "2023-24")
    found = parse(CLS, "2023-24", edited(content, renumber))
    assert plain(CLS, "2023-24").rows["value"].tolist() == found.rows["value"].tolist()
    assert [finding.code for finding in found.findings] == ["sheet_renamed"] * 2

    def retitle(book: openpyxl.Workbook) -> None:
        book["B16c"]["A1"] = "Table B16c: Loneliness, by local authority, 2023/24"
        book["B16c"]["A9"] = "How often people feel lonely"

    left = parse(CLS, "2023-24", edited(content, retitle))
    assert [(f.code, f.severity) for f in left.findings] == [("wrong_table", "warning")]


@pytest.mark.parametrize(
    ("cell", "by"),
    [
        ("C9", 0.3),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("C9", 5), ("F9", 1), ("G9", -1))
        ),
    ],
)
def test_england_must_be_the_same_in_both_sheets(cell: str, by: float) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["B4c"][cell].value = round(book["B4c"][cell].value + by, 1)

    error = refused(CLS, "2023-24", edited(write(CLS, "2023-24"), change))
    assert error.code == "totals_disagree"
    assert "B4c!C9" in str(error)


def test_england_may_differ_by_rounding() -> None:
    def whole(book: openpyxl.Workbook) -> None:
        for row in book["B4c"].iter_rows(min_row=9, min_col=3, max_col=3):
            row[0].value = round(row[0].value)

    content = edited(write(CLS, "2023-24"), whole)
    assert "totals_differ_by_rounding" in codes(parse(CLS, "2023-24", content))


def test_a_code_beside_the_name_of_another_area_is_refused() -> None:
    def shift(book: openpyxl.Workbook) -> None:
        rows = {row[7].value: row for row in book["B4c"].iter_rows(min_row=10)}
        rows["E08000025"][1].value = "Walsall"

    error = refused(CLS, "2023-24", edited(write(CLS, "2023-24"), shift))
    assert error.code == "code_name_mismatch"


def test_rows_of_combined_authorities_and_regions_in_an_authority_sheet_are_taken() -> None:
    def add(book: openpyxl.Workbook) -> None:
        book["B4c"].append([None, "West Midlands", 41.0, 39.5, 42.5, 1600, 3900, "E47000007", None])
        book["B4c"].append(["Notes: figures are rounded"])

    rows = parse(CLS, "2023-24", edited(write(CLS, "2023-24"), add)).rows
    taken = rows[rows["area_level"] == "cauth"]
    assert taken[["area_code", "value", "base"]].values.tolist() == [["E47000007", 41.0, 3900]]


def test_columns_of_the_edition_are_chosen_among_several() -> None:
    content = write(PS, "2023-24")
    parsed = parse(PS, "2023-24", content)
    assert "other_editions_beside" in codes(parsed)
    regional = parsed.rows[parsed.rows["area_level"] == "itl1"]
    assert set(regional["column_letter"]) == {"C"}
    error = refused(PS, "2024-25", content)
    assert error.code == "wrong_edition"


@pytest.mark.slow
def test_an_edition_that_is_not_in_the_columns_must_be_in_the_title() -> None:
    def unlabel(book: openpyxl.Workbook) -> None:
        for sheet in book.worksheets:
            for row in sheet.iter_rows(min_row=7, max_row=8):
                for cell in row:
                    if isinstance(cell.value, str):
                        cell.value = cell.value.replace("2023/24 ", "")

    content = edited(write(CLS, "2023-24"), unlabel)
    assert "columns_without_edition" in codes(parse(CLS, "2023-24", content))
    assert refused(CLS, "2024-25", content).code == "wrong_edition"


def test_fractions_of_one_become_percentages_exactly() -> None:
    def divide(book: openpyxl.Workbook) -> None:
        for sheet in book.worksheets:
            columns = "EFG" if sheet.title.endswith("b") else "CDE"
            for letter in columns:
                for cell in sheet[letter]:
                    if isinstance(cell.value, (int, float)):
                        cell.value = cell.value / 100

    content = write(CLS, "2023-24")
    whole, divided = plain(CLS, "2023-24"), parse(CLS, "2023-24", edited(content, divide))
    assert "percent_as_fraction" in codes(divided)
    assert whole.rows["value"].tolist() == divided.rows["value"].tolist()
    assert whole.rows["upper_95"].tolist() == divided.rows["upper_95"].tolist()


def test_some_fractions_among_percentages_are_refused() -> None:
    def divide(book: openpyxl.Workbook) -> None:
        for letter in "CDE":
            for cell in book["B4c"][letter][9:13]:
                cell.value = cell.value / 100

    assert refused(CLS, "2023-24", edited(write(CLS, "2023-24"), divide)).code == "mixed_scale"


def smc(title: str, code: str = "ci1") -> bytes:
    content = write("smc_conditions_of_childhood", "2025").decode()
    return content.replace("Conditions of Childhood", title).replace("ci1", code).encode()


def test_an_index_is_known_by_its_title_and_not_by_its_reused_code() -> None:
    assert len(parse("smc_promising_prospects", "2025", smc("Promising Prospects")).rows) > 0
    error = refused("smc_promising_prospects", "2025", smc("Conditions of Childhood"))
    assert error.code == "wrong_file"


def test_a_group_that_contradicts_its_label_or_has_no_value_is_refused() -> None:
    lines = write("smc_conditions_of_childhood", "2025").decode().split("\r\n")
    lines[1] = lines[1][: lines[1].rindex(",")] + (",1" if not lines[1].endswith(",1") else ",2")
    error = refused("smc_conditions_of_childhood", "2025", "\r\n".join(lines).encode())
    assert error.code == "group_mismatch"
    blank = write("smc_conditions_of_childhood", "2025").decode()
    value = str(plain("smc_conditions_of_childhood", "2025").rows["value"][0])
    error = refused("smc_conditions_of_childhood", "2025", blank.replace(value, "", 1).encode())
    assert error.code == "blank_beside_figures"
    percent = blank.replace(value, f"{value}%", 1).encode()
    assert refused("smc_conditions_of_childhood", "2025", percent).code == "wrong_unit"
    women = "\r\n".join(
        [lines[0], *(line.replace(",,,,,", ",,sex,Female,,", 1) for line in lines[1:])]
    )
    assert refused("smc_conditions_of_childhood", "2025", women.encode()).code == "divided_table"


# --- The publishers' own files --------------------------------------------------------------------

SMC_FILES = {
    ("smc_promising_prospects", "2024"): "CI1-2.0-promising",
    ("smc_conditions_of_childhood", "2024"): "CI-1.0-childhood",
    ("smc_youth_labour_market", "2024"): "CI-1.0-labour",
    ("smc_innovation_and_growth", "2024"): "CI-1.0-innovation",
    ("smc_promising_prospects", "2025"): "CI4-3.0",
    ("smc_conditions_of_childhood", "2025"): "CI1-2.0-conditions",
    ("smc_youth_labour_market", "2025"): "CI2-2.0",
    ("smc_innovation_and_growth", "2025"): "CI3-2.0",
}
# Area: z and group of the four indices in the order above, as the methods note prints them.
SMC_2024 = {
    "E08000025": ((-0.375, 3), (-1.437, 2), (-1.549, 1), (0.486, 3)),
    "E08000026": ((-0.870, 3), (-0.638, 3), (-0.790, 3), (0.511, 3)),
    "E08000027": ((-0.234, 3), (-0.819, 3), (-0.571, 3), (0.054, 3)),
    "E08000028": ((-0.827, 3), (-1.935, 1), (-1.334, 2), (-0.128, 3)),
    "E08000029": ((0.205, 3), (0.909, 3), (0.288, 3), (0.453, 3)),
    "E08000030": ((-0.633, 3), (-1.435, 2), (-0.598, 3), (-0.122, 3)),
    "E08000031": ((-0.809, 3), (-1.627, 2), (-0.966, 3), (0.066, 3)),
}
# The last period of each index in 2025.
SMC_2025 = {
    "E08000025": ((-0.463, 4), (-0.818, 3), (-0.562, 3), (0.107, 4)),
    "E08000026": ((-0.543, 3), (-0.572, 3), (-0.381, 4), (0.307, 4)),
    "E08000027": ((0.408, 4), (-0.488, 4), (-0.313, 4), (-0.774, 3)),
    "E08000028": ((-0.793, 3), (-1.647, 1), (-0.869, 3), (-1.025, 2)),
    "E08000029": ((0.852, 5), (1.232, 6), (0.089, 4), (0.340, 4)),
    "E08000030": ((-0.709, 3), (-1.378, 2), (-0.339, 4), (-0.923, 3)),
    "E08000031": ((-0.328, 4), (-1.534, 1), (-0.683, 3), (-0.684, 3)),
}


def published(folder: str, pattern: str) -> Path:
    (path,) = sorted((REFERENCE_DATA / folder).glob(pattern))
    return path


def real(dataset: str, edition: str, path: Path) -> Parsed:
    content = path.read_bytes()
    parsed = parse(dataset, edition, content, name=path.name)
    ObservationModel.validate(parsed.rows)
    cells = Cells(content)
    for row in parsed.rows.to_dict("records"):
        printed = cells(row["sheet"], row["row_number"], row["column_letter"])
        assert float(str(printed)) == row["value"]
    return parsed


@needs_reference_data
@pytest.mark.slow
@pytest.mark.parametrize("edition", ["2024", "2025"])
def test_indices_agree_with_the_methods_note(edition: str) -> None:
    table = SMC_2024 if edition == "2024" else SMC_2025
    datasets = [dataset for dataset, known in SMC_FILES if known == edition]
    for position, dataset in enumerate(datasets):
        path = published(
            f"social_mobility_commission/{edition}", SMC_FILES[dataset, edition] + "*.csv"
        )
        rows = real(dataset, edition, path).rows
        last = rows[rows["period_end"] == rows["period_end"].max()].set_index("area_code")
        assert len(last) == (203 if edition == "2024" else 205)
        for area, figures in table.items():
            z, group = figures[position]
            assert last.loc[area, "value"] == pytest.approx(z, abs=0.00051), (dataset, area)
            assert last.loc[area, "group_number"] == group, (dataset, area)


@needs_reference_data
def test_an_index_file_under_another_index_is_refused() -> None:
    path = published("social_mobility_commission/2025", "CI1-2.0-conditions*.csv")
    assert refused("smc_promising_prospects", "2025", path.read_bytes()).code == "wrong_file"
    assert refused("smc_conditions_of_childhood", "2024", path.read_bytes()).code == "wrong_edition"


@needs_reference_data
def test_the_ons_copy_agrees_with_the_methods_note() -> None:
    path = published("ons_explore_local_statistics", "*.csv")
    parsed = real("ons_local_statistics", "2023-24", path)
    assert {"duplicates_merged", "nominal_period"} <= codes(parsed)
    rows = parsed.rows.set_index(["measure", "area_code"])
    figures = ["value", "lower_95", "upper_95"]
    for measure, area, wanted in (
        ("arts_engagement", "E08000025", [85, 83, 87]),
        ("arts_engagement", "E08000031", [83, 79, 87]),
        ("library_engagement", "E08000029", [22, 18, 26]),
        ("arts_engagement", "E47000007", [86, 84, 87]),
        ("library_engagement", "E47000007", [24, 23, 25]),
        ("arts_engagement", "E92000001", [90, 90, 91]),
        ("library_engagement", "E92000001", [25, 25, 25]),
        ("library_engagement", "E12000005", [23, 23, 24]),
    ):
        assert rows.loc[(measure, area), figures].tolist() == wanted
    assert rows.loc[("arts_engagement", "E12000005"), "value"] == 89
    regional = rows[rows["area_level"] == "itl1"].loc["arts_engagement"]
    assert len(regional) == 9
    assert (regional["lower_95"] == regional["upper_95"]).all(), "left to the correction"
    assert rows.index.is_unique
    assert (rows["area_level"] == "cauth").sum() == 24


@needs_reference_data
def test_populations_and_lookups_agree_with_the_geography_note() -> None:
    rows = real("ons_population", "mid-2020", published("ons_population", "*.csv")).rows
    wmca = [f"E080000{number}" for number in range(25, 32)]
    people_of = rows.set_index("area_code")["value"]
    assert people_of[wmca].sum() == 2_310_568
    assert people_of[[code for code in people_of.index if code[0] == "E"]].sum() == 45_697_898
    for year, members, authorities in (("2024", 72, 11), ("2025", 106, 15)):
        path = published("ons_geography", f"*May_{year}*")
        parsed = parse("ons_combined_authorities", year, path.read_bytes(), name=path.name)
        MembershipModel.validate(parsed.rows)
        assert len(parsed.rows) == members
        assert parsed.rows["parent_code"].nunique() == authorities
        found = parsed.rows[parsed.rows["parent_code"] == "E47000007"]
        assert sorted(found["member_code"]) == wmca
