"""What the terminal says of a refresh that stopped, and how verdicts are counted."""

from __future__ import annotations

import time

import pytest

from tests.lazy import lazy
from warehouse.release import count_checks

pytestmark = pytest.mark.slow

dg = lazy("dagster")
errors = lazy("dagster._utils.error")
publish = lazy("orchestration.defs.publish")
progress = lazy("orchestration.progress")
runs = lazy("orchestration.runs")
summary = lazy("orchestration.summary")


@pytest.mark.parametrize(
    ("message", "kind", "words"),
    [
        (
            "warehouse.workspace.WorkspaceError: file x: cannot be read.\n",
            "WorkspaceError",
            "file x: cannot be read.",
        ),
        (
            "dagster._core.definitions.events.Failure: dbt build failed: see above",
            "Failure",
            "dbt build failed: see above",
        ),
        ("KeyError: 'value'", "KeyError", "KeyError: 'value'"),
    ],
)
def test_an_error_for_people_is_printed_without_its_class(
    message: str, kind: str, words: str
) -> None:
    inner = errors.SerializableErrorInfo(message, [], kind)
    outer = errors.SerializableErrorInfo(
        "Error: step x", [], "DagsterExecutionStepExecutionError", inner
    )
    assert summary._words(outer) == words


def test_only_a_failed_check_of_severity_error_is_red() -> None:
    verdicts = [
        dg.AssetCheckEvaluation(
            dg.AssetKey("a"), "check", passed=passed, metadata={}, severity=severity
        )
        for severity in dg.AssetCheckSeverity
        for passed in (True, False)
    ]
    assert sorted(map(publish.outcome, verdicts)) == ["passed", "passed", "red", "warning"]
    checks = [{"outcome": word} for word in ("passed", "note", "warning", "warning", "red")]
    assert str(count_checks(checks)) == "2 passed, 1 red, 2 warnings"
    assert str(count_checks(checks[:2])) == "2 passed, 0 red"


def test_progress_prints_what_our_code_logs_and_nothing_of_dagster(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def station(context) -> None:  # type: ignore[no-untyped-def]
        context.log.info("observed    x", extra=progress.OURS)
        context.log.info("Skipping step y")

    @dg.job(logger_defs={"console": progress.progress_logger})
    def one() -> None:
        station()

    assert one.execute_in_process(run_config={"loggers": {"console": {}}}).success
    printed = capsys.readouterr().out
    assert "observed    x" in printed
    assert "Skipping" not in printed


def test_a_step_that_takes_long_is_not_silent(capsys: pytest.CaptureFixture[str]) -> None:
    runs.line(0, "starting")
    with runs.never_silent(time.monotonic(), seconds=0.2):
        time.sleep(0.7)
    printed = capsys.readouterr().out.splitlines()
    assert 1 <= len(printed) <= 4
    assert "still at the step above" in printed[0]
