"""One thing at a time, as the page starts it: what works alone does, what cannot says what to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.defs.ingest import _observations_asset
from orchestration.defs.io import observations_io
from orchestration.defs.resources import PulseResource
from orchestration.summary import failure_lines
from sources.catalogue import load_catalogue
from sources.landing import LandingStore
from tests.unit.test_arrival import NOON
from warehouse.workspace import Workspace

pytestmark = pytest.mark.slow


def _alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, *path: str
) -> tuple[dg.ExecuteInProcessResult, str]:
    """Materialise one asset as the page does; the result, and what a person reads if it failed."""
    monkeypatch.setenv("PULSE_HOME", str(workspace.root))
    monkeypatch.setenv("DAGSTER_HOME", str(workspace.root / "dagster_home"))
    monkeypatch.setenv("PULSE_SOURCE_MODE", "offline")
    job = defs().resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(path)], raise_on_error=False
        )
        return result, "\n".join(failure_lines(workspace, result))


def test_what_may_run_alone_does(
    own_workspace: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = own_workspace()
    before = workspace.current_release.resolve()
    for path in (
        ("landing", "dcms_participation"),
        ("observations", "dcms_participation"),
        ("marts", "pulse"),
        ("reference", "goals"),
        ("release", "exports"),
        ("release", "published"),
    ):
        result, words = _alone(workspace, monkeypatch, *path)
        assert result.success, (path, words)
        assert dg.AssetKey(path) in {
            event.asset_key for event in result.get_asset_materialization_events()
        }
    assert workspace.current_release.resolve() == before, (
        "made of the same, so nothing is published"
    )


def test_what_cannot_run_alone_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    for path, advice in (
        (("build", "needed"), "materialise observations/"),
        (("marts", "pulse"), "run the job refresh"),
        (("release", "exports"), "run the job refresh"),
        (("release", "published"), "run the job refresh"),
    ):
        result, words = _alone(workspace, monkeypatch, *path)
        assert not result.success
        assert f"What to do: {advice}" in words or advice in words.partition("What to do:")[2], path


def test_only_the_dataset_that_changed_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv("PULSE_SOURCE_MODE", "offline")
    codes = ("young_foundation_report", "ons_combined_authorities")
    assets = [_observations_asset(load_catalogue().dataset(code)) for code in codes]

    def read_again() -> set[str]:
        result = dg.materialize(
            assets,
            resources={"pulse": PulseResource(), "observations_io": observations_io},
        )
        assert result.success
        return {
            event.asset_key.path[-1]
            for event in result.get_asset_materialization_events()
            if event.materialization.metadata["parsed in this run"].value
        }

    assert read_again() == set(codes)
    assert read_again() == set()
    LandingStore(tmp_path / "landing", tmp_path / "quarantine").land(
        codes[1], "2025", b"no lookup", file_name="x.csv", address=None, retrieved_at=NOON
    )
    assert read_again() == {codes[1]}
    assert read_again() == set()
