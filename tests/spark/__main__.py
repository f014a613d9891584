"""Build the models on Spark and print how each mart differs from DuckDB's.

    python -m tests.spark [--base WAREHOUSE] [--cluster] [--select MODEL ...]

Needs Java 17 and the extra ``spark``. Observations and seeds are those of a DuckDB build; without
``--base`` a refresh from the files that ship with the project makes one. With ``--cluster`` the
models are built by a standalone cluster, a master and two workers on loopback, each with one core.
Nothing is published.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

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


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A master and two workers on loopback, each a process; gives the master's address.

    Raises:
        RuntimeError: where the master does not answer within a minute, with the end of its log.
    """
    import pyspark

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"spark://127.0.0.1:{port}"
    spark_class = Path(pyspark.__file__).parent / "bin" / "spark-class"
    common = ("--host", "127.0.0.1", "--webui-port", "0")
    worker = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work"), address)

    with ExitStack() as stack:

        def run(name: str, part: str, *words: str) -> Path:
            log = folder / f"{name}.log"
            process = subprocess.Popen(
                [str(spark_class), f"org.apache.spark.deploy.{part}", *common, *words],
                env={**os.environ, "SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": "127.0.0.1"},
                stdout=stack.enter_context(log.open("wb")),
                stderr=subprocess.STDOUT,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return log

        log = run("master", "master.Master", "--port", str(port))
        for _ in range(120):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.5)
        else:
            raise RuntimeError(f"the master did not start:\n{log.read_text()[-2000:]}")
        for number in (1, 2):
            run(f"worker{number}", "worker.Worker", *worker)
        yield address


def start(master: str, folder: Path) -> Any:
    """A Spark session that keeps its tables in a folder; dbt finds it in this process."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # Nothing runs before both workers of a cluster have come.
        "spark.executor.cores": "1",
        "spark.executor.memory": "640m",
        "spark.cores.max": "2",
        "spark.scheduler.minRegisteredResourcesRatio": "1",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        # A division by zero has no value, as in DuckDB no finite one: the models guard against it.
        "spark.sql.ansi.enabled": "false",
        # Small tables: to compile each query's Java would cost more than to run it.
        "spark.sql.codegen.wholeStage": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    }
    builder = SparkSession.builder.master(master).appName("pulse")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
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


def build(folder: Path, select: list[str]) -> dict[str, str]:
    """Run the models with dbt on Spark; what failed, by model, with the engine's message.

    Args:
        folder: for what dbt writes.
        select: models, in dbt's words; all where there are none.
    """
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
            *(("--select", *select) if select else ()),
        ]
    )
    if done.exception:
        raise done.exception
    return failed


def differences(
    connection: duckdb.DuckDBPyConnection, table: str, found: pd.DataFrame
) -> str | None:
    """How a table of another engine differs from DuckDB's; None where it does not, to the tolerance.

    Args:
        connection: to the DuckDB build.
        table: the name there, with its schema.
        found: all rows of the other engine's table.
    """
    names = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
    if sorted(found.columns) != sorted(names):
        return f"columns {sorted(set(names) ^ set(found.columns))}"
    connection.register("found", found)
    columns = connection.execute(f"describe {table}").fetchall()
    casts = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind, *_ in columns)
    connection.execute(f"create or replace temp table other as select {casts} from found")
    ((rows,),) = connection.execute(f"select count(*) from {table}").fetchall()
    if rows != len(found):
        return f"{rows} rows in DuckDB, {len(found)} in Spark"
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
    """Build, compare and print; 1 where anything differs or is not built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="the warehouse of a DuckDB build")
    parser.add_argument("--cluster", action="store_true", help="build on two workers on loopback")
    parser.add_argument("--select", nargs="*", default=[], help="models only, in dbt's words")
    asked = parser.parse_args()
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-spark-")))
        base = asked.base
        if base is None:
            run_pulse(folder / "home", "refresh", "--offline")
            base = Workspace(folder / "home").build_file.resolve()
        master = stack.enter_context(cluster(folder)) if asked.cluster else "local[2]"
        session = start(master, folder)
        stack.callback(session.stop)
        connection = stack.enter_context(duckdb.connect(str(base), read_only=True))
        copy_inputs(session, connection, folder)
        # The driver is in the list too.
        executors = session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1
        where = f"{master}, {executors} executors" if asked.cluster else master
        began = time.monotonic()
        failed = build(folder, asked.select)
        print(f"Spark {session.version} on {where}: {time.monotonic() - began:.0f} s")
        for name, message in failed.items():
            print(f"{'not built':<12}{name}  {message[:300]}")
        differing, compared = 0, 0
        for schema, table in tables(connection, *COMPARED):
            name = f"{schema}.{table}"
            if table in failed or not session.catalog.tableExists(name):
                continue
            difference = differences(connection, name, session.table(name).toPandas())
            compared, differing = compared + 1, differing + (difference is not None)
            print(f"{'DIFFERS' if difference else 'equal':<12}{name}  {difference or ''}".rstrip())
    print(f"{compared} tables compared, {differing} differ; {len(failed)} models were not built")
    return 1 if differing or failed or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
