"""Every published table as CSV and Parquet, described by one ``datapackage.json``.

Beside each plain CSV is its description as CSV on the Web, ``<table>.csv-metadata.json``; that
standard knows no compressed files.

The same warehouse gives the same bytes: rows keep the order of the warehouse, which the
models fix, and nothing that depends on the clock is written. Units and meanings are the comments that the warehouse itself
carries on its columns.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.connection import literal
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

SCHEMAS = ("marts", "reference", "meta")

# Ten times smaller. Always the same ones, so that a file's name does not change with its length.
COMPRESSED = (
    *("barometers", "breakdowns", "context", "goal_areas", "group_counts", "ranks", "trends"),
    *("meta-gaps", "reference-similar_areas"),
)
# A hundred thousand rows and more, which no spreadsheet opens: Parquet alone, which describes itself.
PARQUET_ONLY = ("changes", "comparisons", "provenance")

# By the type that DuckDB names: in a data package, and in CSV on the Web.
_TYPES: dict[str, tuple[str, str | dict[str, str]]] = {
    "VARCHAR": ("string", "string"),
    # Printed so that it is read back as it was.
    "DOUBLE": ("number", "double"),
    "INTEGER": ("integer", "int"),
    "BIGINT": ("integer", "long"),
    "BOOLEAN": ("boolean", "boolean"),
    "DATE": ("date", "date"),
    "TIMESTAMP": ("datetime", {"base": "dateTime", "format": "yyyy-MM-dd HH:mm:ss"}),
}
# The marts whose rows one column identifies; dbt tests that it is unique.
KEYS = {
    **dict.fromkeys(("goal_connected", "goal_equitable", "goal_inclusive"), "area_code"),
    **dict.fromkeys(("goal_supportive", "authority_profiles"), "area_code"),
    "pulse": "goal_id",
    "group_counts": "group_count_id",
    "report_reconciliation": "claim_id",
}


@dataclass(frozen=True)
class Column:
    """A column as the warehouse describes it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    """A table as the warehouse describes it; ``editions`` are those that its rows name."""

    schema: str
    name: str
    description: str
    columns: tuple[Column, ...]
    editions: tuple[str, ...]

    @property
    def file(self) -> str:
        """Name of its files, without ending: that of a mart is its own."""
        return self.name if self.schema == SCHEMAS[0] else f"{self.schema}-{self.name}"

    @property
    def csv(self) -> str:
        """Name of its CSV file, which is compressed where it is long."""
        return f"{self.file}.csv.gz" if self.file in COMPRESSED else f"{self.file}.csv"


def describe_tables(connection: duckdb.DuckDBPyConnection) -> list[Table]:
    """The published tables with the comments on them and their columns, the marts first."""
    tables = connection.execute(
        "select schema_name, table_name, coalesce(comment, '') from duckdb_tables() "
        "where list_contains($schemas, schema_name) "
        "order by list_position($schemas, schema_name), table_name",
        {"schemas": list(SCHEMAS)},
    ).fetchall()
    found = []
    for schema, name, comment in tables:
        columns = connection.execute(
            "select column_name, data_type, coalesce(comment, '') from duckdb_columns() "
            "where schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        ).fetchall()
        editions: list[tuple[str]] = []
        if {"dataset", "edition"} <= {column[0] for column in columns}:
            editions = connection.execute(
                "select distinct e.publisher || ', ' || e.edition_title from meta.editions as e "
                f"semi join {schema}.{name} as t using (dataset, edition) order by 1"
            ).fetchall()
        found.append(
            Table(
                schema,
                name,
                comment,
                tuple(Column(*column) for column in columns),
                tuple(edition for (edition,) in editions),
            )
        )
    return found


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write ``csv/<table>.csv`` of most tables, ``parquet/<table>.parquet`` and ``datapackage.json``.

    Each Parquet file carries licence, editions, statement and description in its metadata; for a
    CSV they are in the file beside it and in the data package. No day of issue is given: the same
    warehouse gives the same bytes, and the manifest of the release has the moment.
    """
    (folder / "csv").mkdir(parents=True, exist_ok=True)
    (folder / "parquet").mkdir(parents=True, exist_ok=True)
    resources: list[dict[str, Any]] = []
    sources = [
        {"title": f"{publisher}, {title}", "path": page}
        for title, publisher, page in connection.execute(
            "select distinct title, publisher, landing_page from meta.datasets order by 1, 2"
        ).fetchall()
    ]
    connection.execute("set threads = 1")
    for table in describe_tables(connection):
        # In the order of the warehouse, which keeps like beside like.
        rows = f"from {table.schema}.{table.name}"
        csv = folder / "csv" / table.csv
        parquet = folder / "parquet" / f"{table.file}.parquet"
        if table.file not in PARQUET_ONLY:
            compression = "gzip" if csv.suffix == ".gz" else "none"
            connection.execute(
                f"copy ({rows}) to {literal(csv)} "
                f"(format csv, header true, compression {compression})"
            )
            if csv.suffix == ".csv":
                _write_json(csv.with_name(f"{csv.name}-metadata.json"), _on_the_web(table, sources))
            resources.append(_resource(table, csv, folder))
        described = {
            "licence": OGL["path"],
            "statement": STATEMENT,
            "editions": "; ".join(table.editions),
            "description": table.description,
        }
        pairs = ", ".join(f"{key}: {literal(value)}" for key, value in described.items())
        connection.execute(
            f"copy ({rows}) to {literal(parquet)} "
            f"(format parquet, compression zstd, kv_metadata {{{pairs}}})"
        )
    package = {
        "name": "pulse-barometers",
        "title": "Pulse: barometers of inclusive communities",
        "description": STATEMENT,
        "profile": "tabular-data-package",
        "licenses": [OGL],
        "sources": sources,
        "resources": resources,
    }
    _write_json(folder / "datapackage.json", package)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _resource(table: Table, csv: Path, folder: Path) -> dict[str, Any]:
    return {
        "name": table.file.replace("_", "-"),
        "path": csv.relative_to(folder).as_posix(),
        "title": table.file,
        "description": table.description,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        **({"compression": "gz"} if csv.suffix == ".gz" else {}),
        "bytes": csv.stat().st_size,
        "hash": f"sha256:{sha256_of(csv)}",
        "licenses": [OGL],
        **({"sources": [{"title": each} for each in table.editions]} if table.editions else {}),
        "schema": {
            "fields": [
                {
                    "name": column.name,
                    "type": _TYPES[column.type][0],
                    "description": column.description,
                    **(
                        {"trueValues": ["true"], "falseValues": ["false"]}
                        if column.type == "BOOLEAN"
                        else {}
                    ),
                }
                for column in table.columns
            ],
            "missingValues": [""],
        },
    }


def _on_the_web(table: Table, sources: list[dict[str, str]]) -> dict[str, Any]:
    """The description of a CSV as CSV on the Web."""
    schema: dict[str, Any] = {
        "columns": [
            {
                "name": column.name,
                "titles": column.name,
                "dc:description": column.description,
                "datatype": _TYPES[column.type][1],
            }
            for column in table.columns
        ]
    }
    if table.file in KEYS:
        schema["primaryKey"] = KEYS[table.file]
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": table.csv,
        "dc:title": table.file,
        "dc:description": table.description,
        "dc:creator": "Pulse",
        "dc:publisher": "Pulse",
        "dc:source": list(table.editions) or [f"{e['title']}: {e['path']}" for e in sources],
        "dc:license": {"@id": OGL["path"]},
        "notes": [{"type": "statement", "body": STATEMENT}],
        "tableSchema": schema,
    }
