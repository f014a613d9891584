"""A release made again from its manifest, and held against it.

The manifest names every input by its sha256, the code, the number and the moment; with those a
release can be made a second time in a folder of its own. Every exported file then has the same
bytes. DuckDB leaves unwritten memory in the slack of its own file, so that two files of one content
differ in bytes (measured; docs/decisions): the warehouse is compared table by table instead.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sources.errors import PulseError
from sources.landing import LandingStore
from warehouse.connection import reading
from warehouse.meta import code_version
from warehouse.release import Manifest, hash_tree, release_folder, verify
from warehouse.workspace import Workspace

WAREHOUSE = "pulse.duckdb"


class RebuildError(PulseError):
    """A release cannot be made again here."""

    default_code = "rebuild"


@dataclass(frozen=True)
class Comparison:
    """A release made again beside the one on record: what is equal and what is not."""

    files: int
    tables: int
    different: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.different


def warehouse_content(path: Path) -> dict[str, str]:
    """A sha256 of every table of a warehouse: columns, types, comments and rows in any order.

    Raises:
        WorkspaceError: when the file cannot be opened.
    """
    content: dict[str, str] = {}
    with reading(path) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        for schema, table in tables:
            found = connection.execute(
                f"""
                select sha256(
                    (
                        select string_agg(
                            concat_ws(' ', column_name, data_type, comment), chr(10)
                            order by column_index
                        )
                        from duckdb_columns() where schema_name = $1 and table_name = $2
                    )
                    || chr(10)
                    || coalesce((
                        select string_agg(cast(row_of as varchar), chr(10)
                            order by cast(row_of as varchar))
                        from "{schema}"."{table}" as row_of
                    ), '')
                )
                """,
                [schema, table],
            ).fetchone()
            content[f"{schema}.{table}"] = str(found[0]) if found else ""
    return content


def prepare(workspace: Workspace, number: int, root: Path) -> tuple[Workspace, Manifest]:
    """A workspace below ``root`` that holds what release ``number`` was made of, and no more.

    Raises:
        ReleaseError: when there is no such release or it was changed on disk.
        RebuildError: when the code is not the one that made it ("other_code"), an input is no
            longer in the store ("input_gone"), or the release that readers saw before it was
            removed ("release_before_gone").
    """
    manifest = verify(release_folder(workspace, number))
    now = code_version()
    if manifest.code_version != now:
        raise RebuildError(
            f"release {number} was made by other code",
            code="other_code",
            expected=manifest.code_version,
            found=now,
            todo="check out the code of that version, then rebuild there with PULSE_HOME set to "
            f"{workspace.root}",
        )
    scratch = Workspace(root)
    root.mkdir(parents=True, exist_ok=True)
    if workspace.is_demonstration:
        shutil.copyfile(workspace.root / "DEMONSTRATION", root / "DEMONSTRATION")
    store = LandingStore(workspace.landing, workspace.quarantine)
    made_at = datetime.fromisoformat(manifest.made_at)
    for used in manifest.inputs:
        _copy_held(store, scratch, used, made_at)
    _copy_noticed(workspace, scratch, manifest)
    if manifest.follows is not None:
        before = workspace.releases / f"{manifest.follows:04d}"
        if not before.is_dir():
            raise RebuildError(
                "the release that it is compared with is gone",
                code="release_before_gone",
                expected=str(before),
                todo="rebuild a later release, or restore that folder from a copy",
            )
        # The gate and the list of changes compare with the release that readers saw then.
        scratch.published.mkdir(parents=True, exist_ok=True)
        scratch.current_release.symlink_to(before)
        scratch.warehouse_file.symlink_to(f"current/{WAREHOUSE}")
    return scratch, manifest


def _copy_held(
    store: LandingStore, scratch: Workspace, used: Mapping[str, Any], made_at: datetime
) -> None:
    """The revisions that were held of one edition, newest first as they were then."""
    known = {each.sha256: each for each in store.revisions(used["dataset"], used["edition"])}
    for place, sha256 in enumerate(used["held"]):
        landed = known.get(sha256)
        if landed is None:
            raise RebuildError(
                "a file that the release was made of is no longer in the store",
                code="input_gone",
                dataset=used["dataset"],
                edition=used["edition"],
                expected=f"a file with sha256 {sha256}",
                todo="land the same file again: pulse land "
                f"{used['dataset']} {used['edition']} <file>",
            )
        store.read(landed)
        edition = scratch.landing / used["dataset"] / used["edition"]
        shutil.copytree(landed.path.parent, edition / sha256)
        seen = edition / ".seen"
        seen.mkdir(exist_ok=True)
        (seen / sha256).write_text((made_at - timedelta(seconds=place)).isoformat())


def _copy_noticed(workspace: Workspace, scratch: Workspace, manifest: Manifest) -> None:
    """Editions that were noticed beyond the catalogue, as far as the release had them."""
    had = {(each["dataset"], each["edition"]) for each in manifest.inputs}
    for path in sorted((workspace.landing / ".watch" / "editions").glob("*.json")):
        kept = [
            entry
            for entry in json.loads(path.read_text(encoding="utf-8"))
            if (path.stem, entry["edition"]["edition"]) in had
        ]
        target = scratch.landing / ".watch" / "editions" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(kept), encoding="utf-8")


def compare(manifest: Manifest, again: Path) -> Comparison:
    """Hold a release that was made again against the manifest of the first.

    Args:
        manifest: of the release on record.
        again: the folder of the one that was made from it.
    """
    files = hash_tree(again)
    content = warehouse_content(again / WAREHOUSE)
    exported = {name for name in files.keys() | manifest.files.keys() if name != WAREHOUSE}
    different = [name for name in sorted(exported) if files.get(name) != manifest.files.get(name)]
    tables = content.keys() | manifest.warehouse_content.keys()
    different += [
        f"{WAREHOUSE}: {table}"
        for table in sorted(tables)
        if content.get(table) != manifest.warehouse_content.get(table)
    ]
    return Comparison(len(exported), len(tables), tuple(different))
