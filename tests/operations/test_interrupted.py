"""What a killed run leaves is found, waited for and closed; what is not its own is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.resources import PulseResource, locked
from orchestration.interrupted import (
    close_record,
    unattended_builds,
    wait_for_unattended_builds,
)
from warehouse.workspace import Workspace, WorkspaceError

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are not listed as files here"
)


def pretend_dbt(folder: Path, workspace: Workspace, seconds: str) -> subprocess.Popen[bytes]:
    """A process called dbt that builds in a workspace, and does nothing."""
    script = folder / "dbt"
    script.write_text(f"import time\ntime.sleep({seconds})\n", encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), "build"],
        env={**os.environ, "PULSE_BUILD": str(workspace.current_build)},
    )


@needs_proc
def test_a_dbt_that_outlives_its_run_is_waited_for(tmp_path: Path) -> None:
    """The next run does not start beside it, and tells why it waits."""
    mine, other = Workspace(tmp_path / "mine"), Workspace(tmp_path / "other")
    process = pretend_dbt(tmp_path, mine, "2")
    said: list[str] = []
    try:
        assert unattended_builds(mine) == [process.pid]
        assert unattended_builds(other) == []
        with pytest.raises(WorkspaceError, match=f"process {process.pid}"):
            wait_for_unattended_builds(mine, 0.0, said.append)
        # The operating system keeps a name of a process until its parent has taken note of its end.
        process.wait(timeout=60)
        wait_for_unattended_builds(mine, 0.0, said.append)
        assert unattended_builds(mine) == []
    finally:
        process.kill()
        process.wait()


def test_the_lock_tells_who_died_holding_it(tmp_path: Path) -> None:
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


def test_the_record_of_a_killed_run_is_closed_by_the_next(tmp_path: Path) -> None:
    """A run that says "started" for ever would hold up the queue."""

    @dg.op
    def station(pulse: PulseResource) -> str:
        return str(pulse.workspace.root)

    @dg.job
    def small() -> None:
        station()

    workspace = Workspace(tmp_path / "home")
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
            instance=instance, resources={"pulse": PulseResource(root=str(workspace.root))}
        )
        assert done.success
        assert instance.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
        assert workspace.lock_file.read_text(encoding="utf-8") == ""
        assert close_record(instance, done.run_id) is False
        assert close_record(instance, "nobody") is False
