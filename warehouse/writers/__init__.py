"""What leaves the building: one module a form, all of them made from the same marts.

Every writer takes an open read-only connection to a gated warehouse and a folder, and returns the
files it made. A writer computes no figure: what is not in a mart is not written.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.writers.csvw import write_csvw
from warehouse.writers.dbt_docs import write_dbt_docs
from warehouse.writers.json_tables import write_json
from warehouse.writers.site import write_figures, write_site
from warehouse.writers.spreadsheet import write_spreadsheets
from warehouse.writers.tables import write_tables


def write_exports(
    connection: duckdb.DuckDBPyConnection, folder: Path, *, dbt_manifest: Path | None = None
) -> list[Path]:
    """Write every form of a release into ``folder``, which is made anew.

    Args:
        connection: open on a gated warehouse.
        folder: where to; it does not exist yet.
        dbt_manifest: ``manifest.json`` of the dbt build; without it its documentation is left out.

    Returns:
        The files made.

    Raises:
        ExportError: when a form cannot be written.
    """
    folder.mkdir(parents=True)
    made = [
        *write_tables(connection, folder),
        *write_csvw(connection, folder),
        *write_json(connection, folder),
        *write_spreadsheets(connection, folder),
        *write_figures(connection, folder),
        *write_site(connection, folder, in_release=True),
    ]
    if dbt_manifest is not None:
        made.append(write_dbt_docs(connection, dbt_manifest, folder))
    return made
