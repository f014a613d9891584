"""What every station is handed: the workspace, the catalogue, and dbt.

The resource holds the lock of its workspace for as long as a run lasts, so that a run from the
command line and one from the web page queue instead of colliding.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from orchestration.lock import locked
from orchestration.progress import OURS
from orchestration.retention import forget_runs, runs_to_keep
from sources.addresses import PublisherSettings
from sources.areas import AreaBook
from sources.http import HttpClient, Reachability, probe
from warehouse.connection import check_memory_limit
from warehouse.release import Manifest
from warehouse.workspace import SEEDS, Workspace, WorkspaceError

LOG = logging.getLogger(__name__)
LOCK_SECONDS = 3600.0
_areas = cache(AreaBook.from_seeds)
MODES = ("default", "offline", "only_publisher")


class PulseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where a run works and how it treats the publishers.

    ``source_mode``: ``default`` tries the publishers and goes on without them, ``offline`` never
    asks, ``only_publisher`` refuses anything that was not fetched or landed.
    Folders are no configuration: whoever may start a run must not choose where it writes. They come
    from ``PULSE_HOME``, and ``PULSE_REBUILD`` (the folder of a release to be made again).
    """

    source_mode: str = "default"

    _http: HttpClient | None = PrivateAttr(default=None)
    _reachability: Reachability | None = PrivateAttr(default=None)
    _rebuilding: Manifest | None = PrivateAttr(default=None)
    _logger: dg.DagsterLogManager | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[PulseResource]:
        """Hold the workspace's lock while the run lasts, and close what the run opened."""
        run_id = context.run_id or ""
        check_memory_limit()
        self._logger = context.log
        with locked(self.workspace, LOCK_SECONDS, holder=run_id, say=self.say) as killed:
            if killed and killed != run_id and context.instance is not None:
                close_record(context.instance, killed)
            if context.instance is not None:
                forget_runs(context.instance, runs_to_keep())
            try:
                yield self
            finally:
                if self._http is not None:
                    self._http.close()
                self._http = self._reachability = None

    @property
    def workspace(self) -> Workspace:
        """The folders of this run."""
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
                code="workspace",
                expected=" | ".join(MODES),
                found=mode,
                todo="set PULSE_SOURCE_MODE to one of them, or unset it",
            )
        return mode

    @property
    def rebuilding(self) -> Manifest | None:
        """The manifest of the release that is made again, if that is what the run is for."""
        record = os.environ.get("PULSE_REBUILD", "")
        if record and self._rebuilding is None:
            self._rebuilding = Manifest.read(Path(record))
        return self._rebuilding

    @property
    def areas(self) -> AreaBook:
        """Areas, their printed names and their code changes."""
        return _areas(SEEDS)

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
        """Report how far the run is: an event of the run, and a line where somebody watches."""
        (self._logger or LOG).info(line, extra=OURS)


def close_record(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Mark a run as failed that is recorded as running though its process is gone.

    Returns whether there was such a record.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return False
    instance.report_run_failed(run, "The process of this run ended before the run did.")
    return True
