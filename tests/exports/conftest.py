"""The release that the tests of exports read, opened once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.connection import reading
from warehouse.workspace import Workspace


@pytest.fixture(scope="session")
def exported(released_workspace: Workspace) -> Path:
    """The folder of files of a release of the bundled figures."""
    return released_workspace.exports.resolve()


@pytest.fixture(scope="session")
def warehouse(released_workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the same release, read-only."""
    with reading(released_workspace.warehouse_file.resolve()) as connection:
        yield connection
