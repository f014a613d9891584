"""Ctrl-C and TERM: one line, and the exit code that a shell expects (128 and the signal's number)."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import click

_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "TERM"}


def _none() -> int | None:
    return None


_first: Callable[[], int | None] = _none


def stopped() -> bool:
    """Whether Ctrl-C or TERM came while this command ran."""
    return _first() is not None


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def noting_signals() -> Iterator[Callable[[], int | None]]:
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


class StoppableGroup(click.Group):
    """A group of commands that a person or a service manager may stop at any time."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a stopped one ends with one line."""
        with noting_signals() as first:
            try:
                return super().invoke(ctx)
            except (KeyboardInterrupt, SystemExit) as end:
                number = first()
                if number is None or (isinstance(end, SystemExit) and not end.code):
                    raise
                click.echo(
                    f"\nStopped by {_NAMES[signal.Signals(number)]}; what was published is untouched.",
                    err=True,
                )
                raise SystemExit(128 + number) from None
