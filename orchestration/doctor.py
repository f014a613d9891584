"""What may be wrong with a workspace or the Dagster home, each with how to fix it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestration.lock import locked
from orchestration.retention import releases_to_keep, runs_to_keep
from orchestration.runs import dagster_home
from sources.catalogue import load_catalogue
from sources.errors import PulseError
from warehouse.release import release_states
from warehouse.workspace import PROJECT, Workspace, WorkspaceError

_FREE_BYTES = 1_000_000_000


def state(workspace: Workspace) -> Iterator[str]:
    """What is held and how much of it stays, one line each.

    Raises PulseError when a setting of the retention is no number.
    """
    releases = [path for path in workspace.releases.glob("*") if path.name.isdecimal()]
    yield f"releases     {len(releases)} of at most {releases_to_keep()}, {_size(workspace.releases)}"
    yield f"builds       the newest, and read and drawn again where unchanged: {_size(workspace.builds)}"
    yield f"landed       every file, {_size(workspace.landing)}; refused {_size(workspace.quarantine)}"
    home = Path(os.environ.get("DAGSTER_HOME", PROJECT / "dagster_home"))
    runs = len(list((home / "storage").glob("*-*-*")))
    yield f"runs         {runs} of at most {runs_to_keep()} in {home}, {_size(home)}"


def _size(folder: Path) -> str:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return f"{sum(path.stat().st_size for path in files) / 1_000_000:.1f} MB"


def findings(workspace: Workspace) -> list[PulseError]:
    """Everything that is wrong, nothing where all is well."""
    return [*_folders(workspace), *_releases(workspace), *_declared()]


def _folders(workspace: Workspace) -> Iterator[PulseError]:
    try:
        home = dagster_home()
    except PulseError as error:
        yield error
        home = None
    for folder in (workspace.root, home):
        if folder is not None and not os.access(_existing(folder), os.W_OK | os.X_OK):
            yield WorkspaceError(
                "the folder cannot be written",
                code="unwritable_workspace",
                file=str(folder),
                todo="fix its permissions, or name another folder",
            )
    free = shutil.disk_usage(_existing(workspace.root)).free
    if free < _FREE_BYTES:
        yield WorkspaceError(
            "the disk is nearly full",
            code="disk_full",
            file=str(workspace.root),
            expected="1 GB free",
            found=f"{free // 1_000_000} MB",
            todo="free space, or set PULSE_KEEP_RELEASES or PULSE_KEEP_RUNS to a smaller number",
        )
    if workspace.builds.exists():
        try:
            with locked(workspace, 0):
                pass
        except WorkspaceError as error:
            yield error


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _releases(workspace: Workspace) -> Iterator[PulseError]:
    for number, _, state, is_current in release_states(workspace):
        if state != "whole":
            yield WorkspaceError(
                f"release {number} is {state}",
                code="release_changed",
                file=str(workspace.releases),
                todo="run pulse refresh, which publishes anew"
                if is_current
                else f"remove the folder {number:04d}, or restore it from a copy",
            )


def _declared() -> Iterator[PulseError]:
    try:
        load_catalogue()
    except PulseError as error:
        yield error
