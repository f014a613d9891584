"""The small site, made once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site import small_warehouse
from warehouse.connection import reading
from warehouse.writers.site import read_region, write_site


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small warehouse on disk."""
    return small_warehouse.build(tmp_path_factory.mktemp("small") / "pulse.duckdb")


@pytest.fixture(scope="session")
def small_site(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its pages."""
    folder = tmp_path_factory.mktemp("exports")
    with reading(small_file) as connection:
        write_site(read_region(connection), folder)
    return folder / "site"
