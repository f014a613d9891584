"""The steps whose cost is measured, each a process: ``python -m tests.scale.steps STEP …``."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path


def build(project: str, folder: str) -> None:
    """Run ``dbt build`` on the warehouse in a folder; CPU seconds of each node go to ``nodes.json``."""
    from dbt.cli.main import dbtRunner

    from orchestration.defs.transform import CODE_TESTS

    began: dict[str, float] = {}
    seconds: dict[str, float] = {}

    def listen(event: object) -> None:
        what = event.info.name  # type: ignore[attr-defined]
        if what in ("NodeStart", "NodeFinished"):
            node = event.data.node_info.unique_id  # type: ignore[attr-defined]
            if what == "NodeStart":
                began[node] = time.thread_time()
            else:
                seconds[node] = time.thread_time() - began[node]

    done = dbtRunner(callbacks=[listen]).invoke(
        [
            *("build", "--exclude", *CODE_TESTS),
            *("--project-dir", project, "--profiles-dir", project),
            *("--target-path", f"{folder}/target", "--log-path", folder, "--log-level", "error"),
        ]
    )
    Path(folder, "nodes.json").write_text(json.dumps(seconds), encoding="utf-8")
    if not done.success:
        raise SystemExit(f"dbt failed: {done.exception}")


def gate(warehouse: str) -> None:
    """Every rule of the gate, on made-up figures."""
    from warehouse.gate import run_gate

    red = [each for each in run_gate(Path(warehouse), None, demonstration=True) if not each.passed]
    if red:
        raise SystemExit("\n".join(f"{each.rule.name}: {each.cases.head(3)}" for each in red))


def by_hand(warehouse: str, folder: str) -> None:
    """The figures of small areas and their changes by ``by_hand.sql``; seconds in ``by_hand.json``.

    Raises:
        SystemExit: where a number is further than 1e-9 from the marts', or a verdict differs.
    """
    import duckdb

    from tests.proof.dbt_sql import render

    text = render(Path(__file__).with_name("by_hand.sql").read_text(encoding="utf-8"))
    with duckdb.connect(f"{folder}/by_hand.duckdb") as connection:
        connection.execute("set threads = 1")
        connection.execute(f"set memory_limit = '{os.environ['PULSE_MEMORY_LIMIT']}'")
        connection.execute(f"attach '{warehouse}' as pulse (read_only)")
        began = time.thread_time()
        connection.execute(text)
        seconds = time.thread_time() - began
        connection.execute(
            "create temp macro differs(ours, theirs) as ours is distinct from theirs and coalesce("
            "abs(try_cast(ours as double) - try_cast(theirs as double)) > 1e-9, true)"
        )
        for table, mart, key in (
            ("figures", "barometers", "barometer_id, area_code, edition"),
            (
                "changes",
                "changes",
                "barometer_id, area_code, change_kind, from_edition, to_edition",
            ),
        ):
            columns = connection.execute(
                "select column_name from duckdb_columns() where database_name = 'by_hand' "
                f"and table_name = '{table}' and column_name not in (select unnest(?))",
                [key.split(", ")],
            ).fetchall()
            differ = " or ".join(f"differs(ours.{name}, theirs.{name})" for (name,) in columns)
            (found,) = connection.execute(
                f"select count(*) filter ({differ}) from {table} as ours full join ("
                f"from pulse.marts.{mart} where dataset = 'made_up_survey' and area_level = 'lsoa'"
                f") as theirs using ({key})"
            ).fetchall()[0]
            if found:
                raise SystemExit(f"{found} rows of {mart} differ from those by hand")
    Path(folder, "by_hand.json").write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {"build": build, "gate": gate, "by_hand": by_hand}
    steps[sys.argv[1]](*sys.argv[2:])
