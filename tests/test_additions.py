"""What an addition takes, each made in a copy of the project: no code, and no second place.

A dataset whose layout is known is one file of the catalogue and one golden; an edition is an item of a
list.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from demonstration.publisher_files import write_publisher_file
from sources.areas import AreaBook
from sources.catalogue import load_catalogue
from sources.contract import check_rows
from sources.parsers import PARSERS, ParseContext
from warehouse.workspace import PROJECT, SEEDS, Workspace

pytestmark = pytest.mark.slow

KNOWN, ADDED = "smc_youth_labour_market", "smc_second_chances"
MEASURE, ADDED_MEASURE = "youth_labour_market", "second_chances"


class Copy:
    """The project in another folder, with a workspace of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = Workspace(root / "home")
        out = shutil.ignore_patterns(
            *(".*", "__pycache__", "target", "build", "demo", "landing", "releases"),
            *("shared", "quarantine", "*.egg-info", "logs", "*.duckdb"),
        )
        shutil.copytree(PROJECT, root, ignore=out)
        home = root / "home" / "dagster_home"
        home.mkdir(parents=True)
        shutil.copyfile(PROJECT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")

    def run(self, *arguments: str) -> str:
        """Run a Python module of the copy; returns what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "PULSE_HOME": str(self.workspace.root),
                "DAGSTER_HOME": str(self.workspace.root / "dagster_home"),
                "PYTHONPATH": str(self.root),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, f"{arguments}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


def added_catalogue_entry(areas: int) -> str:
    """The entry of a dataset that is laid out like another, with so many areas."""
    text = (PROJECT / "sources" / "catalogue" / f"{KNOWN}.yaml").read_text(encoding="utf-8")
    text = text.replace(KNOWN, ADDED).replace(f"code: {MEASURE}", f"code: {ADDED_MEASURE}")
    text = text.replace("labour_market_opportunities_for_young_people", "second_chances")
    return re.sub(r"(level: smc_area, areas:) \d+", rf"\1 {areas}", text)


@pytest.fixture(scope="module")
def with_additions(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with another dataset, whose file is landed."""
    copy = Copy(tmp_path_factory.mktemp("additions") / "project")
    golden = copy.root / "tests" / "golden"
    shutil.copytree(golden / KNOWN, golden / ADDED)
    for path in (golden / ADDED).glob("*.expected.csv"):
        text = path.read_text(encoding="utf-8")
        text = text.replace(KNOWN, ADDED).replace(f",{MEASURE},", f",{ADDED_MEASURE},")
        path.write_text(text, encoding="utf-8")
    expected = (golden / ADDED / "2025.expected.csv").read_text(encoding="utf-8")
    areas = {line.split(",")[4] for line in expected.splitlines()[1:]}
    entry = copy.root / "sources" / "catalogue" / f"{ADDED}.yaml"
    entry.write_text(added_catalogue_entry(len(areas)), encoding="utf-8")
    file = golden / ADDED / "2025.csv"
    assert "the next refresh uses them" in copy.run(
        "orchestration.cli", "land", ADDED, "2025", str(file)
    )
    return copy


def test_a_dataset_of_a_known_layout_is_an_entry_and_a_golden(
    with_additions: Copy,
) -> None:
    with_additions.run("pytest", "-p", "no:cacheprovider", "tests/golden", "-k", ADDED)


def test_an_edition_is_one_item_of_a_list(tmp_path: Path) -> None:
    """In the YAML alone; its file is read by the layout that was there, and keeps the contract."""
    folder = tmp_path / "catalogue"
    shutil.copytree(PROJECT / "sources" / "catalogue", folder)
    file = folder / "dcms_participation.yaml"
    entry = yaml.safe_load(file.read_text(encoding="utf-8"))
    newest = entry["editions"][-1]
    years = [int(part) for part in newest["edition"].split("-")]
    edition = f"{years[0] + 1}-{years[1] + 1}"
    item = {
        "edition": edition,
        "title": f"Participation Survey {edition}",
        "period_start": newest["period_start"].replace(year=newest["period_start"].year + 1),
        "period_end": newest["period_end"].replace(year=newest["period_end"].year + 1),
        "levels": ["nation", "itl1", "lad"],
        "page": f"/government/statistics/participation-survey-{edition}",
        "how_to_obtain": "Download the tables and hand them in.",
    }
    entry["editions"].append(item)
    file.write_text(yaml.safe_dump(entry, allow_unicode=True), encoding="utf-8")
    dataset = load_catalogue(folder).dataset("dcms_participation")
    areas = AreaBook.from_seeds(SEEDS)
    added = dataset.edition(edition)
    content = write_publisher_file(dataset, added, areas, seed=1)
    assert dataset.parser is not None
    parsed = PARSERS[dataset.parser](content, ParseContext(dataset, added, areas, "tables.ods"))
    assert set(parsed.rows["edition"]) == {edition}
    assert {measure.code for measure in dataset.measures} >= set(parsed.rows["measure"])
    errors = [
        finding
        for finding in check_rows(parsed.rows, dataset, added, areas)
        if finding.severity == "error"
    ]
    assert errors == []
