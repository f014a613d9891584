"""The pages of the small warehouse, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lazy import lazy
from tests.site import small_warehouse as small
from warehouse.connection import reading
from warehouse.workspace import PROJECT

read = lazy("warehouse.writers.read")
site = lazy("warehouse.writers.site")


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    path = small.build(folder / "pulse.duckdb")
    with reading(path) as connection:
        site.write_site(
            read.read_model(connection),
            folder,
            cache=folder / "cache",
            methods=PROJECT / "docs" / "methods.md",
        )
    return folder / "site"
