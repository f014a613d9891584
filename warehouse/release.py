"""Releases: write, audit, swap.

A release is a read-only folder ``releases/<n>/`` with the warehouse, the exports and a manifest
that hashes both. Publishing is one atomic rename of one link, ``warehouse/current``;
``warehouse/pulse.duckdb`` and ``warehouse/exports`` are fixed links through it, so that the two can
never disagree. A crash at any instant leaves a whole, older release; what it leaves half-made has
a name that starts with a dot and is removed by the next publish.

Modes do not bind root, and a reader may lock the file: what counts is whether a release still is
what its manifest says (``verify``). One that is not is neither rolled back to nor built upon.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sources.errors import PulseError
from warehouse.connection import reading
from warehouse.workspace import Workspace, WorkspaceError, replace_link

MANIFEST = "manifest.json"
WAREHOUSE = "pulse.duckdb"


class ReleaseError(PulseError):
    """A release cannot be made, found or restored."""


@dataclass(frozen=True)
class Manifest:
    """What a release was made of and what it holds.

    ``identity`` is the hash of what it was made of (``warehouse.identity``); ``content`` has a hash
    per table of the warehouse and ``content_sha256`` one over the marts; ``files`` has the sha256 of
    every file by its path in the release folder. ``inputs`` are what was used, with the sha256 of
    each revision ``held`` then, newest first. ``follows`` is the release that it was compared with
    and ``earlier`` are those before it, oldest first. ``made_with`` has the version of every library.
    """

    number: int
    made_at: str
    code_version: str
    identity: str
    content_sha256: str
    content: Mapping[str, str]
    inputs: Sequence[Mapping[str, Any]]
    checks: Sequence[Mapping[str, Any]]
    tables: Mapping[str, int]
    source_mode: str
    follows: int | None
    earlier: Sequence[Mapping[str, Any]]
    made_with: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a release folder.

        Raises ReleaseError when there is none, it cannot be read, or it was edited.
        """
        path = folder / MANIFEST
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            seal = stored.pop("seal")
            manifest = cls(**stored)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ReleaseError(
                "a release has no readable manifest",
                code="no_manifest",
                file=str(path),
                found=str(error),
                todo="remove the folder or restore it from a copy; other releases are untouched",
            ) from error
        if seal != manifest._seal():
            raise _changed(path, "the manifest as it was written", "an edited manifest")
        return manifest

    def write(self, folder: Path) -> None:
        """Write it into a release folder, with a hash over itself."""
        text = json.dumps({**vars(self), "seal": self._seal()}, indent=1, sort_keys=True)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    def _seal(self) -> str:
        return hashlib.sha256(json.dumps(vars(self), sort_keys=True).encode()).hexdigest()

    @property
    def folder_name(self) -> str:
        """Numbers sort as names."""
        return f"{self.number:04d}"


def count_checks(checks: Iterable[Mapping[str, Any]]) -> str:
    """Checks by their ``outcome``, in words; notes have passed."""
    found = Counter(check["outcome"] for check in checks)
    warned = f", {found['warning']} warnings" if found["warning"] else ""
    return f"{found['passed'] + found['note']} passed, {found['red']} red{warned}"


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_tree(folder: Path) -> dict[str, str]:
    """The sha256 of every file below ``folder``, by path relative to it, in order."""
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The names that have another value in the other, or are in one alone, in order."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def list_releases(workspace: Workspace) -> list[Manifest]:
    """Every release with a readable manifest, oldest first."""
    return [found for each in _release_folders(workspace) if (found := _manifest(each))]


def _manifest(folder: Path) -> Manifest | None:
    with contextlib.suppress(ReleaseError):
        return Manifest.read(folder)
    return None


def _release_folders(workspace: Workspace) -> list[Path]:
    """The folders that are releases, oldest first: what else lies there is not ours to judge."""
    found = (f for f in workspace.releases.glob("*") if f.name.isdecimal() and f.is_dir())
    return sorted(found, key=lambda folder: int(folder.name))


def current_release(workspace: Workspace) -> Manifest | None:
    """The release that readers see; none before the first, or where its manifest is broken."""
    link = workspace.current_release
    return _manifest(link.resolve()) if link.is_symlink() else None


def release_state(folder: Path) -> str:
    """``whole``, or what is wrong with a release: ``altered: ...`` or ``locked: ...``."""
    try:
        verify(folder)
    except ReleaseError as error:
        return f"altered: {Path(error.file or folder).name}: {error.found or 'unreadable'}"
    try:
        with reading(folder / WAREHOUSE):
            return "whole"
    except WorkspaceError as error:
        return f"locked: {error.found}"


def release_states(workspace: Workspace) -> list[tuple[int, Manifest | None, str, bool]]:
    """Of every release folder, oldest first: number, manifest, state, and whether readers see it."""
    seen = workspace.current_release.resolve()
    return [
        (int(each.name), _manifest(each), release_state(each), each.resolve() == seen)
        for each in _release_folders(workspace)
    ]


def whole_release(workspace: Workspace) -> Manifest | None:
    """The release that readers see, if it is whole and they can open it."""
    folder = workspace.current_release
    if folder.exists() and release_state(folder.resolve()) == "whole":
        return Manifest.read(folder.resolve())
    return None


def previous_release(workspace: Workspace) -> tuple[Manifest, Path] | None:
    """The release that a new one is compared with, and its folder.

    It is the one that readers see or, where that was altered, the newest whole one.
    """
    seen = [workspace.current_release.resolve()] if workspace.current_release.exists() else []
    for folder in [*seen, *reversed(_release_folders(workspace))]:
        with contextlib.suppress(ReleaseError):
            return verify(folder), folder
    return None


def previous_warehouse(workspace: Workspace) -> Path | None:
    """A copy of its warehouse, beside the build: a reader who holds the file locks it for nobody."""
    found = previous_release(workspace)
    if found is None:
        return None
    manifest, folder = found
    copy = workspace.current_build.resolve() / "previous" / WAREHOUSE
    if not copy.exists() or sha256_of(copy) != manifest.files[WAREHOUSE]:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / WAREHOUSE, copy)
    return copy


def publish(workspace: Workspace, manifest: Manifest, made: Path, *, keep: int = 10) -> Manifest:
    """Make ``releases/<number>/`` from what a build made and let readers see it.

    ``manifest``: what it is made of, still without the hashes of its files; ``made``: a folder with the
    closed warehouse ``pulse.duckdb`` and ``exports``; ``keep``: how many releases stay (the current one
    is never removed). Returns the manifest of the new release. Raises ReleaseError when something
    cannot be written; what was published stays as it was.
    """
    if (made / f"{WAREHOUSE}.wal").exists():
        raise ReleaseError(
            "the warehouse of this build was not closed",
            code="unclosed_warehouse",
            file=str(made / WAREHOUSE),
            todo="run the refresh again",
        )
    name = manifest.folder_name
    target = workspace.releases / name
    partial = workspace.releases / f".{name}.partial"
    try:
        workspace.releases.mkdir(parents=True, exist_ok=True)
        sweep(workspace)
        if target.exists():
            raise ReleaseError(
                "a release of this number exists already",
                code="number_taken",
                file=str(target),
                todo="run the refresh again: it takes the next number",
            )
        shutil.copytree(made, partial)
        manifest = replace(manifest, files=hash_tree(partial))
        manifest.write(partial)
        _close(partial)
        partial.rename(target)
        _sync(workspace.releases)
        _point_at(workspace, name)
    except OSError as error:
        remove_tree(partial)
        raise ReleaseError(
            "the release could not be written; what was published stays as it was",
            code="unwritable_release",
            file=str(getattr(error, "filename", None) or target),
            found=error.strerror or str(error),
            todo="free space or fix the folder's permissions, then run the refresh again",
        ) from error
    _retire(workspace, keep=keep)
    return manifest


def release_folder(workspace: Workspace, number: int) -> Path:
    """The folder of a release. Raises ReleaseError "unknown_release" where there is none."""
    folder = workspace.releases / f"{number:04d}"
    if not folder.is_dir():
        known = ", ".join(str(int(f.name)) for f in _release_folders(workspace)) or "none"
        raise ReleaseError(
            "there is no such release",
            code="unknown_release",
            expected=f"one of: {known}",
            found=str(number),
            todo="list them with `pulse releases`",
        )
    return folder


def restore(workspace: Workspace, number: int) -> Manifest:
    """Let readers see an earlier (or later) release again.

    Raises ReleaseError when there is no such release, or its files are not what its manifest says.
    """
    folder = release_folder(workspace, number)
    manifest = verify(folder)
    try:
        _point_at(workspace, folder.name)
    except OSError as error:
        raise ReleaseError(
            "readers could not be pointed at another release; they see the same one as before",
            code="unwritable_link",
            file=str(getattr(error, "filename", None) or workspace.published),
            found=error.strerror or str(error),
            todo="fix the folder's permissions, then try again",
        ) from error
    return manifest


def verify(folder: Path) -> Manifest:
    """Compare a release with its manifest.

    Raises ReleaseError that names the first file that is missing, added or changed, or the folder
    where it was moved or renamed.
    """
    manifest = Manifest.read(folder)
    if folder.name != manifest.folder_name or folder.is_symlink():
        raise _changed(folder, f"a folder {manifest.folder_name}", "a moved or renamed release")
    found = hash_tree(folder)
    for name in differing(found, manifest.files):
        absent = "no such file"
        raise _changed(folder / name, manifest.files.get(name, absent), found.get(name, absent))
    return manifest


def _changed(file: Path, expected: str, found: str) -> ReleaseError:
    return ReleaseError(
        "a release is not what its manifest says",
        code="release_changed",
        file=str(file),
        expected=expected,
        found=found,
        todo="restore another release with `pulse rollback N`, or refresh again",
    )


def next_number(workspace: Workspace) -> int:
    """One more than the highest number in use."""
    return max((int(folder.name) for folder in _release_folders(workspace)), default=0) + 1


def remove_tree(folder: Path) -> None:
    """Remove a folder whose parts may be read-only; what cannot be removed is left."""
    for inside in (folder, *folder.rglob("*")):
        if inside.is_dir() and not inside.is_symlink():
            with contextlib.suppress(OSError):
                inside.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(workspace: Workspace) -> list[Path]:
    """Remove what a crash left half-made. Only names that start with a dot are touched."""
    left = [*workspace.releases.glob(".*.partial"), *workspace.published.glob(".*-*")]
    for path in left:
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    return left


def _point_at(workspace: Workspace, name: str) -> None:
    """See to it that the two fixed links exist; then, last of all, move the one link.

    The move is the one step that readers can see, so nothing that may fail comes after it.
    """
    published = workspace.published
    published.mkdir(parents=True, exist_ok=True)
    for link in (workspace.warehouse_file, workspace.exports):
        wanted = f"current/{link.name}"
        if not link.is_symlink() or str(link.readlink()) != wanted:
            if link.is_dir() and not link.is_symlink():
                raise OSError(0, "a folder is in the place of a link", str(link))
            replace_link(link, wanted)
    replace_link(workspace.current_release, os.path.relpath(workspace.releases / name, published))
    # The move itself has happened; a disk that cannot sync now would only lose it in a power cut.
    with contextlib.suppress(OSError):
        _sync(published)


def _retire(workspace: Workspace, *, keep: int) -> None:
    current = workspace.current_release.resolve().name
    folders = _release_folders(workspace)
    for folder in folders[: max(len(folders) - keep, 0)]:
        if folder.name != current:
            # Out of the way under a name that is swept, so that a crash leaves no half release.
            doomed = folder.with_name(f".{folder.name}.partial")
            # The new release is published: an old one that cannot be removed is tried again next time.
            with contextlib.suppress(OSError):
                folder.rename(doomed)
                remove_tree(doomed)


def _close(folder: Path) -> None:
    """Make every file and folder read-only, for those whom the umask let read, and durable."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(path.stat().st_mode & 0o555)
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
