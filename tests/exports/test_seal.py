"""The warehouse of a release: what is published of a build, described, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.connection import reading, writing
from warehouse.meta import seal

MADE_AT = "2026-01-01T00:00:00+00:00"


def first_release(
    build: Path,
    target: Path,
    manifest: Path | None = None,
    checks: Sequence[Mapping[str, Any]] = (),
) -> dict[str, str]:
    return seal(
        build,
        target,
        dbt_manifest=manifest,
        checks=checks,
        earlier=[],
        previous=None,
        follows=None,
        number=1,
        made_at=MADE_AT,
        version_of_code="test",
    )


def test_only_described_schemas_are_copied_with_their_comments(tmp_path: Path) -> None:
    build, target = tmp_path / "build" / "pulse.duckdb", tmp_path / "release" / "pulse.duckdb"
    build.parent.mkdir()
    with writing(build) as connection:
        for schema in ("raw", "intermediate", "marts", "reference"):
            connection.execute(f"create schema {schema}")
            connection.execute(f"create table {schema}.figures as select range as n from range(9)")
        connection.execute("create view marts.latest as select * from marts.figures")
    before = build.read_bytes()
    manifest = tmp_path / "manifest.json"
    node = {
        "resource_type": "model",
        "schema": "marts",
        "alias": "figures",
        "description": "England's figures.",
        "columns": {"n": {"description": "In percent; it's a number."}},
    }
    manifest.write_text(json.dumps({"nodes": {"model.pulse.figures": node}}), encoding="utf-8")
    check = {
        "kind": "gate",
        "subject": "figures",
        "check_name": "value_in_range_of_unit",
        "outcome": "passed",
        "message": "9 rows",
    }
    hashes = first_release(build, target, manifest, [check])
    published = {"marts.figures", "reference.figures"}
    assert set(hashes) == published | {"meta.checks", "meta.changed_figures", "meta.releases"}
    assert build.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["pulse.duckdb"]
    with reading(target) as connection:
        assert connection.execute(
            "select comment from duckdb_tables() where schema_name = 'marts'"
        ).fetchall() == [("England's figures.",)]
        assert connection.execute(
            "select comment from duckdb_columns() where schema_name = 'marts'"
        ).fetchall() == [("In percent; it's a number.",)]
        assert connection.execute("select check_name, outcome from meta.checks").fetchall() == [
            ("value_in_range_of_unit", "passed")
        ]
        assert connection.execute("select release, is_this_one from meta.releases").fetchall() == [
            (1, True)
        ]
    # Under another name, as an analyst keeps it.
    with duckdb.connect() as connection:
        connection.execute(f"attach '{target.rename(tmp_path / 'may.duckdb')}' as may (read_only)")
        assert connection.execute("select count(*) from may.marts.figures").fetchone() == (9,)


def test_long_texts_take_little_room(tmp_path: Path) -> None:
    """DuckDB would not choose zstd for them by itself."""
    build, target = tmp_path / "build.duckdb", tmp_path / "pulse.duckdb"
    with writing(build) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.figures as select 'Area ' || range || ': as the publisher has it' "
            "as sentence from range(5000)"
        )
    first_release(build, target)
    with reading(target) as connection:
        assert connection.execute(
            "select distinct compression from pragma_storage_info('marts.figures') "
            "where segment_type = 'VARCHAR'"
        ).fetchall() == [("ZSTD",)]
