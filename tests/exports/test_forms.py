"""CSV, Parquet and the marts hold the same tables; validators accept their descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.lazy import lazy
from warehouse.contracts import rules

csvw = lazy("csvw")
frictionless = lazy("frictionless")
tables = lazy("warehouse.writers.tables")


Rows = list[tuple[Any, ...]]


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, tables.Table]:
    return {table.file: table for table in tables.describe_tables(connection)}


@pytest.mark.slow
def test_every_form_holds_the_mart(exported: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    found = _tables(warehouse)
    may_be_empty = {rule.mart for rule in rules() if rule.may_be_empty}
    assert {table.schema for table in found.values()} == set(tables.SCHEMAS)
    for name, mart in found.items():
        rows: Rows = warehouse.execute(f"from {mart.schema}.{mart.name}").fetchall()
        assert rows or mart.schema != "marts" or name in may_be_empty, name
        typed = {column.name: column.type for column in mart.columns}
        # Types come from the description, not from a guess at the text.
        file = exported / "csv" / mart.csv
        assert file.exists() is (name not in tables.PARQUET_ONLY)
        if file.exists():
            csv: Rows = warehouse.execute(
                "select * from read_csv($path, header = true, columns = $types, "
                "auto_detect = false, allow_quoted_nulls = false, quote = '\"', escape = '\"', delim = ',')",
                {"path": str(file), "types": typed},
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
        metadata = pq.read_metadata(exported / "parquet" / f"{name}.parquet").metadata
        assert metadata[b"licence"].decode() == tables.OGL["path"]
        assert metadata[b"editions"].decode() == "; ".join(mart.editions)
        assert metadata[b"description"].decode() == mart.description


@pytest.mark.slow
def test_a_release_is_small(exported: Path) -> None:
    """Warehouse and tables on one side, a page for every English area on the other."""
    sizes = {
        path.relative_to(exported.parent): path.stat().st_size
        for path in exported.parent.rglob("*")
        if path.is_file()
    }
    site = sum(size for path, size in sizes.items() if path.parts[:2] == ("exports", "site"))
    held = sum(size for path, size in sizes.items() if path.suffix in (".duckdb", ".parquet"))
    assert held <= 54_000_000
    assert sum(sizes.values()) - site - held <= 11_000_000
    assert site <= 33_000_000


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
def test_the_validator_refuses_a_csv_that_is_not_as_described(
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
        # This validator raises for a key that occurs twice; the rest it logs.
        accepted = False
    assert not accepted


@pytest.mark.slow
def test_keys_are_unique(warehouse: duckdb.DuckDBPyConnection) -> None:
    for name, key in tables.KEYS.items():
        unique = warehouse.execute(
            f"select count(*) = count(distinct {key}) from marts.{name}"
        ).fetchone()
        assert unique == (True,), name


@pytest.mark.slow
def test_a_validator_accepts_the_data_package(exported: Path) -> None:
    report = frictionless.validate(str(exported / "datapackage.json"))
    assert report.valid, [error.message for task in report.tasks for error in task.errors][:5]
    assert len(report.tasks) == len(list((exported / "csv").glob("*.csv*"))) - len(
        list((exported / "csv").glob("*.json"))
    )


@pytest.mark.slow
def test_descriptions_are_the_comments_of_the_warehouse(
    exported: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    for name, mart in _tables(warehouse).items():
        if name in (*tables.COMPRESSED, *tables.PARQUET_ONLY):
            continue
        described = json.loads((exported / "csv" / f"{name}.csv-metadata.json").read_text("utf-8"))
        assert described["url"] == f"{name}.csv"
        assert described["dc:description"] == mart.description
        assert [c["dc:description"] for c in described["tableSchema"]["columns"]] == [
            column.description for column in mart.columns
        ]
        header = (exported / "csv" / f"{name}.csv").open(encoding="utf-8").readline().strip()
        assert header.split(",") == [c["name"] for c in described["tableSchema"]["columns"]]
