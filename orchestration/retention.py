"""What is kept of the past besides releases: runs of Dagster with their logs, and drawn charts."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.workspace import WorkspaceError

if TYPE_CHECKING:
    import dagster as dg

_CHART_SECONDS = 30 * 24 * 3600
# The newest of these say of what the current build and release are made.
_STILL_READ = (("build", "needed"), ("release", "exports"))


def kept(variable: str, usual: int) -> int:
    """How many of something are kept: what the environment says, else ``usual``.

    Raises WorkspaceError when it is no number from 1.
    """
    wanted = os.environ.get(variable, "").strip() or str(usual)
    if not wanted.isdecimal() or int(wanted) < 1:
        raise WorkspaceError(
            f"{variable} is not a number",
            code="not_a_number",
            expected="a whole number from 1",
            found=wanted,
            todo=f"set {variable} to one, or unset it",
        )
    return int(wanted)


def releases_to_keep() -> int:
    """``PULSE_KEEP_RELEASES``, else ten."""
    return kept("PULSE_KEEP_RELEASES", 10)


def runs_to_keep() -> int:
    """``PULSE_KEEP_RUNS``, else two hundred: years of a server, weeks of a busy desk."""
    return kept("PULSE_KEEP_RUNS", 200)


def forget_runs(instance: dg.DagsterInstance, keep: int) -> int:
    """Delete finished runs beyond the newest ``keep``, with their events and logs; returns how many.

    The runs of the current build and release stay.
    """
    import dagster as dg

    finished = [
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    ]
    doomed = instance.get_run_ids(dg.RunsFilter(statuses=finished))[keep:]
    if not doomed:
        return 0
    newest = map(instance.get_latest_materialization_event, map(dg.AssetKey, _STILL_READ))
    needed = {event.run_id for event in newest if event}
    doomed = [run_id for run_id in doomed if run_id not in needed]
    for run_id in doomed:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    return len(doomed)


def forget_charts(folder: Path) -> None:
    """Remove the drawn charts that no release has used for a month."""
    for path in folder.glob("*"):
        if time.time() - path.stat().st_mtime > _CHART_SECONDS:
            path.unlink()
