"""The demonstration: the whole platform on made-up publisher files, in a folder of its own.

A newcomer sees all 16 barometers alive, and every path runs, without one invented figure in the
real warehouse. What is made here is marked synthetic in every row; the gate of any other workspace
refuses it.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sources.areas import AreaBook
from sources.catalogue import load_catalogue
from sources.handed_in import land_file
from sources.landing import LandingStore
from sources.synthetic import file_name, usual_form, write_publisher_file
from warehouse.workspace import PROJECT, SEEDS, Workspace

SEED = 2025
REAL = ("ons_combined_authorities", "ons_population")
"""Areas and people are not made up: their bundled figures serve the demonstration too."""


def make_demonstration(root: Path | None = None, seed: int = SEED) -> Workspace:
    """A workspace with a made-up file landed for every survey and index edition.

    The folder is made anew. Equal seeds give equal files.
    """
    root = (root or PROJECT / "demo").resolve()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / "DEMONSTRATION").write_text(
        "Everything in this folder is made up. None of it was published by anybody.\n",
        encoding="utf-8",
    )
    workspace = Workspace(root)
    store = LandingStore(workspace.landing, workspace.quarantine)
    areas = AreaBook.from_seeds(SEEDS)
    files = root / "files"
    files.mkdir()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for dataset in load_catalogue().datasets.values():
        if (
            dataset.parser is None
            or dataset.code in REAL
            or dataset.series not in (None, dataset.code)
        ):
            continue
        for edition in dataset.editions:
            name = file_name(dataset, edition.edition, usual_form(dataset, edition.edition))
            path = files / name
            path.write_bytes(write_publisher_file(dataset, edition, areas, seed=seed))
            now += timedelta(minutes=1)
            land_file(dataset, edition, path, store, areas, now=now)
    return workspace
