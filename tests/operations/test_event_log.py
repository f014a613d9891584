"""The event log with its engines kept: what is written is what Dagster's own class reads."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage  # noqa: TID251

from orchestration.storage import EventLog
from warehouse.workspace import PROJECT


def instance_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    settings = (PROJECT / "dagster_home" / "dagster.yaml").read_text(encoding="utf-8")
    (folder / "dagster.yaml").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return dg.DagsterInstance.get()


def test_runs_are_kept_and_read_by_dagster_s_own_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More runs than files are kept open; materializations and checks are found afterwards."""

    @dg.asset(check_specs=[dg.AssetCheckSpec("holds", asset="small")])
    def small() -> dg.MaterializeResult:  # type: ignore[type-arg]
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])

    with instance_in(tmp_path, monkeypatch) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        runs = [dg.materialize([small], instance=instance).run_id for _ in range(6)]
        latest = instance.get_latest_materialization_event(dg.AssetKey("small"))
        assert latest is not None
        assert latest.run_id == runs[-1]
        written = {run: len(instance.all_logs(run)) for run in runs}
    plain = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    for run in runs:
        assert len(plain.get_logs_for_run(run)) == written[run] > 5
    assert plain.has_asset_key(dg.AssetKey("small"))
    plain.dispose()
