"""Noticing: a sensor per source that looks at its publisher and remembers what it has seen.

A new edition that the catalogue's pattern recognises starts a refresh by itself; a release that it
does not recognise becomes a warning that says what to do.
"""

import hashlib
import os
from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.ingest import NOTICED_CHECK, raise_alerts
from orchestration.defs.resources import PulseResource
from orchestration.defs.schedules import AUTOMATIC, refresh
from sources.addresses import PublisherSettings
from sources.catalogue import Dataset, load_catalogue
from sources.editions import NoticedEditions
from sources.errors import PulseError
from sources.http import HttpClient
from sources.publishers import publisher_for

EVERY_SECONDS = 6 * 3600


def _watch(declared: Dataset) -> dg.SensorDefinition:
    key = dg.AssetKey(["landing", declared.code])

    status = dg.DefaultSensorStatus

    @dg.sensor(
        name=f"watch_{declared.code}",
        job=refresh,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=status.RUNNING if AUTOMATIC else status.STOPPED,
        description=(
            f"Looks at {declared.landing_page} for a new edition of {declared.title}. A recognised "
            "one is fetched, read and checked by itself; any other becomes a warning."
        ),
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        pulse = PulseResource()
        if pulse.mode == "offline":
            return dg.SkipReason("offline: no publisher is asked")
        workspace = pulse.workspace
        noticed = NoticedEditions(workspace.landing)
        dataset = workspace.catalogue.dataset(declared.code)
        try:
            with HttpClient(PublisherSettings.from_env(os.environ)) as http:
                publisher = publisher_for(dataset, http)
                if publisher is None:
                    return dg.SkipReason("nothing is fetched for this dataset")
                seen = publisher.watch(context.cursor, datetime.now(UTC).date())
        except PulseError as error:
            return dg.SkipReason(f"not looked at: {error}")
        runs = []
        for event in seen.events:
            noticed.remember(event)
            if event.kind in ("new_edition", "data_changed"):
                runs.append(
                    dg.RunRequest(
                        run_key=hashlib.sha256(event.message.encode()).hexdigest(),
                        tags={
                            "pulse/dataset": event.dataset,
                            "pulse/edition": event.edition or "",
                            "pulse/why": event.kind,
                        },
                    )
                )
        waiting = [event.message for event in seen.events if event.kind == "unrecognised_release"]
        if waiting:
            raise_alerts(workspace, dataset.code, waiting)
        return dg.SensorResult(
            run_requests=runs,
            cursor=seen.cursor,
            asset_events=[
                dg.AssetCheckEvaluation(
                    asset_key=key,
                    check_name=NOTICED_CHECK,
                    severity=dg.AssetCheckSeverity.WARN,
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
    datasets = load_catalogue().datasets.values()
    return dg.Definitions(sensors=[_watch(dataset) for dataset in datasets if dataset.discovery])
