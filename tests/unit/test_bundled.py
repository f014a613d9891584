"""The bundled figures are those of the publishers, whole, cited, and can be made again."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from sources.areas import AreaBook
from sources.catalogue import Catalogue, load_catalogue
from sources.errors import CatalogueError
from sources.observation import (
    MEMBERSHIP_COLUMNS,
    MembershipModel,
    ObservationModel,
    as_memberships,
    as_observations,
    has_shape,
)
from tests.reference_data import REFERENCE_DATA, needs_reference_data
from tests.transcribe import (
    BUNDLED,
    BUNDLED_COLUMNS,
    Recipe,
    find_recipe,
    load_recipes,
    main,
    to_csv,
    transcribe,
)

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
FILES = sorted(path.relative_to(BUNDLED) for path in BUNDLED.glob("*/*.csv"))
SEVEN = {
    "E08000025": "Birmingham",
    "E08000026": "Coventry",
    "E08000027": "Dudley",
    "E08000028": "Sandwell",
    "E08000029": "Solihull",
    "E08000030": "Walsall",
    "E08000031": "Wolverhampton",
}
INDICES = (
    "smc_promising_prospects",
    "smc_conditions_of_childhood",
    "smc_youth_labour_market",
    "smc_innovation_and_growth",
)


def rows_of(dataset: str, edition: str) -> list[dict[str, str]]:
    return read(BUNDLED / dataset / f"{edition}.csv")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def publisher_file(name: str) -> Path:
    found = sorted(REFERENCE_DATA.rglob(name.replace("[", "[[]")))
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


@pytest.fixture(scope="module")
def book() -> AreaBook:
    return AreaBook.from_seeds(SEEDS)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_what_is_bundled() -> None:
    counted = {path.with_suffix("").as_posix(): len(read(BUNDLED / path)) for path in FILES}
    history = {f"{year}-{(year + 1) % 100}" for year in range(2013, 2022)}
    assert counted == {
        **{f"dcms_community_life/{edition}": 4 for edition in history},
        "dcms_community_life/2023-24": 5,
        "dcms_community_life/2024-25": 1,
        **{f"dcms_national_series/{edition}": 8 for edition in (*history, "2023-24")},
        "dcms_participation/2022-23": 1,
        "dcms_participation/2023-24": 2 * (1 + 9 + 26 + 12 + 296),
        "dcms_participation/2024-25": 1,
        "ons_combined_authorities/2024": 72,
        "ons_combined_authorities/2025": 106,
        "ons_population/mid-2020": 309,
        "smc_conditions_of_childhood/2024": 203,
        "smc_conditions_of_childhood/2025": 205 * 4,
        "smc_innovation_and_growth/2024": 203,
        "smc_innovation_and_growth/2025": 205 * 4,
        "smc_promising_prospects/2024": 203,
        "smc_promising_prospects/2025": 205 * 2,
        "smc_youth_labour_market/2024": 203,
        "smc_youth_labour_market/2025": 205 * 4,
        "young_foundation_report/2023-24": 16,
    }


@pytest.mark.parametrize("path", FILES, ids=str)
def test_rows_have_the_tidy_shape_and_their_place(
    path: Path, book: AreaBook, catalogue: Catalogue
) -> None:
    dataset = catalogue.dataset(path.parts[0])
    edition = dataset.edition(path.stem)
    content = (BUNDLED / path).read_bytes()
    assert b"\r" not in content
    rows = read(BUNDLED / path)
    frame = pd.DataFrame(rows, dtype="object").replace("", None)
    if dataset.shape == "memberships":
        assert tuple(rows[0]) == MEMBERSHIP_COLUMNS
        assert has_shape(as_memberships(frame), MembershipModel.to_schema())
        keys = Counter((row["member_code"], row["parent_code"]) for row in rows)
        codes = {row["member_code"] for row in rows} | {row["parent_code"] for row in rows}
    else:
        assert tuple(rows[0]) == BUNDLED_COLUMNS
        assert has_shape(as_observations(frame), ObservationModel.to_schema())
        keys = Counter((row["measure"], row["area_code"], row["period_start"]) for row in rows)
        codes = {row["area_code"] for row in rows}
        for row in rows:
            measure = dataset.measure(row["measure"])
            assert row["unit"] == measure.unit
            assert row["period_start"] >= edition.period_start.isoformat()
            assert row["period_end"] <= edition.period_end.isoformat()
            if row["area_level"] != "smc_area":
                assert row["area_level"] == book.level(row["area_code"])
                assert row["area_level"] in edition.levels
            if row["lower_95"]:
                low, value, high = (float(row[c]) for c in ("lower_95", "value", "upper_95"))
                assert low <= value <= high
    assert max(keys.values()) == 1
    assert all(book.knows(code) for code in codes)
    for row in rows:
        assert (row["dataset"], row["edition"]) == (dataset.code, edition.edition)
        quoted = path.parts[0] == "young_foundation_report" or "news" in row["citation"]
        origin = "reported" if quoted else "transcribed"
        assert (row["revision"], row["origin"]) == ("bundled", origin)
        assert row["file_sha256"] == row["row_number"] == ""
        assert len(row["citation"]) > 40


@needs_reference_data
@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [recipe for recipe in load_recipes() if not recipe.files],
    ids=lambda r: f"{r.dataset}-{r.edition}",
)
def test_the_parsers_make_the_same_file_again(
    recipe: Recipe, book: AreaBook, catalogue: Catalogue
) -> None:
    frame = transcribe(
        recipe,
        publisher_file(recipe.file_name).read_bytes(),
        catalogue=catalogue,
        areas=book,
    )
    bundled = (BUNDLED / recipe.dataset / f"{recipe.edition}.csv").read_text(encoding="utf-8")
    made = to_csv(frame)
    assert len(frame) > 0
    # Figures of running text may follow the rows that a series makes.
    assert bundled.startswith(made) if recipe.series else bundled == made


def cited_line(row: dict[str, str]) -> int:
    return int(row["citation"].split(", line ")[1].split()[0].rstrip(".;"))


@needs_reference_data
@pytest.mark.parametrize("dataset", INDICES)
def test_indices_of_2024_cell_for_cell(dataset: str) -> None:
    printed = read(publisher_file(find_recipe(dataset, "2024").file_name))
    value = "category2" if dataset == "smc_promising_prospects" else "value"
    numbers = {
        "Least Favourable": "1",
        "Unfavourable": "2",
        "Middle Group": "3",
        "Favourable": "4",
        "Most Favourable": "5",
    }
    bundled = rows_of(dataset, "2024")
    assert [cited_line(row) for row in bundled] == list(range(2, 205))
    assert [
        (row["area_name"], row["value"], row["group_label"], row["group_number"]) for row in bundled
    ] == [
        (row["area_name"], row[value], row["category"], numbers[row["category"]]) for row in printed
    ]
    years = {tuple(row["time_period"].split("-")) for row in printed}
    assert {(row["period_start"], row["period_end"]) for row in bundled} == {
        (f"{first}-01-01", f"{last}-12-31") for first, last in years
    }


@needs_reference_data
@pytest.mark.parametrize("dataset", INDICES)
def test_indices_of_2025_cell_for_cell(dataset: str) -> None:
    printed = read(publisher_file(find_recipe(dataset, "2025").file_name))
    bundled = rows_of(dataset, "2025")
    assert [cited_line(row) for row in bundled] == list(range(2, len(printed) + 2))
    assert [
        (
            row["area_name"],
            row["value"],
            row["group_label"],
            row["group_number"],
            f"{row['period_start'][:4]} to {row['period_end'][:4]}",
        )
        for row in bundled
    ] == [
        (
            row["area_name"],
            row["value"],
            row["secondary_split_value"],
            row["group_number"],
            row["time_period"],
        )
        for row in printed
    ]
    per_period = Counter(row["period_start"] for row in bundled)
    assert set(per_period.values()) == {205}


@needs_reference_data
def test_participation_cell_for_cell() -> None:
    recipe = find_recipe("dcms_participation", "2023-24")
    printed = read(publisher_file(recipe.file_name))
    indicator = {
        "arts_engagement": "Engaged with the arts",
        "library_engagement": "Visited a public library",
    }
    carried = set()
    for row in rows_of("dcms_participation", "2023-24"):
        source = printed[cited_line(row) - 2]
        assert source["indicator"] == indicator[row["measure"]]
        assert (row["area_name"], row["value"]) == (source["areanm"], source["observation"])
        if row["area_level"] == "itl1":
            assert source["areacd"].startswith("TL")
        else:
            assert row["area_code"] == source["areacd"]
        if row["area_level"] == "itl1" and row["measure"] == "arts_engagement":
            assert row["lower_95"] == row["upper_95"] == ""
            assert source["lci_95"] == source["uci_95"]
            assert "not carried" in row["citation"]
        else:
            assert (row["lower_95"], row["upper_95"]) == (source["lci_95"], source["uci_95"])
        carried.add((source["indicator"], source["areacd"]))
    assert {(row["indicator"], row["areacd"]) for row in printed} == carried


def test_regions_are_those_of_their_codes(book: AreaBook) -> None:
    for row in rows_of("dcms_participation", "2023-24"):
        if row["area_level"] == "itl1":
            assert row["area_name"].removesuffix(" (England)") == book.name(row["area_code"])


# Reference values: z-score and group by authority, in the order of INDICES.
Z_2024 = {
    "E08000025": (("-0.375", 3), ("-1.437", 2), ("-1.549", 1), ("0.486", 3)),
    "E08000026": (("-0.870", 3), ("-0.638", 3), ("-0.790", 3), ("0.511", 3)),
    "E08000027": (("-0.234", 3), ("-0.819", 3), ("-0.571", 3), ("0.054", 3)),
    "E08000028": (("-0.827", 3), ("-1.935", 1), ("-1.334", 2), ("-0.128", 3)),
    "E08000029": (("0.205", 3), ("0.909", 3), ("0.288", 3), ("0.453", 3)),
    "E08000030": (("-0.633", 3), ("-1.435", 2), ("-0.598", 3), ("-0.122", 3)),
    "E08000031": (("-0.809", 3), ("-1.627", 2), ("-0.966", 3), ("0.066", 3)),
}
Z_2025 = {
    "E08000025": (
        ((-0.551, 3), (-0.463, 4)),
        ((-0.820, 3), (-1.158, 2), (-1.130, 2), (-0.818, 3)),
        ((-0.289, 4), (-0.566, 3), (-0.901, 3), (-0.562, 3)),
        ((-0.063, 4), (-0.128, 4), (-0.428, 4), (0.107, 4)),
    ),
    "E08000026": (
        ((-0.571, 3), (-0.543, 3)),
        ((-0.282, 4), (-0.704, 3), (-0.709, 3), (-0.572, 3)),
        ((-0.261, 4), (-0.517, 3), (-0.739, 3), (-0.381, 4)),
        ((0.098, 4), (0.243, 4), (-0.473, 4), (0.307, 4)),
    ),
    "E08000027": (
        ((-0.757, 3), (0.408, 4)),
        ((-0.500, 3), (-0.339, 4), (-0.355, 4), (-0.488, 4)),
        ((-0.099, 4), (0.110, 4), (-0.658, 3), (-0.313, 4)),
        ((-0.694, 3), (-0.791, 3), (-0.604, 3), (-0.774, 3)),
    ),
    "E08000028": (
        ((-0.864, 3), (-0.793, 3)),
        ((-1.649, 1), (-1.490, 2), (-2.013, 1), (-1.647, 1)),
        ((-0.591, 3), (-0.108, 4), (-1.022, 2), (-0.869, 3)),
        ((-0.855, 3), (-0.878, 3), (-1.184, 2), (-1.025, 2)),
    ),
    "E08000029": (
        ((-0.218, 4), (0.852, 5)),
        ((1.347, 6), (1.026, 6), (0.907, 5), (1.232, 6)),
        ((0.433, 4), (-0.172, 4), (0.512, 5), (0.089, 4)),
        ((0.547, 5), (0.011, 4), (0.358, 4), (0.340, 4)),
    ),
    "E08000030": (
        ((-0.474, 4), (-0.709, 3)),
        ((-1.130, 2), (-1.260, 2), (-1.170, 2), (-1.378, 2)),
        ((-0.668, 3), (-0.534, 3), (-0.396, 4), (-0.339, 4)),
        ((-1.050, 2), (-0.783, 3), (-1.089, 2), (-0.923, 3)),
    ),
    "E08000031": (
        ((-0.936, 3), (-0.328, 4)),
        ((-1.233, 2), (-1.050, 2), (-0.810, 3), (-1.534, 1)),
        ((-0.781, 3), (-0.436, 4), (-0.872, 3), (-0.683, 3)),
        ((-0.728, 3), (-0.604, 3), (-0.836, 3), (-0.684, 3)),
    ),
}
SIZES_2024 = {
    "smc_promising_prospects": (10, 12, 149, 22, 10),
    "smc_conditions_of_childhood": (8, 25, 138, 21, 11),
    "smc_youth_labour_market": (6, 14, 154, 19, 10),
    "smc_innovation_and_growth": (12, 15, 146, 24, 6),
}


@pytest.mark.parametrize("place", range(4), ids=INDICES)
def test_the_seven_authorities_in_the_indices(place: int) -> None:
    early = {row["area_code"]: row for row in rows_of(INDICES[place], "2024")}
    late = defaultdict(list)
    for row in sorted(rows_of(INDICES[place], "2025"), key=lambda row: row["period_start"]):
        late[row["area_code"]].append((float(row["value"]), int(row["group_number"])))
    for code, name in SEVEN.items():
        z, group = Z_2024[code][place]
        assert early[code]["area_name"] == name
        assert (f"{float(early[code]['value']):.3f}", int(early[code]["group_number"])) == (
            z,
            group,
        )
        assert tuple(late[code]) == Z_2025[code][place]
    sizes = Counter(int(row["group_number"]) for row in early.values())
    assert tuple(sizes[group] for group in range(1, 6)) == SIZES_2024[INDICES[place]]


@pytest.mark.parametrize("dataset", INDICES)
def test_groups_of_2025_follow_from_the_score(dataset: str) -> None:
    upper = (-1.5, -1.0, -0.5)
    for row in rows_of(dataset, "2025"):
        z = float(row["value"])
        below = [group for group, cut in enumerate(upper, 1) if z <= cut]
        above = 4 + sum(z >= cut for cut in (0.5, 1.0, 1.5))
        assert int(row["group_number"]) == (below[0] if below else above), row["area_name"]


@pytest.mark.parametrize("dataset", INDICES)
@pytest.mark.parametrize("edition", ["2024", "2025"])
def test_scores_are_standardised_in_every_period(dataset: str, edition: str) -> None:
    scores = defaultdict(list)
    for row in rows_of(dataset, edition):
        scores[row["period_start"]].append(float(row["value"]))
    for values in scores.values():
        assert pd.Series(values).mean() == pytest.approx(0, abs=0.002)
        assert pd.Series(values).std(ddof=1) == pytest.approx(1, abs=0.002)


def test_the_seven_authorities_in_the_participation_survey() -> None:
    expected = {
        "E08000025": ((85, 83, 87), (27, 24, 29)),
        "E08000026": ((84, 81, 88), (26, 23, 30)),
        "E08000027": ((88, 85, 91), (26, 22, 30)),
        "E08000028": ((85, 82, 88), (20, 17, 24)),
        "E08000029": ((91, 87, 93), (22, 18, 26)),
        "E08000030": ((85, 81, 88), (21, 17, 26)),
        "E08000031": ((83, 79, 87), (19, 15, 23)),
        "E47000007": ((86, 84, 87), (24, 23, 25)),
        "E92000001": ((90, 90, 91), (25, 25, 25)),
    }
    shown = {
        (row["measure"], row["area_code"]): tuple(
            int(row[column]) for column in ("value", "lower_95", "upper_95")
        )
        for row in rows_of("dcms_participation", "2023-24")
        if row["lower_95"]
    }
    for code, (arts, library) in expected.items():
        assert shown["arts_engagement", code] == arts
        assert shown["library_engagement", code] == library
    published = {code for measure, code in shown if code.startswith("E47")}
    assert published == {f"E470000{n:02}" for n in (1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13)}


MEMBERS_2025 = {
    "E47000001": 10,
    "E47000002": 4,
    "E47000003": 5,
    "E47000004": 6,
    "E47000006": 5,
    "E47000007": 7,
    "E47000008": 6,
    "E47000009": 3,
    "E47000012": 2,
    "E47000013": 17,
    "E47000014": 7,
    "E47000015": 9,
    "E47000016": 2,
    "E47000017": 9,
    "E47000018": 14,
}


def members(edition: str) -> dict[str, set[str]]:
    shown: dict[str, set[str]] = defaultdict(set)
    for row in rows_of("ons_combined_authorities", edition):
        shown[row["parent_code"]].add(row["member_code"])
    return shown


def test_members_of_each_combined_authority(book: AreaBook) -> None:
    late, early = members("2025"), members("2024")
    assert {code: len(own) for code, own in late.items()} == MEMBERS_2025
    assert {code: len(own) for code, own in early.items()} == {
        code: MEMBERS_2025[code] for code in MEMBERS_2025 if code < "E47000015"
    }
    assert late["E47000007"] == early["E47000007"] == set(SEVEN)
    assert late["E47000002"] == {"E08000017", "E08000018", "E08000038", "E08000039"}
    assert early["E47000002"] == {"E08000016", "E08000017", "E08000018", "E08000019"}
    assert "E06000024" not in late["E47000009"]
    for own in late.values():
        assert all(book.current(code) == code and book.level(code) == "lad" for code in own)
    doubled = Counter(code for own in late.values() for code in own)
    assert max(doubled.values()) == 1


def populations(book: AreaBook) -> dict[str, int]:
    """Population by current code: districts that were merged are summed."""
    shown: dict[str, int] = defaultdict(int)
    for row in rows_of("ons_population", "mid-2020"):
        shown[book.current(row["area_code"])] += int(row["value"])
    return shown


def test_shares_of_the_seven_authorities(book: AreaBook) -> None:
    people = populations(book)
    assert [people[code] for code in SEVEN] == [
        883407,
        306404,
        260121,
        254180,
        174712,
        224397,
        207347,
    ]
    total = sum(people[code] for code in SEVEN)
    assert total == 2_310_568
    shares = [people[code] / total for code in SEVEN]
    assert [f"{share:.4f}" for share in shares] == [
        "0.3823",
        "0.1326",
        "0.1126",
        "0.1100",
        "0.0756",
        "0.0971",
        "0.0897",
    ]
    assert sum(people.values()) == 45_697_898
    assert f"{total / sum(people.values()):.4f}" == "0.0506"


def test_every_authority_that_stands_has_a_population(book: AreaBook) -> None:
    people = populations(book)
    assert set(people) == set(book.codes("lad", prefix="E"))
    assert len(people) == 296


def test_the_report_prints_these_and_no_other() -> None:
    claims = {row["claim_id"]: row for row in read(SEEDS / "report_claims.csv")}
    figures = {
        (row["barometer_id"], row["area_code"], row["value"])
        for row in claims.values()
        if row["dataset"] == "dcms_community_life" and row["statistic"] in ("value", "min", "max")
    }
    disputed = {("trust_in_neighbours", "E47000007", value) for value in ("29", "37")}
    assert disputed <= figures
    rows = rows_of("young_foundation_report", "2023-24")
    carried = {(row["measure"], row["area_code"], row["value"]) for row in rows if row["value"]}
    assert carried == figures - disputed
    for row in rows:
        assert row["lower_95"] == row["upper_95"] == row["base"] == ""
        named = [claims[word.strip(".;,)")] for word in row["citation"].split() if word[:2] == "RC"]
        assert named
        assert {claim["barometer_id"] for claim in named} == {row["measure"]}
        assert {claim["area_code"] for claim in named} == {row["area_code"]}
    (open_row,) = [row for row in rows if not row["value"]]
    assert (open_row["measure"], open_row["area_code"]) == ("trust_in_neighbours", "E47000007")
    assert open_row["status"] == "not_held"
    assert "37" in open_row["citation"]
    assert "29" in open_row["citation"]


@needs_reference_data
def test_the_national_series_cell_for_cell() -> None:
    printed = read(publisher_file("cls_england_london_2013-14_to_2024-25.csv"))
    labels = {
        "B4 many": "trust_in_neighbours",
        "C6 chat": "chat_to_neighbours",
        "B5 can ": "influence_on_decisions",
        "C1(B) f": "formal_volunteering",
        "C1(D) i": "informal_volunteering",
        "X8 soci": "social_action",
    }
    wanted = {
        (labels[row["measure"][:7]], row["edition"], row["area_code"], float(row["percent"]))
        for row in printed
        if row["measure"][:7] in labels
    }
    carried = set()
    for path in FILES:
        for row in read(BUNDLED / path):
            if "national series" not in row["citation"]:
                continue
            source = printed[cited_line(row) - 2]
            assert (source["area"], source["edition"]) == (row["area_name"], row["edition"])
            assert source["read_in"] in row["citation"]
            carried.add((row["measure"], row["edition"], row["area_code"], float(row["value"])))
    assert carried == wanted
    assert ("trust_in_neighbours", "2023-24", "E92000001", 40.73787438) in carried
    assert ("chat_to_neighbours", "2023-24", "E92000001", 69.38759975) in carried
    assert len({edition for _, edition, _, _ in carried}) == 10


@needs_reference_data
def test_figures_of_running_text_are_as_quoted() -> None:
    quoted = read(REFERENCE_DATA / "published_text_figures.csv")
    wanted = {
        ("dcms_community_life", "2023-24", "neighbourhood_belonging"): "B1 belong",
        ("dcms_community_life", "2024-25", "neighbourhood_belonging"): "B1 belong",
        ("dcms_participation", "2022-23", "arts_engagement"): "engaged with the arts physically (",
        ("dcms_participation", "2024-25", "arts_engagement"): "engaged with the arts physically",
    }
    shown = {}
    for dataset, edition in {key[:2] for key in wanted}:
        for row in rows_of(dataset, edition):
            if "national series" not in row["citation"]:
                shown[dataset, edition, row["measure"]] = row
    assert set(shown) == set(wanted)
    for key, start in wanted.items():
        (source,) = [
            row
            for row in quoted
            if row["edition"].removeprefix("PS ").replace("/", "-") == key[1]
            and row["measure"].startswith(start)
            and "digitally" not in row["measure"]
        ]
        assert shown[key]["value"] == source["value"]
        assert shown[key]["area_code"] == "E92000001"
        assert source["source_address"] in shown[key]["citation"]
        assert source["caution"] in shown[key]["citation"]


# Recipes and the command


def test_every_bundled_file_has_a_recipe_or_comes_from_running_text() -> None:
    made = {(recipe.dataset, recipe.edition) for recipe in load_recipes() if not recipe.files}
    by_hand = {
        ("dcms_community_life", "2024-25"),
        ("dcms_participation", "2022-23"),
        ("dcms_participation", "2024-25"),
        ("young_foundation_report", "2023-24"),
    }
    assert made | by_hand == {(path.parts[0], path.stem) for path in FILES}
    assert not made & by_hand


def test_an_edition_without_recipe_is_refused() -> None:
    with pytest.raises(CatalogueError, match="smc_youth_labour_market 2025") as caught:
        find_recipe("dcms_community_life", "2024-25")
    assert caught.value.code == "no_recipe"


@pytest.mark.parametrize(
    "text",
    [
        "recipes: 3",
        "nothing: []",
        "recipes: [{dataset: a, edition: b, file_name: c, citation: 'no line'}]",
        "recipes: [{dataset: a, edition: b, file_name: c, citation: '{file} {line}', more: 1}]",
        "[",
    ],
)
def test_a_faulty_recipe_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "recipes.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_recipes(file)
    assert caught.value.code == "bad_recipe"


def test_numbers_are_written_as_short_as_they_are_exact() -> None:
    frame = pd.DataFrame(
        {
            "value": pd.Series([90.0, 0.248990379, float("nan")], dtype="object"),
            "group_number": pd.Series([3, pd.NA, 1], dtype="object"),
            "period_start": pd.Series([pd.Timestamp("2023-05-01"), None, pd.NaT], dtype="object"),
            "citation": pd.Series(["a, b", None, 'say "c"'], dtype="object"),
        }
    )
    assert to_csv(frame) == (
        "value,group_number,period_start,citation\n"
        '90,3,2023-05-01,"a, b"\n'
        "0.248990379,,,\n"
        ',1,,"say ""c"""\n'
    )


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["smc_youth_labour_market", "2025", str(file)])
    assert result.exit_code == 1
    assert "smc_youth_labour_market 2025" in result.output
    assert "wrong.csv" in result.output


@needs_reference_data
def test_the_command_prints_the_bundled_file() -> None:
    recipe = find_recipe("smc_promising_prospects", "2024")
    file = publisher_file(recipe.file_name)
    result = CliRunner().invoke(main, [recipe.dataset, recipe.edition, str(file)])
    assert result.exit_code == 0, result.output
    assert result.output == (BUNDLED / recipe.dataset / "2024.csv").read_text(encoding="utf-8")
