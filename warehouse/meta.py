"""The warehouse of a release, and what it says about itself.

``meta.checks``, ``meta.changed_figures`` and ``meta.releases`` can only be written once the gate has
passed a build; everything else in ``meta`` is built by dbt.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.connection import attach, literal, reading, rows_of, writing
from warehouse.content import table_hashes
from warehouse.differences import differences

# What is described and promised; what only the build needs stays in the build.
PUBLISHED = ("marts", "reference", "meta")
# DuckDB takes zstd for no text this short unless it is asked to; it saves two fifths of the file.
_LONG_TEXTS = ("sentence", "citation")
_CHECKS = {
    "kind": ("varchar", "contract (an input), model or test (dbt), or gate (a published mart)."),
    "subject": ("varchar", "The dataset and edition, or the mart, that was checked."),
    "check_name": ("varchar", "Name of the check, as the run's page shows it."),
    "outcome": (
        "varchar",
        "passed, note, warning (something to know; nothing is stopped), or red (a fault: what "
        "depends on it is not published).",
    ),
    "message": ("varchar", "What was found."),
}
_CHANGED = {
    "barometer_id": ("varchar", "Barometer."),
    "area_code": ("varchar", "Code of the area."),
    "area_name": ("varchar", "Name of the area."),
    "dataset": ("varchar", "Series of the figure."),
    "edition": ("varchar", "Edition of the figure."),
    "period_end": ("date", "Last day of the period."),
    "value_before": ("double", "Figure in the release before, in the unit; null where none."),
    "value_after": ("double", "Figure now, in the unit; null where none."),
    "status_before": ("varchar", "Status in the release before; null where it had no such row."),
    "status_after": ("varchar", "Status now; null where there is no such row any more."),
    "why": (
        "varchar",
        "new edition, edition gone, revision (of the publisher), other source, or method.",
    ),
}
_RELEASES = {
    "release": ("integer", "Number of the release."),
    "made_at": ("timestamp", "When it was made, in UTC."),
    "code_version": ("varchar", "Version of Pulse and a hash of its code."),
    "content_sha256": ("varchar", "One hash over the content of the marts."),
    "is_one_before": ("boolean", "Whether readers saw it until this one came."),
    "is_this_one": ("boolean", "Whether this warehouse is that release."),
}

SEALED_TABLES: Mapping[str, tuple[Mapping[str, tuple[str, str]], str]] = {
    "checks": (_CHECKS, "Every check of this release and what it found, one row per check."),
    "changed_figures": (
        _CHANGED,
        "Cells whose figure, limits or status differ from the release that readers saw "
        "before, and why. One row per cell; none in a first release.",
    ),
    "releases": (_RELEASES, "The releases up to this one, one row per release."),
}
"""Tables of ``meta`` that are written once the gate has spoken: columns (type, comment), comment."""


def input_checks(build: Path) -> list[dict[str, Any]]:
    """What the contract said of each input of a build."""
    with reading(build) as connection:
        return rows_of(
            connection,
            "select 'contract' as kind, dataset || ' ' || edition as subject, check_name, "
            "outcome, message from raw.input_checks order by all",
        )


def inputs_used(build: Path) -> list[dict[str, Any]]:
    """What a build was made of, by dataset and edition, for the manifest."""
    query = "select * exclude (retrieved_at, notes) from raw.inputs order by dataset, edition"
    with reading(build) as connection:
        return rows_of(connection, query)


def table_counts(build: Path) -> dict[str, int]:
    """Rows by mart."""
    with reading(build) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
        ).fetchall()
        return {name: len(connection.table(f"marts.{name}")) for (name,) in names}


def seal(
    build: Path,
    target: Path,
    *,
    dbt_manifest: Path | None,
    checks: Sequence[Mapping[str, Any]],
    earlier: Sequence[Mapping[str, Any]],
    previous: Path | None,
    follows: int | None,
    number: int,
    made_at: str,
    version_of_code: str,
) -> dict[str, str]:
    """Write the warehouse of a release: what a build has to publish, described, in a compact file.

    ``build`` passed the gate and stays as it is; only its tables are copied to ``target``: a view would
    name the build. The descriptions of ``dbt_manifest`` become comments. ``checks`` are as
    ``meta.checks`` has them; ``earlier`` the releases before this one, as manifests name them;
    ``previous`` is the warehouse of the release ``follows``, which this one is compared with.
    ``made_at``: ISO 8601 with a time zone; ``version_of_code``: as ``code_version`` returns it.

    Returns a hash per table, as ``warehouse.content.table_hashes`` has them. Raises WorkspaceError
    when one of the files cannot be opened or written.
    """
    changed = differences(previous, build) if previous is not None else None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    described = _descriptions(dbt_manifest) if dbt_manifest is not None else {}
    with writing(target, compact=True) as connection:
        attach(connection, build, "built")
        connection.execute("begin")
        tables = connection.execute(
            """
            select schema_name, table_name, string_agg(
                format('"{}" {}', column_name, data_type)
                || if(list_contains(?, column_name), ' using compression zstd', ''),
                ', ' order by column_index
            )
            from duckdb_tables()
            inner join duckdb_columns() using (database_name, schema_name, table_name)
            where database_name = 'built' and list_contains(?, schema_name)
            group by all
            order by all
            """,
            [_LONG_TEXTS, PUBLISHED],
        ).fetchall()
        for schema in PUBLISHED:
            connection.execute(f"create schema {schema}")
        for schema, table, columns_in_build in tables:
            name = f'{schema}."{table}"'
            connection.execute(f"create table {name} ({columns_in_build})")
            connection.execute(f"insert into {name} from built.{name}")
            _comment(connection, schema, table, *described.get((schema, table), ("", {})))
        for table, (columns, comment) in SEALED_TABLES.items():
            types = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
            connection.execute(f"create table meta.{table} ({types})")
            words = {name: text for name, (_, text) in columns.items()}
            _comment(connection, "meta", table, comment, words)
        if checks:
            connection.executemany(
                "insert into meta.checks values (?, ?, ?, ?, ?)",
                [[check[name] for name in _CHECKS] for check in checks],
            )
        if changed is not None and len(changed):
            connection.register("changed_in", changed)
            chosen = ", ".join(f"cast({name} as {kind})" for name, (kind, _) in _CHANGED.items())
            connection.execute(
                f"insert into meta.changed_figures select {chosen} from changed_in order by all"
            )
            connection.unregister("changed_in")
        rows = [
            [
                *(each[name] for name in ("number", "made_at", "code_version", "content_sha256")),
                *(each["number"] == follows, False),
            ]
            for each in earlier
        ]
        rows.append([number, made_at, version_of_code, None, False, True])
        connection.executemany("insert into meta.releases values (?, ?, ?, ?, ?, ?)", rows)
        connection.execute("commit")
        connection.execute("detach built")
        return table_hashes(connection)


def _descriptions(dbt_manifest: Path) -> dict[tuple[str, str], tuple[str, dict[str, str]]]:
    """By schema and table of every model and seed: its description and those of its columns."""
    nodes = json.loads(dbt_manifest.read_text(encoding="utf-8"))["nodes"].values()
    return {
        (node["schema"], node["alias"]): (
            node["description"],
            {name: column["description"] for name, column in node["columns"].items()},
        )
        for node in nodes
        if node["resource_type"] in ("model", "seed")
    }


def _comment(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    words: str,
    columns: Mapping[str, str],
) -> None:
    """Comment on a table and its columns: in one transaction, where dbt would use one per column."""
    if words:
        connection.execute(f'comment on table {schema}."{table}" is {literal(words)}')
    for name, text in columns.items():
        if text:
            connection.execute(f'comment on column {schema}."{table}"."{name}" is {literal(text)}')
