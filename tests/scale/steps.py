"""The steps whose cost is measured, each a process: ``python -m tests.scale.steps build|gate …``."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def build(project: str, folder: str) -> None:
    """Run ``dbt build`` on the warehouse in a folder; seconds by node go to ``nodes.json``."""
    from dbt.cli.main import dbtRunner

    from orchestration.defs.transform import CODE_TESTS

    seconds: dict[str, float] = {}

    def listen(event: object) -> None:
        if event.info.name == "NodeFinished":  # type: ignore[attr-defined]
            node = event.data.run_result  # type: ignore[attr-defined]
            seconds[event.data.node_info.unique_id] = node.execution_time  # type: ignore[attr-defined]

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


if __name__ == "__main__":
    {"build": build, "gate": gate}[sys.argv[1]](*sys.argv[2:])
