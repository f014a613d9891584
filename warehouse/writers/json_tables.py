"""Every mart as JSON: ``json/<mart>.json``.

A table of names and a row an array, one row a line, because the longest marts have 15,000 rows of
39 columns and a name beside every value would double them. Dates and times are ISO 8601 text; the
type of each column is given. A null is a null, and a number is printed so that it is read back as
it was.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.writers.sheets import ExportError
from warehouse.writers.tables import OGL, STATEMENT, Mart, describe_marts

TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}
_AS_TEXT = {
    "DATE": "cast({0} as varchar) as {0}",
    "TIMESTAMP": "strftime({0}, '%Y-%m-%dT%H:%M:%S') as {0}",
}
_ROWS_AT_ONCE = 2_000
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def write_json(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Write every mart.

    Returns:
        The files made, in order of the marts.

    Raises:
        ExportError: when a number is not finite: JSON has no word for it.
    """
    (folder / "json").mkdir(parents=True, exist_ok=True)
    return [_write(connection, mart, folder / "json") for mart in describe_marts(connection)]


def _write(connection: duckdb.DuckDBPyConnection, mart: Mart, folder: Path) -> Path:
    path = folder / f"{mart.name}.json"
    head = {
        "name": mart.name,
        "description": mart.description,
        "statement": STATEMENT,
        "licence": OGL,
        "columns": [
            {"name": column.name, "type": TYPES[column.type], "description": column.description}
            for column in mart.columns
        ],
    }
    opening = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    shown = ", ".join(
        _AS_TEXT.get(column.type, "{}").format(column.name) for column in mart.columns
    )
    cursor = connection.execute(
        f"select {shown} from (select * from marts.{mart.name} order by all)"
    )
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f'{opening},\n "rows": [')
        separator = "\n"
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            stream.write(separator + ",\n".join([_line(row, mart, path) for row in rows]))
            separator = ",\n"
        stream.write("\n ]\n}\n")
    return path


def _line(row: Sequence[Any], mart: Mart, path: Path) -> str:
    try:
        return _ENCODER.encode(row)
    except ValueError as error:
        raise ExportError(
            "a figure is not a finite number",
            code="not_finite",
            file=path.name,
            expected=f"a number or null in every column of marts.{mart.name}",
            found=", ".join(
                f"{column.name}: {value}"
                for value, column in zip(row, mart.columns, strict=True)
                if isinstance(value, float) and not math.isfinite(value)
            ),
            todo="mend the model that computes it: a division by zero is the usual cause",
        ) from error
