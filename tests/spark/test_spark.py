"""The same models on Spark: every mart equals DuckDB's, in one process and on a cluster."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.spark.__main__ import differences
from warehouse.workspace import PROJECT, Workspace


@pytest.fixture
def figures() -> duckdb.DuckDBPyConnection:
    """A table as a build has it, with an integer and a measured number that may be missing."""
    connection = duckdb.connect()
    connection.execute("create schema marts")
    connection.execute(
        "create table marts.figures as select * from (values "
        "('E1', 3, 72.1, date '2024-01-01'), ('E2', null, null, null), ('E3', 5, 1e9, null)"
        ") as rows (area, members, value, period)"
    )
    connection.execute("alter table marts.figures alter value type double")
    return connection


def found(connection: duckdb.DuckDBPyConnection, **changed: str) -> pd.DataFrame:
    """The same rows in another order, as Spark gives them, with other expressions for columns."""
    columns = {name: name for name in ("area", "members", "value", "period")} | changed
    listed = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    return connection.execute(f"select {listed} from marts.figures order by area desc").df()


@pytest.mark.parametrize(
    "changed",
    [{}, {"value": "value + 1e-10"}, {"value": "value * (1 + 1e-10)"}],
    ids=["equal", "in the last digits", "a large number in the last digits"],
)
def test_equal_tables_do_not_differ(
    figures: duckdb.DuckDBPyConnection, changed: dict[str, str]
) -> None:
    assert differences(figures, "marts.figures", found(figures, **changed)) is None


@pytest.mark.parametrize(
    ("changed", "reported"),
    [
        ({"value": "value + 1e-6"}, "value in 1 rows"),
        ({"value": "coalesce(value, 0)"}, "value in 1 rows"),
        ({"value": "nullif(value, 72.1)"}, "value in 1 rows"),
        ({"members": "members + 1"}, "members in 2 rows"),
        ({"area": "lower(area)"}, "area in 3 rows"),
        ({"period": "period + 1"}, "period in 1 rows"),
        ({"more": "1"}, "columns ['more']"),
    ],
    ids=lambda each: str(each),
)
def test_a_difference_is_reported(
    figures: duckdb.DuckDBPyConnection, changed: dict[str, str], reported: str
) -> None:
    assert differences(figures, "marts.figures", found(figures, **changed)) == reported


def test_missing_rows_are_reported(figures: duckdb.DuckDBPyConnection) -> None:
    fewer = found(figures).head(2)
    assert differences(figures, "marts.figures", fewer) == "3 rows in DuckDB, 2 in Spark"


@pytest.mark.slow
@pytest.mark.parametrize("where", [(), ("--cluster",)], ids=["one process", "two workers"])
def test_every_mart_on_spark_equals_duckdbs(
    released_workspace: Workspace, where: tuple[str, ...]
) -> None:
    if shutil.which("java") is None:
        pytest.skip("Java is not installed here (Debian: apt-get install openjdk-17-jre-headless)")
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("the extra `spark` is not installed: make spark")
    base: Path = released_workspace.build_file.resolve()
    done = subprocess.run(
        [sys.executable, "-m", "tests.spark", "--base", str(base), *where],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "0 differ; 0 models were not built" in done.stdout
    assert ("2 executors" in done.stdout) is bool(where)
