"""Telling somebody: one hook for a failed run, a red check and a source that is overdue.

The hook writes to the log; where ``PULSE_ALERT_WEBHOOK`` names an address it posts there too. An
alert that cannot be delivered is itself only logged: it never fails a run, a sensor or a release.

Not here: deciding what is red. The checks, the gate and the catalogue's calendar do that.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import dagster as dg
import requests

from orchestration.defs.ingest import judge_freshness
from orchestration.defs.resources import PulseResource
from orchestration.defs.schedules import refresh
from sources.addresses import is_loopback, split_address
from sources.errors import FetchError, PulseError

LOG = logging.getLogger("pulse.alerts")
CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
SILENCE = timedelta(days=45)
EVERY_DAY = 24 * 3600
# Told by a sensor of its own, on the day, whether or not anything runs.
FRESHNESS_CHECK = "the_next_edition_is_not_overdue"

Kind = Literal["run_failed", "check_red", "source_overdue", "no_refresh"]


class AlertError(PulseError):
    """The settings of the hook cannot be used."""

    default_code = "alert"


@dataclass(frozen=True)
class Alert:
    """One thing that somebody should know: a line, what to read next, and the run it is about."""

    kind: Kind
    title: str
    details: str = ""
    run_id: str | None = None


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts go. ``page`` is the base address of the Dagster page, for links to runs."""

    webhook: str | None = None
    page: str = "http://127.0.0.1:3000"

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "AlertSettings":
        """The settings that ``PULSE_ALERT_WEBHOOK`` and ``PULSE_PAGE`` give.

        Raises:
            AlertError: when an address is neither https nor http of this computer. The address is
                not repeated: it often holds a secret.
        """
        webhook = environment.get("PULSE_ALERT_WEBHOOK", "").strip() or None
        page = environment.get("PULSE_PAGE", "").strip().rstrip("/") or cls.page
        if webhook is not None:
            try:
                scheme, host, *_ = split_address(webhook)
            except FetchError:
                # From None: the cause repeats the address.
                raise _bad_webhook("something else") from None
            if scheme == "http" and not is_loopback(host):
                raise _bad_webhook(f"plain http to {host}")
        return cls(webhook, page)


def _bad_webhook(found: str) -> AlertError:
    return AlertError(
        "the address for alerts cannot be used",
        code="bad_webhook",
        expected="PULSE_ALERT_WEBHOOK as https://host/path, or http on this computer",
        found=found,
        todo="correct PULSE_ALERT_WEBHOOK; until then alerts are in the log alone",
    )


def alert(event: Alert, settings: AlertSettings) -> bool:
    """Tell somebody: in the log, and at the webhook where there is one.

    The webhook gets JSON by POST: ``text`` (what chat services show), ``kind``, ``title``,
    ``details``, ``run_id`` and ``link``. Redirects are not followed.

    Returns:
        Whether it reached everyone it should. Nothing is raised.
    """
    link = f"{settings.page}/runs/{event.run_id}" if event.run_id else settings.page
    LOG.error("%s: %s. %s %s", event.kind, event.title, event.details, link)
    if settings.webhook is None:
        return True
    _, host, *_ = split_address(settings.webhook)
    try:
        with requests.Session() as session:
            # A proxy of the environment is for the outside; this computer needs none.
            session.trust_env = not is_loopback(host)
            answer = session.post(
                settings.webhook,
                json={
                    "text": "\n".join(filter(None, (event.title, event.details, link))),
                    "kind": event.kind,
                    "title": event.title,
                    "details": event.details,
                    "run_id": event.run_id,
                    "link": link,
                },
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
    except requests.RequestException as error:
        # The error's own words hold the address, which may hold a secret.
        LOG.warning("the alert did not reach %s: %s", host, type(error).__name__)
        return False
    if not 200 <= answer.status_code < 300:
        LOG.warning("the alert was refused by %s: status %d", host, answer.status_code)
        return False
    return True


def tell(event: Alert) -> bool:
    """Alert with the settings of the environment; settings that cannot be used are logged."""
    try:
        settings = AlertSettings.from_env(os.environ)
    except AlertError as error:
        LOG.warning("%s", error)
        settings = AlertSettings()
        alert(event, settings)
        return False
    return alert(event, settings)


# A run from the command line belongs to no code location, so all of them are watched.
@dg.run_failure_sensor(
    name="tell_of_failed_runs",
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A run that failed is told to the alert hook.",
)
def tell_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """One alert a failed run; what was published stays as it was."""
    run = context.dagster_run
    tell(
        Alert(
            "run_failed",
            f"Pulse: the run of {run.job_name} failed; what was published stays as it was",
            context.failure_event.message or "",
            run.run_id,
        )
    )


@dg.run_status_sensor(
    name="tell_of_red_checks",
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "A run that went to its end with a red check (a file was refused, a release waits to be "
        "described) is told to the alert hook."
    ),
)
def tell_of_red_checks(context: dg.RunStatusSensorContext) -> None:
    """One alert a run, with all of its red checks."""
    red = red_checks(context.instance, context.dagster_run.run_id)
    if red:
        tell(
            Alert(
                "check_red",
                f"Pulse: {len(red)} red checks in a run of {context.dagster_run.job_name}",
                "; ".join(red),
                context.dagster_run.run_id,
            )
        )


def red_checks(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """The checks that a run found red, as ``asset: check``, those of freshness left out."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = []
    for entry in entries:
        event = entry.dagster_event
        if event is None:
            continue
        verdict = event.asset_check_evaluation_data
        if (
            not verdict.passed
            and verdict.severity == dg.AssetCheckSeverity.ERROR
            and verdict.check_name != FRESHNESS_CHECK
        ):
            found.append(f"{verdict.asset_key.to_user_string()}: {verdict.check_name}")
    return sorted(found)


@dg.sensor(
    name="tell_of_overdue_sources",
    minimum_interval_seconds=EVERY_DAY,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Once a day: a source whose next edition is overdue by its calendar, and a platform that "
        "has not finished a refresh for 45 days, are told to the alert hook, each once."
    ),
)
def tell_of_overdue_sources(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """The cursor holds what was told, so that a source is told again only when it changes."""
    told = set(filter(None, (context.cursor or "").split("\n")))
    waiting = overdue(PulseResource()) | silent(context.instance, datetime.now(UTC))
    for key, event in waiting.items():
        if key not in told:
            tell(event)
    context.update_cursor("\n".join(sorted(waiting)))
    return dg.SkipReason(f"{len(waiting)} overdue: {', '.join(waiting) or 'nothing'}")


def overdue(pulse: PulseResource) -> dict[str, Alert]:
    """The sources that are overdue, by dataset and the day that was expected."""
    found = {}
    for dataset in pulse.catalogue.datasets.values():
        age = judge_freshness(pulse, dataset)
        if age.state == "overdue":
            key = f"{dataset.code} {age.expected_on}"
            found[key] = Alert(
                "source_overdue", f"Pulse: {dataset.short_title} is overdue", age.message
            )
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
            "no_refresh",
            f"Pulse: no refresh has finished since {day}",
            "The monthly sweep should have: look whether the daemon and its schedules run.",
        )
    }


@dg.definitions
def alerts() -> dg.Definitions:
    """The three sensors that tell."""
    return dg.Definitions(
        sensors=[tell_of_failed_runs, tell_of_red_checks, tell_of_overdue_sources]
    )
