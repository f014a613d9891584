"""What is left out of a refresh: the worked examples that dbt itself tests, and tables in parts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.defs.transform import CODE_TESTS
from warehouse.connection import reading
from warehouse.content import table_hashes
from warehouse.workspace import PROJECT, Workspace

pytestmark = pytest.mark.slow

IN_PARTS = {
    "marts": ("barometers", "changes", "provenance"),
    "intermediate": ("int_standard_errors", "int_barometer_cells", "int_change_pairs"),
}


def dbt(build: Path, folder: Path, *words: str) -> str:
    """Run dbt on a build; what it wrote goes to ``folder``."""
    project = str(PROJECT / "dbt_project")
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), *words),
            *("--project-dir", project, "--profiles-dir", project),
        ],
        env={
            **os.environ,
            "PULSE_BUILD": str(build),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_worked_examples_of_models_and_macros_hold(
    own_workspace: Callable[[], Workspace], tmp_path: Path
) -> None:
    build = own_workspace().current_build.resolve()
    assert "PASS=0" not in dbt(build, tmp_path, "test", "--select", *CODE_TESTS)


def test_tables_in_parts_are_the_whole_tables(
    own_workspace: Callable[[], Workspace], tmp_path: Path
) -> None:
    build = own_workspace().current_build.resolve()
    with reading(build / "pulse.duckdb") as connection:
        whole = table_hashes(connection)
    models = [model for each in IN_PARTS.values() for model in each]
    dbt(build, tmp_path, "run", "--select", *models, "--vars", "{rows_of_a_part: 9000}")
    with reading(build / "pulse.duckdb") as connection:
        assert table_hashes(connection) == whole
        for mart, column in (("changes", "area_code"), ("provenance", "provenance_id")):
            found = connection.execute(f"select {column} from marts.{mart}").fetchall()
            assert found == sorted(found)
    for model in models:
        (run,) = (tmp_path / "target" / "run").rglob(f"{model}.sql")
        assert run.read_text(encoding="utf-8").count(" by name ") > 2, model
