"""The one way to open a DuckDB file.

Between processes a writer shuts out readers, so a connection is opened late and always closed.
Python names are never looked up from SQL: a local variable called like a table would shadow it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from warehouse.workspace import WorkspaceError

# Extensions are never fetched: everything used here is part of the library.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

_COMPACT: dict[str, str] = {
    "default_block_size": "32768",
    "storage_compatibility_version": "v1.2.0",
}


def _config() -> dict[str, str | bool | int | float | list[str]]:
    check_memory_limit()
    limit = os.environ.get("PULSE_MEMORY_LIMIT")
    return {**CONFIG, "memory_limit": limit} if limit else CONFIG


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection, closed whatever happens.

    Raises WorkspaceError when there is no warehouse at ``path``, or it cannot be opened, and as
    ``check_memory_limit``.
    """
    if not path.exists():
        raise WorkspaceError(
            "there is no warehouse here yet",
            code="no_warehouse",
            file=str(path),
            todo="run `make refresh` first",
        )
    try:
        connection = duckdb.connect(str(path), read_only=True, config=_config())
    except duckdb.Error as error:
        raise _unreadable(path, error) from error
    try:
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def _unreadable(path: Path, error: duckdb.Error) -> WorkspaceError:
    return WorkspaceError(
        "the warehouse cannot be opened",
        code="unreadable_warehouse",
        file=str(path),
        found=str(error).splitlines()[0],
        todo="close the program that writes to it, or restore a release with `pulse rollback`",
    )


@contextmanager
def writing(path: Path, *, compact: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may write; on leaving, everything is in the file itself.

    The checkpoint matters: a file moved without its ``.wal`` loses tables silently.

    ``compact``: whether a new file gets small blocks, in which many small tables take less. Raises
    WorkspaceError when the file cannot be opened or written.
    """
    try:
        connection = duckdb.connect(
            str(path), config={**_config(), **(_COMPACT if compact else {})}
        )
    except duckdb.Error as error:
        raise _unwritable(path, error) from error
    try:
        with closing(connection):
            connection.execute("set enable_progress_bar = false")
            yield connection
            connection.execute("checkpoint")
    # What a full disk ends in; any other fault is the caller's own.
    except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: duckdb.Error) -> WorkspaceError:
    return WorkspaceError(
        "the warehouse of this build cannot be written",
        code="unwritable_warehouse",
        file=str(path),
        found=str(error).splitlines()[0],
        todo="check the folder's permissions and free space, and that no other refresh runs",
    )


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach another file, read-only, to a connection.

    Raises WorkspaceError when it cannot be opened.
    """
    quoted = str(path).replace("'", "''")
    try:
        connection.execute(f"attach '{quoted}' as {name} (read_only)")
    except duckdb.Error as error:
        raise _unreadable(path, error) from error


def check_memory_limit() -> None:
    """Have DuckDB judge the memory that a build is allowed (``PULSE_MEMORY_LIMIT``).

    Raises WorkspaceError when DuckDB does not know such a size.
    """
    limit = os.environ.get("PULSE_MEMORY_LIMIT")
    if limit is None:
        return
    try:
        duckdb.connect(config={"memory_limit": limit}).close()
    except duckdb.Error as error:
        raise WorkspaceError(
            "PULSE_MEMORY_LIMIT is not a size of memory",
            code="not_a_size",
            expected="a number and KB, MB, GB or TB, such as 4GB",
            found=f"{limit!r} ({str(error).splitlines()[0]})",
            todo="set PULSE_MEMORY_LIMIT to such a size, or unset it",
        ) from error
