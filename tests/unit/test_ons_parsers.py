"""The ONS files in each form in which they are sent or downloaded; every figure is made up."""

from __future__ import annotations

import csv
import io

import pytest

from sources.errors import ParseError
from tests.publisher_files import codes, parse
from tests.publishers.servers import NOMIS_COLUMNS

AGES = range(16, 91)
PEOPLE = {"E08000030": ("Walsall", 10), "E08000031": ("Wolverhampton", 20)}


def refused(dataset: str, edition: str, content: str) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(dataset, edition, content.encode())
    return caught.value


# --- population ----------------------------------------------------------------------------------


def people(rows: list[str], header: str = "geography_code,c_age,obs_value") -> str:
    return "\n".join([header, *rows, ""])


def from_the_service() -> str:
    """One row per area and age with all of the service's columns."""
    out = io.StringIO()
    writer = csv.DictWriter(out, NOMIS_COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    for code, (name, count) in PEOPLE.items():
        for age in AGES:
            row = dict.fromkeys(NOMIS_COLUMNS, "x") | dict.fromkeys(NOMIS_COLUMNS[:3], "2023")
            row |= {"GEOGRAPHY_CODE": code, "GEOGRAPHY_NAME": name, "C_AGE_NAME": f"Age {age}"}
            row |= dict.fromkeys(("C_AGE", "C_AGE_CODE"), str(101 + age))
            row |= {"GENDER": "0", "GENDER_CODE": "0", "GENDER_NAME": "Total"}
            row |= {"MEASURES": "20100", "OBS_VALUE": str(count)}
            writer.writerow(row)
    return out.getvalue()


def from_the_page(columns: list[str], counts: int, *, year: str = "2023") -> str:
    """The table of the page, with what it prints above and below."""
    rows = [[name, code, *[str(count)] * counts] for code, (name, count) in PEOPLE.items()]
    lines = [
        "Population estimates - local authority based",
        "ONS Crown Copyright Reserved [from Nomis on 12 March 2025]",
        "",
        "Population,All persons",
        f"Date,{year}",
        "",
        ",".join(["local authority: district / unitary (as of April 2023)", "mnemonic", *columns]),
        *(",".join(row) for row in rows),
        "",
        "Aggregated data may be rounded.",
        "",
    ]
    return "\n".join(lines)


BY_AGE = [*(f"Age {age}" for age in AGES[:-1]), "Aged 90+"]


@pytest.mark.parametrize(
    ("content", "total", "cell"),
    [
        (from_the_service(), 75, "AA2"),
        (from_the_page(BY_AGE, 75), 75, "C8"),
        (from_the_page(["Aged 16+"], 1), 1, "C8"),
    ],
    ids=["service", "page, by age", "page, summed"],
)
def test_every_form_that_nomis_gives_is_read(content: str, total: int, cell: str) -> None:
    rows = parse("ons_population", "mid-2023", content.encode()).rows
    assert rows["area_code"].tolist() == list(PEOPLE)
    assert rows["area_name"].tolist() == ["Walsall", "Wolverhampton"]
    assert rows["value"].tolist() == [10.0 * total, 20.0 * total]
    assert f"{rows['column_letter'][0]}{rows['row_number'][0]}" == cell


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (from_the_page(BY_AGE, 75, year="2022"), "wrong_edition"),
        (from_the_page(BY_AGE, 75).replace("All persons", "Males"), "wrong_sex"),
        (from_the_page(BY_AGE, 74), "ragged_row"),
        (from_the_page(BY_AGE[:-1], 74), "missing_column"),
        (from_the_page(["Aged 16+"], 1).replace("E08000031", "Wolves"), "bad_code"),
        (from_the_service().replace('"20100"', '"20301"'), "wrong_measure"),
        (people([f"E08000025,{101 + age},10" for age in range(50)]), "incomplete_ages"),
        (
            people([*(f"E08000025,{101 + a},1" for a in range(91)), "E08000025,120,1"]),
            "doubled_age",
        ),
        (people(["E08000025,old,1"]), "unknown_age"),
        (people([f"E08000025,{101 + age},{10 if age - 40 else ''}" for age in AGES]), "blank"),
        (people(["E08000025,10"] * 74, "geography_code,obs_value"), "incomplete_ages"),
        (
            people([f"E08000025,{101 + a},{100 if a - 40 else 1000}" for a in AGES]),
            "far_from_others",
        ),
        (people([f"E08000025,{101 + a},{100 if a - 40 else 0}" for a in AGES]), "far_from_others"),
        (people(["E08000025,10%"], "geography_code,obs_value"), "not_a_count"),
        (people(['E08000025,"0,453"'], "geography_code,obs_value"), "decimal_comma"),
        (
            people([*["E08000025,120,10"] * 40, "geography_code,c_age,obs_value"]),
            "ambiguous_header",
        ),
    ],
)
def test_what_is_not_the_population_of_the_edition_is_refused(content: str, code: str) -> None:
    code = "blank_beside_figures" if code == "blank" else code
    assert refused("ons_population", "mid-2023", content).code == code


def test_a_population_of_another_year_names_the_edition_to_hand_it_in_under() -> None:
    error = refused("ons_population", "mid-2023", from_the_page(BY_AGE, 75, year="2024"))
    assert "pulse land ons_population mid-2024 <file>" in str(error)
    error = refused("ons_population", "mid-2023", from_the_page(BY_AGE, 75, year="Source: ONS"))
    assert "pulse land" not in str(error)


def test_totals_of_ages_are_left_out_and_ages_need_not_be_printed() -> None:
    ages = [f"E08000025,{101 + age},10" for age in range(91)]
    parsed = parse("ons_population", "mid-2023", people([*ages, "E08000025,200,910"]).encode())
    assert parsed.rows["value"].tolist() == [750.0]
    assert {"ages_summed", "age_totals_ignored"} <= codes(parsed)
    spaced = people([f"e08000025,{101 + age},1\u202f000" for age in AGES])
    assert parse("ons_population", "mid-2023", spaced.encode()).rows["value"].tolist() == [75_000.0]
    dated = from_the_page(BY_AGE, 75, year="30 June 2023")
    assert len(parse("ons_population", "mid-2023", dated.encode()).rows) == 2
    unnamed = people(["E08000025,10"] * 75, "geography_code,obs_value")
    assert parse("ons_population", "mid-2023", unnamed.encode()).rows["value"].tolist() == [750.0]


# --- Explore Local Statistics --------------------------------------------------------------------

SERVICE = """indicator,areacd,areanm,period,value,lci_95,uci_95
Engaged with the arts,E92000001,England,2023-04-01/P1Y,80,79,81
Engaged with the arts,E12000005,West Midlands,2023-04-01/P1Y,78,76,80
Visited a public library,E92000001,England,2023-04-01/P1Y,30,29,31
Visited a public library,E12000005,West Midlands,2023-04-01/P1Y,28,26,30
Attended a live sports event,E92000001,England,2023-04-01/P1Y,20,19,21
"""


def test_the_answer_of_the_service_is_read_like_the_data_file() -> None:
    parsed = parse("ons_local_statistics", "2023-24", SERVICE.encode())
    assert parsed.rows[["area_code", "area_level", "value"]].values.tolist() == [
        ["E92000001", "nation", 80.0],
        ["E12000005", "itl1", 78.0],
        ["E92000001", "nation", 30.0],
        ["E12000005", "itl1", 28.0],
    ]
    assert "indicator_ignored" in codes(parsed)
    by_slug = SERVICE.replace("Engaged with the arts", "engaged-with-arts").replace(
        "Visited a public library", "visited-public-library"
    )
    assert len(parse("ons_local_statistics", "2023-24", by_slug.encode()).rows) == 4


@pytest.mark.parametrize(("old", "new"), [("1\n", "1,\n"), ("5\n", "5,,\n"), ("\n", "\n \n")])
def test_empty_fields_and_lines_of_blanks_change_nothing(old: str, new: str) -> None:
    content = SERVICE.replace(old, new).encode()
    found = parse("ons_local_statistics", "2023-24", content).rows["value"].tolist()
    assert found == [80.0, 78.0, 30.0, 28.0]


def test_limits_beside_a_symbol_are_left_out_with_a_note() -> None:
    marked = SERVICE.replace(",78,76,80", ",[c],76,80")
    parsed = parse("ons_local_statistics", "2023-24", marked.encode())
    assert parsed.rows["lower_95"].notna().tolist() == [True, False, True, True]
    assert "limits_beside_symbol" in codes(parsed)


def test_only_the_period_of_the_edition_is_read() -> None:
    later = SERVICE.replace("2023-04-01", "2025-04-01").replace(",80,79,81", ",70,69,71")
    both = SERVICE + later.split("\n", 1)[1]
    parsed = parse("ons_local_statistics", "2023-24", both.encode())
    assert parsed.rows["value"].tolist() == [80.0, 78.0, 30.0, 28.0]
    assert "other_periods" in codes(parsed)
    error = refused("ons_local_statistics", "2023-24", later)
    assert error.code == "wrong_edition"
    assert "2025-04-01/P1Y" in str(error)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("\n".join(SERVICE.splitlines()[:3]) + "\n", "empty"),
        (SERVICE.replace("Visited a public library", "Read a book"), "missing_indicator"),
        (
            SERVICE + SERVICE.splitlines()[1].replace(",80,", ",81,") + "\n",
            "conflicting_duplicates",
        ),
        (SERVICE.replace("E12000005", "Z99999999"), "unknown_area"),
        (SERVICE.replace("E12000005,West", "E12000005,East"), "code_name_mismatch"),
        (SERVICE.replace(",78,76,80", ",,76,80"), "blank_beside_figures"),
        (SERVICE.replace("\n", ",Female\n").replace("95,Female", "95,Sex"), "divided_table"),
        (SERVICE.replace("\n", ",c\n").replace("uci_95,c", "uci_95,status"), "unknown_symbol"),
        (SERVICE.replace("lci_95", "lci_99"), "missing_column"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused(content: str, code: str) -> None:
    if code == "empty":
        code = "missing_indicator"
    assert refused("ons_local_statistics", "2023-24", content).code == code


# --- lookups -------------------------------------------------------------------------------------

LOOKUP = (
    "LADyyCD,LADyyNM,CAUTHyyCD,CAUTHyyNM,ObjectId\nE08000030,Walsall,E47000007,West Midlands,1\n"
)


def test_a_lookup_of_another_year_names_its_own_edition() -> None:
    rows = parse("ons_combined_authorities", "2024", LOOKUP.replace("yy", "24").encode()).rows
    assert rows["parent_code"].tolist() == ["E47000007"]
    error = refused("ons_combined_authorities", "2024", LOOKUP.replace("yy", "25"))
    assert error.code == "wrong_edition"
    assert "pulse land ons_combined_authorities 2025 <file>" in str(error)
    error = refused("ons_combined_authorities", "2024", LOOKUP.replace("yy", "23"))
    assert error.code == "wrong_edition"
    assert "edition 2023, which is not in the catalogue" in str(error)
