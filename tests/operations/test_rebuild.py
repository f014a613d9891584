"""What keeps a release from being made again, told before anything is built."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from sources.landing import LandingStore
from tests.operations.small_builds import publish_build, small_build
from warehouse.meta import code_version, libraries
from warehouse.rebuild import RebuildError, compare, prepare
from warehouse.release import MANIFEST, Manifest, ReleaseError
from warehouse.settled import warehouse_content
from warehouse.workspace import Workspace

DATASET, EDITION = "dcms_participation", "2023-24"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One release of this code, made of the older of two landed files."""
    made = Workspace(tmp_path / "home")
    store = LandingStore(made.landing, made.quarantine)
    held = [
        store.land(
            DATASET,
            EDITION,
            content,
            file_name="tables.ods",
            address=None,
            retrieved_at=datetime(2026, 1, day, tzinfo=UTC),
        ).sha256
        for day, content in enumerate((b"first", b"second", b"third"), start=1)
    ]
    small_build(tmp_path / "build", "only")
    manifest = publish_build(made, tmp_path / "build", "only")
    rewrite(
        made,
        replace(
            manifest,
            code_version=code_version(),
            # The publisher had gone back to its first file, and the third was yet to come.
            inputs=[{"dataset": DATASET, "edition": EDITION, "held": [held[0], held[1]]}],
        ),
    )
    return made


def rewrite(workspace: Workspace, manifest: Manifest) -> None:
    path = workspace.releases / manifest.folder_name / MANIFEST
    path.write_text(json.dumps(asdict(manifest)), encoding="utf-8")


def test_what_was_held_then_is_what_the_new_workspace_holds(
    workspace: Workspace, tmp_path: Path
) -> None:
    scratch, manifest = prepare(workspace, 1, tmp_path / "again")
    store = LandingStore(scratch.landing, scratch.quarantine)
    assert [landed.sha256 for landed in store.revisions(DATASET, EDITION)] == (
        manifest.inputs[0]["held"]
    )


def test_a_release_of_other_code_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    rewrite(workspace, replace(Manifest.read(workspace.releases / "0001"), code_version="9.9+0"))
    with pytest.raises(RebuildError, match=r"9\.9\+0") as told:
        prepare(workspace, 1, tmp_path / "again")
    assert told.value.code == "other_code"


def test_an_input_that_is_gone_is_named(workspace: Workspace, tmp_path: Path) -> None:
    manifest = Manifest.read(workspace.releases / "0001")
    rewrite(workspace, replace(manifest, inputs=[{**manifest.inputs[0], "held": ["0" * 64]}]))
    with pytest.raises(RebuildError, match="0000") as told:
        prepare(workspace, 1, tmp_path / "again")
    assert told.value.code == "input_gone"
    assert told.value.dataset == DATASET


def test_a_release_changed_on_disk_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with (workspace.releases / "0001" / "pulse.duckdb").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ReleaseError) as told:
        prepare(workspace, 1, tmp_path / "again")
    assert told.value.code == "release_changed"


def test_other_bytes_of_the_same_content_are_told_with_the_library(workspace: Workspace) -> None:
    folder = workspace.releases / "0001"
    manifest = replace(
        Manifest.read(folder),
        warehouse_content=warehouse_content(folder / "pulse.duckdb"),
        made_with={**libraries(), "duckdb": "0.1"},
    )
    with duckdb.connect(str(folder / "pulse.duckdb")) as connection:
        connection.execute("create table marts.stray as select 1 as n")
        connection.execute("drop table marts.stray")
    found = compare(manifest, folder)
    assert found.different == ("pulse.duckdb: other bytes of the same content",)
    assert not found.same
    assert found.other_libraries == (f"duckdb 0.1 then, {duckdb.__version__} now",)


def test_equal_tables_have_equal_hashes_whatever_their_order(tmp_path: Path) -> None:
    hashes = []
    for name, order, comment in (("a", "", "x"), ("b", "desc", "x"), ("c", "", "y")):
        path = tmp_path / f"{name}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "create table t as select i, i / 3.0 as part, null as gone from range(50) "
                f"as numbers(i) order by i {order}"
            )
            connection.execute(f"comment on column t.i is '{comment}'")
        hashes.append(warehouse_content(path))
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]
