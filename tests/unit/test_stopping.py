"""A stopped command says so in one line and exits as a shell expects."""

from __future__ import annotations

import os
import signal

import click
import pytest
from click.testing import CliRunner

from orchestration.cli import main
from orchestration.stopping import StoppableGroup


@click.group(cls=StoppableGroup)
def group() -> None:
    """Commands of the test."""


@group.command()
@click.argument("number", type=int)
def stopped(number: int) -> None:
    """Stopped in the middle."""
    os.kill(os.getpid(), number)
    raise AssertionError("the signal was not handled")


@group.command()
def swallowed() -> None:
    """The job's own handler took the signal, and the job failed."""
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, handler)
    raise SystemExit(1)


@group.command()
def failed() -> None:
    """Failed by itself."""
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (["stopped", str(int(signal.SIGINT))], 130, "Ctrl-C"),
        (["stopped", str(int(signal.SIGTERM))], 143, "TERM"),
        (["swallowed"], 143, "TERM"),
    ],
)
def test_a_stopped_command_says_so_in_one_line(arguments: list[str], code: int, name: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    done = CliRunner().invoke(group, arguments)
    assert done.exit_code == code
    assert done.output.strip() == f"Stopped by {name}; what was published is untouched."
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_end_stays_as_it_was() -> None:
    assert CliRunner().invoke(group, ["failed"]).exit_code == 1


def test_every_command_can_be_stopped() -> None:
    assert isinstance(main, StoppableGroup)
