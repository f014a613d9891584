"""The release that the tests of exports read, opened once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.connection import reading
from warehouse.workspace import PROJECT, Workspace


@pytest.fixture(scope="session")
def exported(released_workspace: Workspace) -> Path:
    """The folder of files of a release of the bundled figures."""
    return released_workspace.exports.resolve()


@pytest.fixture(scope="session")
def warehouse(released_workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the same release, read-only."""
    with reading(released_workspace.warehouse_file.resolve()) as connection:
        yield connection


@pytest.fixture(scope="session")
def demonstrated(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the demonstration, where every barometer has tested changes."""
    root = tmp_path_factory.mktemp("demonstration") / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "demonstration", "--root", str(root)],
        cwd=PROJECT,
        env={**os.environ, "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with reading(Workspace(root).warehouse_file.resolve()) as connection:
        yield connection
