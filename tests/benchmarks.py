"""CPU seconds, wall time and memory of what people wait for, and the ratios between them.

Run with ``make bench`` (or ``python -m tests.benchmarks [rounds]``), on a machine that does nothing
else. Rounds are interleaved and the best of each is taken. Nothing here passes or fails: seconds
differ between machines, ratios inside one commit much less.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from orchestration.defs.transform import CODE_TESTS
from tests.conftest import run_pulse
from warehouse.workspace import DBT_PROJECT, Workspace

START = "from orchestration.definitions import defs; defs().resolve_job_def('refresh')"


def measured(words: list[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """CPU seconds (user and system, with children) and wall seconds of a command that succeeds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, env={**os.environ, **environment}, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - began


def one_round(root: Path) -> dict[str, tuple[float, float]]:
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
    best = {name: tuple(map(min, zip(*each, strict=True))) for name, each in found.items()}
    whole = best["refresh"][0]
    for name, (cpu, wall) in best.items():
        print(f"{name:<32}{cpu:6.1f} CPU s {wall:6.1f} s   {cpu / whole:5.2f} of a refresh's CPU")
    ratio = best["dbt build as in a refresh"][0] / best["dbt build alone"][0]
    print(f"dbt in a refresh to dbt alone   {ratio:6.2f}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process                 {peak:6.0f} MiB   best of {rounds}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
