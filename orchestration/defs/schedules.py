"""When things run by themselves: the refresh job, a schedule a dataset, and a monthly sweep.

Nothing else may start a run: what is registered here is all there is.
"""

from typing import Any

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
    description="Gate the build at hand again and publish it; nothing is fetched or built.",
    tags={"pulse/kind": "republish"},
)


def _annual(dataset: Dataset) -> dg.ScheduleDefinition:
    """On the twentieth of the month in which the publisher releases, at five in the morning."""
    month = dataset.expected_month
    return dg.ScheduleDefinition(
        name=f"annual_{dataset.code}",
        job=refresh,
        cron_schedule=f"0 5 20 {month} *",
        execution_timezone=TIMEZONE,
        description=(
            f"{dataset.title}: {dataset.publisher} usually releases in month {month}; "
            "the whole refresh runs, and what has not changed stays as it is."
        ),
        tags={"pulse/dataset": dataset.code},
    )


@dg.definitions
def schedules() -> dg.Definitions:
    """The job and its schedules."""
    annual: list[Any] = [
        _annual(dataset)
        for dataset in load_catalogue().datasets.values()
        if dataset.cadence == "annual" and dataset.expected_month and dataset.discovery
    ]
    monthly = dg.ScheduleDefinition(
        name="monthly_sweep",
        job=refresh,
        cron_schedule="0 6 2 * *",
        execution_timezone=TIMEZONE,
        description="Once a month, whatever the calendar says: publishers revise without notice.",
    )
    return dg.Definitions(jobs=[refresh, dry_run, republish], schedules=[*annual, monthly])
