"""A stopped command says so in one line and exits as a shell expects."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from orchestration.stopping import plain_errors, stopped
from sources.errors import PulseError
from warehouse.workspace import PROJECT


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _swallowed() -> None:
    """The job's own handler took the signal, and the job ended with an error."""
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, handler)
    assert stopped()
    raise PulseError("dbt could not go on")


@pytest.mark.parametrize(
    ("act", "code", "name"),
    [(_interrupt, 130, "Ctrl-C"), (_terminate, 143, "TERM"), (_swallowed, 143, "TERM")],
)
def test_a_stopped_command_says_so_in_one_line(
    act: Callable[[], None], code: int, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end, plain_errors():
        act()
    assert end.value.code == code
    assert capsys.readouterr().err.strip() == f"Stopped by {name}; what was published is untouched."
    assert signal.getsignal(signal.SIGTERM) is before
    assert not stopped()


def test_another_end_stays_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, plain_errors():
        raise SystemExit(7)
    assert end.value.code == 7
    with pytest.raises(SystemExit) as end, plain_errors():
        raise PulseError("the file is missing", todo="hand it in")
    assert end.value.code == 1
    assert "What to do: hand it in." in capsys.readouterr().err


def test_a_stopped_command_leaves_at_once_with_its_code() -> None:
    program = textwrap.dedent(
        """
        import atexit, os, signal
        from orchestration.stopping import leave, plain_errors
        atexit.register(leave)
        with plain_errors():
            os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    assert (
        subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=False).returncode == 143
    )
