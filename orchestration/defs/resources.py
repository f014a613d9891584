"""What every station is handed: the workspace, the catalogue, and dbt.

The resource holds the lock of its workspace for as long as a run lasts, so that a run from the
command line and one from the web page queue instead of colliding.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TextIO

import dagster as dg
from pydantic import PrivateAttr

from sources.addresses import PublisherSettings
from sources.areas import AreaBook
from sources.catalogue import Catalogue, load_catalogue
from sources.editions import NoticedEditions
from sources.http import HttpClient, Reachability, probe
from sources.landing import LandingStore
from warehouse.release import Manifest
from warehouse.workspace import SEEDS, Workspace, WorkspaceError

MODES = ("default", "offline", "only_publisher")


def _silent(_: str) -> None:
    """What a run from the web page says to the terminal: nothing."""


class PulseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where a run works and how it treats the publishers.

    ``source_mode``: ``default`` tries the publishers and goes on without them, ``offline`` never
    asks, ``only_publisher`` refuses anything that was not fetched or landed.
    ``rebuild``: the folder of a release to be made again; nothing is asked for.
    """

    root: str = ""
    source_mode: str = "default"
    lock_seconds: int = 3600
    keep_releases: int = 10
    rebuild: str = ""

    _http: HttpClient | None = PrivateAttr(default=None)
    _reachability: Reachability | None = PrivateAttr(default=None)
    _rebuilding: Manifest | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[PulseResource]:
        """Hold the workspace's lock while the run lasts, and close what the run opened."""
        run_id = context.run_id or ""
        with locked(self.workspace, self.lock_seconds, holder=run_id) as killed:
            if killed and killed != run_id and context.instance is not None:
                close_record(context.instance, killed)
            try:
                yield self
            finally:
                if self._http is not None:
                    self._http.close()
                self._http = self._reachability = None

    @property
    def workspace(self) -> Workspace:
        """The folders of this run."""
        if self.root:
            return Workspace(Path(self.root))
        return Workspace.from_environment()

    @property
    def mode(self) -> str:
        """The source mode, ``PULSE_SOURCE_MODE`` before the configured one."""
        if self.rebuilding is not None:
            return self.rebuilding.source_mode
        mode = os.environ.get("PULSE_SOURCE_MODE", "").strip() or self.source_mode
        if mode not in MODES:
            raise WorkspaceError(
                "the source mode is not known",
                expected=" | ".join(MODES),
                found=mode,
                todo="set PULSE_SOURCE_MODE to one of them, or unset it",
            )
        return mode

    @property
    def rebuilding(self) -> Manifest | None:
        """The manifest of the release that is made again, if that is what the run is for."""
        if self.rebuild and self._rebuilding is None:
            self._rebuilding = Manifest.read(Path(self.rebuild))
        return self._rebuilding

    @property
    def releases_to_keep(self) -> int:
        """How many releases stay, ``PULSE_KEEP_RELEASES`` before the configured number."""
        told = os.environ.get("PULSE_KEEP_RELEASES", "").strip() or str(self.keep_releases)
        if not told.isdecimal() or int(told) < 1:
            raise WorkspaceError(
                "how many releases to keep is not a number",
                expected="a whole number from 1",
                found=told,
                todo="set PULSE_KEEP_RELEASES to one, or unset it",
            )
        return int(told)

    @property
    def catalogue(self) -> Catalogue:
        """What is declared, and the editions that were noticed since and recognised."""
        return NoticedEditions(self.workspace.landing).extend(load_catalogue())

    @property
    def areas(self) -> AreaBook:
        """Areas, their printed names and their code changes."""
        return _areas()

    @property
    def store(self) -> LandingStore:
        """Landed files."""
        return LandingStore(self.workspace.landing, self.workspace.quarantine)

    @property
    def http(self) -> HttpClient:
        """The one client of this run, pointed at the publishers that the environment names."""
        if self._http is None:
            self._http = HttpClient(PublisherSettings.from_env(os.environ))
        return self._http

    @property
    def reachability(self) -> Reachability:
        """Which publishers answer, asked once a run and all at once."""
        if self._reachability is None:
            self._reachability = probe(self.http.settings)
            self.say(f"publishers  {self._reachability.line()}")
        return self._reachability

    def say(self, line: str) -> None:
        """Tell whoever watches the terminal how far the run is."""
        teller()(line)


@cache
def _areas() -> AreaBook:
    """The seeds do not change while a process runs."""
    return AreaBook.from_seeds(SEEDS)


_teller: Callable[[str], None] = _silent


def teller() -> Callable[[str], None]:
    """The function that progress is told to."""
    return _teller


def tell_progress_to(function: Callable[[str], None]) -> None:
    """Send progress of runs in this process to a function; the command line does."""
    global _teller
    _teller = function


@contextmanager
def locked(workspace: Workspace, seconds: float, *, holder: str = "") -> Iterator[str]:
    """Hold the one lock of a workspace; wait for it at most ``seconds``.

    The lock is the kernel's: a run that is killed gives it up by dying. Its ``holder`` then still
    stands in the file, and is what is yielded; after an orderly end that is the empty text.

    Raises:
        WorkspaceError: when another run still holds it.
    """
    try:
        workspace.builds.mkdir(parents=True, exist_ok=True)
        stream = workspace.lock_file.open("a+")
    except OSError as error:
        raise WorkspaceError(
            "the workspace cannot be written",
            code="unwritable_workspace",
            file=str(workspace.builds),
            found=error.strerror,
            todo="mend the folder's permissions, or set PULSE_HOME to a folder of your own",
        ) from error
    with stream:
        deadline = time.monotonic() + seconds
        told = False
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise WorkspaceError(
                        "another refresh of this workspace is still running",
                        code="busy",
                        file=str(workspace.lock_file),
                        todo="wait for it, or look at it in the Dagster page under Runs",
                    ) from None
                if not told:
                    teller()("waiting     another refresh is running; this one is next")
                    told = True
                time.sleep(0.2)
        stream.seek(0)
        killed = stream.read().strip()
        _note(stream, holder)
        try:
            yield killed
        finally:
            _note(stream, "")


def close_record(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Mark a run as failed that is recorded as running though its process is gone.

    Returns:
        Whether there was such a record.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return False
    instance.report_run_failed(run, "The process of this run ended before the run did.")
    return True


def _note(stream: TextIO, holder: str) -> None:
    """Say in the lock's file who holds it. A note that cannot be kept costs no run."""
    with suppress(OSError):
        stream.truncate(0)
        stream.write(holder)
        stream.flush()
