"""Context indicators: their seeds, the bundled figures, and the register of the report's list."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sources.areas import AreaBook
from sources.catalogue import load_catalogue
from sources.errors import ParseError
from sources.examination import correct
from sources.parsers import PARSERS, ParseContext
from sources.parsers.ons_local_statistics import rows_by_year
from sources.selection import load_bundled
from tests.proof.dbt_sql import COMPARISONS
from tests.reference_data import REFERENCE_DATA, SHARED, needs_reference_data
from tests.statistics import engine
from tests.transcribe import BUNDLED, find_recipe, transcribe_all
from tests.unit.test_seeds import SEEDS, seed

INDICATORS = REFERENCE_DATA / "ons_local_indicators"
DATASET = load_catalogue().dataset("ons_local_indicators")
BOOK = AreaBook.from_seeds(SEEDS)
HEADER = (
    "areacd,areanm,geography,indicator,period,observation,measure,unit,lci_95,uci_95,status,notes"
)


def context() -> dict[str, dict[str, str]]:
    roles = {row["indicator_id"]: row["role"] for row in seed("framework_indicators")}
    return {
        row["indicator_id"]: row
        for row in seed("indicators")
        if roles[row["indicator_id"]] == "context"
    }


def test_every_context_indicator_has_polarity_and_place_with_a_reason() -> None:
    rows = context()
    assert len([row for row in rows.values() if row["dataset"] == DATASET.code]) == 38
    for row in rows.values():
        assert all(row[column] for column in ("polarity_reason", "source", "decimals")), row
        if row["unit"].startswith("pounds"):
            assert row["polarity"] == "none", "pounds of the year are never better"
    places: dict[str, list[dict[str, str]]] = {}
    for place in seed("framework_indicators"):
        if place["role"] == "context":
            assert place["reason"], place
            places.setdefault(place["indicator_id"], []).append(place)
    everywhere = {code for code, each in places.items() if len(each) == 4}
    assert everywhere == {
        *("life_satisfaction", "worthwhile", "happiness", "anxiety"),
        *("healthy_life_expectancy_female", "healthy_life_expectancy_male"),
    }


@cache
def metadata() -> dict[str, dict[str, Any]]:
    """What the publisher's JSON says of each indicator, by the name that the files print."""
    found: dict[str, dict[str, Any]] = {}
    for path in [*INDICATORS.glob("*.json"), *REFERENCE_DATA.glob("ons_explore*/*.json")]:
        entry = json.loads(path.read_text(encoding="utf-8-sig"))["ess-beta-metadata"]
        shared = entry.get("shared", {})
        for name, each in ({path.stem: entry} if "label" in entry else entry).items():
            if name != "shared":
                found[name] = found[each["label"]] = {**shared, **each}
    return found


@needs_reference_data
def test_titles_subtitles_decimals_and_dates_are_the_publishers() -> None:
    printed = {code: name for name, code in DATASET.layout("2023").indicators.items()}
    rows = context()
    for code in printed:
        row = rows[code]
        names = [name for name, own in DATASET.layout("2023").indicators.items() if own == code]
        said = next(metadata()[name] for name in names if name in metadata())
        assert row["definition"] == " ".join(said["subtitle"].split())
        assert row["decimals"] == str(said["decimalPlaces"]), code
        day, month, year = said["sourceDate"].split("|")[0].split("/")
        assert row["source"] == f"{said['sourceOrg'].split('|')[0]}, {year}-{month}-{day}"
        assert DATASET.measure(code).title == row["title"]
        # Caveats are carried without their links.
        for sentence in re.split(r"(?<=[.])\s+", row["caution"])[:2]:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", said.get("caveats") or "")
            assert sentence.strip(".")[:60] in " ".join(plain.split()), code


@needs_reference_data
def test_cautions_on_change_are_sentences_of_the_caveats() -> None:
    by_title = {row["title"]: code for code, row in context().items()}
    for row in seed("series_breaks"):
        if row["dataset"] == DATASET.code and "caveats of the data set" in row["citation"]:
            assert row["grade"] == "caution"
            code = by_title[row["citation"].rsplit(", ", 1)[-1]]
            assert code == row["barometer_id"]
            assert row["reason"] in context()[code]["caution"]


def test_similar_areas_are_the_nearest_of_others() -> None:
    rows = seed("similar_areas")
    assert len(rows) == 397
    for row in rows:
        for kind in ("overall", "economic", "demographic"):
            codes = row[kind].split(" ")
            # Of combined authorities the publisher names five.
            count = 5 if row["area_code"].startswith("E47") else 20
            assert len(codes) == len(set(codes)) == count
            assert row["area_code"] not in codes


@needs_reference_data
def test_similar_areas_are_the_publishers() -> None:
    path = REFERENCE_DATA / "ons_similar_areas" / "areas-similar.json"
    published = json.loads(path.read_text(encoding="utf-8"))
    kinds = {"overall": "global", "economic": "economic", "demographic": "demographic"}
    for row in seed("similar_areas"):
        for kind, theirs in kinds.items():
            assert row[kind].split(" ") == published[row["area_code"]][theirs]


@needs_reference_data
def test_the_register_is_the_reports_list() -> None:
    text = (SHARED / "reference" / "barometers.md").read_text(encoding="utf-8")
    section = text.split("## 6.")[1].split("## 7.")[0]
    listed = [
        tuple(cell.strip() for cell in line.strip("|").split("|")[:4])
        for line in section.splitlines()
        if line.startswith("| ") and not line.startswith("| Goal")
    ]
    register = seed("secondary_data")
    assert [
        (row["goal_id"], row["data_set"], row["publisher"], row["indicators"]) for row in register
    ] == listed


def test_the_register_says_where_and_why() -> None:
    known = {row["indicator_id"] for row in seed("indicators")}
    for row in seed("secondary_data"):
        assert all(row[column] for column in row if column != "indicator_ids"), row
        carried = set(row["indicator_ids"].split())
        assert carried <= known, row["data_set"]
        assert carried or row["state"] == "not_landed"


# --- the bundled figures --------------------------------------------------------------------------


def bundled() -> pd.DataFrame:
    rows: pd.DataFrame = pq.read_table(BUNDLED / DATASET.code / "all.parquet").to_pandas()
    return rows


def test_the_bundled_file_is_compact_and_names_an_area_once() -> None:
    assert (BUNDLED / DATASET.code / "all.parquet").stat().st_size < 700_000
    rows = bundled()
    assert len(rows) > 80_000
    assert rows["lower_95"].notna().sum() > 40_000
    assert rows["measure"].nunique() == 38
    here = rows["area_code"].map(BOOK.same_ground)
    assert not rows.assign(area_code=here).duplicated(["measure", "area_code", "edition"]).any()
    assert rows["edition"].eq(rows["period_start"].dt.year.astype(str)).all()


def test_a_bundled_row_cites_its_data_set_commit_and_line() -> None:
    rows = load_bundled(DATASET, DATASET.edition("2023"), BUNDLED / DATASET.code / "all.parquet")
    assert rows["citation"].str.contains(r"commit 4972c588, \S+/\S+\.csv, line \d+\.$").all()
    assert rows["unit"].eq("ratio").any()


@needs_reference_data
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["research-and-development-business", "sports-facilities", "gigabit-capable-broadband"]
)
def test_the_bundled_rows_are_made_from_the_publishers_file(name: str) -> None:
    recipe = find_recipe(DATASET.code, "all").model_copy(update={"files": (name,)})
    made = transcribe_all(recipe, INDICATORS, catalogue=load_catalogue(), areas=BOOK).to_pandas()
    held = bundled()
    held = held[held["file"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(made, held, check_dtype=False)
    lines = (INDICATORS / f"{name}.csv").read_text(encoding="utf-8-sig").splitlines()
    for row in made.sample(5, random_state=1).itertuples():
        assert lines[row.line - 1].startswith(f"{row.area_code},")


# --- the parser -----------------------------------------------------------------------------------


def parse(*lines: str, year: str = "2023") -> pd.DataFrame:
    content = "\n".join([HEADER, *lines, ""]).encode()
    edition = DATASET.edition(year)
    context = ParseContext(dataset=DATASET, edition=edition, areas=BOOK, file_name="file.csv")
    rows, _ = correct(PARSERS["ons_local_statistics"](content, context).rows, DATASET, edition)
    return rows


def line(code: str, period: str, *, value: str = "7.5", unit: str = "%", name: str = "") -> str:
    name = name or BOOK.name(code)
    return f'{code},"{name}",x,Employment rate,{period},{value},m,{unit},,,,'


@pytest.mark.parametrize(
    ("printed", "start", "end"),
    [
        ("2023-01-01/P1Y", "2023-01-01", "2023-12-31"),
        ("2023-08-01/P1Y", "2023-08-01", "2024-07-31"),
        ("2023-01-01/P3Y", "2023-01-01", "2025-12-31"),
        ("2023-10-05", "2023-10-05", "2023-10-05"),
    ],
)
def test_a_printed_period_is_read_whole(printed: str, start: str, end: str) -> None:
    (row,) = parse(line("E08000025", printed)).to_dict("records")
    assert (str(row["period_start"].date()), str(row["period_end"].date())) == (start, end)


def test_each_edition_has_the_rows_whose_period_begins_in_it() -> None:
    lines = [
        line("E08000025", f"{year}-04-01/P1Y", value=str(year - 1970)) for year in (2022, 2023)
    ]
    assert parse(*lines)["value"].tolist() == [53.0]
    assert parse(*lines, year="2022")["value"].tolist() == [52.0]
    cut = rows_by_year("\n".join([HEADER, *lines, ""]).encode())
    assert cut[2023].lines == (1, 3)
    assert len(cut[2023].content.splitlines()) == 2


def test_an_area_under_its_former_and_its_current_code_counts_once() -> None:
    period = "2023-01-01/P1Y"
    both = parse(line("E08000016", period, value="1"), line("E08000038", period, value="2"))
    assert both[["area_code", "value"]].values.tolist() == [["E08000038", 2.0]]
    # What was merged into a larger area is another area, and stays.
    merged = parse(line("E07000026", period), line("E06000063", period))
    assert set(merged["area_code"]) == {"E07000026", "E06000063"}


def test_areas_that_are_not_carried_are_left_out() -> None:
    period = "2023-01-01/P1Y"
    odd = [line(code, period, name="somewhere") for code in ("W06000001", "TLG31", "E11000005")]
    assert parse(line("E08000025", period), *odd)["area_code"].tolist() == ["E08000025"]


def test_the_unit_of_a_ratio_is_corrected_and_only_there() -> None:
    ratio = line("E08000025", "2023-04-01").replace(
        "Employment rate", "Housing affordability ratio (residence-based)"
    )
    rows = parse(ratio, line("E08000025", "2023-01-01/P1Y"))
    assert dict(zip(rows["measure"], rows["unit"], strict=True)) == {
        "housing_affordability": "ratio",
        "employment_rate": "percent",
    }


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (line("E08000025", "2023-13-01"), "bad_period"),
        (line("E08000025", "2023-04"), "bad_period"),
        (line("E08000025", "2023-01-01/P1Y", unit="furlongs"), "wrong_unit"),
        (line("E08000025", "2019-01-01/P1Y"), "wrong_edition"),
        (line("E99000001", "2023-01-01/P1Y", name="Nowhere"), "unknown_area"),
    ],
)
def test_what_cannot_be_read_is_refused(row: str, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(row)
    assert caught.value.code == code


def test_files_are_found_in_a_folder_of_their_own_name(tmp_path: Path) -> None:
    recipe = find_recipe(DATASET.code, "all").model_copy(update={"files": ("employment-rate",)})
    folder = tmp_path / "employment-rate"
    folder.mkdir()
    text = "\n".join([HEADER, line("E08000025", "2023-01-01/P1Y"), ""])
    (folder / "employment-rate.csv").write_text(text, encoding="utf-8-sig")
    made = transcribe_all(recipe, tmp_path, catalogue=load_catalogue(), areas=BOOK).to_pandas()
    assert made[["edition", "measure", "value", "line"]].values.tolist() == [
        ["2023", "employment_rate", 7.5, 2]
    ]


def test_similar_areas_are_a_comparator_of_their_own() -> None:
    """Nothing on the way to the mart drops a comparator that is no single area."""
    cells = [
        {"area_code": code, "area_name": code, "value": value, "se": 1.0}
        for code, value in (("A", 40.0), ("B", 50.0), ("C", 70.0), ("D", 60.0))
    ]
    built = engine.run_models(
        COMPARISONS,
        {
            "int_barometer_cells": cells,
            "areas": [
                {"area_code": each, "area_name": each, "area_level": "lad", "current_code": each}
                for each in "ABCD"
            ],
            "similar_areas": [{"area_code": "A", "overall": "B C D X"}],
        },
    )["int_comparisons"]
    (row,) = built[built["comparator_kind"] == "similar_areas"].to_dict("records")
    assert (row["area_code"], row["comparator_value"], row["comparator_areas"]) == ("A", 60.0, 3)
    assert (row["comparator_lowest"], row["comparator_highest"]) == (50.0, 70.0)
    assert row["outcome"] == "cannot_say"
