"""The code location as Dagster loads it, and the sets that must be one set.

One short code names a dataset in the catalogue, the goldens and the assets; a
dataset that is added in one place and forgotten in another fails here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sources.catalogue import load_catalogue
from sources.parsers import PARSERS
from tests.lazy import lazy
from warehouse.contracts import rules
from warehouse.workspace import PROJECT

dg = lazy("dagster")
definitions = lazy("orchestration.definitions")
gate = lazy("orchestration.defs.gate")
transform = lazy("orchestration.defs.transform")


@pytest.fixture(scope="module")
def location() -> dg.Definitions:
    return definitions.defs()


@pytest.fixture(scope="module")
def keys(location: dg.Definitions) -> set[str]:
    graph = location.resolve_asset_graph()
    return {key.to_user_string() for key in graph.get_all_asset_keys()}


@pytest.mark.slow
def test_a_dataset_is_known_everywhere_by_one_code(keys: set[str]) -> None:
    codes = set(load_catalogue().datasets)
    assert {
        key.removeprefix("observations/") for key in keys if key.startswith("observations/")
    } == (codes)
    raw = {key.removeprefix("raw/") for key in keys if key.startswith("raw/")}
    assert raw == set(transform.TABLES)


def test_every_parser_is_used_and_every_dataset_with_one_has_a_golden() -> None:
    datasets = load_catalogue().datasets.values()
    assert {d.parser for d in datasets if d.parser} == set(PARSERS)
    goldens = {
        folder.name for folder in (PROJECT / "tests" / "golden").iterdir() if folder.is_dir()
    }
    assert {d.code for d in datasets if d.parser} <= goldens


@pytest.mark.slow
def test_every_mart_is_gated_and_published_only_behind_its_gate(
    location: dg.Definitions, keys: set[str]
) -> None:
    marts = {key.removeprefix("marts/") for key in keys if key.startswith("marts/")}
    assert marts == set(gate.GATED) == {rule.mart for rule in rules()}
    graph = location.resolve_asset_graph()
    exports = graph.get(dg.AssetKey(["release", "exports"]))
    assert {dg.AssetKey(["marts", mart]) for mart in marts} <= exports.parent_keys
    blocking = {
        check.name for check in graph.asset_check_keys if graph.get_check_spec(check).blocking
    }
    assert {rule.name for rule in rules()} <= blocking


@pytest.mark.slow
def test_exactly_what_may_run_is_registered(location: dg.Definitions) -> None:
    catalogue = load_catalogue().datasets.values()
    assert {job.name for job in location.jobs or []} == {
        "refresh",
        "backfill",
        "dry_run",
        "republish",
    }
    annual = {
        f"annual_{d.code}"
        for d in catalogue
        if d.cadence == "annual" and d.expected_month and d.discovery and not d.succeeded_by
    }
    assert {s.name for s in location.schedules or []} == annual | {"monthly_sweep"}
    watches = {f"watch_{d.code}" for d in catalogue if d.discovery}
    assert watches <= {s.name for s in location.sensors or []}
    assert "refresh_after_backfill" in {s.name for s in location.sensors or []}
    for schedule in location.schedules or []:
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert schedule.execution_timezone == "Europe/London"
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    times = [schedule.cron_schedule for schedule in location.schedules or []]
    assert len({str(time) for time in times}) == len(times), "two at the same minute"


@pytest.mark.slow
def test_no_folder_can_be_chosen_in_a_run_configuration(location: dg.Definitions) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(
            location.resolve_job_def("refresh"),
            {"resources": {"pulse": {"config": {"root": "/tmp"}}}},
        )


@pytest.mark.slow
def test_every_asset_says_what_it_is(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert (node.description or "")[:1].isalpha(), key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name != "default", key


def test_check_names_read_as_sentences() -> None:
    for rule in rules():
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){2,}", rule.name), rule.name
        assert rule.sentence.endswith("."), rule.name
        assert rule.remedy.endswith("."), rule.name


def test_the_workspace_names_the_same_location_as_the_project() -> None:
    workspace = yaml.safe_load((PROJECT / "workspace.yaml").read_text(encoding="utf-8"))
    module = workspace["load_from"][0]["python_module"]
    assert module["location_name"] == "pulse"
    assert 'code_location_name = "pulse"' in (PROJECT / "pyproject.toml").read_text(
        encoding="utf-8"
    )


def test_definitions_hold_policy_only() -> None:
    lines = (
        Path(PROJECT / "orchestration" / "definitions.py").read_text(encoding="utf-8").splitlines()
    )
    assert len(lines) < 30


def test_the_project_speaks_of_itself_alone() -> None:
    """No package registry and no path of one machine in anything that is kept."""
    registry = re.compile(
        r"py" r"pi\.org|python" r"hosted|registry\.np" r"mjs|/work/(main|sha" r"red)\b"
    )
    kept = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if kept.returncode:
        pytest.skip("not a git checkout: what is kept cannot be listed")
    for name in kept.stdout.splitlines():
        path = PROJECT / name
        if not path.is_file() or path.suffix in {".png", ".ods", ".xlsx"}:
            continue
        found = registry.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name}: {found.group()}"
