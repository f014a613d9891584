"""The one form of a warehouse: equal content gives equal bytes.

What DuckDB writes depends on more than the content: rows lie as threads happened to end, FSST is
chosen from a random sample of a column, and memory that nothing was written to (the slack of a
segment, the value under a null) is stored as it was found. A build is therefore written a second
time, by a process of its own: one thread, sorted rows, no sampled compression, and memory that is
zeroed before it is used. That also keeps what else was in memory out of a file that leaves the
building. docs/decisions/0010 has what was measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from warehouse.connection import CONFIG, reading
from warehouse.release import differing
from warehouse.workspace import PROJECT, WorkspaceError

# Both allocators zero what they hand out: DuckDB's own by "zero", the C library's by a "perturb"
# whose complement is 0; its caches of freed memory hand out what was there, hence none are kept.
_ZEROED = {
    "DUCKDB_JE_MALLOC_CONF": "zero:true",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=255:glibc.malloc.tcache_count=0",
}
_SAMPLED = "fsst,dict_fsst,zstd"


def warehouse_content(path: Path) -> dict[str, str]:
    """A sha256 of every table and view: definition, columns, types, comments and rows in any order.

    Raises:
        WorkspaceError: when the file cannot be opened.
    """
    content: dict[str, str] = {}
    with reading(path) as connection:
        relations = connection.execute(
            """
            select database_name, schema_name, table_name, coalesce(comment, '')
            from duckdb_tables()
            union all
            select database_name, schema_name, view_name, concat_ws(' ', comment, sql)
            from duckdb_views()
            where not internal
            order by all
            """
        ).fetchall()
        for database, schema, relation, described in relations:
            rows = _rows(connection, database, schema, relation)
            found = connection.execute(
                f"""
                select sha256(
                    $3 || chr(10)
                    || (
                        select string_agg(
                            concat_ws(' ', column_name, data_type, comment), chr(10)
                            order by column_index
                        )
                        from duckdb_columns() where schema_name = $1 and table_name = $2
                    )
                    || chr(10)
                    || coalesce((
                        select string_agg(hash_of_row, chr(10) order by hash_of_row)
                        from (
                            select sha256(cast(row_of as varchar)) as hash_of_row
                            from ({rows}) as row_of
                        ) as hashes
                    ), '')
                )
                """,
                [schema, relation, described],
            ).fetchone()
            content[f"{schema}.{relation}"] = str(found[0]) if found else ""
    return content


def _rows(connection: duckdb.DuckDBPyConnection, database: str, schema: str, relation: str) -> str:
    """The query for the rows of a table, in which no zero has a sign: -0.0 equals 0.0.

    DuckDB itself does not always tell the two apart: a column that is sorted by and a run of equal
    numbers come back as either.
    """
    fractions = connection.execute(
        "select column_name from duckdb_columns() where database_name = $1 and schema_name = $2 "
        "and table_name = $3 and data_type = 'DOUBLE' order by column_index",
        [database, schema, relation],
    ).fetchall()
    plain = ", ".join(f'"{name}" + cast(0 as double) as "{name}"' for (name,) in fractions)
    chosen = f"* replace ({plain})" if plain else "*"
    return f'select {chosen} from "{database}"."{schema}"."{relation}"'


def settle(build: Path) -> dict[str, str]:
    """Write a closed build anew in the form that its content alone decides, in the same place.

    Returns:
        Its content, as ``warehouse_content`` has it. A zero that had a sign has lost it.

    Raises:
        WorkspaceError: when the file cannot be read or written ("unwritable_warehouse"), or what
            was written is not what was read ("not_settled"). The build stays as it was.
    """
    content = warehouse_content(build)
    try:
        # A folder of its own: what a killed run started may still be writing in another one.
        with tempfile.TemporaryDirectory(prefix=".settling-", dir=build.parent) as folder:
            settled = Path(folder) / build.name
            _written_apart(build, settled)
            different = differing(content, warehouse_content(settled))
            if different:
                raise WorkspaceError(
                    "the warehouse was not written as it was built",
                    code="not_settled",
                    file=str(build),
                    expected="every table and view with its comments",
                    found=f"differences in {', '.join(different)}",
                    todo="run the refresh again; if it stays, this release of DuckDB copies "
                    "differently",
                )
            settled.replace(build)
    except OSError as error:
        raise _unwritable(build, error.strerror or str(error)) from error
    return content


def _written_apart(build: Path, settled: Path) -> None:
    """Run ``_write`` where nothing was in memory before."""
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.settled", str(build), str(settled)],
        cwd=PROJECT,
        env={**os.environ, **_ZEROED},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        told = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise _unwritable(build, told[-1])


def _unwritable(build: Path, found: str) -> WorkspaceError:
    return WorkspaceError(
        "the warehouse of this build cannot be written",
        code="unwritable_warehouse",
        file=str(build),
        found=found,
        todo="check the folder's permissions and free space, then run the refresh again",
    )


def _write(build: Path, settled: Path) -> None:
    """Copy definitions, then every table in the order of its columns."""
    with duckdb.connect(config={**CONFIG, "threads": 1}) as connection:
        connection.execute(f"set disabled_compression_methods = '{_SAMPLED}'")
        for path, name, options in ((build, "built", "(read_only)"), (settled, "settled", "")):
            quoted = str(path).replace("'", "''")
            connection.execute(f"attach '{quoted}' as {name} {options}")
        connection.execute("copy from database built to settled (schema)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'built' "
            "order by all"
        ).fetchall()
        for schema, table in tables:
            rows = _rows(connection, "built", schema, table)
            connection.execute(f'insert into settled."{schema}"."{table}" {rows} order by all')
        connection.execute("checkpoint settled")
        connection.execute("detach settled")


if __name__ == "__main__":
    try:
        _write(Path(sys.argv[1]), Path(sys.argv[2]))
    except (duckdb.Error, OSError) as error:
        sys.stderr.write(str(error).splitlines()[0] + "\n")
        raise SystemExit(1) from None
