"""What keeps a release from being made again is reported before anything is built; content is compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from sources.errors import PulseError
from sources.landing import LandingStore
from tests.operations.small_builds import publish_build, small_build
from tests.scratch import database
from warehouse.content import content_sha256, table_hashes
from warehouse.identity import code_version, libraries
from warehouse.rebuild import compare, prepare
from warehouse.release import Manifest, ReleaseError
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
    manifest.write(workspace.releases / manifest.folder_name)


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
    with pytest.raises(PulseError, match=r"9\.9\+0") as refused:
        prepare(workspace, 1, tmp_path / "again")
    assert refused.value.code == "other_code"


def test_an_input_that_is_gone_is_named(workspace: Workspace, tmp_path: Path) -> None:
    manifest = Manifest.read(workspace.releases / "0001")
    rewrite(workspace, replace(manifest, inputs=[{**manifest.inputs[0], "held": ["0" * 64]}]))
    with pytest.raises(PulseError, match="0000") as refused:
        prepare(workspace, 1, tmp_path / "again")
    assert refused.value.code == "input_gone"
    assert refused.value.dataset == DATASET


def test_a_release_changed_on_disk_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with (workspace.releases / "0001" / "pulse.duckdb").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ReleaseError) as refused:
        prepare(workspace, 1, tmp_path / "again")
    assert refused.value.code == "release_changed"


def hashes_of(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    connection.execute(f"create or replace table t as {query}")
    return table_hashes(connection)


def test_a_difference_in_content_is_named_with_the_libraries(workspace: Workspace) -> None:
    folder = workspace.releases / "0001"
    again = Manifest.read(folder)
    record = replace(
        again,
        content={**again.content, "marts.gone": "0"},
        files={**again.files, "pulse.duckdb": "other bytes", "exports/gone.csv": "0"},
        made_with={**libraries(), "duckdb": "0.1"},
    )
    found = compare(record, folder)
    assert found.different == ("exports/gone.csv", "marts.gone")
    assert found.other_libraries == (f"duckdb 0.1 then, {duckdb.__version__} now",)
    other_bytes = {**again.files, "pulse.duckdb": "other bytes"}
    assert not compare(replace(again, files=other_bytes), folder).different


ROWS = "select i, i / 3.0 as part, null as gone, [i, null] as several from range(50) as numbers(i)"


def test_content_does_not_depend_on_order_or_the_sign_of_zero() -> None:
    with database() as connection:
        one = hashes_of(connection, ROWS)
        assert hashes_of(connection, f"{ROWS} order by i desc") == one
        zero = hashes_of(connection, "select 0.0::double as a, 1 as b")
        assert hashes_of(connection, "select -0.0::double as a, 1 as b") == zero


@pytest.mark.parametrize(
    "other",
    [
        f"{ROWS} where i < 49",
        f"{ROWS} union all {ROWS} where i = 7",
        ROWS.replace("i / 3.0", "i / 3.0 + 1e-9 * (i = 4)::int"),
        ROWS.replace("null as gone", "case when i = 4 then 0 end as gone"),
        ROWS.replace("[i, null]", "[null, i]"),
        ROWS.replace("select i,", "select (i + 1) % 50 as i,"),
        ROWS.replace("as part", "as share"),
        ROWS.replace("select i,", "select i::integer as i,"),
    ],
    ids=["row lost", "row twice", "figure", "null", "order in a list", "pairing", "name", "type"],
)
def test_other_content_has_another_hash(other: str) -> None:
    with database() as connection:
        assert hashes_of(connection, ROWS) != hashes_of(connection, other)


def test_a_comment_is_content_and_only_the_marts_count_for_the_release() -> None:
    with database() as connection:
        connection.execute("create schema marts; create schema meta")
        connection.execute("create table marts.t as select 1 as n")
        connection.execute("create table meta.t as select 1 as n")
        first = table_hashes(connection)
        connection.execute("comment on column marts.t.n is 'In percent.'")
        second = table_hashes(connection)
        assert {name for name in first if first[name] != second[name]} == {"marts.t"}
        connection.execute("insert into meta.t values (2)")
        third = table_hashes(connection)
    assert content_sha256(first) != content_sha256(second) == content_sha256(third)
