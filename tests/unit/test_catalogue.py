"""The catalogue is read strictly, and what it declares holds together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import sources.catalogue
from sources.catalogue import (
    DEFAULT_DIRECTORY,
    Catalogue,
    GovUkDiscovery,
    SmcDiscovery,
    fill,
    load_catalogue,
)
from sources.errors import CatalogueError
from sources.parsers import PARSERS
from tests.reference_data import REFERENCE_DATA, needs_reference_data

DATASETS = {
    "dcms_community_engagement",
    "dcms_community_life",
    "dcms_participation",
    "ons_combined_authorities",
    "dcms_national_series",
    "ons_local_indicators",
    "ons_local_statistics",
    "ons_population",
    "smc_conditions_of_childhood",
    "smc_innovation_and_growth",
    "smc_promising_prospects",
    "smc_youth_labour_market",
    "young_foundation_report",
}
BAROMETERS = {
    "trust_in_neighbours",
    "chat_to_neighbours",
    "help_if_needed",
    "company_if_wanted",
    "area_attractiveness",
    "arts_engagement",
    "library_engagement",
    "green_space_satisfaction",
    "neighbourhood_belonging",
    "backgrounds_get_on",
    "pull_together",
    "civic_engagement",
    "promising_prospects",
    "conditions_of_childhood",
    "youth_labour_market",
    "innovation_and_growth",
}

SMALL = {
    "code": "demo_survey",
    "title": "A survey",
    "short_title": "Survey",
    "publisher": "An office",
    "publisher_short": "AO",
    "shape": "observations",
    "parser": None,
    "landing_page": "https://example.org",
    "licence": "OGL",
    "licence_url": "https://example.org/licence",
    "attribution": "Source: AO, Survey {edition}",
    "cadence": "annual",
    "grace_days": 30,
    "measures": [{"code": "trust", "title": "Trust", "unit": "percent"}],
    "editions": [
        {
            "edition": "2023-24",
            "title": "2023/24",
            "period_start": "2023-10-01",
            "period_end": "2024-03-31",
            "baseline": True,
        },
        {
            "edition": "2024-25",
            "title": "2024/25",
            "period_start": "2024-10-01",
            "period_end": "2025-03-31",
        },
    ],
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def load_one(folder: Path, **changes: object) -> Catalogue:
    entry = {key: value for key, value in (SMALL | changes).items() if value is not ...}
    (folder / "demo_survey.yaml").write_text(yaml.safe_dump(entry), encoding="utf-8")
    return load_catalogue(folder)


def test_the_module_wins_over_the_folder_of_the_same_name():
    assert Path(str(sources.catalogue.__file__)).name == "catalogue.py"
    assert not (DEFAULT_DIRECTORY / "__init__.py").exists()
    assert all(path.suffix == ".yaml" for path in DEFAULT_DIRECTORY.iterdir())


def test_every_dataset_is_there_and_only_those(catalogue):
    assert set(catalogue.datasets) == DATASETS


def test_the_publishers_datasets_cover_the_sixteen_barometers(catalogue):
    context = {"ons_local_indicators", "dcms_national_series"}
    own = [d for d in catalogue.datasets.values() if d.series is None and d.code not in context]
    measures = [measure.code for dataset in own for measure in dataset.measures]
    assert sorted(measures) == sorted(BAROMETERS | {"population_16_plus"})


def test_parsers_exist_and_each_has_layouts_for_its_measures(catalogue):
    for dataset in catalogue.datasets.values():
        if dataset.parser is None:
            continue
        assert dataset.parser in PARSERS
        for edition in dataset.editions:
            if edition.history:
                continue
            layout = dataset.layout(edition.edition)
            assert layout.columns, dataset.code
            if dataset.parser == "dcms_tables":
                assert set(layout.tables) == {measure.code for measure in dataset.measures}


def test_a_layout_not_seen_in_the_publishers_file_says_so(catalogue):
    for dataset in catalogue.datasets.values():
        for layout in dataset.layouts:
            assert layout.verified or layout.note, dataset.code


def test_each_edition_says_how_to_obtain_it(catalogue):
    for dataset in catalogue.datasets.values():
        for edition in dataset.editions:
            assert edition.how_to_obtain, (dataset.code, edition.edition)
            command = f"pulse land {dataset.code} {edition.edition} <file>"
            if dataset.parser and not edition.history:
                assert command in " ".join(edition.how_to_obtain.split())


def test_one_baseline_for_every_dataset_that_barometers_use(catalogue):
    for dataset in catalogue.datasets.values():
        continues_another = dataset.series is not None and not any(
            e.baseline for e in dataset.editions
        )
        if {measure.code for measure in dataset.measures} & BAROMETERS and not continues_another:
            assert any(entry.baseline for entry in dataset.editions), dataset.code


def test_successors_and_series(catalogue):
    for code in ("dcms_community_life", "dcms_participation"):
        assert catalogue.dataset(code).succeeded_by == "dcms_community_engagement"
    copy = catalogue.dataset("ons_local_statistics")
    assert (copy.series, copy.precedence) == ("dcms_participation", 2)
    report = catalogue.dataset("young_foundation_report")
    assert (report.series, report.precedence) == ("dcms_community_life", 9)


@pytest.mark.parametrize(
    ("code", "title", "path", "edition"),
    [
        (
            "dcms_community_life",
            "Community Life Survey 2024/25: annual publication",
            "/government/statistics/community-life-survey-202425-annual-publication",
            "2024-25",
        ),
        (
            "dcms_participation",
            "Participation Survey 2023-24 Annual publication",
            "/government/statistics/participation-survey-2023-24-annual-publication",
            "2023-24",
        ),
    ],
)
def test_release_patterns_recognise_a_release_and_give_its_edition(
    catalogue, code, title, path, edition
):
    discovery = catalogue.dataset(code).discovery
    assert isinstance(discovery, GovUkDiscovery)
    for pattern, text in ((discovery.release_title, title), (discovery.release_path or "", path)):
        match = re.fullmatch(pattern, text, re.IGNORECASE)
        assert match, (pattern, text)
        assert discovery.edition_code.format(**match.groupdict()) == edition
    assert catalogue.dataset(code).edition(edition).page == path
    assert not re.fullmatch(discovery.release_title, "Community Life COVID re-contact survey 2020")


def test_header_patterns_match_the_headers_they_were_written_for(catalogue):
    layout = catalogue.dataset("dcms_community_life").layout("2023-24")

    def fits(column: str, header: str) -> bool:
        patterns = [fill(pattern, "2023-24") for pattern in layout.columns[column]]
        return any(re.fullmatch(pattern, header, re.I) for pattern in patterns)

    for column, header in (
        ("value", "2023/24 Percentage (%)"),
        ("lower_95", "2023/24 Lower Estimate percentage (%)"),
        ("upper_95", "2023/24 Upper Estimate percentage (%)"),
        ("response", "Response Breakdown"),
        ("base", "2023/24 Unweighted Base - number of people aged 16 and over"),
    ):
        assert [name for name in layout.columns if fits(name, header)] == [column], header
    assert not fits("value", "2022/23 Percentage (%)")


def test_placeholders_leave_other_braces_alone():
    assert fill(r"{edition_slash} lad\d{2}cd", "2023-24") == r"2023/24 lad\d{2}cd"
    assert fill("LAD{yy}CD {year} {edition}", "mid-2024") == "LAD24CD 2024 mid-2024"


@needs_reference_data
def test_index_files_are_named_as_the_publisher_names_them(catalogue):
    for dataset in catalogue.datasets.values():
        if isinstance(dataset.discovery, SmcDiscovery):
            for edition, file in dataset.discovery.files.items():
                folder = REFERENCE_DATA / "social_mobility_commission" / edition
                assert (folder / file.file_name).is_file()
                assert dataset.discovery.file_path(edition).endswith(file.file_name)


def test_unknown_codes_are_refused_with_the_known_ones(catalogue):
    with pytest.raises(CatalogueError, match="dcms_community_life"):
        catalogue.dataset("dcms")
    dataset = catalogue.dataset("dcms_community_life")
    with pytest.raises(CatalogueError, match="2023-24, 2024-25"):
        dataset.edition("2022-23")
    with pytest.raises(CatalogueError, match="trust_in_neighbours"):
        dataset.measure("trust")


def test_editions_before(catalogue):
    dataset = catalogue.dataset("ons_population")
    assert [e.edition for e in dataset.before("mid-2024")] == ["mid-2023", "mid-2020"]
    assert dataset.before("mid-2020") == ()


def test_attribution_prints_a_survey_year_with_a_slash(catalogue):
    line = catalogue.dataset("dcms_community_life").attribution_for("2023-24")
    assert line == "Source: DCMS, Community Life Survey 2023/24, OGL v3.0"
    assert "mid-2023" in catalogue.dataset("ons_population").attribution_for("mid-2023")


def test_a_small_entry_is_read(tmp_path):
    assert load_one(tmp_path).dataset("demo_survey").edition("2024-25").title == "2024/25"


def _editions(**changes: object) -> list[dict[str, object]]:
    first, second = [dict(entry) for entry in SMALL["editions"]]  # type: ignore[attr-defined]
    return [first, second | changes]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "colour"),
        ({"title": ...}, "title"),
        ({"cadence": "weekly"}, "cadence"),
        ({"expected_month": 13}, "expected_month"),
        ({"succeeded_by": "nowhere"}, "succeeded_by"),
        ({"series": "demo_survey"}, "series"),
        ({"code": "other"}, r"other\.yaml"),
        ({"attribution": "Source {page}"}, "attribution"),
        ({"parser": "dcms_tables"}, "layout"),
        ({"editions": _editions(edition="2023-24")}, "listed twice"),
        ({"editions": _editions(baseline=True)}, "baseline"),
        ({"editions": _editions(period_end="2024-01-01")}, "period_end"),
        ({"editions": _editions()[::-1]}, "order"),
        ({"editions": _editions(levels=["county"])}, r"editions\.1\.levels"),
        ({"coverage": [{"edition": "1999", "level": "lad", "areas": 3}]}, "1999"),
        ({"layouts": [{"from_edition": "1999"}]}, "1999"),
        ({"layouts": [{"from_edition": "2023-24", "columns": {"value": ["("]}}]}, "regular"),
        (
            {
                "layouts": [
                    {
                        "from_edition": "2023-24",
                        "tables": {"love": {"sheets": {"lad": ["B4c"]}, "response": "x"}},
                    }
                ]
            },
            "love",
        ),
        ({"discovery": {"kind": "carrier_pigeon"}}, "carrier_pigeon"),
        ({"discovery": {"kind": "smc", "domain": "x"}}, "index"),
    ],
)
def test_a_faulty_entry_is_refused_naming_file_and_field(tmp_path, changes, message):
    with pytest.raises(CatalogueError, match=message) as caught:
        load_one(tmp_path, **changes)
    assert caught.value.file == "demo_survey.yaml"


def test_a_key_given_twice_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("code: a\ncode: b\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match="twice") as caught:
        load_catalogue(tmp_path)
    assert caught.value.code == "bad_yaml"


@pytest.mark.parametrize("text", ["- a\n- b\n", "{", ""])
def test_a_file_that_is_no_entry_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"a\.yaml"):
        load_catalogue(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match="empty"):
        load_catalogue(tmp_path)


def test_an_edition_before_every_layout_has_none(tmp_path):
    dataset = load_one(tmp_path, layouts=[{"from_edition": "2024-25"}]).dataset("demo_survey")
    assert dataset.layout("2024-25").from_edition == "2024-25"
    with pytest.raises(CatalogueError, match="no layout"):
        dataset.layout("2023-24")


def test_an_entry_cannot_be_changed(catalogue):
    with pytest.raises(ValueError, match="frozen"):
        catalogue.dataset("ons_population").title = "x"
