"""``python -m demonstration``: all 16 barometers on made-up files, in ``demo/``, watermarked.

A newcomer sees every page filled, and every path runs, without one invented figure in the real
warehouse. What is made here is marked synthetic in every row; the gate of any other workspace
refuses it. The run is recorded in a Dagster home below ``demo/``, not in the real one.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from demonstration.local_survey import write_local_survey
from demonstration.publisher_files import file_name, usual_form, write_publisher_file
from sources.areas import AreaBook
from sources.arrival import MADE_UP_PREFIX, hand_in
from sources.catalogue import load_catalogue
from sources.inbox import hand_in_survey
from sources.landing import LandingStore
from warehouse.workspace import PROJECT, SEEDS, Workspace

REAL = ("ons_combined_authorities", "ons_population", "ons_local_indicators")
"""Areas, people and the context are not made up: their bundled figures serve the demonstration too."""
REVISED = "dcms_community_life"


def make_demonstration(root: Path, seed: int) -> Workspace:
    """A workspace with a made-up file landed for every survey and index edition.

    Those of REVISED come twice, first as they were before a correction of the whole series. The folder
    is made anew, with a Dagster home in it. Equal seeds give equal files.
    """
    root = root.resolve()
    shutil.rmtree(root, ignore_errors=True)
    home = root / "dagster_home"
    home.mkdir(parents=True)
    shutil.copyfile(PROJECT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
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
        # A copy of a survey is not needed beside it.
        if dataset.parser is None or dataset.code in REAL or dataset.precedence > 1:
            continue
        for superseded in (True, False) if dataset.code == REVISED else (False,):
            for edition in dataset.editions:
                if edition.history:
                    continue
                name = file_name(dataset, edition.edition, usual_form(dataset, edition.edition))
                path = files / name
                path.write_bytes(
                    write_publisher_file(dataset, edition, areas, seed=seed, superseded=superseded)
                )
                now += timedelta(minutes=1)
                hand_in(dataset, edition, path, store, areas, now=now)
    survey = write_local_survey(files / f"{MADE_UP_PREFIX}residents-survey", seed)
    hand_in_survey(survey, workspace.inbox, SEEDS)
    return workspace


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=2025, show_default=True, help="Equal seeds make equal files.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=PROJECT / "demo",
    help="The folder, which is made anew; demo/ by default.",
)
def main(seed: int, root: Path) -> None:
    """Build the whole platform on made-up files, in demo/, watermarked everywhere."""
    from orchestration.runs import run_job
    from orchestration.stopping import plain_errors

    with plain_errors():
        workspace = make_demonstration(root, seed)
        click.echo(f"made-up publisher files are in {workspace.root}/files; nothing there is real")
        os.environ["DAGSTER_HOME"] = str(workspace.root / "dagster_home")
        raise SystemExit(run_job(workspace, "refresh", "offline", tags={"pulse/kind": "demo"}))


if __name__ == "__main__":
    main()
