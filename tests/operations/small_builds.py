"""A build small enough to be published a thousand times, and the processes that the tests kill.

Every file of a build carries its stamp, so that a reader can tell a mixture of two builds from one
build. Run as a module (``python -m tests.operations.small_builds publish|read|hold …``) this is the
process that is killed, that reads all the while, or that holds the lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from sources.errors import PulseError
from warehouse.release import MANIFEST, Manifest, next_number, publish, verify
from warehouse.workspace import Workspace

TABLES = ("barometers", "changes", "pulse")
ROWS = 500
FILES = 6


def fast_folder(name: str) -> Path:
    """A new folder in memory where there is such a disk: the tests write, they do not measure."""
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix=f"pulse-{name}-", dir=parent))


def small_build(folder: Path, stamp: str) -> tuple[Path, Path]:
    """A closed warehouse and its exports, every row and file of which says ``stamp``."""
    folder.mkdir(parents=True, exist_ok=True)
    warehouse = folder / "pulse.duckdb"
    warehouse.unlink(missing_ok=True)
    # The smallest blocks: the tests copy this file thousands of times.
    with duckdb.connect(str(warehouse), config={"default_block_size": "16384"}) as connection:
        connection.execute("create schema marts")
        for table in TABLES:
            connection.execute(
                f"create table marts.{table} as select ? as stamp, range as n from range(?)",
                [stamp, ROWS],
            )
        connection.execute("checkpoint")
    exports = folder / "exports"
    for number in range(FILES):
        path = exports / f"part{number % 3}" / f"table{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"stamp\n{stamp}\n" * 40, encoding="utf-8")
    return warehouse, exports


def publish_build(workspace: Workspace, build: Path, stamp: str, *, keep: int = 4) -> Manifest:
    """Publish the build in ``build`` as the next release."""
    return publish(
        workspace,
        Manifest(
            number=next_number(workspace),
            made_at=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
            code_version="test",
            identity="",
            content_sha256=hashlib.sha256(stamp.encode()).hexdigest(),
            content={},
            inputs=[{"dataset": "small", "edition": stamp}],
            checks=[],
            tables=dict.fromkeys(TABLES, ROWS),
            source_mode="offline",
            follows=None,
            earlier=[],
        ),
        build,
        keep=keep,
    )


def stamps_of(warehouse: Path) -> set[str]:
    """Every stamp in every table of a warehouse; a whole one has exactly one."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return stamps_through(connection)


def stamps_through(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The same, through a connection that is open already; also counts the rows."""
    found: set[str] = set()
    for table in TABLES:
        rows = connection.execute(
            f"select stamp, count(*) from marts.{table} group by 1"
        ).fetchall()
        assert [count for _, count in rows] == [ROWS], (table, rows)
        found |= {stamp for stamp, _ in rows}
    return found


def look(workspace: Workspace) -> str:
    """Read what is published the way a reader does; returns its stamp.

    Raises AssertionError where it is not one whole release with its manifest.
    """
    folder = workspace.current_release.resolve(strict=True)
    manifest = verify(folder)
    stamps = stamps_of(folder / "pulse.duckdb")
    for path in (folder / "exports").rglob("*.csv"):
        stamps |= set(path.read_text(encoding="utf-8").split()) - {"stamp"}
    assert len(stamps) == 1, f"{folder} mixes builds: {sorted(stamps)}"
    (stamp,) = stamps
    assert manifest.inputs[0]["edition"] == stamp, (manifest.inputs, stamp)
    return stamp


def _publish_for_ever(root: Path, build: Path) -> None:
    """Publish alternate builds without end: the caller kills this."""
    workspace = Workspace(root)
    print("ready", flush=True)
    while True:
        for stamp in ("even", "odd"):
            publish_build(workspace, build / stamp, stamp)


def _read_for_ever(root: Path, report: Path) -> None:
    """Read through the fixed links without pause; report each fault and the number of reads.

    The connection opened first is kept: it must go on answering whatever is published after it.
    """
    workspace = Workspace(root)
    oldest = duckdb.connect(str(workspace.warehouse_file), read_only=True)
    first = stamps_through(oldest)
    reads, faults, seen = 0, [], set()
    stop = report.with_suffix(".stop")
    print("ready", flush=True)
    while not stop.exists():
        try:
            folder = workspace.current_release.resolve(strict=True)
            found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            digest = hashlib.sha256((folder / "pulse.duckdb").read_bytes()).hexdigest()
            if digest != found["files"]["pulse.duckdb"]:
                faults.append(f"release {found['number']}: the warehouse is not the manifest's")
            # A process has one view of a file: the copy under its own folder's name is opened anew.
            stamps = stamps_of(workspace.warehouse_file.resolve(strict=True))
            if len(stamps) != 1:
                faults.append(f"one read saw {sorted(stamps)}")
            seen |= stamps
            if stamps_through(oldest) != first:
                faults.append("the connection opened before the kills sees something else now")
            reads += 1
        except FileNotFoundError:
            # The release was retired between two steps of this reader: it looks again.
            if not workspace.current_release.exists():
                faults.append("there was an instant without any release")
        except Exception as error:  # whatever a reader may meet is a fault to be reported
            if "No such file" not in str(error) and "does not exist" not in str(error):
                faults.append(f"{type(error).__name__}: {error}")
    report.write_text(
        json.dumps({"reads": reads, "faults": faults[:20], "seen": sorted(seen)}), encoding="utf-8"
    )


def _publish_once(root: Path, build: Path, stamp: str, *options: str) -> int:
    """Publish once under the limits in ``options``; the error, if any, goes to standard output."""
    for option in options:
        name, _, value = option.partition("=")
        if name == "largest_file":
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(value), int(value)))
        elif name == "user":
            os.setgroups([])
            os.setgid(int(value))
            os.setuid(int(value))
    try:
        publish_build(Workspace(root), build, stamp)
    except PulseError as error:
        print(json.dumps({"type": type(error).__name__, "code": error.code, "text": str(error)}))
        return 3
    return 0


def _hold(root: Path, seconds: str, log: Path) -> None:
    """Take the lock of a workspace, note when it was had and given up."""
    from orchestration.lock import locked

    print("ready", flush=True)
    with locked(Workspace(root), 60):
        began = time.monotonic()
        print("held", flush=True)
        time.sleep(float(seconds))
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"{began} {time.monotonic()}\n")


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "publish":
        _publish_for_ever(Path(rest[0]), Path(rest[1]))
    elif verb == "read":
        _read_for_ever(Path(rest[0]), Path(rest[1]))
    elif verb == "once":
        raise SystemExit(_publish_once(Path(rest[0]), Path(rest[1]), *rest[2:]))
    elif verb == "hold":
        _hold(Path(rest[0]), rest[1], Path(rest[2]))
    else:
        raise SystemExit(f"unknown verb {verb}")
