"""Build the models on Spark and print how each mart differs from DuckDB's.

    python -m tests.spark [--base WAREHOUSE] [--master local[2] | spark://HOST:PORT]

Needs Java 17 and the extra ``spark``. Observations and seeds are those of a DuckDB build; without
``--base`` a refresh from the files that ship with the project makes one. Nothing is published.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from tests.conftest import run_pulse
from warehouse.workspace import DBT_PROJECT, Workspace

TOLERANCE = 1e-9
COMPARED = ("marts", "meta")


def tables(connection: duckdb.DuckDBPyConnection, *schemas: str) -> list[tuple[str, str]]:
    """Schema and name of the tables in some schemas."""
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where schema_name in (select unnest(?)) order by all",
        [list(schemas)],
    ).fetchall()


def start(master: str, folder: Path) -> Any:
    """A Spark session that keeps its tables in a folder; dbt finds it in this process."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master(master)
        .appName("pulse")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        # A division by zero has no value, as in DuckDB no finite one: the models guard against it.
        .config("spark.sql.ansi.enabled", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    return session


def copy_inputs(session: Any, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """What a build is made of, ``raw`` and the seeds, as Parquet tables of Spark."""
    for schema in ("raw", "reference", "intermediate", *COMPARED):
        session.sql(f"create database if not exists {schema}")
    for schema, table in tables(connection, "raw", "reference"):
        if (DBT_PROJECT / "models" / schema / f"{table}.sql").exists():
            continue
        path = folder / "inputs" / schema / table
        path.mkdir(parents=True)
        connection.execute(f"copy {schema}.{table} to '{path}/part.parquet' (format parquet)")
        session.sql(f"create table {schema}.{table} using parquet location '{path}'")


def build(folder: Path) -> dict[str, str]:
    """Run the models with dbt on Spark; what failed, by model, with the engine's message."""
    from dbt.cli.main import dbtRunner

    failed: dict[str, str] = {}

    def listen(event: Any) -> None:
        if event.info.name == "NodeFinished" and event.data.run_result.status != "success":
            node = event.data.node_info
            failed[node.node_name] = " ".join(str(event.data.run_result.message).split())

    done = dbtRunner(callbacks=[listen]).invoke(
        [
            *("run", "--target", "spark", "--profiles-dir", str(DBT_PROJECT)),
            *("--project-dir", str(DBT_PROJECT), "--target-path", str(folder / "target")),
            *("--log-path", str(folder), "--log-level", "none"),
        ]
    )
    if done.exception:
        raise done.exception
    return failed


def differences(session: Any, connection: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """How a table on Spark differs from DuckDB's; None where it does not, to the tolerance."""
    frame = connection.execute(f"select * from {table} order by all").df()
    names = list(frame.columns)
    other = session.table(table)
    if sorted(other.columns) != sorted(names):
        return f"columns {sorted(set(names) ^ set(other.columns))}"
    found = other.select(*names).toPandas()
    connection.register("found", found)
    columns = connection.execute(f"describe {table}").fetchall()
    casts = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind, *_ in columns)
    connection.execute(f"create or replace temp table other as select {casts} from found")
    rows = [len(frame), len(found)]
    if rows[0] != rows[1]:
        return f"{rows[0]} rows in DuckDB, {rows[1]} in Spark"
    # Both in one order, by what is not a measured number: those may differ in the last digit.
    order = ", ".join(f'"{name}"' for name, kind, *_ in columns if kind != "DOUBLE") or "all"
    unequal = " union all ".join(
        f"""select '{name}' as name, count(*) as rows from pairs where {
            f'not coalesce(abs(a."{name}" - b."{name}") <= {TOLERANCE} * greatest(1, abs(a."{name}")), '
            f'a."{name}" is not distinct from b."{name}")'
            if kind == "DOUBLE"
            else f'a."{name}" is distinct from b."{name}"'
        }"""
        for name, kind, *_ in columns
    )
    cases = connection.execute(
        f"with pairs as (select a, b from (select * from {table} order by {order}) as a "
        f"positional join (select * from other order by {order}) as b) "
        f"select name, rows from ({unequal}) where rows > 0"
    ).fetchall()
    return ", ".join(f"{name} in {count} rows" for name, count in cases) or None


def main() -> int:
    """Build, compare and print; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="the warehouse of a DuckDB build")
    parser.add_argument("--master", default="local[2]")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulse-spark-") as scratch:
        folder, base = Path(scratch), asked.base
        if base is None:
            run_pulse(folder / "home", "refresh", "--offline")
            base = Workspace(folder / "home").build_file.resolve()
        os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
        session = start(asked.master, folder)
        with duckdb.connect(str(base), read_only=True) as connection:
            copy_inputs(session, connection, folder)
            began = time.monotonic()
            failed = build(folder)
            print(f"Spark {session.version} on {asked.master}: {time.monotonic() - began:.0f} s")
            for name, message in failed.items():
                print(f"not built   {name}: {message[:300]}")
            unequal = 0
            for schema, table in tables(connection, *COMPARED):
                name = f"{schema}.{table}"
                if table in failed:
                    continue
                difference = differences(session, connection, name)
                unequal += difference is not None
                print(
                    f"{'equal' if difference is None else 'DIFFERS':<12}{name}  {difference or ''}"
                )
        session.stop()
    print(f"{unequal} tables differ, {len(failed)} models were not built")
    return 1 if unequal or failed else 0


if __name__ == "__main__":
    sys.exit(main())
