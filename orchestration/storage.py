"""Dagster's event log in SQLite, with one engine per file instead of one per event.

Dagster opens an engine and a connection for each event and waits for the disk each time, which is a
third of what a refresh costs. ``synchronous=NORMAL`` with a write-ahead log keeps the file whole when
a process dies; a power failure may lose the last events of a run, never what was published.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as db

# Dagster has no public name for its storage classes; its version is pinned, and a test covers this.
from dagster._core.storage.event_log import SqliteEventLogStorage  # noqa: TID251
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS  # noqa: TID251
from dagster._serdes import ConfigurableClassData

_KEPT_OPEN = 4


class EventLog(SqliteEventLogStorage):
    """The event log below ``home``, in the files where Dagster itself would keep it."""

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, db.Engine] = {}
        self._there: set[str] = set()
        super().__init__(str(Path(home) / "history" / "runs"), inst_data)

    @classmethod
    def config_type(cls) -> Any:
        """``home``: the folder of the instance."""
        from dagster import StringSource

        return {"home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> EventLog:
        """As Dagster makes it from ``dagster.yaml``."""
        return cls(config_value["home"], inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        with self._db_lock:
            engine = self._engines.get(shard) or self._open(shard)
            with engine.begin() as connection:
                yield connection

    def _open(self, shard: str) -> db.Engine:
        engine = db.create_engine(
            self.conn_string_for_shard(shard),
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )

        @db.event.listens_for(engine, "connect")
        def _settings(connection: Any, _: Any) -> None:
            connection.execute("pragma synchronous=normal")

        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        # A daemon sees many runs: the files of the oldest are let go.
        while len(self._engines) >= _KEPT_OPEN:
            self._engines.pop(next(iter(self._engines))).dispose()
        self._engines[shard] = engine
        return engine

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; Dagster opens the file anew to ask, at every check."""
        if table_name not in self._there and super().has_table(table_name):
            self._there.add(table_name)
        return table_name in self._there

    def has_secondary_index(self, name: str) -> bool:
        """Whether a migration was done; none is ever undone."""
        if name not in self._there and super().has_secondary_index(name):
            self._there.add(name)
        return name in self._there

    def delete_events(self, run_id: str) -> None:
        """Forget a run: its events in the index, and its own file whole."""
        with self.index_connection() as connection:
            self.delete_events_for_run(connection, run_id)
        with self._db_lock:
            if run_id in self._engines:
                self._engines.pop(run_id).dispose()
            self._initialized_dbs.discard(run_id)
            path = Path(self.path_for_shard(run_id))
            for each in path.parent.glob(f"{path.name}*"):
                each.unlink()

    def dispose(self) -> None:
        """Close every file."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()
