"""Dagster's event log in one SQLite file, with one engine instead of one per event.

By default Dagster writes most events to two files, opens an engine and a connection for each and waits
for the disk each time, which is a third of what a refresh costs. ``synchronous=NORMAL`` with a
write-ahead log keeps the file whole when a process dies; a power failure may lose the last events of
a run, never what was published. One run at a time writes here (``dagster.yaml``); a server with many
has PostgreSQL. What a run plans, one event per asset and check, is stored in one transaction.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as db

# Dagster has no public name for its storage classes; its version is pinned, and a test covers this.
from dagster._core.events import ASSET_EVENTS  # noqa: TID251
from dagster._core.events.log import EventLogEntry  # noqa: TID251
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage  # noqa: TID251
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable  # noqa: TID251
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS  # noqa: TID251
from dagster._serdes import ConfigurableClassData

# One statement for all of them: making it anew costs more than running it.
_INSERT = SqlEventLogStorageTable.insert().returning(
    SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
)


class EventLog(ConsolidatedSqliteEventLogStorage):
    """The event log below ``home``, in its folder ``history``."""

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._lock = threading.RLock()
        self._in_use: db.Connection | None = None
        self._there: set[str] = set()
        super().__init__(str(Path(home) / "history"), inst_data)
        # Dagster asks the environment whether what a run plans is handed over in one go.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")

    @classmethod
    def config_type(cls) -> Any:
        """``home``: the folder of the instance."""
        from dagster import StringSource

        return {"home": StringSource}

    @cached_property
    def _engine(self) -> db.Engine:
        engine = db.create_engine(
            self._conn_string, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        )

        @db.event.listens_for(engine, "connect")
        def _settings(connection: Any, _: Any) -> None:
            connection.execute("pragma synchronous=normal")

        return engine

    @contextmanager
    def _connect(self) -> Iterator[db.Connection]:
        with self._lock:
            if self._in_use is not None:
                yield self._in_use
                return
            with self._engine.begin() as self._in_use:
                try:
                    yield self._in_use
                finally:
                    self._in_use = None

    def store_event(self, event: EventLogEntry) -> None:
        """Store one event."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all of the events, or none."""
        rows = [self._event_to_row(event) for event in events]
        with self._connect() as connection:
            stored = connection.scalars(_INSERT, rows).all()
            for event, number in zip(events, stored, strict=True):
                if event.dagster_event_type in ASSET_EVENTS:
                    self._store_asset_event_tags(connection, [event], [number])
                    self._store_asset_event(connection, event, number)
                else:
                    self.store_asset_check_event(event, number)

    def has_table(self, table_name: str) -> bool:
        """Whether there is a table; Dagster opens the file anew to ask, at every check."""
        if table_name not in self._there and super().has_table(table_name):
            self._there.add(table_name)
        return table_name in self._there

    def _has_asset_key_col_on_connection(self, conn: db.Connection, column_name: str) -> bool:
        # Asked at every event, of files that older versions of Dagster made; none did here.
        return True

    def dispose(self) -> None:
        """Close the file."""
        self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]
