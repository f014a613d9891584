"""Names and codes lead to one area, or to an error that lists the choices."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.areas import Alias, Area, AreaBook, normalise_name
from sources.errors import ParseError, PulseError

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"

BOOK = AreaBook(
    areas={
        area.code: area
        for area in (
            Area("E92000001", "England", "nation"),
            Area("E12000005", "West Midlands", "itl1"),
            Area("E47000007", "West Midlands", "cauth", date(2016, 1, 1)),
            Area("E08000025", "Birmingham", "lad"),
            Area("E08000016", "Barnsley", "lad", None, date(2024, 12, 31), "E08000038"),
            Area("E08000038", "Barnsley", "lad", date(2025, 1, 1)),
        )
    },
    aliases=(
        Alias("smc_*", "2024", "Brum", "E08000025", printed_code="99"),
        Alias("", "", "Eng.", "E92000001"),
        Alias("ons_x", "2023-24", "West Midlands", "E12000005", printed_code="TLG"),
    ),
    changes={"E08000016": "E08000038"},
)


def write_seeds(folder: Path, **files: str) -> Path:
    texts = {
        "areas": "area_code,area_name,area_level,valid_from,valid_to,current_code\n"
        "E08000016,Barnsley,lad,,2024,E08000038\nE08000038,Barnsley,lad,2025,,E08000038\n"
        "E1,One,lad,,,\nE2,Two,lad,,,\nE3,Three,lad,2023-04-01,,\n",
        "area_aliases": "dataset,edition,printed_code,printed_name,area_code\n",
        "area_code_changes": "old_code,new_code,year,kind,note\n",
    } | files
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def resolve(name: str, dataset: str = "d", edition: str = "2024", **more: str) -> str:
    return BOOK.resolve(name, dataset=dataset, edition=edition, **more)


def test_a_name_that_one_area_bears_leads_to_it():
    assert resolve("  BIRMINGHAM ") == "E08000025"


def test_a_name_that_several_areas_bear_is_refused_with_the_choices():
    with pytest.raises(ParseError, match=r"E12000005.*E47000007") as caught:
        resolve("West Midlands")
    assert caught.value.code == "ambiguous_area"


def test_a_level_or_an_alias_settles_which_is_meant():
    assert resolve("West Midlands", level="cauth") == "E47000007"
    assert resolve("West Midlands", dataset="ons_x", edition="2023-24") == "E12000005"


def test_an_unknown_name_is_refused():
    with pytest.raises(ParseError, match="Atlantis") as caught:
        resolve("Atlantis")
    assert caught.value.code == "unknown_area"


def test_aliases_hold_for_their_dataset_and_edition_only():
    assert resolve("brum", dataset="smc_youth_labour_market") == "E08000025"
    assert resolve("eng.", dataset="anything") == "E92000001"
    with pytest.raises(ParseError):
        resolve("Brum", dataset="smc_youth_labour_market", edition="2025")
    with pytest.raises(ParseError):
        resolve("Brum", dataset="dcms_participation")


def test_a_name_of_a_replaced_area_leads_to_the_one_that_stands():
    assert resolve("Barnsley") == "E08000038"


def test_printed_codes_resolve_by_alias_then_as_themselves():
    assert BOOK.resolve_code("TLG", dataset="ons_x", edition="2023-24") == "E12000005"
    assert BOOK.resolve_code("99", dataset="smc_a", edition="2024") == "E08000025"
    assert BOOK.resolve_code("E08000016", dataset="d", edition="2024") == "E08000016"
    with pytest.raises(ParseError, match="TLX"):
        BOOK.resolve_code("TLX", dataset="ons_x", edition="2023-24")


def test_codes_know_their_years_and_successors():
    assert BOOK.current("E08000016") == "E08000038"
    assert BOOK.current("E08000025") == "E08000025"
    assert BOOK.valid_in("E08000016", 2023)
    assert not BOOK.valid_in("E08000016", 2025)
    assert not BOOK.valid_in("E08000038", 2023)
    assert BOOK.codes("lad") == ("E08000025", "E08000038")
    assert BOOK.codes("lad", year=2023) == ("E08000016", "E08000025")


def test_an_unknown_code_is_refused():
    assert not BOOK.knows("E00000000")
    with pytest.raises(ParseError, match="E00000000"):
        BOOK.level("E00000000")


def test_seeds_are_read_with_years_and_dates(tmp_path):
    book = AreaBook.from_seeds(write_seeds(tmp_path))
    assert book.valid_in("E08000016", 2024)
    assert not book.valid_in("E08000016", 2025)
    assert book.valid_in("E3", 2023)
    assert not book.valid_in("E3", 2022)
    assert book.current("E08000016") == "E08000038"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"areas": "area_code,area_name\nE1,One\n"}, "area_level"),
        ({"areas": "area_code,area_name,area_level\nE1,One,lad\nE1,One,lad\n"}, "twice"),
        (
            {"area_aliases": "dataset,edition,printed_code,printed_name,area_code\nd,e,,X,E9\n"},
            "E9",
        ),
        ({"area_code_changes": "old_code,new_code\nE1,E2\nE2,E1\n"}, "ring"),
        (
            {"areas": "area_code,area_name,area_level,valid_from\nE1,One,lad,long ago\n"},
            "long ago",
        ),
    ],
)
def test_a_seed_that_contradicts_itself_is_refused(tmp_path, files, message):
    with pytest.raises(PulseError, match=message) as caught:
        AreaBook.from_seeds(write_seeds(tmp_path, **files))
    assert caught.value.code == "bad_seed"


def test_a_missing_seed_is_named(tmp_path):
    with pytest.raises(PulseError, match=r"areas\.csv"):
        AreaBook.from_seeds(tmp_path)


def test_a_code_split_in_two_has_no_successor(tmp_path):
    changes = "old_code,new_code\nE1,E2\nE1,E3\n"
    book = AreaBook.from_seeds(write_seeds(tmp_path, area_code_changes=changes))
    assert book.current("E1") == "E1"


def test_the_projects_seeds_hold_the_geography_of_the_report():
    book = AreaBook.from_seeds(SEEDS)
    assert len(book.codes("lad", prefix="E", year=2023)) == 296
    assert len(book.codes("lad", prefix="E", year=2025)) == 296
    assert len(book.codes("itl1", prefix="E12")) == 9
    assert book.current("E08000016") == "E08000038"
    assert book.name("E47000007") == "West Midlands"
    for name in ("West Midlands", "North East", "East Midlands"):
        with pytest.raises(ParseError, match="stands for") as caught:
            book.resolve(name, dataset="a_new_dataset", edition="2024")
        assert caught.value.code == "ambiguous_area"


@given(st.text())
def test_normalising_a_name_twice_changes_nothing_more(name):
    assert normalise_name(normalise_name(name)) == normalise_name(name)


@given(st.text(max_size=30))
def test_any_name_leads_to_a_known_code_or_to_a_parse_error(name):
    try:
        code = resolve(name)
    except ParseError as error:
        code = error.code
    assert BOOK.knows(code) or code in ("unknown_area", "ambiguous_area")
