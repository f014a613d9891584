"""The event log with its engine kept: what is written is what Dagster's own class reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lazy import lazy
from warehouse.workspace import PROJECT, WorkspaceError

pytestmark = pytest.mark.slow

dg = lazy("dagster")
event_log = lazy("dagster._core.storage.event_log")
retention = lazy("orchestration.retention")
storage = lazy("orchestration.storage")


def instance_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    settings = (PROJECT / "dagster_home" / "dagster.yaml").read_text(encoding="utf-8")
    (folder / "dagster.yaml").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return dg.DagsterInstance.get()


def test_runs_are_kept_and_read_by_dagster_s_own_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Materializations and checks are found afterwards."""

    @dg.asset(check_specs=[dg.AssetCheckSpec("holds", asset="small")])
    def small() -> dg.MaterializeResult:  # type: ignore[type-arg]
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])

    with instance_in(tmp_path, monkeypatch) as instance:
        assert isinstance(instance.event_log_storage, storage.EventLog)
        runs = [dg.materialize([small], instance=instance).run_id for _ in range(6)]
        latest = instance.get_latest_materialization_event(dg.AssetKey("small"))
        assert latest is not None
        assert latest.run_id == runs[-1]
        written = {run: len(instance.all_logs(run)) for run in runs}
        planned = instance.all_logs(
            runs[0], of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        )
        assert len(planned) == 1
    plain = event_log.ConsolidatedSqliteEventLogStorage(str(tmp_path / "history"))
    for run in runs:
        assert len(plain.get_logs_for_run(run)) == written[run] > 5
    assert plain.has_asset_key(dg.AssetKey("small"))
    plain.dispose()


def test_what_a_run_plans_is_stored_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_third(_: storage.EventLog, event: dg.EventLogEntry, number: int) -> None:
        if number == 3:
            raise OSError("no space")

    log = storage.EventLog(str(tmp_path))
    events = [
        dg.EventLogEntry(None, "info", "", "one", float(n), dagster_event=None) for n in range(3)
    ]
    with monkeypatch.context() as broken:
        broken.setattr(storage.EventLog, "store_asset_check_event", no_third)
        with pytest.raises(OSError, match="no space"):
            log.store_event_batch(events)
    assert log.get_logs_for_run("one") == []
    log.store_event_batch(events)
    assert [event.timestamp for event in log.get_logs_for_run("one")] == [0, 1, 2]
    log.dispose()


def test_old_runs_are_forgotten_whole_and_the_newest_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record, events and logs; not those of the current build, however old."""

    @dg.asset(key=["build", "needed"])
    def needed() -> None: ...

    @dg.asset
    def small() -> None:
        print("a line of the log")

    with instance_in(tmp_path, monkeypatch) as instance:
        current = dg.materialize([needed], instance=instance).run_id
        runs = [dg.materialize([small], instance=instance).run_id for _ in range(5)]
        assert retention.forget_runs(instance, 2) == 3
        assert retention.forget_runs(instance, 2) == 0
        left = {current, *runs[-2:]}
        assert set(instance.get_run_ids()) == left
        assert instance.all_logs(runs[0]) == []
        assert len(instance.all_logs(runs[-1])) > 5
    assert not {path.name for path in (tmp_path / "storage").iterdir()} & set(runs[:3])


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "1.5"])
def test_what_is_kept_is_a_number(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("PULSE_KEEP_RUNS", "PULSE_KEEP_RELEASES"):
        monkeypatch.delenv(setting, raising=False)
    assert (retention.runs_to_keep(), retention.releases_to_keep()) == (200, 10)
    monkeypatch.setenv("PULSE_KEEP_RELEASES", "3")
    assert retention.releases_to_keep() == 3
    monkeypatch.setenv("PULSE_KEEP_RUNS", wrong)
    with pytest.raises(WorkspaceError, match="PULSE_KEEP_RUNS is not a number"):
        retention.runs_to_keep()


def test_charts_that_nothing_used_for_a_month_go(tmp_path: Path) -> None:
    for name in ("new.svg", "old.svg"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "old.svg", (0, 0))
    retention.forget_charts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new.svg"]
