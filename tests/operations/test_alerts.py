"""Alerts, against a server of their own on loopback; what fails in it breaks nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.lazy import lazy

pytestmark = pytest.mark.slow

dg = lazy("dagster")
alerts = lazy("orchestration.defs.alerts")


def event() -> Any:
    return alerts.Alert("the run failed", "station: disk full", "1234")


@dataclass
class Receiver:
    """A server that keeps what it is sent and answers as it was set to."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """The server, on a free port."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append({"path": self.path, **json.loads(body)})
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.address = f"json://127.0.0.1:{server.server_port}/secret"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def plain_environment(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts go to the server of the test."""
    monkeypatch.setenv("PULSE_ALERTS", receiver.address)
    monkeypatch.setenv("PULSE_PAGE", "https://pulse.example/")


def test_an_alert_reaches_the_address_and_the_log(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Both, with a link to the run."""
    assert alerts.send(event()) is True
    (got,) = receiver.got
    assert got["path"] == "/secret"
    assert got["title"] == "the run failed"
    assert got["message"].splitlines() == [
        "station: disk full",
        "https://pulse.example/runs/1234",
    ]
    assert "the run failed" in caplog.text
    assert "secret" not in caplog.text


def test_without_an_address_the_log_is_enough(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The default needs no setting."""
    monkeypatch.delenv("PULSE_ALERTS")
    assert alerts.send(event()) is True
    assert "station: disk full" in caplog.text


def test_an_address_that_refuses_is_logged(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised, no secret is logged by us."""
    receiver.status = 500
    assert alerts.send(event()) is False
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name == "pulse.alerts")
    assert "did not reach address 1" in ours
    assert "secret" not in ours


def test_one_bad_address_does_not_stop_the_others(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The place of the bad one is logged, never its text."""
    monkeypatch.setenv("PULSE_ALERTS", f"no-such-scheme://secret/ {receiver.address}")
    assert alerts.send(event()) is False
    assert len(receiver.got) == 1
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name == "pulse.alerts")
    assert "address 1" in ours
    assert "secret" not in ours


def test_a_failed_run_is_reported_once_with_its_job(receiver: Receiver) -> None:
    """The sensor, given a real failed run."""

    @dg.op
    def station() -> None:
        raise ValueError("the disk is full")

    @dg.job
    def small() -> None:
        station()

    with dg.DagsterInstance.ephemeral() as instance:
        result = small.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="alert_on_failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()
        alerts.alert_on_failed_runs(context)
    (got,) = receiver.got
    assert "small" in got["title"]
    assert result.run_id in got["message"]


def test_red_checks_of_a_good_run_are_reported_and_warnings_are_not(receiver: Receiver) -> None:
    """A refused file stops nothing, and somebody hears of it."""
    names = ("every_file_keeps_the_contract", "only_a_warning", "all_well")

    @dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="observed") for name in names])
    def observed() -> Iterator[Any]:
        yield dg.Output(None)
        for name in names:
            yield dg.AssetCheckResult(
                check_name=name,
                passed=name == "all_well",
                severity=dg.AssetCheckSeverity.WARN
                if name == "only_a_warning"
                else dg.AssetCheckSeverity.ERROR,
            )

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([observed], instance=instance)
        assert alerts.red_checks(instance, result.run_id) == [
            "observed: every_file_keeps_the_contract"
        ]
        context = dg.build_run_status_sensor_context(
            sensor_name="alert_on_red_checks",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_success_event(),
        )
        alerts.alert_on_red_checks(context)
    (got,) = receiver.got
    assert "observed: every_file_keeps_the_contract" in got["message"]


def test_an_overdue_source_is_reported_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the day it turns red, and not again on the next."""
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    real = alerts.judge_freshness

    def late(pulse: Any, dataset: Any) -> Any:
        state = "overdue" if dataset.code == "dcms_community_life" else "ok"
        return replace(real(pulse, dataset), state=state)

    monkeypatch.setattr(alerts, "judge_freshness", late)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        alerts.alert_on_overdue_sources(context)
        assert len(receiver.got) == 1
        assert "Community Life" in receiver.got[0]["title"]
        again = dg.build_sensor_context(instance=instance, cursor=context.cursor)
        alerts.alert_on_overdue_sources(again)
        assert len(receiver.got) == 1


def test_a_platform_that_has_gone_quiet_is_reported() -> None:
    """45 days after the last refresh that went to its end; nothing before the first one."""

    @dg.job(name="refresh")
    def small() -> None:
        pass

    now = datetime.now(UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        assert alerts.silent(instance, now) == {}
        small.execute_in_process(instance=instance)
        assert alerts.silent(instance, now + timedelta(days=44)) == {}
        (event,) = alerts.silent(instance, now + timedelta(days=46)).values()
        assert "no refresh has finished" in event.title
