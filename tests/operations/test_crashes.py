"""Crashes of real processes: killed at random instants, out of disk, without permission.

A reader reads the published warehouse through all of it. How many kills are tried is set with
``PULSE_TEST_KILLS`` (of publishes) and ``PULSE_TEST_REFRESH_KILLS`` (of whole refreshes).
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import run_pulse
from tests.operations.small_builds import (
    fast_folder,
    look,
    publish_build,
    small_build,
    stamps_through,
)
from warehouse.connection import reading
from warehouse.release import current_release, hash_tree, list_releases, verify
from warehouse.workspace import PROJECT, Workspace

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("PULSE_TEST_KILLS", "60"))
REFRESH_KILLS = int(os.environ.get("PULSE_TEST_REFRESH_KILLS", "2"))
NOBODY = 65534
RECORD = "the record of the run cannot be kept"


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder in memory, where there is such a disk, that every user may enter."""
    folder = fast_folder("crashes")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def builds(root: Path) -> Path:
    """Three builds: the one published at first, and the two that alternate."""
    for stamp in ("first", "even", "odd"):
        small_build(root / "builds" / stamp, stamp)
    return root / "builds"


def child(*arguments: str | Path) -> subprocess.Popen[str]:
    """One of the processes of ``small_builds``."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.operations.small_builds", *map(str, arguments)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    """Until the process says ``word``."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if line != word:
        raise AssertionError(f"the process said {line!r}: {process.communicate(timeout=30)[1]}")


def test_publishes_killed_at_random_instants(root: Path, builds: Path) -> None:
    """Kill, look, go on: what is visible is one whole release after every kill."""
    workspace = Workspace(root / "home")
    publish_build(workspace, builds / "first", "first")
    report = root / "reads.json"
    reader = child("read", workspace.root, report)
    wait_for(reader, "ready")
    seen, longest = set(), 0.0
    for number in range(KILLS):
        publisher = child("publish", workspace.root, builds)
        wait_for(publisher, "ready")
        # A number of publishes, and a part of one: the instant is anywhere in it.
        time.sleep(random.Random(number).uniform(0.0, 0.15))
        publisher.kill()
        publisher.communicate(timeout=60)
        assert publisher.returncode == -signal.SIGKILL
        began = time.monotonic()
        seen.add(look(workspace))
        for manifest in list_releases(workspace):
            verify(workspace.releases / manifest.folder_name)
        longest = max(longest, time.monotonic() - began)
    publish_build(workspace, builds / "first", "first")
    assert look(workspace) == "first"
    assert not [path for path in workspace.releases.iterdir() if path.name.startswith(".")]
    assert not [path for path in workspace.published.iterdir() if path.name.startswith(".")]
    report.with_suffix(".stop").touch()
    _, errors = reader.communicate(timeout=60)
    assert reader.returncode == 0, errors
    reported = json.loads(report.read_text(encoding="utf-8"))
    print(
        f"{KILLS} kills, {current_release(workspace).number} publishes begun, "  # type: ignore[union-attr]
        f"{reported['reads']} reads, {len(reported['faults'])} faults, recovery at most {longest:.2f} s"
    )
    assert reported["faults"] == []
    assert reported["reads"] > KILLS / 4, reported
    assert {"even", "odd"} <= seen


def once(workspace: Workspace, build: Path, *options: str) -> dict[str, str] | None:
    """Publish ``even`` in a process under limits; the error it reported, or None where it went well."""
    process = child("once", workspace.root, build / "even", "even", *options)
    reported, errors = process.communicate(timeout=120)
    if process.returncode == 0:
        return None
    assert process.returncode == 3, f"an error that nobody turned into words:\n{errors}"
    return dict(json.loads(reported))


@pytest.mark.parametrize("largest_file", [0, 10_000, 80_000])
def test_a_file_that_may_not_grow(root: Path, builds: Path, largest_file: int) -> None:
    """The system refuses to write more of a file: the old release stays, the next publish works."""
    workspace = Workspace(root / "home")
    publish_build(workspace, builds / "first", "first")
    assert (builds / "even" / "pulse.duckdb").stat().st_size > 80_000
    reported = once(workspace, builds, f"largest_file={largest_file}")
    assert reported is not None
    assert reported["type"] == "ReleaseError"
    assert "free space" in reported["text"]
    assert look(workspace) == "first"
    assert once(workspace, builds) is None
    assert look(workspace) == "even"


needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="mounting a small disk and changing the user need root",
)


@needs_root
def test_a_disk_that_is_full(root: Path, builds: Path) -> None:
    """A disk of its own, filled up to some bytes before its end, at twenty places of a publish."""
    disk = root / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        workspace = Workspace(disk / "home")
        publish_build(workspace, builds / "first", "first")
        needed = sum(path.stat().st_size for path in (builds / "even").rglob("*") if path.is_file())
        filler = disk / "filler"
        refused = 0
        for part in range(21):
            filler.unlink(missing_ok=True)
            free = shutil.disk_usage(disk).free
            filler.write_bytes(b"x" * max(free - int(needed * part / 18), 0))
            before = look(workspace)
            reported = once(workspace, builds)
            if reported is None:
                assert look(workspace) == "even"
            else:
                refused += 1
                assert reported["type"] == "ReleaseError"
                assert "No space left" in reported["text"]
                assert look(workspace) == before
        filler.unlink()
        assert refused >= 10
        assert once(workspace, builds) is None
        assert look(workspace) == "even"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def _deny(*folders: str) -> Callable[[Workspace], None]:
    def deny(workspace: Workspace) -> None:
        for folder in folders:
            (workspace.root / folder).chmod(0o555)

    return deny


@needs_root
@pytest.mark.parametrize(
    "deny",
    [_deny("releases"), _deny("warehouse"), _deny("releases", "warehouse")],
    ids=["releases", "warehouse", "both"],
)
def test_folders_that_may_not_be_written(
    root: Path, builds: Path, deny: Callable[[Workspace], None]
) -> None:
    """Another user than root, and a folder without the right to write: reported, and nothing moved."""
    workspace = Workspace(root / "home")
    publish_build(workspace, builds / "first", "first")
    before = workspace.current_release.readlink()
    everything = [workspace.root, *workspace.root.rglob("*")]
    for path in everything:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    deny(workspace)
    reported = once(workspace, builds, f"user={NOBODY}")
    assert reported is not None
    assert reported["type"] == "ReleaseError"
    assert "Permission denied" in reported["text"]
    assert "permissions" in reported["text"]
    assert workspace.current_release.readlink() == before
    assert look(workspace) == "first"
    for folder in (workspace.releases, workspace.published):
        folder.chmod(0o755)
    assert once(workspace, builds, f"user={NOBODY}") is None
    assert look(workspace) == "even"


def test_two_at_once_queue(root: Path) -> None:
    """Two processes want the lock of one workspace: the second waits for the first."""
    log = root / "held.txt"
    both = [child("hold", root / "home", "0.5", log) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    times = sorted(
        tuple(map(float, line.split())) for line in log.read_text(encoding="utf-8").splitlines()
    )
    assert len(times) == 2
    assert times[0][1] <= times[1][0], f"held at the same time: {times}"


def test_a_killed_process_gives_up_the_lock(root: Path) -> None:
    """The lock dies with its holder: nobody has to remove a file."""
    log = root / "held.txt"
    holder = child("hold", root / "home", "600", log)
    wait_for(holder, "ready")
    wait_for(holder, "held")
    holder.kill()
    holder.communicate(timeout=30)
    began = time.monotonic()
    after = child("hold", root / "home", "0", log)
    _, errors = after.communicate(timeout=120)
    assert after.returncode == 0, errors
    assert time.monotonic() - began < 60
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1


def must_build(workspace: Workspace) -> None:
    """A refused file was handed in since the release: the next refresh is not an unchanged one."""
    refused = workspace.root / "refused.xlsx"
    refused.write_bytes(b"not a workbook")
    done = run_pulse(
        workspace.root, "land", "dcms_participation", "2023-24", str(refused), check=False
    )
    assert done.returncode == 1


def test_refreshes_killed_at_random_instants(
    own_workspace: Callable[[], Workspace], tmp_path: Path
) -> None:
    """A whole refresh, killed: readers see what they saw, and the next refresh needs no help."""
    workspace = own_workspace()
    must_build(workspace)
    before = current_release(workspace)
    assert before is not None
    transcript = (workspace.root / "transcript.txt").read_text(encoding="utf-8")
    (length,) = re.findall(r"(?m)^ *([\d.]+) s  finished", transcript)
    instants = random.Random(20260101)
    with reading(workspace.warehouse_file.resolve()) as oldest:
        goals = oldest.execute("select count(*) from marts.pulse").fetchone()
        for number in range(REFRESH_KILLS):
            shutil.copyfile(
                PROJECT / "dagster_home" / "dagster.yaml",
                workspace.root / "dagster_home" / "dagster.yaml",
            )
            running = subprocess.Popen(
                [sys.executable, "-m", "orchestration.cli", "refresh", "--offline"],
                cwd=PROJECT,
                env={
                    **os.environ,
                    "PULSE_HOME": str(workspace.root),
                    "DAGSTER_HOME": str(workspace.root / "dagster_home"),
                },
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            # Anywhere in a refresh: while it starts, lands, builds, gates, exports, publishes.
            part = (number + instants.random()) / REFRESH_KILLS
            # Its files were read and its charts drawn before: it takes six tenths of the first.
            time.sleep(part * 0.6 * float(length))
            running.kill()
            running.wait(timeout=60)
            now = current_release(workspace)
            assert now is not None
            verify(workspace.releases / now.folder_name)
            with reading(workspace.warehouse_file.resolve()) as connection:
                assert connection.execute("select count(*) from marts.pulse").fetchone() == goals
            assert oldest.execute("select count(*) from marts.pulse").fetchone() == goals
    began = time.monotonic()
    done = run_pulse(workspace.root, "refresh", "--offline", check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    print(f"{REFRESH_KILLS} refreshes killed; the next took {time.monotonic() - began:.0f} s")
    after = current_release(workspace)
    assert after is not None
    assert after.content_sha256 == before.content_sha256
    builds = {path.name for path in workspace.builds.iterdir() if (path / "pulse.duckdb").exists()}
    assert len(builds - {"current"}) <= 2, f"builds of killed runs were left: {builds}"
    assert not list(workspace.releases.glob(".*.partial"))


@pytest.mark.parametrize(
    ("largest_file", "reported"),
    [
        (20_000, RECORD),
        (5_300_000, "the warehouse of this build cannot be written"),
        (120_000_000, "File too large"),
    ],
    ids=["record", "inputs", "models"],
)
def test_a_refresh_that_may_not_write_is_reported_and_harms_nothing(
    own_workspace: Callable[[], Workspace], largest_file: int, reported: str
) -> None:
    """The system refuses to write more of a file, at the stations before the release."""
    workspace = own_workspace()
    if reported != RECORD:
        must_build(workspace)
    before = hash_tree(workspace.current_release.resolve())
    done = run_limited(workspace, largest_file)
    assert done.returncode == 1
    assert reported in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert hash_tree(workspace.current_release.resolve()) == before
    if reported == RECORD:
        # Nothing was begun, so that the next finds everything as it was.
        done = run_pulse(workspace.root, "refresh", "--offline")
        assert "Nothing changed: release 1 " in done.stdout


def run_limited(workspace: Workspace, largest_file: int) -> subprocess.CompletedProcess[str]:
    """A refresh whose process may write no file longer than that; its own Dagster home is new."""
    home = workspace.root / "limited_home"
    home.mkdir()
    shutil.copyfile(PROJECT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
    return subprocess.run(
        [
            *("prlimit", f"--fsize={largest_file}", sys.executable),
            *("-m", "orchestration.cli", "refresh", "--offline"),
        ],
        cwd=PROJECT,
        env={**os.environ, "PULSE_HOME": str(workspace.root), "DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_a_reader_keeps_what_it_opened(root: Path, builds: Path) -> None:
    """A connection opened before a publish answers from the release that it opened."""
    workspace = Workspace(root / "home")
    publish_build(workspace, builds / "first", "first")
    with reading(workspace.warehouse_file.resolve()) as oldest:
        for _ in range(6):
            publish_build(workspace, builds / "odd", "odd", keep=2)
        assert stamps_through(oldest) == {"first"}
        assert look(workspace) == "odd"
