"""Back-fill: one edition fetched from its publisher afresh, then a refresh of what is held.

In the page the job's partitions are the editions, so that one or many are chosen there.
"""

import dagster as dg

from orchestration.defs.ingest import ask_publisher
from orchestration.defs.resources import PulseResource
from orchestration.defs.schedules import refresh
from sources.catalogue import load_catalogue

EDITIONS = dg.StaticPartitionsDefinition(
    [
        f"{dataset.code}/{edition.edition}"
        for dataset in load_catalogue().datasets.values()
        if dataset.discovery
        for edition in dataset.editions
    ]
)


@dg.op
def fetch_edition(context: dg.OpExecutionContext, pulse: PulseResource) -> None:
    """Fetch one edition whole, whatever is remembered of it, check it and land it."""
    code, _, wanted = context.partition_key.partition("/")
    dataset = pulse.workspace.catalogue.dataset(code)
    edition = dataset.edition(wanted)
    (outcome,) = ask_publisher(pulse, dataset, [edition], afresh=True)
    pulse.say(f"landing     {outcome.message}")
    context.log_event(
        dg.AssetObservation(
            asset_key=["landing", dataset.code],
            metadata={name: getattr(outcome, name) for name in ("edition", "state", "message")},
        )
    )
    if outcome.failed or outcome.state == "not_tried":
        raise dg.Failure(description=str(outcome.error or outcome.message), allow_retries=False)


@dg.job(partitions_def=EDITIONS, tags={"pulse/kind": "backfill"})
def backfill() -> None:
    """One edition, fetched from its publisher afresh; choose editions under Partitions.

    Then a refresh builds, checks and publishes what is held.
    """
    fetch_edition()


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[backfill],
    request_job=refresh,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=10,
    description="Starts a refresh of what is held once a back-fill has landed an edition.",
)
def refresh_after_backfill(context: dg.RunStatusSensorContext) -> dg.RunRequest:
    """One refresh a back-fill; nobody is asked again."""
    return dg.RunRequest(
        run_key=context.dagster_run.run_id,
        run_config={"resources": {"pulse": {"config": {"source_mode": "offline"}}}},
        tags={
            "pulse/why": "backfill",
            "pulse/edition": context.dagster_run.tags.get("dagster/partition", ""),
        },
    )
