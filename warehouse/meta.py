"""What a release says about itself: ``meta.checks``, ``meta.changed_figures``, ``meta.releases``.

Everything else in ``meta`` is built by dbt. These can only be written once the gate has
spoken, just before the warehouse is closed.
"""

from __future__ import annotations

import hashlib
import platform
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from warehouse.connection import reading, writing
from warehouse.differences import differences
from warehouse.workspace import PROJECT

_CHECKS = {
    "kind": ("varchar", "contract (an input), model or test (dbt), or gate (a published mart)."),
    "subject": ("varchar", "The dataset and edition, or the mart, that was checked."),
    "check_name": ("varchar", "Name of the check, as the run's page shows it."),
    "passed": ("boolean", "Whether it passed."),
    "severity": ("varchar", "error stops what depends on it; warning and note do not."),
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
    "content_sha256": ("varchar", "One hash over the exported tables."),
    "is_one_before": ("boolean", "Whether readers saw it until this one came."),
    "is_this_one": ("boolean", "Whether this warehouse is that release."),
}


_CODE = {".py", ".sql", ".yml", ".yaml", ".csv", ".j2", ".css"}
_NOT_CODE = {"target", "exports", "current", "__pycache__"}


def code_files() -> list[Path]:
    """The files that decide what is computed, in a fixed order."""
    found = [
        path
        for folder in ("sources", "warehouse", "orchestration", "dbt_project")
        for path in sorted((PROJECT / folder).rglob("*"))
        if path.suffix in _CODE and not _NOT_CODE & set(path.relative_to(PROJECT).parts)
    ]
    # The methods are a page of every release.
    return [*found, PROJECT / "docs" / "methods.md"]


def code_version() -> str:
    """The package's version and the first 12 characters of a hash over the code that computes.

    Two workspaces with the same one compute the same from the same inputs.
    """
    digest = hashlib.sha256()
    for path in code_files():
        digest.update(path.relative_to(PROJECT).as_posix().encode())
        digest.update(path.read_bytes())
    try:
        number = version("pulse-barometers")
    except PackageNotFoundError:
        number = "0"
    return f"{number}+{digest.hexdigest()[:12]}"


def libraries() -> dict[str, str]:
    """The version of each library that a release is made with, of Python and of the system."""
    with (PROJECT / "pyproject.toml").open("rb") as stream:
        required = tomllib.load(stream)["project"]["dependencies"]
    names = sorted(re.split(r"[^\w-]", requirement)[0] for requirement in required)
    return {
        "python": platform.python_version(),
        "system": " ".join([platform.system(), platform.machine(), *platform.libc_ver()]),
        **{name: version(name) for name in names},
    }


def input_checks(build: Path) -> list[dict[str, Any]]:
    """What the contract said of each input of a build."""
    with reading(build) as connection:
        rows = connection.execute(
            "select 'contract', dataset || ' ' || edition, check_name, passed, severity, message "
            "from raw.input_checks order by all"
        ).fetchall()
    return [dict(zip(_CHECKS, row, strict=True)) for row in rows]


def inputs_used(build: Path) -> list[dict[str, Any]]:
    """What a build was made of, by dataset and edition, for the manifest."""
    columns = (
        "dataset, edition, state, origin, revision, file_sha256, file_name, source_url, figures, "
        "refused, refusals, publisher_state, publisher_message"
    )
    with reading(build) as connection:
        rows = connection.execute(
            f"select {columns} from raw.inputs order by dataset, edition"
        ).fetchall()
    return [dict(zip(columns.split(", "), row, strict=True)) for row in rows]


def row_counts(build: Path) -> dict[tuple[str, str], int]:
    """Rows by schema and name, of every table of a build."""
    with reading(build) as connection:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() order by 1, 2"
        ).fetchall()
        counts = {}
        for schema, name in names:
            found = connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone()
            counts[(schema, name)] = int(found[0]) if found else 0
    return counts


def table_counts(build: Path) -> dict[str, int]:
    """Rows by mart."""
    return {name: rows for (schema, name), rows in row_counts(build).items() if schema == "marts"}


def seal(
    build: Path,
    *,
    checks: Sequence[Mapping[str, Any]],
    earlier: Sequence[Mapping[str, Any]],
    previous: Path | None,
    follows: int | None,
    number: int,
    made_at: datetime,
    version_of_code: str,
) -> None:
    """Write ``meta.checks``, ``meta.changed_figures`` and ``meta.releases`` into a build.

    Args:
        build: the warehouse to close.
        checks: every verdict, as ``meta.checks`` has them.
        earlier: the releases before this one, as manifests name them.
        previous: the warehouse that readers see until now, if there is one.
        follows: the number of its release.
        number: of the release to be.
        made_at: its moment, with a time zone.
        version_of_code: as ``code_version`` tells it.
    """
    changed = differences(previous, build) if previous is not None else None
    with writing(build) as connection:
        connection.execute("create schema if not exists meta")
        for table, columns, comment in (
            ("checks", _CHECKS, "Every check of this release and what it found. One row a check."),
            (
                "changed_figures",
                _CHANGED,
                "Cells whose figure, limits or status differ from the release that readers saw "
                "before, and why. One row a cell; none in a first release.",
            ),
            ("releases", _RELEASES, "The releases up to this one. One row a release."),
        ):
            types = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
            connection.execute(f"create or replace table meta.{table} ({types})")
            connection.execute(f"comment on table meta.{table} is '{comment}'")
            for name, (_, words) in columns.items():
                text = words.replace("'", "''")
                connection.execute(f"comment on column meta.{table}.{name} is '{text}'")
        if checks:
            connection.executemany(
                "insert into meta.checks values (?, ?, ?, ?, ?, ?)",
                [[check[name] for name in _CHECKS] for check in checks],
            )
        if changed is not None and len(changed):
            connection.register("changed_in", changed)
            chosen = ", ".join(f"cast({name} as {kind})" for name, (kind, _) in _CHANGED.items())
            connection.execute(
                f"insert into meta.changed_figures select {chosen} from changed_in order by all"
            )
            connection.unregister("changed_in")
        rows: list[list[Any]] = [
            [
                each["number"],
                datetime.fromisoformat(each["made_at"]).replace(tzinfo=None),
                each["code_version"],
                each["content_sha256"],
                each["number"] == follows,
                False,
            ]
            for each in earlier
        ]
        rows.append([number, made_at.replace(tzinfo=None), version_of_code, None, False, True])
        connection.executemany("insert into meta.releases values (?, ?, ?, ?, ?, ?)", rows)
