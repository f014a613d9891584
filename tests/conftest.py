"""Fixtures that more than one folder of tests uses.

A whole refresh is run once, in a folder of its own, and copied for each test that wants
to change something.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from warehouse.workspace import PROJECT, Workspace

# Few examples, the same every time; the slow tests run each property once more, with many. To look
# for new ones: pytest --hypothesis-profile long.
settings.register_profile("fast", max_examples=5, derandomize=True, deadline=None)
settings.register_profile("slow", max_examples=60, derandomize=True, deadline=None)
settings.register_profile("long", max_examples=300, deadline=None)
settings.load_profile("fast")

# Modules whose slow tests take longest, the longest first.
LONGEST = (
    *("test_live_refresh", "test_crashes", "test_browser", "test_refresh"),
    *("test_respondents", "test_planted_faults"),
)
# What takes a whole refresh or more to make: one worker makes it, for all the tests that use it.
MADE_ONCE = ("demonstrated", "with_additions", "for_manchester")
# Fast tests that need the same library or the same files run in one worker, which alone pays for it.
GROUPS = {
    "altair": ("test_forms", "test_pages", "test_spreadsheet_safety"),
    # Every one publishes the whole catalogue, whose made-up files are made once.
    "publishers": ("test_clients", "test_faults", "test_fetch", "test_successor", "test_watch"),
    "scipy": ("test_agreement", "test_edges"),
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file none of whose tests is asked for: each worker imports all that it collects."""
    asked = config.getoption("markexpr")
    if not collection_path.match("test_*.py") or asked not in ("slow", "not slow"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    if asked == "slow":
        return None if "mark.slow" in text or "@given" in text else True
    return True if "\npytestmark = pytest.mark.slow\n" in text else None


def pytest_configure(config: pytest.Config) -> None:
    """Before any module is imported: some count their examples from the profile."""
    # A script starts what runs in the background deaf to Ctrl-C, and its children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Nearly all that is imported and made lasts: looking for garbage in it costs a tenth of the time.
    gc.set_threshold(200_000, 20, 20)
    if config.getoption("markexpr") == "slow" and not config.getoption("--hypothesis-profile"):
        settings.load_profile("slow")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = config.getoption("markexpr")
    if asked == "slow":
        # They start first, so that no worker is left with one at the end.
        order = {name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: order.get(item.path.stem, len(order)))
        for item in items:
            if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
                item.add_marker(pytest.mark.slow)
            for name in set(MADE_ONCE).intersection(getattr(item, "fixturenames", ())):
                item.add_marker(pytest.mark.xdist_group(name))
    if asked != "not slow":
        return
    group = {module: name for name, modules in GROUPS.items() for module in modules}
    for item in items:
        if item.path.stem in group:
            item.add_marker(pytest.mark.xdist_group(group[item.path.stem]))


def pytest_collection_finish() -> None:
    gc.freeze()


def run_pulse(
    root: Path, *arguments: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with a workspace and Dagster home below root."""
    home = root / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=PROJECT,
        env={
            **os.environ,
            "PULSE_HOME": str(root),
            "DAGSTER_HOME": str(home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if check and done.returncode:
        raise AssertionError(f"pulse {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="session")
def released_workspace(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Workspace:
    """A workspace with one release of the bundled figures. Read it; do not change it.

    The first worker that wants it makes it, for all.
    """
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent
    root = folder / "released"
    transcript = root / "transcript.txt"
    with (folder / "released.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not transcript.exists():
            done = run_pulse(root, "refresh", "--offline")
            transcript.write_text(done.stdout, encoding="utf-8")
    return Workspace(root)


@pytest.fixture
def own_workspace(released_workspace: Workspace, tmp_path: Path) -> Callable[[], Workspace]:
    """Copies of the released workspace, to break."""
    made = 0

    def copy() -> Workspace:
        nonlocal made
        made += 1
        root = tmp_path / f"workspace{made}"
        shutil.copytree(released_workspace.root, root, symlinks=True)
        return Workspace(root)

    return copy
