"""Content hashes: whether two warehouses hold the same, whatever their bytes and row order.

DuckDB lays equal tables down in different bytes: threads end in another order, and compression is
chosen from samples. What is compared is therefore the content.
"""

import hashlib
import json
from collections.abc import Mapping

import duckdb


def table_hashes(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A sha256 per table of the current database, by ``schema.table``.

    It covers the comment, the columns with type and comment, and the rows in any order: DuckDB
    hashes a row (0.0 and -0.0 alike), and the sum of the hashes does not depend on the order but,
    unlike their XOR, on how often a row occurs.
    """
    hashes = {}
    tables = connection.execute(
        "select schema_name, table_name, comment from duckdb_tables() "
        "where database_name = current_database() order by all"
    ).fetchall()
    for schema, table, comment in tables:
        columns = connection.execute(
            "select column_name, data_type, comment from duckdb_columns() "
            "where database_name = current_database() and schema_name = ? and table_name = ? "
            "order by column_index",
            [schema, table],
        ).fetchall()
        rows = connection.execute(
            f'select count(*), sum(hash(the_row)::hugeint) from "{schema}"."{table}" as the_row'
        ).fetchall()
        described = json.dumps([comment, columns, rows])
        hashes[f"{schema}.{table}"] = hashlib.sha256(described.encode()).hexdigest()
    return hashes


def content_sha256(tables: Mapping[str, str]) -> str:
    """One hash over the marts: two releases with the same one have the same figures."""
    marts = {name: value for name, value in tables.items() if name.startswith("marts.")}
    return hashlib.sha256(json.dumps(marts, sort_keys=True).encode()).hexdigest()
