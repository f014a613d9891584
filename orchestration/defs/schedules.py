"""When things run by themselves: the refresh job, a schedule per source, and a monthly sweep.

Nothing else may start a run: what is registered here is all there is.
"""

import os

import dagster as dg

from orchestration.defs.gate import GATE_CHECKS
from sources.catalogue import Dataset, load_catalogue

TIMEZONE = "Europe/London"

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description="Everything, from the publishers' files to the published warehouse.",
    tags={"pulse/kind": "refresh"},
)

dry_run = dg.define_asset_job(
    "dry_run",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("release"),
    description="Fetch, build and gate everything, and publish nothing.",
    tags={"pulse/kind": "dry run"},
)

republish = dg.define_asset_job(
    "republish",
    selection=dg.AssetSelection.groups("release") | dg.AssetSelection.checks(*GATE_CHECKS),
    description="Gate the current build again and publish it; nothing is fetched or built.",
    tags={"pulse/kind": "republish"},
)


# One switch for a desk: nothing starts by itself.
AUTOMATIC = os.environ.get("PULSE_SCHEDULES", "").strip().lower() != "off"
_STATUS = dg.DefaultScheduleStatus.RUNNING if AUTOMATIC else dg.DefaultScheduleStatus.STOPPED


def _annual(place: int, dataset: Dataset) -> dg.ScheduleDefinition:
    """Late in the publisher's month, at a time of its own: the ``place`` of the source sets it."""
    return dg.ScheduleDefinition(
        name=f"annual_{dataset.code}",
        job=refresh,
        cron_schedule=f"{place * 7 % 60} 5 {20 + place % 7} {dataset.expected_month} *",
        execution_timezone=TIMEZONE,
        default_status=_STATUS,
        description=(
            f"Refreshes after the usual release of {dataset.title} by {dataset.publisher}; what has "
            "not changed stays as it is."
        ),
        tags={"pulse/dataset": dataset.code},
    )


@dg.definitions
def schedules() -> dg.Definitions:
    """The jobs and their schedules: one per living source, and a monthly sweep."""
    annually = [each for each in load_catalogue().datasets.values() if each.cadence == "annual"]
    living = [
        dataset
        for dataset in annually
        if dataset.expected_month and dataset.discovery and not dataset.succeeded_by
    ]
    monthly = dg.ScheduleDefinition(
        name="monthly_sweep",
        job=refresh,
        cron_schedule="0 6 2 * *",
        execution_timezone=TIMEZONE,
        default_status=_STATUS,
        description="Refreshes once a month in any case: publishers revise without notice.",
    )
    annual = [_annual(place, dataset) for place, dataset in enumerate(living)]
    return dg.Definitions(jobs=[refresh, dry_run, republish], schedules=[*annual, monthly])
