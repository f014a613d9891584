"""The page of the dbt project: filled, free of what a run or machine left, closed to its content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sources.errors import PulseError
from warehouse.connection import reading, writing
from warehouse.writers.dbt_docs import write_dbt_docs


def _manifest(depends_on: list[str], **metadata: str) -> dict[str, Any]:
    return {
        "metadata": {"project_name": "pulse", **metadata},
        "nodes": {
            "model.pulse.figures": {
                "schema": "marts",
                "alias": "figures",
                "database": "pulse",
                "raw_code": "select '</script><script>alert(1)</script>' as area -- <!--",
                "compiled_path": "/somewhere/figures.sql",
                "root_path": "/somewhere",
                "depends_on": {"nodes": depends_on, "macros": []},
                "sources": [["raw", name] for name in depends_on],
            }
        },
        "sources": {},
        "macros": {
            "macro.pulse.ours": {"package_name": "pulse"},
            "macro.dbt.theirs": {"package_name": "dbt"},
        },
        "docs": {},
        "disabled": {"model.pulse.old": []},
        "parent_map": {"model.pulse.figures": depends_on},
        "child_map": {},
    }


def _page(folder: Path, manifest: dict[str, Any]) -> str:
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    path = folder / "pulse.duckdb"
    with writing(path) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.figures as select 'here' as area from range(7)")
        connection.execute("comment on column marts.figures.area is 'Where.'")
    with reading(path) as connection:
        made = write_dbt_docs(connection, folder / "manifest.json", folder)
    return made.read_text(encoding="utf-8")


def test_two_runs_and_machines_give_the_same_page(tmp_path: Path) -> None:
    one = _page(
        tmp_path / "one", _manifest(["b", "a"], generated_at="now", invocation_id="1", user_id="x")
    )
    other = _page(
        tmp_path / "other", _manifest(["a", "b"], generated_at="then", run_started_at="then")
    )
    assert one == other
    assert "/somewhere" not in one


def test_the_page_has_the_warehouse_s_own_words(tmp_path: Path) -> None:
    page = _page(tmp_path / "one", _manifest([]))
    assert '"comment":"Where."' in page
    assert '"value":7' in page
    assert "macro.pulse.ours" in page
    assert "macro.dbt.theirs" not in page
    assert "INLINE DATA" not in page


def test_no_sql_closes_the_script_it_stands_in(tmp_path: Path) -> None:
    page = _page(tmp_path / "one", _manifest([]))
    assert "</script><script>alert(1)" not in page
    assert "alert(1)<\\/script>" in page


def test_a_missing_manifest_is_told(tmp_path: Path) -> None:
    _page(tmp_path / "one", _manifest([]))
    with (
        reading(tmp_path / "one" / "pulse.duckdb") as connection,
        pytest.raises(PulseError, match="manifest") as refused,
    ):
        write_dbt_docs(connection, tmp_path / "none.json", tmp_path)
    assert refused.value.code == "no_dbt_manifest"
