"""Publishing under every fault of the file system, one step at a time.

Each step of a publish that touches the file system is made to fail, and in a process of its own
to be the last thing that process does. What readers see afterwards is the old release or the new
one, whole; the next publish needs no help.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from tests.operations.small_builds import fast_folder, look, publish_build, small_build, stamps_of
from warehouse import release
from warehouse.release import (
    ReleaseError,
    current_release,
    list_releases,
    next_number,
    previous_release,
    previous_warehouse,
    release_states,
    restore,
    sweep,
    verify,
    whole_release,
)
from warehouse.workspace import Workspace

STEPS: tuple[tuple[object, str], ...] = (
    (Path, "mkdir"),
    (Path, "rename"),
    (Path, "replace"),
    (Path, "symlink_to"),
    (Path, "write_text"),
    (shutil, "copytree"),
    (shutil, "rmtree"),
    (os, "fsync"),
)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where there is one: what is tested is the order, not the disk."""
    folder = fast_folder("publishing")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two builds, ``old`` and ``new``."""
    folder = tmp_path_factory.mktemp("builds")
    for stamp in ("old", "new"):
        small_build(folder / stamp, stamp)
    return folder


@pytest.fixture
def workspace(tmp_path: Path, builds: Path) -> Workspace:
    """A workspace with four releases, the last of which says ``old``; a fifth retires one."""
    made = Workspace(tmp_path / "home")
    for _ in range(4):
        publish_build(made, builds / "old", "old")
    return made


@contextmanager
def at_step(number: int, happens: Callable[[], None]) -> Iterator[list[str]]:
    """Let something happen instead of the ``number``-th step; yields the steps that were taken."""
    taken: list[str] = []

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **keywords: Any) -> Any:
            taken.append(name)
            if len(taken) == number:
                happens()
            return real(*args, **keywords)

        return step

    with (
        mock.patch.multiple(Path, **_replaced(Path, watched)),
        mock.patch.multiple(shutil, **_replaced(shutil, watched)),
        mock.patch.multiple(os, **_replaced(os, watched)),
    ):
        yield taken


def _replaced(owner: object, watched: Callable[..., Any]) -> dict[str, Any]:
    return {name: watched(name, getattr(owner, name)) for holder, name in STEPS if holder is owner}


def steps_of_a_publish(workspace: Workspace, builds: Path) -> list[str]:
    """The steps of one publish, counted on a copy."""
    copy = Workspace(workspace.root.with_name("counted"))
    shutil.copytree(workspace.root, copy.root, symlinks=True)
    with at_step(0, lambda: None) as taken:
        publish_build(copy, builds / "new", "new")
    return list(taken)


def some(steps: list[str], every: int) -> list[int]:
    """Numbers of the steps to try, from 1: each so-manieth, and the last."""
    return sorted({*range(1, len(steps) + 1, every), len(steps)})


def no_left_overs(workspace: Workspace) -> bool:
    """Nothing half-made lies in the folders of the releases."""
    return not [
        path
        for folder in (workspace.releases, workspace.published)
        for path in folder.iterdir()
        if path.name.startswith(".")
    ]


@pytest.mark.parametrize(
    ("fault", "every"),
    [
        (errno.ENOSPC, 8),
        *(
            pytest.param(each, 1, marks=pytest.mark.slow)
            for each in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO)
        ),
    ],
)
@pytest.mark.planted_fault
def test_a_step_that_fails_leaves_a_whole_release(
    workspace: Workspace, builds: Path, tmp_path: Path, fault: int, every: int
) -> None:
    """Full disk, no permission, read-only, broken disk: at each step of a publish."""
    steps = steps_of_a_publish(workspace, builds)
    assert {"mkdir", "copytree", "write_text", "fsync", "rename", "replace"} <= set(steps)

    def fail() -> None:
        raise OSError(fault, os.strerror(fault), "the file of this step")

    outcomes = set()
    for number in some(steps, every):
        copy = Workspace(tmp_path / "tried")
        shutil.copytree(workspace.root, copy.root, symlinks=True)
        with at_step(number, fail):
            try:
                publish_build(copy, builds / "new", "new")
            except ReleaseError as error:
                words = str(error)
                assert os.strerror(fault) in words, (number, steps[number - 1])
                assert look(copy) == "old", (number, steps[number - 1])
                outcomes.add("refused")
            else:
                assert look(copy) == "new", (number, steps[number - 1])
                outcomes.add("published")
        for manifest in list_releases(copy):
            verify(copy.releases / manifest.folder_name)
        publish_build(copy, builds / "new", "new")
        assert look(copy) == "new"
        assert no_left_overs(copy), (number, steps[number - 1])
        shutil.rmtree(copy.root)
    assert outcomes == {"refused", "published"}, "only what comes after the move may be forgiven"


# A few steps here, every one among the slow tests.
@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")
@pytest.mark.planted_fault
def test_a_process_killed_at_any_step_leaves_a_whole_release(
    workspace: Workspace, builds: Path, tmp_path: Path, every: int
) -> None:
    """SIGKILL before each step in turn; then the next publish, unaided."""
    steps = steps_of_a_publish(workspace, builds)
    seen = set()
    for number in some(steps, every):
        copy = Workspace(tmp_path / "tried")
        shutil.copytree(workspace.root, copy.root, symlinks=True)
        child = os.fork()
        if child == 0:
            with at_step(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                publish_build(copy, builds / "new", "new")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), (number, steps[number - 1])
        seen.add(look(copy))
        for manifest in list_releases(copy):
            verify(copy.releases / manifest.folder_name)
        publish_build(copy, builds / "new", "new")
        assert look(copy) == "new"
        assert no_left_overs(copy), (number, steps[number - 1])
        shutil.rmtree(copy.root)
    assert seen == {"old", "new"}, "the kills fell before the move, and after it"


@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_the_first_release_is_whole_or_not_there(builds: Path, tmp_path: Path, every: int) -> None:
    """Before the first release there is none; a fault at any step leaves none or one."""
    empty = Workspace(tmp_path / "empty")
    empty.root.mkdir()
    steps = steps_of_a_publish(empty, builds)

    def fail() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for number in some(steps, every):
        copy = Workspace(tmp_path / "tried")
        with at_step(number, fail):
            try:
                publish_build(copy, builds / "new", "new")
            except ReleaseError:
                assert current_release(copy) is None
                assert not copy.warehouse_file.exists()
            else:
                assert look(copy) == "new"
        publish_build(copy, builds / "new", "new")
        assert look(copy) == "new"
        shutil.rmtree(copy.root)


def test_a_folder_in_the_place_of_a_link_is_refused_before_anything_moves(
    workspace: Workspace, builds: Path
) -> None:
    """Someone made ``warehouse/exports`` a folder: nothing of theirs is removed, nothing moves."""
    before = workspace.current_release.readlink()
    workspace.exports.unlink()
    workspace.exports.mkdir()
    (workspace.exports / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ReleaseError, match="a folder is in the place of a link"):
        publish_build(workspace, builds / "new", "new")
    assert workspace.current_release.readlink() == before
    assert (workspace.exports / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_what_is_not_a_release_is_left_alone(workspace: Workspace, builds: Path) -> None:
    """A folder of another name, as a mounted disk has, neither stops a publish nor is removed."""
    strange = workspace.releases / "lost+found"
    strange.mkdir()
    for _ in range(6):
        publish_build(workspace, builds / "new", "new")
    assert strange.is_dir()
    assert [manifest.number for manifest in list_releases(workspace)] == [7, 8, 9, 10]


def test_retention_never_removes_what_readers_see(workspace: Workspace, builds: Path) -> None:
    """The release rolled back to stays, however old."""
    restore(workspace, 1)
    target = workspace.current_release.resolve()
    release._retire(workspace, keep=1)
    assert workspace.current_release.resolve() == target
    assert look(workspace) == "old"
    assert next_number(workspace) == 5


@pytest.mark.planted_fault
def test_rolling_back_to_an_altered_release_is_refused(workspace: Workspace, builds: Path) -> None:
    """A changed byte, a lost file and an added one: each named, and readers see what they saw."""
    publish_build(workspace, builds / "new", "new")
    folder = workspace.releases / "0003"
    table = folder / "exports" / "part0" / "table0.csv"
    whole = table.read_bytes()
    table.write_bytes(whole.replace(b"old", b"odd", 1))
    with pytest.raises(ReleaseError, match=r"table0\.csv"):
        restore(workspace, 3)
    table.unlink()
    with pytest.raises(ReleaseError, match="no such file"):
        restore(workspace, 3)
    table.write_bytes(whole)
    (folder / "exports" / "added.csv").write_text("x", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"added\.csv"):
        restore(workspace, 3)
    assert look(workspace) == "new"
    (folder / "exports" / "added.csv").unlink()
    assert restore(workspace, 3).number == 3
    assert look(workspace) == "old"


def test_sweep_touches_nothing_but_left_overs(workspace: Workspace) -> None:
    """What starts with a dot and was half-made goes; releases and links stay."""
    (workspace.releases / ".0009.partial").mkdir()
    (workspace.published / ".current-1").symlink_to("nowhere")
    (workspace.published / ".link-1").symlink_to("nowhere")
    names = {path.name for path in workspace.releases.iterdir()} - {".0009.partial"}
    assert len(sweep(workspace)) == 3
    assert {path.name for path in workspace.releases.iterdir()} == names
    assert look(workspace) == "old"


def test_an_unclosed_warehouse_is_refused(
    workspace: Workspace, builds: Path, tmp_path: Path
) -> None:
    """A build whose write-ahead log lies beside it would lose tables silently."""
    build = tmp_path / "unclosed"
    shutil.copytree(builds / "new", build)
    (build / "pulse.duckdb.wal").write_bytes(b"not checkpointed")
    with pytest.raises(ReleaseError, match="not closed"):
        publish_build(workspace, build, "new")
    assert look(workspace) == "old"


def test_a_release_is_read_only_for_those_whom_the_umask_lets_read(
    workspace: Workspace, builds: Path, tmp_path: Path
) -> None:
    """Files 0444 and folders 0555, less what the umask takes; the next publish still retires one."""
    for umask, file, folder in ((0o022, 0o444, 0o555), (0o027, 0o440, 0o550)):
        before = os.umask(umask)
        try:
            made = small_build(tmp_path / oct(umask), "new")[0].parent
            manifest = publish_build(workspace, made, "new")
        finally:
            os.umask(before)
        release_of = workspace.releases / manifest.folder_name
        modes = {
            (path.is_dir(), path.stat().st_mode & 0o777)
            for path in [release_of, *release_of.rglob("*")]
        }
        assert modes == {(True, folder), (False, file)}
    assert [each.number for each in list_releases(workspace)] == [3, 4, 5, 6]
    assert no_left_overs(workspace)


def _alter_table(folder: Path) -> None:
    with duckdb.connect(str(folder / "pulse.duckdb")) as connection:
        connection.execute("update marts.pulse set stamp = 'mine'")


def _leave_wal(folder: Path) -> None:
    (folder / "pulse.duckdb.wal").write_bytes(b"")


def _edit_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.chmod(0o644)
    path.write_text(path.read_text(encoding="utf-8").replace('"offline"', '"default"'))


def _tear_manifest(folder: Path) -> None:
    (folder / "manifest.json").chmod(0o644)
    (folder / "manifest.json").write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    ("alter", "named"),
    [
        (_alter_table, "pulse.duckdb"),
        (_leave_wal, "pulse.duckdb.wal"),
        (_edit_manifest, "manifest.json"),
        (_tear_manifest, "manifest.json"),
    ],
)
def test_an_altered_release_is_shown_refused_and_not_built_upon(
    workspace: Workspace, builds: Path, alter: Callable[[Path], None], named: str
) -> None:
    """Whoever may write anywhere (root, the owner) alters it: the next publish is unaffected."""
    folder = workspace.releases / "0004"
    for path in (folder, folder / "pulse.duckdb"):
        path.chmod(0o755)
    alter(folder)
    states = {number: (state, seen) for number, _, state, seen in release_states(workspace)}
    assert states[3] == ("whole", False)
    state, is_current = states[4]
    assert is_current
    assert state.startswith(f"altered: {named}")
    assert whole_release(workspace) is None
    with pytest.raises(ReleaseError):
        restore(workspace, 4)
    found = previous_release(workspace)
    assert found is not None
    assert found[0].number == 3
    assert publish_build(workspace, builds / "new", "new").number == 5
    assert look(workspace) == "new"
    assert whole_release(workspace) is not None


def test_a_locked_release_is_shown_and_its_figures_can_be_compared_with(
    workspace: Workspace, builds: Path
) -> None:
    """A program that holds the file read-write shuts readers out of this release, not the next."""
    workspace.current_build.parent.mkdir(parents=True, exist_ok=True)
    folder = workspace.releases / "0004"
    (folder / "pulse.duckdb").chmod(0o644)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()",
            str(folder / "pulse.duckdb"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline().strip() == "open"
        assert release.release_state(folder).startswith("locked: ")
        assert whole_release(workspace) is None
        copy = previous_warehouse(workspace)
        assert copy is not None
        assert stamps_of(copy) == {"old"}
        publish_build(workspace, builds / "new", "new")
        assert look(workspace) == "new"
    finally:
        holder.communicate("\n", timeout=30)


def test_a_moved_release_is_refused_and_rollback_points_at_the_folder_it_verified(
    workspace: Workspace,
) -> None:
    """Renamed, copied over another's number, or a link to elsewhere: the manifest names its folder."""
    (workspace.releases / "0002").rename(workspace.releases / "0007")
    with pytest.raises(ReleaseError, match="moved or renamed"):
        restore(workspace, 7)
    (workspace.releases / "0002").symlink_to("0003", target_is_directory=True)
    with pytest.raises(ReleaseError, match="moved or renamed"):
        restore(workspace, 2)
    assert next_number(workspace) == 8
    restore(workspace, 3)
    assert workspace.current_release.resolve() == (workspace.releases / "0003").resolve()
