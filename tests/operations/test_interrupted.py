"""What a killed run leaves is closed by the next run; what is not its own is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.lock import locked
from tests.lazy import lazy
from warehouse.workspace import Workspace

pytestmark = pytest.mark.slow

dg = lazy("dagster")
resources = lazy("orchestration.defs.resources")


def test_the_lock_names_who_died_holding_it(tmp_path: Path) -> None:
    """A holder that ends in order leaves no name, whatever it ends with; one that dies leaves its."""
    workspace = Workspace(tmp_path)
    with locked(workspace, 1, holder="first") as before:
        assert before == ""
        assert workspace.lock_file.read_text(encoding="utf-8") == "first"
    with pytest.raises(ZeroDivisionError), locked(workspace, 1, holder="second"):
        raise ZeroDivisionError
    with locked(workspace, 1) as before:
        assert before == ""
    workspace.lock_file.write_text("killed", encoding="utf-8")
    with locked(workspace, 1, holder="fourth") as before:
        assert before == "killed"


def test_the_record_of_a_killed_run_is_closed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that says "started" for ever would hold up the queue."""

    @dg.op
    def station(pulse: resources.PulseResource) -> str:
        return str(pulse.workspace.root)

    @dg.job
    def small() -> None:
        station()

    workspace = Workspace(tmp_path / "home")
    monkeypatch.setenv("PULSE_HOME", str(workspace.root))
    with dg.DagsterInstance.ephemeral() as instance:
        killed = instance.create_run_for_job(small)
        started = dg.DagsterEvent(
            event_type_value=dg.DagsterEventType.RUN_START.value, job_name="small", message=""
        )
        instance.report_dagster_event(started, run_id=killed.run_id)
        assert instance.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]
        workspace.builds.mkdir(parents=True)
        workspace.lock_file.write_text(killed.run_id, encoding="utf-8")
        done = small.execute_in_process(
            instance=instance, resources={"pulse": resources.PulseResource()}
        )
        assert done.success
        assert instance.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
        assert workspace.lock_file.read_text(encoding="utf-8") == ""
        assert resources.close_record(instance, done.run_id) is False
        assert resources.close_record(instance, "nobody") is False
