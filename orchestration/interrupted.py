"""What a run that was killed leaves behind, and how the next one clears it away.

A killed run gives up its lock by dying, yet two things go on: the dbt that it started works until
its build is done, and its record says "started" for ever, which would hold up the queue. The next
run of the workspace, once it has the lock, waits for the first and closes the second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from warehouse.workspace import Workspace, WorkspaceError

_PROCESSES = Path("/proc")


def unattended_builds(workspace: Workspace) -> list[int]:
    """Process ids of every dbt that builds in this workspace.

    Whoever holds the lock and has not started one yet knows that they are left-overs. Where the
    system does not list its processes as files there is nothing to be told.
    """
    wanted = f"PULSE_BUILD={workspace.current_build}".encode()
    found = []
    for folder in _PROCESSES.glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            # Ended meanwhile, or somebody else's.
            continue
        if wanted in environment and any(Path(os.fsdecode(word)).name == "dbt" for word in words):
            found.append(int(folder.name))
    return found


def wait_for_unattended_builds(
    workspace: Workspace, seconds: float, say: Callable[[str], None]
) -> None:
    """Let the dbt of a killed run end: it would write into the build that is about to start.

    Raises:
        WorkspaceError: when it still runs after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    told = False
    while left := unattended_builds(workspace):
        if time.monotonic() > deadline:
            raise WorkspaceError(
                "the dbt of a refresh that was killed is still running",
                code="unattended_build",
                file=str(workspace.current_build),
                found="process " + ", ".join(map(str, left)),
                todo="end that process, then run the refresh again",
            )
        if not told:
            say("waiting     dbt of a refresh that was killed is still at work")
            told = True
        time.sleep(0.2)


def close_record(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Mark a run as failed that says it is running though its process is gone.

    Returns:
        Whether there was such a record.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return False
    instance.report_run_failed(run, "The process of this run ended before the run did.")
    return True
