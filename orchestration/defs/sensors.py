"""Noticing: a sensor a source that looks at its publisher and remembers what it has seen.

A new edition that the catalogue's pattern recognises starts a refresh by itself; a release that it
does not recognise, or one of a successor survey, becomes a red check that says what to do.
"""

import os
from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.ingest import raise_alerts
from orchestration.defs.resources import PulseResource
from orchestration.defs.schedules import refresh
from sources.addresses import PublisherSettings
from sources.catalogue import Dataset, load_catalogue
from sources.errors import PulseError
from sources.http import HttpClient
from sources.watch import NoticedEditions, watch_dataset

EVERY_SECONDS = 6 * 3600
NEEDS_A_PERSON = ("unrecognised_release", "successor_release")


def _watch(declared: Dataset) -> dg.SensorDefinition:
    key = dg.AssetKey(["landing", declared.code])

    @dg.sensor(
        name=f"watch_{declared.code}",
        job=refresh,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            f"Looks at {declared.landing_page} for a new edition of {declared.title}. A recognised "
            "one is fetched, read and checked by itself; any other raises a red check."
        ),
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        pulse = PulseResource()
        workspace = pulse.workspace
        noticed = NoticedEditions(workspace.landing)
        dataset = pulse.catalogue.dataset(declared.code)
        try:
            with HttpClient(PublisherSettings.from_env(os.environ)) as http:
                seen = watch_dataset(dataset, http, context.cursor, today=datetime.now(UTC).date())
        except PulseError as error:
            return dg.SkipReason(f"not looked at: {error}")
        runs = []
        for event in seen.events:
            if event.recognised and event.derived is not None:
                noticed.remember(event)
            if event.recognised or event.kind == "data_changed":
                runs.append(
                    dg.RunRequest(
                        run_key=f"{event.dataset}:{event.edition or seen.cursor[-40:]}:{event.kind}",
                        tags={
                            "pulse/dataset": event.dataset,
                            "pulse/edition": event.edition or "",
                            "pulse/why": event.kind,
                        },
                    )
                )
        waiting = [event.message for event in seen.events if event.kind in NEEDS_A_PERSON]
        if waiting:
            raise_alerts(workspace, dataset.code, waiting)
        return dg.SensorResult(
            run_requests=runs,
            cursor=seen.cursor,
            asset_events=[
                dg.AssetCheckEvaluation(
                    asset_key=key,
                    check_name="no_release_waits_to_be_described",
                    passed=False,
                    metadata={"what waits": dg.MetadataValue.text("; ".join(waiting))},
                )
            ]
            if waiting
            else [],
            skip_reason=None
            if runs
            else dg.SkipReason("; ".join(event.message for event in seen.events) or "nothing new"),
        )

    return watch


@dg.definitions
def sensors() -> dg.Definitions:
    """One for each source that can be looked at."""
    return dg.Definitions(
        sensors=[
            _watch(dataset)
            for dataset in load_catalogue().datasets.values()
            if dataset.discovery is not None
        ]
    )
