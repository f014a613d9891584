"""The worked examples that dbt itself tests: they are left out of a refresh, and run here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.defs.transform import CODE_TESTS
from warehouse.workspace import PROJECT, Workspace

pytestmark = pytest.mark.slow


def test_the_worked_examples_of_models_and_macros_hold(
    own_workspace: Callable[[], Workspace], tmp_path: Path
) -> None:
    project = str(PROJECT / "dbt_project")
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), "test", "--select", *CODE_TESTS),
            *("--project-dir", project, "--profiles-dir", project),
        ],
        env={
            **os.environ,
            "PULSE_BUILD": str(own_workspace().current_build.resolve()),
            "DBT_TARGET_PATH": str(tmp_path / "target"),
            "DBT_LOG_PATH": str(tmp_path / "logs"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    assert "PASS=0" not in done.stdout
