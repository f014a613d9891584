"""CPU seconds, wall time and memory of what people wait for, and the ratios between them.

Run with ``make bench`` (or ``python -m tests.benchmarks [rounds]``), on a machine that does nothing
else. Rounds are interleaved and the best of each is taken. Nothing here passes or fails: seconds
differ between machines, ratios inside one commit much less.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orchestration.defs.transform import CODE_TESTS
from tests.conftest import run_pulse
from warehouse.workspace import DBT_PROJECT, Workspace

START = "from orchestration.definitions import defs; defs().resolve_job_def('refresh')"


class Cost(NamedTuple):
    """What a command took: CPU seconds (user and system, with children), wall seconds, peak MiB."""

    cpu: float
    wall: float
    peak: float


def measured(words: list[str], environment: Mapping[str, str]) -> Cost:
    """What a command that succeeds costs."""
    began = time.monotonic()
    process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{words} ended with {os.waitstatus_to_exitcode(status)}")
    process.returncode = 0
    wall = time.monotonic() - began
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def one_round(root: Path) -> dict[str, Cost]:
    """Each figure once, in a workspace of its own."""
    home = root / "dagster_home"
    run_pulse(root, "releases")
    pulse = {"PULSE_HOME": str(root), "DAGSTER_HOME": str(home)}
    python = sys.executable
    refresh = [python, "-m", "orchestration.cli", "refresh", "--offline"]
    found = {
        "refresh": measured(refresh, pulse),
        "refresh again, unchanged": measured(refresh, pulse),
        "start: import and definitions": measured([python, "-c", START], pulse),
    }
    for word in ("--help", "datasets", "releases"):
        found[f"pulse {word}"] = measured([*refresh[:3], word], pulse)
    build = Workspace(root).current_build.resolve()
    inside = (
        "from pathlib import Path; from orchestration import dbt; "
        f"print(len(list(dbt.build(['--exclude', *{CODE_TESTS!r}], Path({str(build)!r})))))"
    )
    folder = ["--target-path", str(root / "target"), "--log-path", str(root / "target")]
    project = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    alone = [str(Path(python).with_name("dbt")), "build", "--exclude", *CODE_TESTS]
    dbt = {"PULSE_BUILD": str(build), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    # Twice: the first parses the project into its folder.
    for _ in range(2):
        found["dbt build alone"] = measured([*alone, *project, *folder], dbt)
    found["dbt build as in a refresh"] = measured([python, "-c", inside], dbt)
    return found


def main(rounds: int) -> None:
    """Measure, and print one line per figure."""
    found = defaultdict(list)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
            for name, seconds in one_round(Path(folder)).items():
                found[name].append(seconds)
    best = {name: Cost(*map(min, zip(*each, strict=True))) for name, each in found.items()}
    whole = best["refresh"].cpu
    print(f"best of {rounds}                       CPU s   wall s   peak MiB   of a refresh's CPU")
    for name, (cpu, wall, peak) in best.items():
        print(f"{name:<30}{cpu:8.1f} {wall:8.1f} {peak:10.0f} {cpu / whole:20.2f}")
    ratio = best["dbt build as in a refresh"].cpu / best["dbt build alone"].cpu
    print(f"dbt as in a refresh to dbt alone, CPU: {ratio:.2f}")
    beyond = best["refresh again, unchanged"].cpu - best["start: import and definitions"].cpu
    print(f"an unchanged refresh beyond the start, CPU: {beyond:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
