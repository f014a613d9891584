"""The one way to open a DuckDB file.

Between processes a writer shuts out readers, so a connection is opened late and always closed.
Python names are never looked up from SQL: a local variable called like a table would shadow it.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from warehouse.workspace import WorkspaceError

# Extensions are never fetched: everything used here is part of the library.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_COMPACT = {"default_block_size": "32768", "storage_compatibility_version": "v1.2.0"}
Row = dict[str, Any]


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
        connection = _open(path, {}, read_only=True)
    except duckdb.Error as error:
        raise _unreadable(path, error) from error
    with closing(connection):
        yield connection


def _open(
    path: Path, more: dict[str, str], *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    check_memory_limit()
    limit = os.environ.get("PULSE_MEMORY_LIMIT")
    config = {**CONFIG, **more, **({"memory_limit": limit} if limit else {})}
    connection = duckdb.connect(str(path), read_only=read_only, config=config)
    connection.execute("set enable_progress_bar = false")
    return connection


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
    # What a full disk ends in; once the file is open, any other fault is the caller's own.
    faults: tuple[type[duckdb.Error], ...] = (duckdb.Error,)
    try:
        with closing(_open(path, _COMPACT if compact else {})) as connection:
            faults = (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)
            yield connection
            connection.execute("checkpoint")
    except faults as error:
        raise WorkspaceError(
            "the warehouse of this build cannot be written",
            code="unwritable_warehouse",
            file=str(path),
            found=str(error).splitlines()[0],
            todo="check the folder's permissions and free space, and that no other refresh runs",
        ) from error


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach another file, read-only, to a connection.

    Raises WorkspaceError when it cannot be opened.
    """
    try:
        connection.execute(f"attach {literal(path)} as {name} (read_only)")
    except duckdb.Error as error:
        raise _unreadable(path, error) from error


def rows_of(
    connection: duckdb.DuckDBPyConnection, query: str, *values: str, **named: object
) -> list[Row]:
    """The rows of a query, with its parameters by place or by name, as dictionaries."""
    cursor = connection.execute(query, named or values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def literal(text: object) -> str:
    """A text as SQL writes it, where no parameter can be used."""
    return "'" + str(text).replace("'", "''") + "'"


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
