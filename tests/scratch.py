"""Empty databases for tests: opening one of DuckDB's own takes ten times as long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count

import duckdb

_numbers = count()


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"python_enable_replacements": False, "threads": 1})


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database in memory, in which no Python name is a table."""
    name = f"scratch{next(_numbers)}"
    with _instance().cursor() as connection:
        connection.execute(f"attach ':memory:' as {name}; use {name}")
        try:
            yield connection
        finally:
            connection.execute(f"use memory; detach {name}")
