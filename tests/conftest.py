"""Fixtures that more than one folder of tests uses.

A whole refresh is run once a session, in a folder of its own, and copied for each test that wants
to change something.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from warehouse.workspace import PROJECT, Workspace

# Few examples, the same every time; to look for new ones: pytest --hypothesis-profile long.
settings.register_profile("fast", max_examples=15, derandomize=True, deadline=None)
settings.register_profile("long", max_examples=300, deadline=None)
settings.load_profile("fast")


def run_pulse(
    root: Path, *arguments: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with a workspace and Dagster home below root."""
    home = root / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=PROJECT,
        env={
            **os.environ,
            "PULSE_HOME": str(root),
            "DAGSTER_HOME": str(home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if check and done.returncode:
        raise AssertionError(f"pulse {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="session")
def released_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with one release of the bundled figures. Read it; do not change it."""
    root = tmp_path_factory.mktemp("released")
    done = run_pulse(root, "refresh", "--offline")
    (root / "transcript.txt").write_text(done.stdout, encoding="utf-8")
    return Workspace(root)


@pytest.fixture
def own_workspace(released_workspace: Workspace, tmp_path: Path) -> Callable[[], Workspace]:
    """Copies of the released workspace, to break."""
    made = 0

    def copy() -> Workspace:
        nonlocal made
        made += 1
        root = tmp_path / f"workspace{made}"
        shutil.copytree(released_workspace.root, root, symlinks=True)
        return Workspace(root)

    return copy
