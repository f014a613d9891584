"""The command line: what it imports, how it stops, and which words of an error reach a person."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.cli import main
from sources.errors import ParseError
from tests.conftest import run_pulse
from tests.lazy import lazy
from warehouse.workspace import PROJECT, Workspace

dg = lazy("dagster")
resources = lazy("orchestration.defs.resources")
summary = lazy("orchestration.summary")

HEAVY = ("dagster", "dbt", "pandas")


@pytest.mark.parametrize("words", [["--help"], ["datasets"], ["releases"]])
def test_light_commands_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    """They answer at once."""
    program = textwrap.dedent(
        f"""
        import json, sys
        from orchestration.cli import main
        try:
            main({words!r})
        except SystemExit:
            pass
        print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={"PULSE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stderr.splitlines()[-1]) == []
    assert done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_command_says_so(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """Ctrl-C and TERM, sent to a process that waits in a command."""
    program = textwrap.dedent(
        """
        import time
        from orchestration.stopping import plain_errors
        with plain_errors():
            print("ready", flush=True)
            time.sleep(60)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"what was published is untouched" in error


@pytest.mark.slow
def test_the_advice_of_an_error_reaches_the_summary_whoever_wraps_it(tmp_path: Path) -> None:
    """Ours around another, and another around ours: both keep what to do."""

    @dg.op
    def outer() -> None:
        try:
            raise OSError("disk detail")
        except OSError as error:
            raise ParseError("the sheet is missing", todo="hand the file in again") from error

    @dg.op
    def inner() -> None:
        try:
            raise ParseError("the table is missing", todo="download the tables")
        except ParseError as error:
            raise RuntimeError("wrapped") from error

    @dg.job
    def small() -> None:
        outer()
        inner()

    result = small.execute_in_process(instance=dg.DagsterInstance.ephemeral(), raise_on_error=False)
    text = "\n".join(summary.failure_lines(Workspace(tmp_path), result))
    assert "What to do: hand the file in again" in text
    assert "What to do: download the tables" in text
    assert "ParseError" not in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "fault"),
    [("PULSE_KEEP_RUNS", "is not a number"), ("PULSE_MEMORY_LIMIT", "is not a size of memory")],
)
def test_a_setting_that_keeps_a_run_from_starting_is_named(
    setting: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv(setting, "many")

    @dg.op(required_resource_keys={"pulse"})
    def step() -> None:
        raise AssertionError("never reached")

    @dg.job(resource_defs={"pulse": resources.PulseResource()})
    def small() -> None:
        step()

    result = small.execute_in_process(instance=dg.DagsterInstance.ephemeral(), raise_on_error=False)
    assert not result.success
    text = "\n".join(summary.failure_lines(Workspace(tmp_path), result))
    assert f"before the first step: {setting} {fault}" in text
    assert f"What to do: set {setting}" in text


def test_doctor_names_what_is_wrong_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT / "dagster_home"))
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nowhere"))
    (tmp_path / "releases" / "0001").mkdir(parents=True)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "DAGSTER_HOME has no settings" in done.output
    assert "release 1 is altered" in done.output
    assert done.output.count("What to do") == 2


def test_a_dagster_home_without_settings_is_an_error(tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    home.mkdir()
    done = run_pulse(tmp_path, "refresh", "--offline", check=False, DAGSTER_HOME=str(home))
    assert done.returncode == 1
    assert "copy dagster_home/dagster.yaml there" in done.stderr


@pytest.mark.slow
def test_term_while_dbt_builds_ends_the_refresh_promptly(tmp_path: Path) -> None:
    """Nothing is published, and the first line of progress came at once."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copyfile(PROJECT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "orchestration.cli", "refresh", "--offline"],
        cwd=PROJECT,
        env={**os.environ, "PULSE_HOME": str(tmp_path), "DAGSTER_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "starting" in process.stdout.readline()
    first = time.monotonic() - began
    for line in process.stdout:
        if "nodes" in line:
            break
    process.send_signal(signal.SIGTERM)
    sent = time.monotonic()
    _, error = process.communicate(timeout=60)
    took = time.monotonic() - sent
    print(f"first line after {first:.1f} s, stopped after {took:.1f} s")
    assert process.returncode == 143, error
    assert "Stopped by TERM" in error
    assert "Traceback" not in error
    assert took < 10
    assert not Workspace(tmp_path).current_release.exists()


@pytest.mark.slow
def test_pages_are_not_written_over_others(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    done = CliRunner().invoke(main, ["site", "--to", str(tmp_path)])
    assert done.exit_code == 1
    assert f"{tmp_path / 'site'}: the folder exists already" in done.output
    assert "--to" in done.output
