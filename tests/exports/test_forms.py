"""CSV, Parquet, JSON and the marts hold the same tables; validators accept their descriptions."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import csvw
import duckdb
import frictionless
import pyarrow.parquet as pq
import pytest

from sources.errors import PulseError
from warehouse.connection import reading, writing
from warehouse.writers.csvw import KEYS
from warehouse.writers.json_tables import TYPES, write_json
from warehouse.writers.tables import Mart, describe_marts

Rows = list[tuple[Any, ...]]


def _marts(connection: duckdb.DuckDBPyConnection) -> dict[str, Mart]:
    return {mart.name: mart for mart in describe_marts(connection)}


def _from_json(path: Path, mart: Mart) -> Rows:
    told = json.loads(path.read_text(encoding="utf-8"))
    assert [column["name"] for column in told["columns"]] == [c.name for c in mart.columns]
    assert [column["type"] for column in told["columns"]] == [TYPES[c.type] for c in mart.columns]
    read: list[Callable[[Any], Any]] = [_READ.get(c.type, lambda v: v) for c in mart.columns]
    return [
        tuple(None if v is None else f(v) for f, v in zip(read, row, strict=True))
        for row in told["rows"]
    ]


_READ: dict[str, Callable[[Any], Any]] = {
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": dt.datetime.fromisoformat,
    "DOUBLE": float,
}


@pytest.mark.slow
def test_every_form_holds_the_mart(exported: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    marts = _marts(warehouse)
    assert marts
    for name, mart in marts.items():
        rows: Rows = warehouse.execute(f"select * from marts.{name} order by all").fetchall()
        assert rows, name
        typed = {column.name: column.type for column in mart.columns}
        # Types come from the description, not from a guess at the text.
        csv: Rows = warehouse.execute(
            "select * from read_csv($path, header = true, columns = $types, "
            "auto_detect = false, quote = '\"', escape = '\"', delim = ',')",
            {"path": str(exported / "csv" / f"{name}.csv"), "types": typed},
        ).fetchall()
        assert csv == rows, f"{name}: csv"
        parquet = pq.read_table(exported / "parquet" / f"{name}.parquet")
        assert parquet.column_names == list(typed)
        assert [tuple(row.values()) for row in parquet.to_pylist()] == rows, f"{name}: parquet"
        types = warehouse.execute(
            "select column_name, column_type from (describe select * from read_parquet($path))",
            {"path": str(exported / "parquet" / f"{name}.parquet")},
        ).fetchall()
        assert dict(types) == typed, f"{name}: types of parquet"
        found = _from_json(exported / "json" / f"{name}.json", mart)
        assert found == rows, f"{name}: json"
        for row, other in zip(rows, found, strict=True):
            assert [type(v) for v in row] == [type(v) for v in other], f"{name}: types of json"


@pytest.mark.slow
def test_a_validator_accepts_the_csvw(exported: Path, caplog: pytest.LogCaptureFixture) -> None:
    described = sorted((exported / "csv").glob("*.csv-metadata.json"))
    assert {path.name.removesuffix("-metadata.json") for path in described} == {
        path.name for path in (exported / "csv").glob("*.csv")
    }
    for path in described:
        assert csvw.CSVW(str(path), validate=True).is_valid, path.name
    assert [record.getMessage() for record in caplog.records if "csvw" in record.name] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("good", "bad"),
    [(",41.0,", ",forty-one,"), ("connected,1,", "inclusive,1,"), (",false,", ",perhaps,")],
    ids=["a word for a number", "a key twice", "neither true nor false"],
)
def test_the_validator_refuses_a_csv_that_is_not_as_told(
    exported: Path, tmp_path: Path, good: str, bad: str
) -> None:
    source = (exported / "csv" / "pulse.csv").read_text(encoding="utf-8")
    metadata = (exported / "csv" / "pulse.csv-metadata.json").read_text(encoding="utf-8")
    (tmp_path / "pulse.csv-metadata.json").write_text(metadata, encoding="utf-8")
    assert good in source
    (tmp_path / "pulse.csv").write_text(source.replace(good, bad), encoding="utf-8")
    try:
        accepted = csvw.CSVW(str(tmp_path / "pulse.csv-metadata.json"), validate=True).is_valid
    except ValueError:
        # So this validator says that a key stands twice; the rest it logs.
        accepted = False
    assert not accepted


@pytest.mark.slow
def test_keys_tell_rows_apart(warehouse: duckdb.DuckDBPyConnection) -> None:
    for name, key in KEYS.items():
        told = warehouse.execute(
            f"select count(*) = count(distinct {key}) from marts.{name}"
        ).fetchone()
        assert told == (True,), name


@pytest.mark.slow
def test_a_validator_accepts_the_data_package(exported: Path) -> None:
    report = frictionless.validate(str(exported / "datapackage.json"))
    assert report.valid, [error.message for task in report.tasks for error in task.errors][:5]
    assert len(report.tasks) == len(list((exported / "csv").glob("*.csv")))


@pytest.mark.slow
def test_descriptions_are_the_comments_of_the_warehouse(
    exported: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    for name, mart in _marts(warehouse).items():
        told = json.loads((exported / "csv" / f"{name}.csv-metadata.json").read_text("utf-8"))
        assert told["url"] == f"{name}.csv"
        assert told["dc:description"] == mart.description
        assert [c["dc:description"] for c in told["tableSchema"]["columns"]] == [
            column.description for column in mart.columns
        ]
        header = (exported / "csv" / f"{name}.csv").open(encoding="utf-8").readline().strip()
        assert header.split(",") == [c["name"] for c in told["tableSchema"]["columns"]]


@pytest.mark.slow
def test_the_dbt_page_is_whole_and_names_no_folder(exported: Path) -> None:
    page = (exported / "dbt_docs" / "index.html").read_text(encoding="utf-8")
    assert "model.pulse.barometers" in page
    assert "INLINE DATA" not in page
    assert str(Path.home()) not in page
    assert str(exported.parent) not in page
    assert str(Path(__file__).parents[2]) not in page
    for word in ("invocation_id", "generated_at", "compiled_path"):
        assert f'"{word}":' not in page


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_is_no_number(tmp_path: Path, value: float) -> None:
    path = tmp_path / "pulse.duckdb"
    with writing(path) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.figures (area varchar, figure double)")
        connection.execute("insert into marts.figures values ('here', ?)", [value])
    with (
        reading(path) as connection,
        pytest.raises(PulseError, match=r"marts\.figures") as refused,
    ):
        write_json(connection, tmp_path)
    assert refused.value.code == "not_finite"
    assert "figure" in str(refused.value)


def test_json_keeps_every_type(tmp_path: Path) -> None:
    path = tmp_path / "pulse.duckdb"
    with writing(path) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.figures (a varchar, b double, c integer, d bigint, e boolean, "
            "f date, g timestamp)"
        )
        connection.execute(
            "insert into marts.figures values "
            "('=1+1 \"x\" é\n', 0.1, 1, 9007199254740993, true, '2024-02-29', '2024-02-29 01:02:03'),"
            "(null, null, null, null, null, null, null), ('', 1e-300, -1, 0, false, null, null)"
        )
    with reading(path) as connection:
        (made,) = write_json(connection, tmp_path)
        (mart,) = describe_marts(connection)
        rows = connection.execute("select * from marts.figures order by all").fetchall()
    assert _from_json(made, mart) == rows
