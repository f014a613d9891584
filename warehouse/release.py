"""Releases: write, audit, swap.

A release is a folder ``releases/<n>/`` with the warehouse, the exports and a manifest that hashes
both. Publishing is one atomic rename of one link, ``warehouse/current``; ``warehouse/pulse.duckdb``
and ``warehouse/exports`` are fixed links through it, so that the two can never disagree. A crash
at any instant leaves a whole, older release; what it leaves half-made has a name that starts with
a dot and is removed by the next publish.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sources.errors import PulseError
from warehouse.workspace import Workspace

MANIFEST = "manifest.json"


class ReleaseError(PulseError):
    """A release cannot be made, found or restored."""

    default_code = "release"


@dataclass(frozen=True)
class Manifest:
    """What a release was made of and what it holds.

    ``content_sha256`` covers the exported tables alone: two releases with the same one tell
    readers the same. ``files`` has the sha256 of every file by its path in the release folder,
    ``warehouse_content`` that of every table of the warehouse. ``inputs`` are what was used, with the
    sha256 of each revision ``held`` then, newest first; ``follows`` is the release that readers saw
    until then and ``earlier`` are those that were listed, oldest first. ``made_with`` has the version
    of every library by its name, which decide the bytes of a file of the same content.
    """

    number: int
    made_at: str
    code_version: str
    content_sha256: str
    inputs: Sequence[Mapping[str, Any]]
    checks: Sequence[Mapping[str, Any]]
    tables: Mapping[str, int]
    source_mode: str
    follows: int | None
    earlier: Sequence[Mapping[str, Any]]
    warehouse_content: Mapping[str, str]
    made_with: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a release folder.

        Raises:
            ReleaseError: when there is none or it cannot be read.
        """
        path = folder / MANIFEST
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ReleaseError(
                "a release has no readable manifest",
                code="no_manifest",
                file=str(path),
                found=str(error),
                todo="remove the folder or restore it from a copy; other releases are untouched",
            ) from error

    @property
    def folder_name(self) -> str:
        """Numbers sort as names."""
        return f"{self.number:04d}"


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


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
    """Every whole release, oldest first."""
    if not workspace.releases.is_dir():
        return []
    return [Manifest.read(folder) for folder in _release_folders(workspace)]


def _release_folders(workspace: Workspace) -> list[Path]:
    """The folders that are releases, oldest first: what else lies there is not ours to judge."""
    return sorted(
        (
            folder
            for folder in workspace.releases.iterdir()
            if folder.name.isdecimal() and folder.is_dir()
        ),
        key=lambda folder: int(folder.name),
    )


def current_release(workspace: Workspace) -> Manifest | None:
    """The release that readers see, or none before the first."""
    link = workspace.current_release
    if not link.is_symlink() or not link.exists():
        return None
    return Manifest.read(link.resolve())


def publish(
    workspace: Workspace,
    manifest: Manifest,
    *,
    warehouse: Path,
    exports: Path,
    keep: int = 10,
) -> Manifest:
    """Make ``releases/<number>/`` from a build and let readers see it.

    Args:
        manifest: what it is made of, still without the hashes of its files.
        warehouse: the closed DuckDB file of the build, named ``pulse.duckdb``.
        exports: the folder of files made from it.
        keep: how many releases stay; the current one is never removed.

    Returns:
        The manifest of the new release.

    Raises:
        ReleaseError: when something cannot be written; what was published stays as it was.
    """
    if warehouse.with_name(warehouse.name + ".wal").exists():
        raise ReleaseError(
            "the warehouse of this build was not closed",
            code="unclosed_warehouse",
            file=str(warehouse),
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
        partial.mkdir()
        shutil.copyfile(warehouse, partial / "pulse.duckdb")
        shutil.copytree(exports, partial / "exports")
        manifest = replace(manifest, files=hash_tree(partial))
        (partial / MANIFEST).write_text(
            json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
        _make_durable(partial)
        partial.rename(target)
        _sync_folder(workspace.releases)
        _point_at(workspace, name)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ReleaseError(
            "the release could not be written; what was published stays as it was",
            code="unwritable_release",
            file=str(getattr(error, "filename", None) or target),
            found=error.strerror or str(error),
            todo="free space or mend the folder's permissions, then run the refresh again",
        ) from error
    _retire(workspace, keep=keep)
    return manifest


def release_folder(workspace: Workspace, number: int) -> Path:
    """The folder of a release.

    Raises:
        ReleaseError: when there is no such release ("unknown_release").
    """
    folder = workspace.releases / f"{number:04d}"
    if not folder.is_dir():
        known = ", ".join(str(m.number) for m in list_releases(workspace)) or "none"
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

    Raises:
        ReleaseError: when there is no such release, or its files are not what its manifest says.
    """
    manifest = verify(release_folder(workspace, number))
    try:
        _point_at(workspace, manifest.folder_name)
    except OSError as error:
        raise ReleaseError(
            "readers could not be pointed at another release; they see the same one as before",
            code="unwritable_link",
            file=str(getattr(error, "filename", None) or workspace.published),
            found=error.strerror or str(error),
            todo="mend the folder's permissions, then try again",
        ) from error
    return manifest


def verify(folder: Path) -> Manifest:
    """Hold a release's files against its manifest.

    Raises:
        ReleaseError: naming the first file that is missing, added or changed.
    """
    manifest = Manifest.read(folder)
    found = hash_tree(folder)
    for name in differing(found, manifest.files):
        raise ReleaseError(
            "a release is not what its manifest says",
            code="release_changed",
            file=str(folder / name),
            expected=manifest.files.get(name, "no such file"),
            found=found.get(name, "no such file"),
            todo="restore another release with `pulse rollback N`, or refresh again",
        )
    return manifest


def next_number(workspace: Workspace) -> int:
    """One more than the highest number ever used here."""
    numbers = [manifest.number for manifest in list_releases(workspace)]
    return max(numbers, default=0) + 1


def sweep(workspace: Workspace) -> list[Path]:
    """Remove what a crash left half-made. Only names that start with a dot are touched."""
    left = [
        *workspace.releases.glob(".*.partial"),
        *workspace.published.glob(".current-*"),
        *workspace.published.glob(".link-*"),
    ]
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return left


def _point_at(workspace: Workspace, name: str) -> None:
    """See to it that the two fixed links exist; then, last of all, move the one link.

    The move is the one step that readers can see, so nothing that may fail comes after it.
    """
    published = workspace.published
    published.mkdir(parents=True, exist_ok=True)
    for link, inside in (
        (workspace.warehouse_file, "pulse.duckdb"),
        (workspace.exports, "exports"),
    ):
        wanted = f"current/{inside}"
        if not link.is_symlink() or str(link.readlink()) != wanted:
            if link.is_dir() and not link.is_symlink():
                raise OSError(0, "a folder stands where a link belongs", str(link))
            _replace_link(link, wanted, "link")
    _replace_link(
        workspace.current_release, os.path.relpath(workspace.releases / name, published), "current"
    )
    # The move itself has happened; a disk that cannot sync now would only lose it in a power cut.
    with contextlib.suppress(OSError):
        _sync_folder(published)


def _replace_link(link: Path, target: str, kind: str) -> None:
    fresh = link.with_name(f".{kind}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def _retire(workspace: Workspace, *, keep: int) -> None:
    current = workspace.current_release.resolve().name
    folders = _release_folders(workspace)
    for folder in folders[: max(len(folders) - keep, 0)]:
        if folder.name != current:
            # Out of the way under a name that is swept, so that a crash leaves no half release.
            doomed = folder.with_name(f".{folder.name}.partial")
            # The new release stands: an old one that cannot be removed is tried again next time.
            with contextlib.suppress(OSError):
                folder.rename(doomed)
                shutil.rmtree(doomed, ignore_errors=True)


def _make_durable(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
