"""A warehouse that cannot be written is named in words; any other fault is the caller's own."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.connection import writing
from warehouse.workspace import WorkspaceError

UNWRITABLE = "the warehouse of this build cannot be written"


def test_a_file_that_is_open_in_another_way_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pulse.duckdb"
    with (
        duckdb.connect(str(path)),
        pytest.raises(WorkspaceError, match=UNWRITABLE) as raised,
        writing(path),
    ):
        raise AssertionError("it was opened")
    assert raised.value.code == "unwritable_warehouse"


@pytest.mark.parametrize(
    "met", [duckdb.IOException, duckdb.FatalException, duckdb.TransactionException]
)
def test_a_disk_that_is_full_on_the_way_is_named(tmp_path: Path, met: type[duckdb.Error]) -> None:
    with pytest.raises(WorkspaceError, match="File too large"), writing(tmp_path / "pulse.duckdb"):
        raise met("Could not write file: File too large")


def test_a_fault_of_the_caller_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(duckdb.CatalogException), writing(tmp_path / "pulse.duckdb") as connection:
        connection.execute("from nowhere")
