"""The alert hook, against a server of its own on loopback; what fails in it breaks nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.defs import alerts
from orchestration.defs.alerts import Alert, AlertError, AlertSettings, alert, tell

EVENT = Alert("run_failed", "the run failed", "station: disk full", "1234")


@dataclass
class Receiver:
    """A server that keeps what it is sent and answers as it is told."""

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
    state.address = f"http://127.0.0.1:{server.server_port}/hook?token=secret"
    yield state
    server.shutdown()
    server.server_close()


def test_an_alert_reaches_the_webhook_and_the_log(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Both, with a link to the run."""
    settings = AlertSettings.from_env(
        {"PULSE_ALERT_WEBHOOK": receiver.address, "PULSE_PAGE": "https://pulse.example/"}
    )
    assert alert(EVENT, settings) is True
    (got,) = receiver.got
    assert got["path"] == "/hook?token=secret"
    assert got["kind"] == "run_failed"
    assert got["link"] == "https://pulse.example/runs/1234"
    assert got["text"].splitlines() == [
        "the run failed",
        "station: disk full",
        "https://pulse.example/runs/1234",
    ]
    assert "the run failed" in caplog.text
    assert "secret" not in caplog.text


def test_without_a_webhook_the_log_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    """The default asks for no setting."""
    assert alert(EVENT, AlertSettings.from_env({})) is True
    assert "station: disk full" in caplog.text


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_webhook_that_refuses_is_logged(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """No redirect is followed, nothing is raised, no secret is logged."""
    receiver.status = status
    receiver.headers = {"Location": receiver.address + "&again=1"}
    assert alert(EVENT, AlertSettings(receiver.address)) is False
    assert len(receiver.got) == 1
    assert f"status {status}" in caplog.text
    assert "secret" not in caplog.text


def test_a_webhook_that_is_not_there_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A closed port: told, not raised."""
    assert alert(EVENT, AlertSettings("http://127.0.0.1:9/hook?token=secret")) is False
    assert "did not reach 127.0.0.1" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/hook",
        "ftp://example.org/hook",
        "hook",
        "https://user:secret@example.org/",
        "https://exa mple.org/",
    ],
)
def test_an_address_that_is_not_safe_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The message says what to do; the hook falls back to the log."""
    with pytest.raises(AlertError, match="PULSE_ALERT_WEBHOOK") as told:
        AlertSettings.from_env({"PULSE_ALERT_WEBHOOK": address})
    assert "secret" not in str(told.value)
    monkeypatch.setenv("PULSE_ALERT_WEBHOOK", address)
    assert tell(EVENT) is False
    assert "the run failed" in caplog.text


def test_a_failed_run_is_told_once_with_its_job(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sensor, given a real failed run."""
    monkeypatch.setenv("PULSE_ALERT_WEBHOOK", receiver.address)

    @dg.op
    def station() -> None:
        raise ValueError("the disk is full")

    @dg.job
    def small() -> None:
        station()

    with dg.DagsterInstance.ephemeral() as instance:
        result = small.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_of_failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()
        alerts.tell_of_failed_runs(context)
    (got,) = receiver.got
    assert got["kind"] == "run_failed"
    assert "small" in got["title"]
    assert got["run_id"] == result.run_id


def test_red_checks_of_a_good_run_are_told_and_freshness_is_not(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused file stops nothing, and somebody hears of it; yellow and overdue go elsewhere."""
    monkeypatch.setenv("PULSE_ALERT_WEBHOOK", receiver.address)
    names = ("every_file_keeps_the_contract", "only_a_warning", alerts.FRESHNESS_CHECK, "all_well")

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
            sensor_name="tell_of_red_checks",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_success_event(),
        )
        alerts.tell_of_red_checks(context)
    (got,) = receiver.got
    assert got["details"] == "observed: every_file_keeps_the_contract"


def test_an_overdue_source_is_told_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the day it turns red, and not again on the next."""
    monkeypatch.setenv("PULSE_ALERT_WEBHOOK", receiver.address)
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    real = alerts.judge_freshness

    def late(pulse: Any, dataset: Any) -> Any:
        state = "overdue" if dataset.code == "dcms_community_life" else "ok"
        return replace(real(pulse, dataset), state=state)

    monkeypatch.setattr(alerts, "judge_freshness", late)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        alerts.tell_of_overdue_sources(context)
        assert [got["kind"] for got in receiver.got] == ["source_overdue"]
        assert "Community Life" in receiver.got[0]["title"]
        again = dg.build_sensor_context(instance=instance, cursor=context.cursor)
        alerts.tell_of_overdue_sources(again)
        assert len(receiver.got) == 1


def test_a_platform_that_has_gone_quiet_is_told() -> None:
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
        assert event.kind == "no_refresh"
