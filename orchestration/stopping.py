"""How a command ends early: our own errors, Ctrl-C and TERM each give one message and an exit code.

A stopped command exits as a shell expects, with 128 and the signal's number. A traceback is for our
own bugs.
"""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import click

from sources.errors import PulseError

BAD = 1
_code = 0
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "TERM"}


def _none() -> int | None:
    return None


_first: Callable[[], int | None] = _none


def stopped() -> bool:
    """Whether Ctrl-C or TERM came while this command ran."""
    return _first() is not None


def leave() -> None:
    """End this process at once, with the exit code of the command that was stopped."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_code)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _noting_signals() -> Iterator[Callable[[], int | None]]:
    """Note Ctrl-C and TERM, whoever handles them; yields a function that returns the first.

    Dagster puts handlers of its own in place while a job runs. The wake-up descriptor gets the number
    of every signal all the same.
    """
    global _first
    noted: list[int] = []
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        handler = signal.signal(signal.SIGTERM, _interrupt)

        def first() -> int | None:
            with contextlib.suppress(BlockingIOError):
                noted.extend(number for number in reader.recv(64) if number in _NAMES)
            return noted[0] if noted else None

        _first = first
        try:
            yield first
        finally:
            _first = _none
            signal.signal(signal.SIGTERM, handler)
            signal.set_wakeup_fd(descriptor)


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn an error of ours, Ctrl-C and TERM into one message and an exit code."""
    global _code
    with _noting_signals() as first:
        try:
            yield
        except (PulseError, KeyboardInterrupt) as end:
            number = first()
            if number is None and isinstance(end, PulseError):
                click.echo(f"\n{end}", err=True)
                raise SystemExit(BAD) from end
            number = number or signal.SIGINT
            name = _NAMES[signal.Signals(number)]
            click.echo(f"\nStopped by {name}; what was published is untouched.", err=True)
            _code = 128 + number
            raise SystemExit(_code) from None
