"""A release made again from its manifest, and compared with it.

The manifest names every input by its sha256, the code, the number and the moment; with those a
release can be made a second time in a folder of its own. Every table and every export then has the
same content as long as the libraries are the same: the manifest names those too, so that where
content differs the reason is found.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sources.errors import PulseError
from sources.inbox import DATASET as INBOX
from sources.landing import LandingStore
from warehouse.identity import code_version, libraries
from warehouse.release import WAREHOUSE, Manifest, differing, release_folder, sha256_of, verify
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Comparison:
    """A release made again beside the one on record: how many tables and files, and which differ."""

    compared: int
    different: tuple[str, ...]
    other_libraries: tuple[str, ...]


def prepare(workspace: Workspace, number: int, root: Path) -> tuple[Workspace, Manifest]:
    """A workspace below ``root`` that holds what release ``number`` was made of, and no more.

    Raises ReleaseError when there is no such release or it was changed on disk; PulseError when
    the code is not the one that made it ("other_code"), an input is no longer in the store
    ("input_gone"), or the release that readers saw before it was removed ("release_before_gone").
    """
    manifest = verify(release_folder(workspace, number))
    now = code_version()
    if manifest.code_version != now:
        raise PulseError(
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
    store = workspace.store
    made_at = datetime.fromisoformat(manifest.made_at)
    for used in manifest.inputs:
        if used["dataset"] == INBOX:
            _copy_from_inbox(workspace, scratch, used)
        else:
            _copy_held(store, scratch, used, made_at)
    _copy_noticed(workspace, scratch, manifest)
    if manifest.follows is not None:
        before = workspace.releases / f"{manifest.follows:04d}"
        if not before.is_dir():
            raise PulseError(
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
            raise PulseError(
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


def _copy_from_inbox(workspace: Workspace, scratch: Workspace, used: Mapping[str, Any]) -> None:
    """A file that was handed in, if it still is the one that the release was made of."""
    path = workspace.inbox / used["edition"]
    if used["state"] != "accepted":
        return
    if not path.is_file() or sha256_of(path) != used["file_sha256"]:
        raise PulseError(
            "a file that the release was made of is no longer in the inbox",
            code="input_gone",
            file=str(path),
            expected=f"a file with sha256 {used['file_sha256']}",
            todo="put the same file back, or keep the release as it is",
        )
    target = scratch.inbox / used["edition"]
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


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
    """Compare a release that was made again with the first, by content.

    ``manifest`` is of the release on record, ``again`` the folder of the one that was made from it.
    """
    remade = Manifest.read(again)
    ours, theirs = ({**m.content, **_exports(m)} for m in (remade, manifest))
    now = libraries()
    return Comparison(
        len(ours.keys() | theirs.keys()),
        tuple(differing(ours, theirs)),
        tuple(
            f"{name} {manifest.made_with.get(name, 'none')} then, {now.get(name, 'none')} now"
            for name in differing(now, manifest.made_with)
        ),
    )


def _exports(manifest: Manifest) -> dict[str, str]:
    """The exports, whose bytes follow from their content; the warehouse is compared by table."""
    return {name: value for name, value in manifest.files.items() if name != WAREHOUSE}
