"""Times and memory of a refresh, as ratios that mean the same on any machine.

Run with ``make bench`` (or ``python -m tests.benchmarks [rounds]``), on a machine that does nothing
else. Nothing here passes or fails: seconds differ between machines, ratios much less.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orchestration.defs.transform import CODE_TESTS
from tests.conftest import run_pulse
from warehouse.workspace import DBT_PROJECT, Workspace


def refresh_seconds(root: Path) -> float:
    """One refresh of the bundled figures, in a process of its own."""
    began = time.monotonic()
    run_pulse(root, "refresh", "--offline")
    return time.monotonic() - began


def dbt_seconds(workspace: Workspace) -> float:
    """The dbt build of a refresh alone, over a build that is loaded already."""
    began = time.monotonic()
    subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            "build",
            "--project-dir",
            str(DBT_PROJECT),
            "--profiles-dir",
            str(DBT_PROJECT),
            "--exclude",
            *CODE_TESTS,
        ],
        env={
            **os.environ,
            "PULSE_BUILD": str(workspace.current_build),
            "DBT_TARGET_PATH": str(workspace.builds / "dbt"),
            "DBT_LOG_PATH": str(workspace.builds / "dbt"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        check=True,
    )
    return time.monotonic() - began


def start_seconds() -> float:
    """What starting Python and loading the definitions takes."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", "from orchestration.definitions import defs; defs()"],
        capture_output=True,
        check=True,
    )
    return time.monotonic() - began


def main(rounds: int) -> None:
    """Measure, and print a line a ratio."""
    first, again, dbt, start = [], [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
            root = Path(folder)
            first.append(refresh_seconds(root))
            again.append(refresh_seconds(root))
            dbt.append(dbt_seconds(Workspace(root)))
            start.append(start_seconds())
    refresh = statistics.median(first)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"refresh, nothing published before   {refresh:6.1f} s   median of {rounds}")
    for name, seconds in (
        ("refresh again, nothing new", again),
        ("dbt build alone", dbt),
        ("start and definitions alone", start),
    ):
        part = statistics.median(seconds)
        print(f"{name:<35} {part:6.1f} s   {part / refresh:5.2f} of a refresh")
    print(f"largest process                     {peak:6.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
