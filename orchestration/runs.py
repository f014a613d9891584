"""A job run from the command line, in this process: the same jobs that the page and schedules run."""

import contextlib
import gc
import logging
import os
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from orchestration.stopping import BAD, stopped
from sources.errors import PulseError
from warehouse.workspace import PROJECT, Workspace

_QUIET_SECONDS = 8.0
_spoken = 0.0


def line(seconds: float, words: str) -> str:
    """One line of progress."""
    global _spoken
    _spoken = time.monotonic()
    return f"{seconds:6.1f} s  {words}"


@contextlib.contextmanager
def never_silent(began: float, seconds: float = _QUIET_SECONDS) -> Iterator[None]:
    """Print that the run goes on whenever nothing else was printed for some seconds."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(max(0.1, _spoken + seconds - time.monotonic())):
            if time.monotonic() - _spoken >= seconds:
                click.echo(line(time.monotonic() - began, "working     still at the step above"))

    watcher = threading.Thread(target=watch, name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def dagster_home() -> Path:
    """The folder of the Dagster instance, set in the environment where it was not.

    Raises PulseError when it has no settings.
    """
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(PROJECT / "dagster_home")))
    if not (home / "dagster.yaml").exists():
        raise PulseError(
            "DAGSTER_HOME has no settings",
            code="no_dagster_home",
            file=str(home),
            expected="a folder with a dagster.yaml",
            todo="unset DAGSTER_HOME, or copy dagster_home/dagster.yaml there",
        )
    return home


def run_job(
    workspace: Workspace,
    job_name: str,
    mode: str = "default",
    *,
    rebuild: str = "",
    tags: Mapping[str, str] | None = None,
    summary: bool = True,
) -> int:
    """Run a job in this process and print how it went; returns the exit code.

    ``PULSE_HOME`` of this process names the ``workspace`` from now on. ``mode``: how the publishers are
    treated, as `PulseResource` names it; ``rebuild``: the folder of the release that is made again;
    ``summary``: whether one is printed when all went well. Raises PulseError when the run could not
    start, or its record could not be kept.
    """
    began = time.monotonic()
    # What a run makes lasts as long as the run: looking for garbage in it costs a tenth of its time.
    gc.set_threshold(200_000, 20, 20)
    dagster_home()
    os.environ["PULSE_HOME"] = str(workspace.root)
    os.environ["PULSE_REBUILD"] = rebuild
    what = "rebuild" if rebuild else job_name.replace("_", " ")
    click.echo(line(0, f"starting    {what} in {workspace.root} ({mode})"))
    with never_silent(began):
        import dagster as dg
        import sqlalchemy.exc

        warnings.simplefilter("ignore")
        from orchestration.definitions import defs
        from orchestration.summary import failure_lines, summary_lines

        try:
            job = defs().resolve_job_def(job_name)
            click.echo(line(time.monotonic() - began, "loaded      the definitions"))
            gc.freeze()
            with dg.DagsterInstance.get() as instance:
                # Its warnings repeat in other words what our own lines say.
                for name in ("dagster", "dagster._core.execution.plan.active"):
                    logging.getLogger(name).setLevel(logging.CRITICAL)
                result = job.execute_in_process(
                    instance=instance,
                    raise_on_error=False,
                    run_config={
                        "resources": {"pulse": {"config": {"source_mode": mode}}},
                        "loggers": {"console": {}},
                    },
                    tags={"pulse/by": "command line", "pulse/mode": mode, **(tags or {})},
                )
                if not result.success:
                    if stopped():
                        raise KeyboardInterrupt
                    lines = failure_lines(workspace, result)
                elif not summary:
                    lines = []
                elif job_name == "dry_run":
                    lines = ["Everything was built and checked; nothing was published."]
                else:
                    lines = summary_lines(workspace, result)
        except dg.DagsterExecutionInterruptedError as error:
            raise KeyboardInterrupt from error
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            raise PulseError(
                "the record of the run cannot be kept; what was published stays as it was",
                code="no_record",
                file=str(dagster_home()),
                found=str(error).splitlines()[0],
                todo="free space or fix the permissions of DAGSTER_HOME, then refresh again",
            ) from error
        except Exception as error:
            # What a station raises while it is loaded is wrapped by the loader.
            ours = cause_of(error)
            if ours is None:
                raise
            raise ours from error
    outcome = "all of it" if result.success else "with errors: NOT published"
    click.echo(line(time.monotonic() - began, f"finished    {outcome}"))
    if lines:
        click.echo("\n" + "\n".join(lines))
    return 0 if result.success else BAD


def cause_of(error: BaseException) -> PulseError | None:
    """Our own error that another one was raised for, if there is one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PulseError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
