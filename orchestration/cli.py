"""The command line: ``pulse refresh``, ``pulse land`` and what a person asks of releases.

Every fault that a person can mend is told in one paragraph and ends with exit code 1; nothing
here computes a figure.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sources.errors import PulseError
from warehouse.workspace import PROJECT, SEEDS, Workspace

if TYPE_CHECKING:
    from sources.catalogue import Catalogue, Dataset, Edition
    from sources.landing import LandingStore, Unlanded

BAD = 1


@contextlib.contextmanager
def told_plainly() -> Iterator[None]:
    """Turn an error of ours into a message and an exit code; a traceback is for our own bugs."""
    try:
        yield
    except PulseError as error:
        click.echo(f"\n{error}", err=True)
        raise SystemExit(BAD) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pulse-barometers", prog_name="pulse")
def main() -> None:
    """Pulse: the 16 barometers of inclusive communities, from the published statistics."""


def _dagster_home() -> None:
    home = os.environ.setdefault("DAGSTER_HOME", str(PROJECT / "dagster_home"))
    if not (Path(home) / "dagster.yaml").exists():
        raise PulseError(
            "DAGSTER_HOME has no settings",
            code="no_dagster_home",
            file=home,
            expected="a folder with a dagster.yaml",
            todo="unset DAGSTER_HOME, or copy dagster_home/dagster.yaml there",
        )


@main.command()
@click.option("--offline", "mode", flag_value="offline", help="Do not ask any publisher.")
@click.option(
    "--only-publisher",
    "mode",
    flag_value="only_publisher",
    help="Use nothing but what publishers sent: no bundled figures.",
)
@click.option("--dry-run", is_flag=True, help="Build and check everything; publish nothing.")
def refresh(mode: str | None, dry_run: bool) -> None:
    """Build, check and publish everything."""
    with told_plainly():
        raise SystemExit(
            run_job(
                Workspace.from_environment(),
                "dry_run" if dry_run else "refresh",
                mode or "default",
            )
        )


@main.command()
@click.argument("dataset")
@click.argument("edition")
def backfill(dataset: str, edition: str) -> None:
    """Fetch one edition afresh from its publisher, then build, check and publish."""
    with told_plainly():
        workspace = Workspace.from_environment()
        _must_be_fetched(workspace, dataset, edition)
        from orchestration.defs.backfill import wanted

        code = run_job(
            workspace,
            "backfill",
            tags={"dagster/partition": f"{dataset}/{edition}"},
            config=wanted(dataset, edition),
            told=False,
        )
        raise SystemExit(code or run_job(workspace, "refresh", "offline"))


def _must_be_fetched(workspace: Workspace, dataset: str, edition: str) -> None:
    """The edition is known, and there is a publisher to fetch it from."""
    entry = _catalogue(workspace).dataset(dataset)
    entry.edition(edition)
    if entry.discovery is None:
        raise PulseError(
            "nothing is fetched for this dataset",
            code="not_fetched",
            dataset=dataset,
            edition=edition,
            todo=f"hand the file in: pulse land {dataset} {edition} <file>",
        )


@main.command()
@click.argument("number", type=int)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    help="Keep what was made in this new folder; else it is removed.",
)
def rebuild(number: int, folder: Path | None) -> None:
    """Make release NUMBER again from its manifest, and compare the content of the two."""
    import tempfile

    with told_plainly():
        workspace = Workspace.from_environment()
        if folder is None:
            with tempfile.TemporaryDirectory(prefix="pulse-rebuild-") as made:
                raise SystemExit(_rebuild(workspace, number, Path(made)))
        if folder.exists():
            raise PulseError(
                "the folder exists already",
                code="folder_taken",
                file=str(folder),
                todo="name one that does not exist",
            )
        raise SystemExit(_rebuild(workspace, number, folder.resolve()))


def _rebuild(workspace: Workspace, number: int, root: Path) -> int:
    from orchestration.defs.resources import locked
    from warehouse.rebuild import compare, prepare

    with locked(workspace, 60):
        scratch, manifest = prepare(workspace, number, root)
    record = workspace.releases / manifest.folder_name
    code = run_job(scratch, "refresh", manifest.source_mode, rebuild=str(record), told=False)
    if code:
        return code
    found = compare(manifest, scratch.releases / manifest.folder_name)
    if found.same:
        click.echo(
            f"release {number} can be made again: {found.compared} of {found.compared} tables and "
            "files have the same content"
        )
        return 0
    click.echo(f"release {number} made again differs in {len(found.different)}:")
    for name in found.different:
        click.echo(f"  {name}")
    for library in found.other_libraries:
        click.echo(f"made with   {library}")
    return BAD


def run_job(
    workspace: Workspace,
    job_name: str,
    mode: str = "default",
    *,
    rebuild: str = "",
    config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    told: bool = True,
) -> int:
    """Run a job in this process and tell how it went; returns the exit code.

    Args:
        mode: how the publishers are treated, as `PulseResource` names it.
        rebuild: the folder of the release that is made again.
        config: of the run, where the job asks for one.
        tags: of the run, besides who started it and how.
        told: whether the summary is printed when all went well.
    """
    _dagster_home()
    started = time.monotonic()
    terminal = sys.stdout

    def tell(line: str) -> None:
        terminal.write(f"{time.monotonic() - started:6.1f} s  {line}\n")
        terminal.flush()

    what = "rebuild" if rebuild else job_name.replace("_", " ")
    tell(f"starting    {what} in {workspace.root} ({mode})")
    import dagster as dg
    import sqlalchemy.exc

    from orchestration.definitions import defs
    from orchestration.defs.resources import PulseResource, tell_progress_to
    from orchestration.summary import failure_lines, summary_lines

    tell_progress_to(tell)
    quiet = io.StringIO()
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            job = defs().resolve_job_def(job_name)
            with dg.DagsterInstance.get() as instance:
                result = job.execute_in_process(
                    instance=instance,
                    raise_on_error=False,
                    resources={
                        "pulse": PulseResource(
                            root=str(workspace.root),
                            source_mode=mode,
                            rebuild=rebuild,
                        )
                    },
                    run_config={
                        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                        **(config or {}),
                    },
                    tags={
                        "pulse/started_by": "command line",
                        "pulse/mode": mode,
                        **(tags or {}),
                    },
                )
                if not result.success:
                    lines = failure_lines(workspace, result)
                elif job_name == "dry_run":
                    lines = ["Everything was built and checked; nothing was published."]
                else:
                    lines = summary_lines(workspace, result) if told else []
    except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        # What a station cannot write is told by the station; this is the run's own record.
        raise PulseError(
            "the record of the run cannot be kept; what was published stays as it was",
            code="no_record",
            file=os.environ["DAGSTER_HOME"],
            found=str(error).splitlines()[0],
            todo="free space or mend the permissions of DAGSTER_HOME, then refresh again",
        ) from error
    except Exception as error:
        # What a station says while it is loaded is wrapped by the loader.
        ours = _ours_in(error)
        if ours is None:
            raise
        raise ours from error
    finally:
        tell_progress_to(lambda _: None)
    tell("finished    " + ("all of it" if result.success else "with errors: NOT published"))
    if told or not result.success:
        click.echo("\n" + "\n".join(lines))
    return 0 if result.success else BAD


def _ours_in(error: BaseException) -> PulseError | None:
    """The fault of ours that another error was raised for, if there is one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PulseError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


@main.command()
@click.argument("dataset")
@click.argument("edition")
@click.argument("file", type=click.Path(path_type=Path))
def land(dataset: str, edition: str, file: Path) -> None:
    """Land a FILE that you downloaded by hand; the next refresh uses it."""
    from sources.areas import AreaBook
    from sources.arrival import hand_in

    with told_plainly():
        workspace = Workspace.from_environment()
        entry = _catalogue(workspace).dataset(dataset)
        lines = hand_in(
            entry,
            entry.edition(edition),
            file,
            _store(workspace),
            AreaBook.from_seeds(SEEDS),
            now=datetime.now(UTC),
        )
        click.echo("\n".join(lines))


@main.command()
@click.argument("dataset")
@click.argument("edition")
@click.argument("revision")
@click.option("--why", required=True, help="The reason, which is kept with the file.")
def unland(dataset: str, edition: str, revision: str, why: str) -> None:
    """Take a landed or refused REVISION out of use; the file is kept, with who, when and why."""
    import getpass

    with told_plainly():
        workspace = Workspace.from_environment()
        entry = _catalogue(workspace).dataset(dataset)
        store = _store(workspace)
        taken = store.unland(
            entry.code,
            entry.edition(edition).edition,
            revision,
            who=getpass.getuser(),
            why=why,
            now=datetime.now(UTC),
        )
        click.echo(f"{taken.file_name}, revision {taken.revision}, is no longer used; it is kept")
        left = store.revisions(dataset, edition)
        if left:
            click.echo(f"the next refresh uses {left[0].file_name}, revision {left[0].revision}")


@main.command()
def datasets() -> None:
    """List the datasets, their editions, and every file of each: in use, refused or not used."""
    with told_plainly():
        workspace = Workspace.from_environment()
        store = _store(workspace)
        for entry in _catalogue(workspace).datasets.values():
            click.echo(f"{entry.code}  {entry.title} ({entry.publisher_short})")
            for edition in entry.editions:
                first, *others = _held_lines(store, entry, edition)
                click.echo(f"    {edition.edition:<10} {first}")
                for line in others:
                    click.echo(f"    {'':<10} {line}")


def _held_lines(store: LandingStore, dataset: Dataset, edition: Edition) -> list[str]:
    """One line per file of an edition, the one in use first."""
    from sources.catalogue import bundled_path

    refused = store.quarantined(dataset.code, edition.edition)
    unreadable = {each.sha256 for each in refused}
    lines, marked = [], []
    in_use = False
    for landed in store.revisions(dataset.code, edition.edition, unlanded=True):
        name = f"{landed.revision} {landed.file_name}, {landed.received_at:%Y-%m-%d}"
        if landed.unlanded is not None:
            marked.append(f"not used {name}: {_mark(landed.unlanded)}")
        elif landed.sha256 not in unreadable:
            lines.append(f"{'older' if in_use else 'in use':<8} {name}")
            in_use = True
    if bundled_path(dataset, edition).is_file():
        lines.append(f"{'older' if in_use else 'in use':<8} the copy that ships with Pulse")
    for each in refused:
        name = f"{each.revision} {each.file_name}, {each.retrieved_at:%Y-%m-%d}"
        if each.unlanded is None:
            lines.append(f"refused  {name}: {each.reasons[0]}")
        else:
            marked.append(f"refused  {name}, set aside: {_mark(each.unlanded)}")
    return [*lines, *marked] or ["nothing held"]


def _mark(unlanded: Unlanded) -> str:
    return f"{unlanded.who}, {unlanded.when:%Y-%m-%d}: {unlanded.why}"


def _catalogue(workspace: Workspace) -> Catalogue:
    """What is declared, with the editions that were noticed since."""
    from sources.catalogue import load_catalogue
    from sources.editions import NoticedEditions

    return NoticedEditions(workspace.landing).extend(load_catalogue())


def _store(workspace: Workspace) -> LandingStore:
    from sources.landing import LandingStore

    return LandingStore(workspace.landing, workspace.quarantine)


@main.command()
def releases() -> None:
    """List the releases and their state; the one that readers see is marked."""
    from warehouse.release import count_checks, release_states

    with told_plainly():
        found = release_states(Workspace.from_environment())
        if not found:
            click.echo("no release yet: run `make refresh`")
        for number, manifest, state, is_current in found:
            mark = "*" if is_current else " "
            about = (
                f"{manifest.made_at[:19]}  {sum(manifest.tables.values())} rows, "
                f"checks: {count_checks(manifest.checks)}, "
                f"content {manifest.content_sha256[:12]}, code {manifest.code_version}"
                if manifest
                else ""
            )
            click.echo(f"{mark} {number:>4}  {state}  {about}".rstrip())


@main.command()
@click.argument("number", type=int)
def rollback(number: int) -> None:
    """Let readers see release NUMBER again, once its files are what its manifest says."""
    from orchestration.defs.resources import locked
    from warehouse.release import restore

    with told_plainly():
        workspace = Workspace.from_environment()
        with locked(workspace, 60):
            manifest = restore(workspace, number)
        click.echo(f"release {manifest.number} of {manifest.made_at[:19]} is what readers see now")


@main.command()
@click.argument("earlier", type=int)
@click.argument("later", type=int)
@click.option("--limit", default=40, show_default=True, help="How many figures to list.")
def diff(earlier: int, later: int, limit: int) -> None:
    """Say which figures changed between two releases, and why."""
    from warehouse.differences import difference_lines

    with told_plainly():
        for line in difference_lines(Workspace.from_environment(), earlier, later, limit=limit):
            click.echo(line)


@main.command()
@click.option("--area", required=True, help="GSS code of a combined authority, e.g. E47000001.")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True)
def site(area: str, folder: Path) -> None:
    """Write the pages and pictures of the published release for another combined authority."""
    from warehouse.connection import reading
    from warehouse.writers.site import read_region, write_figures, write_site

    with told_plainly(), reading(Workspace.from_environment().warehouse_file) as connection:
        region = read_region(connection, area)
        made = [*write_site(region, folder), *write_figures(region, folder)]
        click.echo(f"{len(made)} files; open {folder / 'site' / 'index.html'}")


if __name__ == "__main__":
    main()
