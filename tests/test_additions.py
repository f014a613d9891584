"""What an addition takes, each made in a copy of the project: no code, and no second place.

A dataset whose layout is known is one file of the catalogue, one golden and rows of seeds; an edition
is an item of a list; a framework is rows of seeds; another lead area is one line.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from demonstration.publisher_files import write_publisher_file
from sources.areas import AreaBook
from sources.catalogue import load_catalogue
from sources.contract import check_rows
from sources.parsers import PARSERS, ParseContext
from warehouse.connection import reading
from warehouse.workspace import PROJECT, SEEDS, Workspace

pytestmark = pytest.mark.slow

KNOWN, ADDED = "smc_youth_labour_market", "smc_second_chances"
MEASURE, ADDED_MEASURE = "youth_labour_market", "second_chances"
MANCHESTER = "E47000001"


class Copy:
    """The project in another folder, with a workspace of its own."""

    def __init__(self, root: Path, released: Workspace) -> None:
        self.root = root
        self.workspace = Workspace(root / "home")
        out = shutil.ignore_patterns(
            *(".*", "__pycache__", "target", "build", "demo", "landing", "releases"),
            *("shared", "quarantine", "*.egg-info", "logs", "*.duckdb"),
        )
        shutil.copytree(PROJECT, root, ignore=out)
        # Charts of the same figures are not drawn again.
        shutil.copytree(released.builds / "charts", self.workspace.builds / "charts")
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

    def change(self, path: str, change: Callable[[str], str]) -> None:
        """Rewrite a file of the copy; the change must change it."""
        file = self.root / path
        before = file.read_text(encoding="utf-8")
        after = change(before)
        assert after != before, path
        file.write_text(after, encoding="utf-8")

    def add_rows(self, seed: str, *rows: str) -> None:
        """Add lines to a seed."""
        self.change(
            f"dbt_project/seeds/{seed}.csv", lambda text: text + "".join(f"{r}\n" for r in rows)
        )


def broken_links(site: Path) -> list[str]:
    """Links and pictures of pages that lead to no file."""
    pages = sorted(site.glob("*.html"))
    assert pages
    return [
        f"{page.name}: {address}"
        for page in pages
        for address in re.findall(
            r'(?:href|src|srcset)="([^"#]+)', page.read_text(encoding="utf-8")
        )
        if not address.startswith(("http://", "https://", "mailto:"))
        and not (site / html.unescape(address)).is_file()
    ]


def added_catalogue_entry(areas: int) -> str:
    """The entry of a dataset that is laid out like another, with so many areas."""
    text = (PROJECT / "sources" / "catalogue" / f"{KNOWN}.yaml").read_text(encoding="utf-8")
    text = text.replace(KNOWN, ADDED).replace(f"code: {MEASURE}", f"code: {ADDED_MEASURE}")
    text = text.replace("labour_market_opportunities_for_young_people", "second_chances")
    return re.sub(r"(level: smc_area, areas:) \d+", rf"\1 {areas}", text)


@pytest.fixture(scope="module")
def with_additions(tmp_path_factory: pytest.TempPathFactory, released_workspace: Workspace) -> Copy:
    """A copy with another dataset, and a framework of two goals that uses it."""
    copy = Copy(tmp_path_factory.mktemp("additions") / "project", released_workspace)
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
    seeds = {name: (SEEDS / f"{name}.csv").read_text("utf-8").splitlines() for name in
             ("indicators", "indicator_measures")}  # fmt: skip
    for name, lines in seeds.items():
        (line,) = [line for line in lines if line.startswith(f"{MEASURE},")]
        copy.add_rows(name, line.replace(KNOWN, ADDED).replace(MEASURE, ADDED_MEASURE))
    copy.add_rows("frameworks", "two_goals,A framework of two goals,Nobody,Made for a test")
    copy.add_rows(
        "goals",
        "two_goals,chances,1,A region of chances,Chances,What it means,What it is like,Made for a test",
        "two_goals,trusting,2,A trusting region,Trust,What it means,What it is like,Made for a test",
    )
    copy.add_rows(
        "framework_indicators",
        f"two_goals,chances,{ADDED_MEASURE},key,1,",
        "two_goals,trusting,trust_in_neighbours,key,1,",
    )
    file = golden / ADDED / "2025.csv"
    copy.run("orchestration.cli", "land", ADDED, "2025", str(file))
    copy.run("orchestration.cli", "refresh", "--offline")
    return copy


def test_a_dataset_of_a_known_layout_is_an_entry_a_golden_and_seed_rows(
    with_additions: Copy,
) -> None:
    with_additions.run("pytest", "-p", "no:cacheprovider", "tests/golden", "-k", ADDED)
    golden = "tests/test_definitions.py::test_every_parser_is_used_and_every_dataset_with_one_has_a_golden"
    with_additions.run("pytest", "-p", "no:cacheprovider", golden)
    with reading(with_additions.workspace.warehouse_file) as connection:
        figures = connection.execute(
            "select count(*), count(distinct area_code) from marts.barometers where barometer_id = ? "
            "and dataset = ? and origin = 'publisher' and value is not null",
            [ADDED_MEASURE, ADDED],
        ).fetchone()
    assert figures is not None
    assert min(figures) > 5


def test_a_framework_of_two_goals_is_seed_rows_and_has_rows_and_pages(
    with_additions: Copy, tmp_path: Path
) -> None:
    with reading(with_additions.workspace.warehouse_file) as connection:
        rows = dict(
            connection.execute(
                "select goal_id, count(*) from marts.goal_areas where framework = 'two_goals' "
                "group by goal_id"
            ).fetchall()
        )
        ours = connection.execute(
            "select count(distinct goal_id) from marts.goal_areas where framework = "
            "'inclusive_communities'"
        ).fetchone()
    assert set(rows) == {"chances", "trusting"}
    assert min(rows.values()) > 5
    assert ours == (4,)
    with_additions.run(
        "orchestration.cli", "site", "--framework", "two_goals", "--to", str(tmp_path)
    )
    site = tmp_path / "site"
    index = (site / "index.html").read_text(encoding="utf-8")
    assert "A region of chances" in index
    assert "A trusting region" in index
    assert "A socially connected region" not in index
    assert (site / f"indicator-{ADDED_MEASURE.replace('_', '-')}.html").is_file()


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


@pytest.fixture(scope="module")
def for_manchester(tmp_path_factory: pytest.TempPathFactory, released_workspace: Workspace) -> Copy:
    """A copy whose lead area is another combined authority."""
    copy = Copy(tmp_path_factory.mktemp("manchester") / "project", released_workspace)
    copy.change(
        "dbt_project/dbt_project.yml",
        lambda text: re.sub(r"lead_area: \w+", f"lead_area: {MANCHESTER}", text),
    )
    copy.run("orchestration.cli", "refresh", "--offline")
    return copy


def test_another_lead_area_is_one_line_and_its_figures_are_its_own(for_manchester: Copy) -> None:
    with reading(for_manchester.workspace.warehouse_file) as connection:
        leads = connection.execute("select distinct area_code from marts.pulse").fetchall()
        members = connection.execute(
            "select count(distinct area_code) from marts.authority_profiles "
            "where combined_authority_code = ?",
            [MANCHESTER],
        ).fetchone()
        claims = connection.execute("select count(*) from marts.report_reconciliation").fetchone()
        ours = connection.execute(
            "select count(*) from marts.report_reconciliation where verdict is null"
        ).fetchone()
    assert leads == [(MANCHESTER,)]
    assert members == (10,)
    assert claims == (52,)
    assert ours == (0,)


def test_pages_and_pictures_of_another_lead_area_are_right_or_absent(for_manchester: Copy) -> None:
    site = for_manchester.workspace.exports / "site"
    index = (site / "index.html").read_text(encoding="utf-8")
    assert "Greater Manchester" in index
    assert "West Midlands Combined Authority" not in index
    assert broken_links(site) == []


def test_every_query_answers_for_another_lead_area(for_manchester: Copy) -> None:
    text = for_manchester.run("warehouse.queries")
    itself = [line for line in text.splitlines() if "(itself)" in line]
    assert all("Greater Manchester" in line for line in itself)
    assert text.count("\n|") > 30
