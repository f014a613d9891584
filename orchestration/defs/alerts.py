"""Alerts: a failed run, a red check and an overdue source reach the people who look after Pulse.

Every alert is logged; ``PULSE_ALERTS`` names who else gets it, as addresses of the library Apprise
(``mailto://``, ``slack://``, ``msteams://``, ``workflows://``, ``json://``, ...), separated by blanks.
An alert that cannot be delivered is only logged: it never fails a run, a sensor or a release.

Not here: deciding what is red. The checks, the gate and the catalogue's calendar do that.
"""

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.defs.ingest import NOTICED_CHECK, judge_freshness
from orchestration.defs.publish import outcome
from orchestration.defs.schedules import refresh
from warehouse.workspace import Workspace

LOG = logging.getLogger("pulse.alerts")
SILENCE = timedelta(days=45)
EVERY_DAY = 24 * 3600
PAGE = "http://127.0.0.1:3000"


@dataclass(frozen=True)
class Alert:
    """One thing that somebody should know: a line, what to read next, and the run it is about."""

    title: str
    details: str = ""
    run_id: str | None = None


def send(alert: Alert) -> bool:
    """Log an alert and send it to every address in ``PULSE_ALERTS``.

    ``PULSE_PAGE`` is the base address of the Dagster page, for links to runs. Returns whether it
    reached everyone it should. Nothing is raised, and no address is logged, because it often holds
    a secret.
    """
    page = os.environ.get("PULSE_PAGE", "").strip().rstrip("/") or PAGE
    link = f"{page}/runs/{alert.run_id}" if alert.run_id else page
    LOG.error("%s. %s %s", alert.title, alert.details, link)
    addresses = os.environ.get("PULSE_ALERTS", "").split()
    if not addresses:
        return True
    import apprise

    reached = True
    for place, address in enumerate(addresses, start=1):
        receiver = apprise.Apprise()
        if not receiver.add(address):
            LOG.warning("address %d in PULSE_ALERTS is not one that Apprise knows", place)
            reached = False
        elif not receiver.notify(title=alert.title, body="\n".join((alert.details, link)).strip()):
            LOG.warning("the alert did not reach address %d in PULSE_ALERTS", place)
            reached = False
    return reached


# A run from the command line belongs to no code location, so all of them are watched.
@dg.run_failure_sensor(
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends an alert for each failed run.",
)
def alert_on_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """One alert per failed run; what was published stays as it was."""
    run = context.dagster_run
    send(
        Alert(
            f"Pulse: the run of {run.job_name} failed; what was published stays as it was",
            context.failure_event.message or "",
            run.run_id,
        )
    )


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Sends an alert for a run that finished with a red check, or while a release waits to be "
        "described in the catalogue."
    ),
)
def alert_on_red_checks(context: dg.RunStatusSensorContext) -> None:
    """One alert per run, with all of its red checks."""
    red = red_checks(context.instance, context.dagster_run.run_id)
    if red:
        send(
            Alert(
                f"Pulse: {len(red)} red checks in a run of {context.dagster_run.job_name}",
                "; ".join(red),
                context.dagster_run.run_id,
            )
        )


def red_checks(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """The checks of a run that somebody should act on, as ``asset: check``."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = []
    for event in filter(None, (entry.dagster_event for entry in entries)):
        verdict = event.asset_check_evaluation_data
        found_as = outcome(verdict)
        if found_as == "red" or (found_as == "warning" and verdict.check_name == NOTICED_CHECK):
            found.append(f"{verdict.asset_key.to_user_string()}: {verdict.check_name}")
    return sorted(found)


@dg.sensor(
    minimum_interval_seconds=EVERY_DAY,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Sends one alert, checked once a day, for each source whose next edition is overdue, and "
        "where no refresh has finished for 45 days."
    ),
)
def alert_on_overdue_sources(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """The cursor holds what was sent, so that a source is reported again only when it changes."""
    sent = set(filter(None, (context.cursor or "").split("\n")))
    waiting = overdue(Workspace.from_environment()) | silent(context.instance, datetime.now(UTC))
    for key, event in waiting.items():
        if key not in sent:
            send(event)
    context.update_cursor("\n".join(sorted(waiting)))
    return dg.SkipReason(f"{len(waiting)} overdue: {', '.join(waiting) or 'nothing'}")


def overdue(workspace: Workspace) -> dict[str, Alert]:
    """The sources that are overdue, by dataset and the day that was expected."""
    found = {}
    for dataset in workspace.catalogue.datasets.values():
        age = judge_freshness(workspace, dataset)
        if age.state == "overdue":
            key = f"{dataset.code} {age.expected_on}"
            found[key] = Alert(f"Pulse: {dataset.short_title} is overdue", age.message)
    return found


def silent(instance: dg.DagsterInstance, now: datetime) -> dict[str, Alert]:
    """An alert where the last refresh that went to its end is too long ago; none before the first."""
    last = instance.get_run_records(
        dg.RunsFilter(job_name=refresh.name, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1
    )
    if not last or last[0].end_time is None:
        return {}
    ended = datetime.fromtimestamp(last[0].end_time, UTC)
    if now - ended < SILENCE:
        return {}
    day = ended.date().isoformat()
    return {
        f"no refresh since {day}": Alert(
            f"Pulse: no refresh has finished since {day}",
            "The monthly sweep should have: look whether the daemon and its schedules run.",
        )
    }
