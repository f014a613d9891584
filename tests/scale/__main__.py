"""Build, gate and read the models at three sizes, and print what each costs.

    python -m tests.scale [size ...] [--memory 3GB] [--base WAREHOUSE] [--keep FOLDER]

Steps run in processes of their own, so that CPU and peak memory are theirs. Without ``--base`` a
refresh from the files that ship with the project makes the warehouse whose other tables are used.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb

from tests.conftest import run_pulse
from tests.scale.made_up import SIZES, Size, load_raw, make_project
from warehouse.workspace import Workspace

LOOK_UPS = {
    "an area, all indicators": "select * from marts.barometers where area_code = 'E01900777'",
    "an indicator, an authority's areas": (
        "select * from marts.barometers where framework = 'small_areas' "
        "and barometer_id = 'made_up_01' and edition = '2016' and area_code in ("
        "select area_code from reference.small_areas where authority_code = 'E08000025')"
    ),
    "an area's series and changes": (
        "select * from marts.barometers as b left join marts.changes as c "
        "on b.barometer_id = c.barometer_id and b.area_code = c.area_code "
        "and b.edition = c.to_edition "
        "where b.barometer_id = 'made_up_02' and b.area_code = 'E01920000'"
    ),
}


# The models from the observations to the figures and changes that by_hand.sql answers.
SAME_ANSWER = (
    "int_observations",
    "int_standard_errors",
    "int_barometer_cells",
    "int_cell_decimals",
    "int_change_pairs",
    "int_change_grades",
    "changes",
)


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system), wall seconds and peak memory in MiB of one process."""

    cpu: float
    wall: float
    peak: float


def measured(*words: str, **environment: str) -> Cost:
    """Run a step of this module in a process of its own.

    Raises:
        RuntimeError: where it fails, with the end of what it wrote.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.scale.steps", *words],
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            log.seek(0)
            raise RuntimeError(f"{words[0]} failed:\n{log.read().decode()[-4000:]}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024)


def tables(path: Path) -> list[tuple[str, int, float]]:
    """Rows and MiB of every table of a build, the largest first."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name, estimated_size from duckdb_tables()"
        ).fetchall()
        found = []
        for name, rows in names:
            (blocks,) = connection.execute(
                "select count(distinct block_id) from pragma_storage_info(?) where persistent",
                [name],
            ).fetchall()[0]
            found.append((name, rows, blocks * 0.25))
    return sorted(found, key=lambda each: (-each[2], each[0]))


def look_ups(path: Path) -> dict[str, float]:
    """Milliseconds of each look-up, warm: the median of 20 after the first."""
    found = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for name, query in LOOK_UPS.items():
            taken = []
            for _ in range(21):
                began = time.perf_counter()
                rows = connection.execute(query).fetchall()
                taken.append(1000 * (time.perf_counter() - began))
            assert rows, name
            found[name] = statistics.median(taken[1:])
    return found


def one_size(size: Size, base: Path, folder: Path, memory: str) -> tuple[float, float]:
    """Build, gate and read one size; returns CPU seconds of the build and rows."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    project = make_project(folder, size)
    warehouse = folder / "pulse.duckdb"
    load_raw(warehouse, base, size)
    build = measured(
        "build", str(project), str(folder), PULSE_BUILD=str(folder), PULSE_MEMORY_LIMIT=memory
    )
    gate = measured("gate", str(warehouse), PULSE_MEMORY_LIMIT=memory)
    print(f"\n{size.name}: {size.rows:,} figures of small areas, memory_limit {memory}")
    for name, cost in (("dbt build", build), ("gate", gate)):
        print(f"  {name:<12}{cost.cpu:8.1f} CPU s {cost.wall:8.1f} s {cost.peak:8,.0f} MiB at most")
    print(f"  the gate is {100 * gate.cpu / (build.cpu + gate.cpu):.1f}% of both")
    nodes = json.loads((folder / "nodes.json").read_text(encoding="utf-8"))
    for name, seconds in sorted(nodes.items(), key=lambda item: -item[1])[:14]:
        print(f"    {seconds:8.1f} s  {name}")
    models = sum(nodes[f"model.pulse.{name}"] for name in SAME_ANSWER)
    measured("by_hand", str(warehouse), str(folder), PULSE_MEMORY_LIMIT=memory)
    hand = json.loads((folder / "by_hand.json").read_text(encoding="utf-8"))
    print(f"    figures and changes: {models:.1f} CPU s, by hand {hand:.1f}: {models / hand:.1f} x")
    sizes = tables(warehouse)
    source = next(rows for name, rows, _ in sizes if name == "raw.observations")
    for name, rows, mib in sizes[:16]:
        print(f"    {rows:12,} rows {mib:9,.0f} MiB {rows / source:6.2f} x observations  {name}")
    for name, taken in look_ups(warehouse).items():
        print(f"    {taken:8.1f} ms  {name}")
    return build.cpu, size.rows


def main() -> None:
    """Every size that is asked for; then how CPU grew against rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", choices=[*SIZES, []], default=list(SIZES))
    parser.add_argument("--memory", default="3GB", help="DuckDB's memory_limit")
    parser.add_argument("--base", type=Path, help="the warehouse of a build")
    parser.add_argument("--keep", type=Path, help="a folder for the warehouses, kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulse-scale-") as scratch:
        base = asked.base
        if base is None:
            home = Path(scratch) / "home"
            run_pulse(home, "refresh", "--offline")
            base = Workspace(home).build_file.resolve()
        found = []
        for name in asked.sizes:
            folder = (asked.keep or Path(scratch)) / name
            found.append(one_size(SIZES[name], base, folder, asked.memory))
        for (cpu, rows), (more_cpu, more_rows) in pairwise(found):
            print(
                f"\n{more_rows / rows:.1f} x the rows take {more_cpu / cpu:.1f} x the CPU: "
                f"{more_cpu / cpu / (more_rows / rows):.2f}"
            )


if __name__ == "__main__":
    main()
