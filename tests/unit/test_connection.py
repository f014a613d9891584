"""A warehouse that cannot be written is named in words; any other fault is the caller's own."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.connection import check_memory_limit, reading, writing
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


@pytest.mark.parametrize("wrong", ["lots", "", "4", "80%"])
def test_a_limit_of_memory_that_is_no_size_is_named(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_MEMORY_LIMIT", wrong)
    with pytest.raises(WorkspaceError, match="PULSE_MEMORY_LIMIT is not a size") as raised:
        check_memory_limit()
    assert raised.value.code == "not_a_size"
    assert str(raised.value.found).startswith(repr(wrong))


@pytest.mark.parametrize("right", [None, "512MB", "4 GB", "3GiB"])
def test_a_limit_of_memory_is_a_size(right: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_MEMORY_LIMIT", raising=False)
    if right:
        monkeypatch.setenv("PULSE_MEMORY_LIMIT", right)
    check_memory_limit()


def test_every_connection_has_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_MEMORY_LIMIT", "512MiB")
    path = tmp_path / "pulse.duckdb"
    asked = "select current_setting('memory_limit')"
    with writing(path) as connection:
        assert connection.execute(asked).fetchall() == [("512.0 MiB",)]
    with reading(path) as connection:
        assert connection.execute(asked).fetchall() == [("512.0 MiB",)]
    monkeypatch.setenv("PULSE_MEMORY_LIMIT", "lots")
    for opened in (reading, writing):
        with pytest.raises(WorkspaceError) as raised, opened(path):
            raise AssertionError("it was opened")
        assert raised.value.code == "not_a_size"
