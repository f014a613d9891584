"""What is published beside the warehouse: one module per form, all made from the same marts.

Every writer takes an open read-only connection to a gated warehouse and a folder, and returns the
files it made. A writer computes no figure: what is not in a mart is not written.
"""

from pathlib import Path

import duckdb

from warehouse.workspace import PROJECT
from warehouse.writers.briefing import write_briefings
from warehouse.writers.read import read_model
from warehouse.writers.site import write_site
from warehouse.writers.spreadsheet import write_spreadsheets
from warehouse.writers.tables import write_tables

METHODS = PROJECT / "docs" / "methods.md"


def write_exports(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    content_sha256: str,
    cache: Path | None = None,
) -> list[Path]:
    """Write every form of a release into ``folder``, which is made anew.

    ``folder`` does not exist yet. ``content_sha256``: the hash over the marts, printed on the cover of
    the spreadsheet. ``cache``: a folder in which charts and pages are kept from one release to the next.
    Returns the files made. Raises PulseError when a mart lacks what a form shows.
    """
    folder.mkdir(parents=True)
    model = read_model(connection)
    write_tables(connection, folder)
    write_spreadsheets(connection, model, folder, content_sha256=content_sha256)
    write_site(model, folder, in_release=True, cache=cache, methods=METHODS)
    write_briefings(model, folder / "site" / "briefings")
    return sorted(path for path in folder.rglob("*") if path.is_file())
