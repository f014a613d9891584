"""What leaves the building: one module a form, all of them made from the same marts.

Every writer takes an open read-only connection to a gated warehouse and a folder, and returns the
files it made. A writer computes no figure: what is not in a mart is not written.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.writers.tables import write_tables


def write_exports(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Write every form of a release into ``folder``, which is made anew.

    Returns:
        The files made.
    """
    folder.mkdir(parents=True)
    return write_tables(connection, folder)
