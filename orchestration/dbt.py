"""dbt in this process: the parsed project, and one invocation whose results arrive one by one.

In this process, because dbt is imported here anyway, a saved manifest spares the parse, and a dbt
that shares its parent's process cannot outlive it.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.stopping import leave
from sources.errors import PulseError
from warehouse.workspace import DBT_PROJECT

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

# A folder of its own: whatever else runs dbt here (the SQL linter, a person) writes to target/ itself,
# perhaps for another target whose names do not fit a build.
MANIFEST = DBT_PROJECT / "target" / "pulse" / "manifest.json"
_PARSED = "partial_parse.msgpack"
_WATCHED = ("models", "macros", "seeds", "tests")


@dataclass(frozen=True)
class NodeResult:
    """What dbt reports of one node: ``status`` as dbt names it, ``failures`` rows of a test."""

    unique_id: str
    status: str
    message: str
    seconds: float
    failures: int | None

    @property
    def passed(self) -> bool:
        """Whether the node was built, or the test passed or only warned."""
        return self.status in ("success", "pass", "warn")


def ensure_manifest() -> Path:
    """The parsed dbt project, parsed again when a file of it is newer.

    Raises PulseError when dbt cannot parse the project; its own words are in the message.
    """
    watched = [path for folder in _WATCHED for path in (DBT_PROJECT / folder).rglob("*")]
    watched += [DBT_PROJECT / "dbt_project.yml", DBT_PROJECT / "profiles.yml"]
    newest = max(path.stat().st_mtime for path in watched)
    if _is_fresh(newest):
        return MANIFEST
    try:
        return _parse(newest)
    except OSError as error:
        raise PulseError(
            "the parsed dbt project is out of date and cannot be written",
            code="unwritable_target",
            file=str(MANIFEST.parent),
            found=error.strerror or str(error),
            todo="parse it as a user who may write there (deploy/README.md), or make it writable",
        ) from error


def _parse(newest: float) -> Path:
    MANIFEST.parent.mkdir(parents=True, exist_ok=True)
    # dbt writes its manifest in place. Made aside and moved, so that neither a kill nor a second
    # process that parses at the same time leaves half of one, which would look fresh for ever.
    aside = MANIFEST.parent / "parsing"
    with (MANIFEST.parent / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_fresh(newest):
            return MANIFEST
        started = time.time()
        messages: list[str] = []

        def note(event: Any) -> None:
            if event.info.level == "error":
                messages.append(event.info.msg)

        done = _invoke(["parse"], aside, note)
        made = aside / MANIFEST.name
        if not done.success or not made.exists():
            raise PulseError(
                "dbt cannot parse the project",
                code="transform",
                file=str(DBT_PROJECT),
                found=str(done.exception or "; ".join(messages))[-1500:],
                todo="fix the model that dbt names, then try `make check`",
            )
        # As old as its reading began: a file that was edited meanwhile is newer, and read again.
        os.utime(made, (started, started))
        for name in (_PARSED, MANIFEST.name):
            fresh = MANIFEST.with_name(f".{name}")
            shutil.copy2(aside / name, fresh)
            fresh.replace(MANIFEST.with_name(name))
    return MANIFEST


def _is_fresh(newest: float) -> bool:
    return MANIFEST.exists() and MANIFEST.stat().st_mtime > newest


def _invoke(
    words: Sequence[str], folder: Path, callback: Callable[[Any], None], manifest: Any = None
) -> dbtRunnerResult:
    """One invocation of dbt; its artifacts and its log go to ``folder``."""
    from dbt.cli.main import dbtRunner

    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    return dbtRunner(manifest=manifest, callbacks=[callback]).invoke(
        [
            *words,
            *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
            *("--target-path", str(folder), "--log-path", str(folder)),
            # Results come through the callback; the file is for a person who looks into a failure.
            *("--log-level", "none", "--log-level-file", "info"),
        ]
    )


def build(selection: Sequence[str], build_folder: Path) -> Iterator[NodeResult]:
    """Run ``dbt build`` on the warehouse of a build; yields each node's result as it arrives.

    When the iterator ends, no connection to the warehouse is left in this process.

    ``selection``: dbt's own words. The folder holds ``pulse.duckdb``; dbt's log and compiled SQL go to
    ``dbt`` in it. Raises PulseError when dbt itself could not go on; a node that failed raises nothing.
    """
    results: queue.Queue[NodeResult | None] = queue.Queue()
    ended: list[dbtRunnerResult | BaseException] = []

    def listen(event: Any) -> None:
        if event.info.name == "NodeFinished":
            result = event.data.run_result
            node = event.data.node_info
            results.put(
                NodeResult(
                    node.unique_id,
                    str(result.status).lower(),
                    " ".join(str(result.message).split()),
                    result.execution_time,
                    result.num_failures if node.resource_type == "test" else None,
                )
            )

    def work() -> None:
        os.environ["PULSE_BUILD"] = str(build_folder)
        words = ["build", *selection, "--no-write-json"]
        try:
            from dbt.contracts.graph.manifest import Manifest

            # dbt's own parsed project spares the parse.
            parsed = Manifest.from_msgpack(MANIFEST.with_name(_PARSED).read_bytes())
            ended.append(_invoke(words, build_folder / "dbt", listen, parsed))
        except BaseException as error:
            ended.append(error)
        finally:
            _let_go()
            results.put(None)

    # A stopped run does not wait for dbt; ending in order while DuckDB works for it would abort.
    thread = threading.Thread(target=work, name="dbt", daemon=True)
    atexit.register(lambda: leave() if thread.is_alive() else None)
    thread.start()
    yield from iter(results.get, None)
    outcome = ended[0]
    fault = outcome if isinstance(outcome, BaseException) else outcome.exception
    if fault is not None:
        raise PulseError(
            "dbt could not build",
            code="transform",
            file=str(build_folder / "pulse.duckdb"),
            found=str(fault),
            todo=f"read {build_folder / 'dbt' / 'dbt.log'}, then run the refresh again",
        ) from fault


def _let_go() -> None:
    """Close what the adapter keeps open: DuckDB shares one instance of a file in a process."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    reset_adapters()  # type: ignore[no-untyped-call]
    gc.collect()
