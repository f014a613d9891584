"""Every mart as CSV and Parquet, described by one ``datapackage.json``.

The same warehouse gives the same bytes: rows are ordered by all their columns and nothing that
depends on the clock is written. Units and meanings are the comments that the warehouse itself
carries on its columns.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.release import sha256_of

OGL = {
    "name": "OGL-UK-3.0",
    "title": "Open Government Licence v3.0",
    "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
}
STATEMENT = (
    "Analysis of official statistics, not itself official statistics. "
    "Contains public sector information licensed under the Open Government Licence v3.0."
)

# Ten times smaller. Always the same ones, so that a file's name does not change with its length.
COMPRESSED = (
    *("barometers", "changes", "comparisons", "context", "goal_areas", "group_counts"),
    *("provenance", "ranks"),
)

_FIELD_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}


@dataclass(frozen=True)
class Column:
    """A column as the warehouse describes it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Mart:
    """A mart as the warehouse describes it."""

    name: str
    description: str
    columns: tuple[Column, ...]


def describe_marts(connection: duckdb.DuckDBPyConnection, schema: str = "marts") -> list[Mart]:
    """The marts of a warehouse, with the comments on them and their columns, by name."""
    tables = connection.execute(
        "select table_name, coalesce(comment, '') from duckdb_tables() "
        "where schema_name = ? order by table_name",
        [schema],
    ).fetchall()
    marts = []
    for name, comment in tables:
        columns = connection.execute(
            "select column_name, data_type, coalesce(comment, '') from duckdb_columns() "
            "where schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        ).fetchall()
        marts.append(Mart(name, comment, tuple(Column(*column) for column in columns)))
    return marts


def csv_name(mart: str) -> str:
    """The name of a mart's CSV file: ``<mart>.csv``, or ``<mart>.csv.gz`` for a long one."""
    return f"{mart}.csv.gz" if mart in COMPRESSED else f"{mart}.csv"


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Write ``csv/<mart>.csv``, ``parquet/<mart>.parquet`` and ``datapackage.json``.

    Each Parquet file carries licence, statement and description in its key-value metadata.

    Returns:
        The files made, in order.
    """
    (folder / "csv").mkdir(parents=True, exist_ok=True)
    (folder / "parquet").mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    resources: list[dict[str, Any]] = []
    connection.execute("set threads = 1")
    for mart in describe_marts(connection):
        ordered = f"select * from marts.{mart.name} order by all"
        csv = folder / "csv" / csv_name(mart.name)
        parquet = folder / "parquet" / f"{mart.name}.parquet"
        compression = "gzip" if csv.suffix == ".gz" else "none"
        connection.execute(
            f"copy ({ordered}) to {_literal(csv)} "
            f"(format csv, header true, compression {compression})"
        )
        described = {
            "licence": OGL["path"],
            "statement": STATEMENT,
            "description": mart.description,
        }
        pairs = ", ".join(f"{key}: {_literal(value)}" for key, value in described.items())
        connection.execute(
            f"copy ({ordered}) to {_literal(parquet)} "
            f"(format parquet, compression zstd, kv_metadata {{{pairs}}})"
        )
        made += [csv, parquet]
        resources.append(_resource(mart, csv, folder))
    package = folder / "datapackage.json"
    package.write_text(
        json.dumps(_package(connection, resources), indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    made.append(package)
    return made


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _resource(mart: Mart, csv: Path, folder: Path) -> dict[str, Any]:
    return {
        "name": mart.name.replace("_", "-"),
        "path": csv.relative_to(folder).as_posix(),
        "title": mart.name,
        "description": mart.description,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        **({"compression": "gz"} if csv.suffix == ".gz" else {}),
        "bytes": csv.stat().st_size,
        "hash": f"sha256:{sha256_of(csv)}",
        "licenses": [OGL],
        "schema": {
            "fields": [
                {
                    "name": column.name,
                    "type": _FIELD_TYPES[column.type],
                    "description": column.description,
                    **(
                        {"trueValues": ["true"], "falseValues": ["false"]}
                        if column.type == "BOOLEAN"
                        else {}
                    ),
                }
                for column in mart.columns
            ],
            "missingValues": [""],
        },
    }


def _package(
    connection: duckdb.DuckDBPyConnection, resources: list[dict[str, Any]]
) -> dict[str, Any]:
    sources = connection.execute(
        "select distinct title, publisher, landing_page from meta.datasets order by 1, 2"
    ).fetchall()
    return {
        "name": "pulse-barometers",
        "title": "Pulse: barometers of inclusive communities",
        "description": STATEMENT,
        "profile": "tabular-data-package",
        "licenses": [OGL],
        "sources": [
            {"title": f"{publisher}, {title}", "path": page} for title, publisher, page in sources
        ],
        "resources": resources,
    }
