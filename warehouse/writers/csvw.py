"""CSV-on-the-Web: ``csv/<table>.csv-metadata.json`` beside every plain CSV.

The standard knows no compressed files: those are described by the data package alone.

The metadata says what the warehouse's own comments say, so that a program that reads the CSV knows
the type and meaning of each column without asking. No day of issue is given: the same warehouse
gives the same bytes, and the manifest of the release has the moment.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from warehouse.writers.tables import (
    COMPRESSED,
    OGL,
    PARQUET_ONLY,
    STATEMENT,
    Table,
    describe_tables,
)

CREATOR = "Pulse"
PUBLISHER = "Pulse"

# By the type that DuckDB names. Doubles are printed so that they are read back as they were.
DATATYPES: dict[str, str | dict[str, str]] = {
    "VARCHAR": "string",
    "DOUBLE": "double",
    "INTEGER": "int",
    "BIGINT": "long",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": {"base": "dateTime", "format": "yyyy-MM-dd HH:mm:ss"},
}
# The marts whose rows one column identifies; dbt tests that it is unique.
KEYS = {
    "authority_profiles": "area_code",
    "goal_connected": "area_code",
    "goal_equitable": "area_code",
    "goal_inclusive": "area_code",
    "goal_supportive": "area_code",
    "pulse": "goal_id",
    "group_counts": "group_count_id",
    "report_reconciliation": "claim_id",
}


def write_csvw(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Write the metadata of each table's CSV.

    Returns:
        The files made, in order of the tables.
    """
    (folder / "csv").mkdir(parents=True, exist_ok=True)
    sources = [
        f"{publisher}, {title}: {page}"
        for publisher, title, page in connection.execute(
            "select distinct publisher, dataset_title, landing_page from meta.editions order by all"
        ).fetchall()
    ]
    made = []
    for table in describe_tables(connection):
        if table.file in (*COMPRESSED, *PARQUET_ONLY):
            continue
        path = folder / "csv" / f"{table.file}.csv-metadata.json"
        path.write_text(
            json.dumps(_metadata(table, sources), indent=1, ensure_ascii=False) + "\n",
            encoding="utf-8",
        )
        made.append(path)
    return made


def _metadata(table: Table, sources: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "columns": [
            {
                "name": column.name,
                "titles": column.name,
                "dc:description": column.description,
                "datatype": DATATYPES[column.type],
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
        "dc:creator": CREATOR,
        "dc:publisher": PUBLISHER,
        "dc:source": list(table.editions) or sources,
        "dc:license": {"@id": OGL["path"]},
        "notes": [{"type": "statement", "body": STATEMENT}],
        "tableSchema": schema,
    }
