"""Made-up files: plausible, repeatable, and every planted fault met by name or accepted with a note.

A fault that can be read but must not be believed (a missing authority, swapped bounds) is left to
the contract; the table says so, and the contract is asked here too.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import demonstration.__main__
import orchestration.runs
from demonstration.publisher_files import Fault, applicable_faults
from sources.catalogue import Catalogue
from sources.contract import check_rows
from sources.errors import ParseError
from sources.landing import LandingStore
from tests.publisher_files import area_book, attempt, catalogue, codes, make, parse, plain, write
from warehouse.workspace import PROJECT, Workspace

#: Fault -> code of the parse error, note of what was accepted, or finding of the contract.
REFUSED = {
    Fault.MISSING_SHEET: {"missing_sheet"},
    # An index file is known by its headings: with one renamed, it is no layout that is known.
    Fault.RENAMED_COLUMN: {"missing_column", "unknown_layout"},
    Fault.TWO_COLUMNS_MATCH: {"ambiguous_column"},
    Fault.DECIMAL_COMMAS: {"decimal_comma"},
    Fault.UNKNOWN_SYMBOL: {"unknown_symbol"},
    Fault.EMPTY_TABLE: {"empty_table"},
    Fault.LAST_YEARS_FILE: {"wrong_edition"},
    Fault.TRUNCATED: {"truncated"},
    Fault.PASSWORD_PROTECTED: {"password_protected"},
    Fault.ZIP_BOMB: {"zip_bomb"},
    Fault.HTML_PAGE: {"html_page"},
    Fault.JSON_ERROR: {"json_document", "service_error"},
}
ACCEPTED = {
    Fault.RENAMED_SHEET: "sheet_renamed",
    Fault.HEADER_MOVED: "header_moved",
    Fault.EXTRA_COLUMN: "extra_column",
    Fault.PERCENT_AS_FRACTION: "percent_as_fraction",
    Fault.VALUES_AS_TEXT: "number_as_text",
    Fault.SUPPRESSED_CELL: "status_symbols",
    Fault.NOT_AVAILABLE_CELL: "status_symbols",
}
# Some files show these faults to their parser already.
LEFT_TO_CONTRACT = {
    Fault.MISSING_AUTHORITY: {"missing_area"},
    Fault.DOUBLED_AUTHORITY: {
        "doubled_area",
        "conflicting_area",
        "conflicting_duplicates",
        "doubled_member",
        "doubled_age",
    },
    Fault.UNKNOWN_AREA: {"unknown_area", "missing_area"},
    Fault.OTHER_CODE_VINTAGE: {"code_vintage"},
    Fault.SWAPPED_BOUNDS: {"bounds_swapped"},
    Fault.VALUE_OUTSIDE_INTERVAL: {"interval_excludes_value"},
    Fault.ZERO_WIDTH_INTERVAL: {"zero_width_interval"},
}
# Needs an edition before it to be seen: tested below.
#: Faults that cost one table, with a warning, where the catalogue allows a table to be unread.
LEFT_OUT = {
    Fault.MISSING_SHEET,
    Fault.RENAMED_COLUMN,
    Fault.TWO_COLUMNS_MATCH,
    Fault.EMPTY_TABLE,
}
AGAINST_ANOTHER_EDITION = {Fault.IMPLAUSIBLE_JUMP}

FILES = (
    ("dcms_community_life", "2023-24"),
    ("dcms_participation", "2023-24"),
    ("smc_promising_prospects", "2024"),
    ("smc_conditions_of_childhood", "2025"),
    ("ons_local_statistics", "2023-24"),
    ("ons_combined_authorities", "2025"),
    ("ons_population", "mid-2023"),
)
#: Large: seconds for a whole file. Their faults are planted in the fast tests in smaller ones.
LARGE = {"dcms_community_life", "ons_population"}
#: Whole files of this dataset are shown to the contract here; those of the others, slowly.
SMALLEST = "smc_promising_prospects"


def _marked(dataset: str, edition: str, fault: Fault | None = None) -> object:
    whole = dataset != SMALLEST and fault in (None, *LEFT_TO_CONTRACT)
    given = (dataset, edition) if fault is None else (dataset, edition, fault)
    return pytest.param(*given, marks=[pytest.mark.slow] if whole or dataset in LARGE else [])


MATRIX = [
    _marked(dataset, edition, fault)
    for dataset, edition in FILES
    for fault in applicable_faults(catalogue().dataset(dataset))
]


def test_every_fault_has_an_outcome() -> None:
    groups = (set(REFUSED), set(ACCEPTED), set(LEFT_TO_CONTRACT), AGAINST_ANOTHER_EDITION)
    assert set().union(*groups) == set(Fault)
    assert sum(len(group) for group in groups) == len(Fault)


@pytest.mark.parametrize(("dataset", "edition", "fault"), MATRIX)
@pytest.mark.planted_fault
def test_a_planted_fault_has_its_outcome(dataset: str, edition: str, fault: Fault) -> None:
    entry = catalogue().dataset(dataset)
    # The contract counts areas, so it is shown whole files; small ones do for the parsers.
    content = write(dataset, edition, fault, whole=fault in LEFT_TO_CONTRACT)
    if fault in LEFT_OUT and entry.allowance.tables:
        parsed = parse(dataset, edition, content)
        assert {finding.code for finding in parsed.findings} & REFUSED[fault]
    elif fault in REFUSED:
        with pytest.raises(ParseError) as caught:
            parse(dataset, edition, content)
        assert caught.value.code in REFUSED[fault]
        assert caught.value.todo
    elif fault in ACCEPTED:
        parsed = parse(dataset, edition, content)
        clean = plain(dataset, edition)
        assert ACCEPTED[fault] in codes(parsed) - codes(clean)
        if fault in (Fault.SUPPRESSED_CELL, Fault.NOT_AVAILABLE_CELL):
            gone = parsed.rows[parsed.rows["value"].isna()]
            assert len(gone) >= 1
            wanted = "suppressed" if fault is Fault.SUPPRESSED_CELL else "not_available"
            assert set(gone["status"]) == {wanted}
        elif "value" in clean.rows:
            assert parsed.rows["value"].tolist() == clean.rows["value"].tolist()
    elif fault in LEFT_TO_CONTRACT:
        read, code = attempt(lambda: parse(dataset, edition, content))
        found = {code}
        if read is not None:
            rules = check_rows(read.rows, entry, entry.edition(edition), area_book())
            found = {finding.code for finding in rules}
        assert found & LEFT_TO_CONTRACT[fault]


@pytest.mark.slow
@pytest.mark.planted_fault
def test_an_implausible_jump_is_seen_and_a_plausible_change_is_not() -> None:
    entry = catalogue().dataset("dcms_community_life")
    before = parse(entry.code, "2023-24", write(entry.code, "2023-24", whole=True)).rows
    for faults, wanted in (((), False), ((Fault.IMPLAUSIBLE_JUMP,), True)):
        content = write(entry.code, "2024-25", *faults, whole=True)
        rows = parse(entry.code, "2024-25", content).rows
        found = check_rows(rows, entry, entry.edition("2024-25"), area_book(), previous=before)
        assert ("implausible_jump" in {finding.code for finding in found}) is wanted


@pytest.mark.parametrize(("dataset", "edition"), [_marked(*file) for file in FILES])
def test_a_file_without_faults_passes_the_contract(dataset: str, edition: str) -> None:
    entry = catalogue().dataset(dataset)
    rows = parse(dataset, edition, write(dataset, edition, whole=True)).rows
    findings = check_rows(rows, entry, entry.edition(edition), area_book())
    assert [finding for finding in findings if finding.severity == "error"] == []


@pytest.mark.parametrize(("dataset", "edition"), FILES)
def test_equal_arguments_give_equal_bytes_and_seeds_differ(dataset: str, edition: str) -> None:
    first = write(dataset, edition, seed=7)
    make.cache_clear()
    assert write(dataset, edition, seed=7) == first
    assert write(dataset, edition, seed=8) != first


@pytest.mark.slow
def test_intervals_follow_from_the_base_and_england_from_its_authorities() -> None:
    rows = parse(
        "dcms_community_life",
        "2023-24",
        write("dcms_community_life", "2023-24", whole=True),
    ).rows
    rows = rows[rows["breakdown"] == "all"]
    survey = rows[rows["area_level"] == "lad"]
    width = (survey["upper_95"] - survey["lower_95"]) / 3.92
    design = width**2 * survey["base"].astype(float) / (survey["value"] * (100 - survey["value"]))
    inside = survey["value"].between(20, 80)
    assert design[inside].between(1.4, 1.8).all()
    for _, of_measure in rows.groupby("measure"):
        authorities = of_measure[of_measure["area_level"] == "lad"]["value"]
        england = of_measure[of_measure["area_level"] == "nation"]["value"].item()
        assert abs(authorities.mean() - england) < 2


def test_a_fault_that_a_file_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="zip_bomb"):
        write("ons_population", "mid-2023", Fault.ZIP_BOMB)
    with pytest.raises(ValueError, match="not published as csv"):
        write("dcms_community_life", "2023-24", form="csv")


@pytest.mark.slow
def test_nothing_of_the_product_imports_the_demonstration() -> None:
    product = [
        path
        for package in ("sources", "warehouse", "orchestration")
        for path in (PROJECT / package).rglob("*.py")
    ]
    assert product
    imported = {
        name
        for path in product
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
    }
    assert "sources.errors" in imported
    assert {name for name in imported if name.split(".")[0] == "demonstration"} == set()


@pytest.mark.slow
def test_the_demonstration_has_a_dagster_home_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def run_job(workspace: Workspace, job: str, mode: str, *, tags: dict[str, str]) -> int:
        runs.append((workspace.root, job, mode, tags, os.environ["DAGSTER_HOME"]))
        return 0

    one = catalogue().dataset("smc_promising_prospects")
    monkeypatch.setattr(
        demonstration.__main__, "load_catalogue", lambda: Catalogue({one.code: one})
    )
    monkeypatch.setattr(orchestration.runs, "run_job", run_job)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "real"))
    done = CliRunner().invoke(demonstration.__main__.main, ["--root", str(tmp_path / "demo")])
    assert done.exit_code == 0, done.output
    home = tmp_path / "demo" / "dagster_home"
    assert runs == [(tmp_path / "demo", "refresh", "offline", {"pulse/kind": "demo"}, str(home))]
    assert (home / "dagster.yaml").is_file()
    workspace = Workspace(tmp_path / "demo")
    assert workspace.is_demonstration
    store = LandingStore(workspace.landing, workspace.quarantine)
    landed = [each for e in one.editions for each in store.revisions(one.code, e.edition)]
    assert [each.origin for each in landed] == ["synthetic"] * len(one.editions)
