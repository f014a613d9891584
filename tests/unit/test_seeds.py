"""The seeds hold together: codes resolve, groups have the members they should, claims are whole."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from sources.areas import AreaBook
from sources.catalogue import load_catalogue
from sources.observation import STATUSES
from tests.reference_data import REFERENCE_DATA, needs_reference_data
from tests.scratch import database

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
WMCA = {
    "E08000025": "Birmingham",
    "E08000026": "Coventry",
    "E08000027": "Dudley",
    "E08000028": "Sandwell",
    "E08000029": "Solihull",
    "E08000030": "Walsall",
    "E08000031": "Wolverhampton",
}
KEYS = {
    "areas": ("area_code",),
    "area_aliases": ("dataset", "edition", "printed_name"),
    "area_code_changes": ("old_code",),
    "area_groups": ("parent_code", "member_code", "kind"),
    "census_residents": ("area_code",),
    "goals": ("goal_id",),
    "frameworks": ("framework",),
    "indicators": ("indicator_id",),
    "framework_indicators": ("framework", "goal_id", "indicator_id"),
    "indicator_groups": ("indicator_id",),
    "indicator_measures": ("dataset", "measure"),
    "secondary_data": ("goal_id", "data_set", "indicators"),
    "similar_areas": ("area_code",),
    "resident_outcomes": ("goal_id", "kind", "outcome_order"),
    "target_groups": ("group_id",),
    "pathway_prompts": ("pathway_id", "prompt_order"),
    "status_codes": ("status",),
    "survey_designs": ("dataset", "edition", "measure"),
    "series_breaks": ("dataset", "barometer_id", "from_edition", "to_edition", "area_code", "kind"),
    "report_claims": ("claim_id",),
    "explained_losses": ("dataset", "edition"),
}


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def columns_of(name: str) -> list[str]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return next(csv.reader(handle))


def described() -> dict[str, dict[str, Any]]:
    content = yaml.load((SEEDS / "seeds.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {entry["name"]: entry for entry in content["seeds"]}


@pytest.fixture(scope="module")
def areas() -> dict[str, dict[str, str]]:
    return {row["area_code"]: row for row in seed("areas")}


@pytest.fixture(scope="module")
def standing(areas: dict[str, dict[str, str]]) -> set[str]:
    """Lower-tier authorities of England that stand."""
    return {
        code
        for code, row in areas.items()
        if row["area_level"] == "lad" and code.startswith("E") and row["current_code"] == code
    }


def test_every_seed_has_a_key_here() -> None:
    assert {path.stem for path in SEEDS.glob("*.csv")} == set(KEYS) == set(described())


@pytest.mark.parametrize("name", sorted(KEYS))
def test_keys_are_unique_and_fields_clean(name: str) -> None:
    rows = seed(name)
    keys = Counter(tuple(row[column] for column in KEYS[name]) for row in rows)
    assert [key for key, count in keys.items() if count > 1] == []
    assert all(value == value.strip() for row in rows for value in row.values())


@pytest.mark.parametrize("name", sorted(KEYS))
def test_files_end_lines_with_lf_alone(name: str) -> None:
    content = (SEEDS / f"{name}.csv").read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert not content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("name", sorted(KEYS))
def test_columns_are_described_and_typed_in_order(name: str) -> None:
    columns = columns_of(name)
    entry = described()[name]
    assert [column["name"] for column in entry["columns"]] == columns
    assert list(entry["config"]["column_types"]) == columns
    assert all(column["description"] for column in entry["columns"])


CONSTRAINED = [
    (name, column, kind)
    for name, entry in described().items()
    for column, kind in entry["config"]["column_types"].items()
    if " " in kind
]


def test_the_columns_that_must_be_filled_are_constrained() -> None:
    filled = {(name, column) for name, column, _ in CONSTRAINED}
    assert {(name, keys[0]) for name, keys in KEYS.items() if len(keys) == 1} <= filled
    assert {("areas", "current_code"), ("report_claims", "edition_code")} <= filled
    assert {("series_breaks", part) for part in ("grade", "reason", "said_by", "said_on")} <= filled


@pytest.mark.parametrize(("name", "column", "kind"), CONSTRAINED)
def test_a_constraint_of_a_seed_refuses_its_fault(name: str, column: str, kind: str) -> None:
    """A row of the seed with these types; one field is left empty, or its key comes twice."""
    types = described()[name]["config"]["column_types"]
    row, *_ = seed(name)
    cases: dict[str, list[dict[str, Any]]] = {
        "as it is": [row],
        "nothing there": [{**row, column: None}],
    }
    if kind.endswith("primary key"):
        cases["twice the same"] = [row, row]
    for case, planted in cases.items():
        with database() as connection:
            # Only this column keeps its constraint, so that nothing else can refuse the row.
            bare = {key: value.split()[0] for key, value in types.items()} | {column: kind}
            columns = ", ".join(f'"{key}" {value}' for key, value in bare.items())
            connection.execute(f"create table planted ({columns})")
            values = [[each[key] or None for key in types] for each in planted]
            marks = ", ".join("?" * len(types))
            try:
                connection.executemany(f"insert into planted values ({marks})", values)
            except duckdb.ConstraintException:
                assert case != "as it is"
            else:
                assert case == "as it is"


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("area_aliases", ("area_code",)),
        ("area_code_changes", ("old_code", "new_code")),
        ("area_groups", ("parent_code", "member_code")),
        ("areas", ("current_code", "region_code", "county_code")),
        ("census_residents", ("area_code",)),
        ("series_breaks", ("area_code",)),
        ("report_claims", ("area_code",)),
    ],
)
def test_area_codes_are_known(
    name: str, columns: tuple[str, ...], areas: dict[str, dict[str, str]]
) -> None:
    used = {row[column] for row in seed(name) for column in columns if row[column]}
    assert used - set(areas) == set()


def test_authorities_of_each_region(areas: dict[str, dict[str, str]], standing: set[str]) -> None:
    expected = {
        "North East": 12,
        "North West": 35,
        "Yorkshire and The Humber": 15,
        "East Midlands": 35,
        "West Midlands": 30,
        "East of England": 45,
        "London": 33,
        "South East": 64,
        "South West": 27,
    }
    counted = Counter(areas[areas[code]["region_code"]]["area_name"] for code in standing)
    assert counted == expected
    assert len(standing) == 296
    assert {"E09000001", "E06000053"} <= standing


def test_groups_of_regions_counties_and_nation_agree_with_areas(
    areas: dict[str, dict[str, str]], standing: set[str]
) -> None:
    groups: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in seed("area_groups"):
        groups[row["kind"]][row["parent_code"]].add(row["member_code"])
    assert groups["nation"] == {"E92000001": standing}
    for kind, column in (("region", "region_code"), ("county", "county_code")):
        reported = {(parent, code) for parent, codes in groups[kind].items() for code in codes}
        assert reported == {(areas[code][column], code) for code in standing if areas[code][column]}
    assert len(groups["county"]) == 21
    assert all(code.startswith("E07") for codes in groups["county"].values() for code in codes)


def test_no_group_holds_a_county_beside_its_district(areas: dict[str, dict[str, str]]) -> None:
    members: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in seed("area_groups"):
        members[row["kind"], row["parent_code"]].add(row["member_code"])
    for codes in members.values():
        assert not codes & {
            areas[code]["county_code"] for code in codes if areas[code]["county_code"]
        }


def test_non_constituent_members_are_the_ten_lower_tier_ones() -> None:
    members = {
        row["member_code"] for row in seed("area_groups") if row["kind"] == "wmca_non_constituent"
    }
    assert len(members) == 10
    assert "E10000031" not in members
    assert not members & set(WMCA)


def test_code_changes_lead_to_codes_that_stand(areas: dict[str, dict[str, str]]) -> None:
    changes = {row["old_code"]: row for row in seed("area_code_changes")}
    replaced = {code for code, row in areas.items() if row["current_code"] != code}
    assert set(changes) == replaced
    for old, change in changes.items():
        # What replaced a code may have been replaced since.
        assert areas[old]["current_code"] == areas[change["new_code"]]["current_code"]
        assert int(areas[old]["valid_to"]) == int(change["year"]) - 1
        assert int(areas[change["new_code"]]["valid_from"]) == int(change["year"])
    assert changes["E08000016"]["new_code"] == "E08000038"
    assert changes["E08000019"]["new_code"] == "E08000039"
    assert Counter(row["new_code"] for row in changes.values() if row["kind"] == "merge") == {
        "E06000058": 3,
        "E06000059": 5,
        "E06000060": 4,
        "E06000061": 4,
        "E06000062": 3,
        "E06000063": 3,
        "E06000064": 3,
        "E06000065": 7,
        "E06000066": 4,
        "E07000244": 2,
        "E07000245": 2,
        "E07000246": 2,
    }


def test_the_seven_authorities(areas: dict[str, dict[str, str]]) -> None:
    for code, name in WMCA.items():
        assert (areas[code]["area_name"], areas[code]["area_level"]) == (name, "lad")
        assert (areas[code]["region_code"], areas[code]["county_code"]) == ("E12000005", "")


def test_the_census_counts_every_member_of_every_combined_authority(
    areas: dict[str, dict[str, str]],
) -> None:
    counts = {row["area_code"]: int(row["usual_residents"]) for row in seed("census_residents")}
    project = yaml.safe_load((SEEDS.parent / "dbt_project.yml").read_text(encoding="utf-8"))
    lookup = f"ons_combined_authorities/{project['vars']['membership_vintage']}.csv"
    with (SEEDS.parents[1] / "sources" / "bundled" / lookup).open(encoding="utf-8") as handle:
        members = {row["member_code"] for row in csv.DictReader(handle)}
    members |= {
        row["member_code"] for row in seed("area_groups") if row["kind"] == "combined_authority"
    }
    assert {areas[code]["current_code"] for code in counts} == members
    assert sum(counts[code] for code in WMCA) == 2_919_600
    assert counts["E08000026"] == 345_300
    # All authorities of a region are here, so that their sum is the published count of the region.
    regions: Counter[str] = Counter()
    for code, count in counts.items():
        regions[areas[code]["region_code"]] += count
    assert regions["E12000001"] == 2_647_100
    assert regions["E12000002"] == 7_417_300
    assert regions["E12000003"] == 5_480_800


def test_names_that_stand_for_several_areas_are_refused_as_keys() -> None:
    book = AreaBook.from_seeds(SEEDS)
    for name in ("West Midlands", "North East", "East Midlands", "Lancashire"):
        with pytest.raises(Exception, match="stands for"):
            book.resolve(name, dataset="ons_combined_authorities", edition="2025")
    assert (
        book.resolve("West Midlands", dataset="dcms_participation", edition="2023-24")
        == "E12000005"
    )
    assert book.resolve("barnsley", dataset="dcms_community_life", edition="2023-24") == "E08000016"
    assert book.resolve("Barnsley", dataset="dcms_community_life", edition="2024-25") == "E08000038"


def test_aliases_cover_the_lists_of_the_social_mobility_commission() -> None:
    book = AreaBook.from_seeds(SEEDS)
    for edition, count in (("2024", 203), ("2025", 205)):
        codes = book.aliased("smc_promising_prospects", edition)
        assert len(codes) == count
        assert set(WMCA) <= set(codes)
    merged = "SMC:bath_north_somerset_south_gloucestershire"
    assert merged in book.aliased("smc_promising_prospects", "2024")
    apart = {"E06000022", "E06000024", "E06000025"}
    assert apart <= set(book.aliased("smc_promising_prospects", "2025"))


@needs_reference_data
def test_codes_of_the_2025_list_are_those_that_the_commission_gives() -> None:
    file = REFERENCE_DATA / "social_mobility_commission" / "2025" / "205_regions_codes.json"
    regions = json.loads(file.read_text(encoding="utf-8"))["205_regions"]
    parts: dict[str, set[str]] = defaultdict(set)
    for row in seed("area_groups"):
        if row["kind"] in ("smc_area", "county"):
            parts[row["parent_code"]].add(row["member_code"])
    book = AreaBook.from_seeds(SEEDS)
    for region in regions:
        code = book.resolve(region["name"], dataset="smc_innovation_and_growth", edition="2025")
        given = set(region["codes"])
        if code == "N92000002":
            assert all(part.startswith("N09") for part in given)
        elif code.startswith("SMC:"):
            assert parts[code] == given
        elif code.startswith("E10"):
            assert parts[code] | {code} == given
        else:
            assert {code} == given


def test_goals_have_one_key_and_three_supporting_barometers() -> None:
    report = [
        row
        for row in seed("framework_indicators")
        if row["framework"] == "inclusive_communities" and row["role"] != "context"
    ]
    assert len(report) == 16
    for goal in seed("goals"):
        own = [row for row in report if row["goal_id"] == goal["goal_id"]]
        assert [row["indicator_order"] for row in own] == ["1", "2", "3", "4"]
        assert [row["role"] for row in own] == ["key", "supporting", "supporting", "supporting"]


def test_barometers_and_measures_agree_with_the_catalogue() -> None:
    catalogue = load_catalogue()
    barometers = {row["indicator_id"]: row for row in seed("indicators")}
    fed = defaultdict(set)
    for row in seed("indicator_measures"):
        dataset = catalogue.dataset(row["dataset"])
        measure = dataset.measure(row["measure"])
        dataset.edition(row["from_edition"])
        barometer = barometers[row["indicator_id"]]
        assert measure.unit == barometer["unit"]
        assert int(row["precedence"]) == dataset.precedence
        assert (dataset.series or dataset.code) == barometer["dataset"]
        fed[row["indicator_id"]].add(row["dataset"])
    assert all(barometers[barometer]["dataset"] in sources for barometer, sources in fed.items())
    assert set(fed) == set(barometers)
    for barometer in barometers.values():
        index = barometer["unit"] == "z_score"
        assert barometer["comparator"] == ("UK" if index else "England")
        assert bool(barometer["table_code"]) is (barometer["dataset"].startswith("dcms_"))


def test_designs_and_breaks_name_datasets_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    barometers = {row["indicator_id"]: row["dataset"] for row in seed("indicators")}
    for row in seed("survey_designs"):
        catalogue.dataset(row["dataset"]).edition(row["edition"])
        assert float(row["design_effect"]) == 1.6
    bases = {
        (row["dataset"], row["edition"]): row["england_base"] for row in seed("survey_designs")
    }
    assert bases["dcms_participation", "2023-24"] == "171748"
    for row in seed("series_breaks"):
        catalogue.dataset(row["dataset"])
        stretch = (row["from_edition"], row["to_edition"])
        assert stretch == ("", "") or stretch[0] < stretch[1]
        assert row["barometer_id"] == "" or barometers[row["barometer_id"]] == row["dataset"]


def test_every_pair_of_catalogued_editions_has_a_grade_and_who_says_so() -> None:
    """History is covered by a row on a stretch of editions; ignorance alone never blocks."""
    catalogue = load_catalogue()
    for row in seed("series_breaks"):
        assert row["grade"] in ("block", "caution", "open")
        assert row["said_by"]
        assert row["citation"]
        date.fromisoformat(row["said_on"])
        if row["dataset"] == "dcms_community_life":
            assert row["grade"] != "block"
        if row["kind"] == "question_text":
            assert row["barometer_id"]
    breaks = {
        (row["barometer_id"], row["from_edition"], row["to_edition"])
        for row in seed("series_breaks")
        if not row["area_code"]
    }
    whole = {
        (row["dataset"], row["from_edition"], row["to_edition"])
        for row in seed("series_breaks")
        if not row["area_code"] and not row["barometer_id"]
    }
    for barometer in seed("indicators"):
        editions = [
            entry.edition
            for entry in catalogue.dataset(barometer["dataset"]).editions
            if not entry.history
        ]
        for pair in pairwise(editions):
            own = (barometer["indicator_id"], *pair) in breaks
            always = (barometer["dataset"], "", "") in whole
            assert own or always or (barometer["dataset"], *pair) in whole, (
                barometer["indicator_id"],
                pair,
            )


def test_claims_are_normalised() -> None:
    catalogue = load_catalogue()
    claims = seed("report_claims")
    barometers = {row["indicator_id"]: row for row in seed("indicators")}
    assert [row["claim_id"] for row in claims] == [f"RC{number:02}" for number in range(1, 53)]
    for row in claims:
        assert row["dataset"] == barometers[row["barometer_id"]]["dataset"]
        catalogue.dataset(row["dataset"]).edition(row["edition_code"])
        assert bool(row["groups"]) is (row["statistic"] == "count_in_groups")
        if row["statistic"] in ("min", "max", "count_in_groups"):
            float(row["value"])
    counted = [row["groups"] for row in claims if row["groups"]]
    assert Counter(counted) == {
        "Middle Group": 2,
        "Least Favourable|Unfavourable": 1,
        "Favourable|Most Favourable": 4,
    }


@needs_reference_data
def test_every_claim_is_carried_as_it_was_taken_from_the_report() -> None:
    with (REFERENCE_DATA.parent / "report_claims.csv").open(encoding="utf-8", newline="") as handle:
        taken = list(csv.DictReader(handle))
    same = (
        "claim_id",
        "section",
        "barometer_id",
        "area_code",
        "area_name",
        "statistic",
        "value",
        "unit",
    )
    assert len(taken) == 52
    assert [[row[column] for column in same] for row in seed("report_claims")] == [
        [row[column] for column in same] for row in taken
    ]


def test_resident_outcomes_cover_every_goal_and_kind() -> None:
    reported = {(row["goal_id"], row["kind"]) for row in seed("resident_outcomes")}
    assert reported == {
        (g["goal_id"], kind) for g in seed("goals") for kind in ("think", "feel", "do")
    }


def test_statuses_are_those_of_observations() -> None:
    assert tuple(row["status"] for row in seed("status_codes")) == STATUSES
