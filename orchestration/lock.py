"""The one lock of a workspace: runs from the command line and from the page queue, never collide."""

import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from warehouse.workspace import Workspace, WorkspaceError

LOG = logging.getLogger(__name__)


@contextmanager
def locked(
    workspace: Workspace,
    seconds: float,
    *,
    holder: str = "",
    say: Callable[[str], object] = LOG.info,
) -> Iterator[str]:
    """Hold the one lock of a workspace; wait for it at most ``seconds``.

    The lock is the kernel's: a killed run gives it up by dying. Its ``holder`` is then still in the
    file, and is what is yielded; after an orderly end that is the empty text. Raises WorkspaceError
    when another run still holds it.
    """
    try:
        workspace.builds.mkdir(parents=True, exist_ok=True)
        stream = workspace.lock_file.open("a+")
    except OSError as error:
        raise WorkspaceError(
            "the workspace cannot be written",
            code="unwritable_workspace",
            file=str(workspace.builds),
            found=error.strerror,
            todo="fix the folder's permissions, or set PULSE_HOME to a folder of your own",
        ) from error
    with stream:
        deadline = time.monotonic() + seconds
        waits = False
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise WorkspaceError(
                        "another refresh of this workspace is still running",
                        code="busy",
                        file=str(workspace.lock_file),
                        todo="wait for it, or look at it in the Dagster page under Runs",
                    ) from None
                if not waits:
                    say("waiting     another refresh is running; this one is next")
                    waits = True
                time.sleep(0.2)
        stream.seek(0)
        killed = stream.read().strip()
        _note(stream, holder)
        try:
            yield killed
        finally:
            _note(stream, "")


def _note(stream: TextIO, holder: str) -> None:
    """Say in the lock's file who holds it. A note that cannot be kept costs no run."""
    with suppress(OSError):
        stream.truncate(0)
        stream.write(holder)
        stream.flush()
