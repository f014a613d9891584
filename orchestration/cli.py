"""The command line: ``pulse refresh``, ``pulse land`` and what a person asks of releases.

Nothing here computes a figure. Commands import what they need when they run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration.runs import run_job
from orchestration.stopping import BAD, plain_errors
from sources.errors import PulseError
from warehouse.workspace import SEEDS, Workspace

if TYPE_CHECKING:
    from sources.catalogue import Dataset, Edition
    from sources.landing import LandingStore


class _Plain(click.Group):
    """Commands whose errors, and whose early end, are one message and an exit code."""

    def invoke(self, ctx: click.Context) -> None:
        """Run the command that was named."""
        with plain_errors():
            super().invoke(ctx)


@click.group(
    cls=_Plain, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="pulse-barometers", prog_name="pulse")
def main() -> None:
    """Pulse: the 16 barometers of inclusive communities, from the published statistics."""


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
    job = "dry_run" if dry_run else "refresh"
    raise SystemExit(run_job(Workspace.from_environment(), job, mode or "default"))


@main.command()
@click.argument("dataset")
@click.argument("edition")
def backfill(dataset: str, edition: str) -> None:
    """Fetch one edition afresh from its publisher, then build, check and publish."""
    workspace = Workspace.from_environment()
    entry = workspace.catalogue.dataset(dataset)
    entry.edition(edition)
    if entry.discovery is None:
        raise PulseError(
            "nothing is fetched for this dataset",
            code="not_fetched",
            dataset=dataset,
            edition=edition,
            todo=f"hand the file in: pulse land {dataset} {edition} <file>",
        )
    partition = {"dagster/partition": f"{dataset}/{edition}"}
    code = run_job(workspace, "backfill", tags=partition, summary=False)
    raise SystemExit(code or run_job(workspace, "refresh", "offline"))


def _refuse_taken(folder: Path) -> None:
    if folder.exists():
        raise PulseError(
            "the folder exists already",
            code="folder_taken",
            file=str(folder),
            todo="name another folder with --to, or remove this one",
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

    from orchestration.lock import locked
    from warehouse.rebuild import compare, prepare

    if folder is not None:
        _refuse_taken(folder)
    workspace = Workspace.from_environment()
    with tempfile.TemporaryDirectory(prefix="pulse-rebuild-") as made:
        with locked(workspace, 60):
            scratch, manifest = prepare(workspace, number, (folder or Path(made)).resolve())
        record = workspace.releases / manifest.folder_name
        code = run_job(scratch, "refresh", manifest.source_mode, rebuild=str(record), summary=False)
        if code:
            raise SystemExit(code)
        found = compare(manifest, scratch.releases / manifest.folder_name)
    if not found.different:
        click.echo(
            f"release {number} can be made again: {found.compared} of {found.compared} tables and "
            "files have the same content"
        )
        return
    click.echo(f"release {number} made again differs in {len(found.different)}:")
    for name in found.different:
        click.echo(f"  {name}")
    for library in found.other_libraries:
        click.echo(f"made with   {library}")
    raise SystemExit(BAD)


@main.command()
@click.argument("dataset")
@click.argument("edition")
# An unreadable file gets our own message, which names the dataset and what to do.
@click.argument("file", type=click.Path(path_type=Path, readable=False))
def land(dataset: str, edition: str, file: Path) -> None:
    """Land a FILE that you downloaded by hand; the next refresh uses it."""
    from sources.areas import AreaBook
    from sources.arrival import hand_in

    workspace = Workspace.from_environment()
    entry = workspace.catalogue.dataset(dataset)
    lines = hand_in(
        entry,
        entry.edition(edition),
        file,
        workspace.store,
        AreaBook.from_seeds(SEEDS),
        now=datetime.now(UTC),
    )
    click.echo("\n".join(lines))


@main.command("evidence-form")
@click.argument("file", type=click.Path(path_type=Path))
def evidence_form(file: Path) -> None:
    """Write the blank form for initiatives and evidence (XLSX) to FILE."""
    from sources.evidence.form import blank_form
    from sources.evidence.model import Lists
    from sources.landing import replace_file

    replace_file(file, blank_form(Lists.from_seeds(SEEDS)), read_only=False)
    click.echo(f"{file}: fill it in, then pulse land-evidence {file}")


@main.command("land-evidence")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
def land_evidence(file: Path) -> None:
    """Hand in a filled-in form, or YAML, with initiatives and evidence."""
    from sources.evidence.register import RegisterError
    from sources.inbox import hand_in_entries

    try:
        entries = hand_in_entries(file, Workspace.from_environment().inbox, SEEDS)
    except RegisterError as error:
        for fault in error.faults:
            click.echo(f"{fault}\n", err=True)
        click.echo(f"{len(error.faults)} faults; nothing was taken from {file.name}", err=True)
        raise SystemExit(BAD) from error
    click.echo(
        f"{file.name}: {len(entries.initiatives)} initiatives and {len(entries.evidence)} "
        "evidence items; the next refresh publishes them"
    )


@main.command("land-survey")
@click.argument("folder", type=click.Path(path_type=Path))
def land_survey(folder: Path) -> None:
    """Hand in a FOLDER with the results of a local survey, or with its answers.

    Answers (respondents.csv) become percentages first; nothing else is taken from them.
    """
    from sources.inbox import hand_in_survey

    results = hand_in_survey(folder, Workspace.from_environment().inbox, SEEDS)
    withheld = int(results.rows["value"].isna().sum())
    click.echo(
        f"{results.survey.title}: {len(results.rows)} percentages, {withheld} of them withheld "
        "for few answers; the next refresh shows them beside the barometers"
    )


@main.command()
@click.argument("dataset")
@click.argument("edition")
@click.argument("revision")
@click.option("--why", required=True, help="The reason, which is kept with the file.")
def unland(dataset: str, edition: str, revision: str, why: str) -> None:
    """Take a landed or refused REVISION out of use; the file is kept, with who, when and why."""
    import getpass

    workspace = Workspace.from_environment()
    entry = workspace.catalogue.dataset(dataset)
    store = workspace.store
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
    workspace = Workspace.from_environment()
    for entry in workspace.catalogue.datasets.values():
        click.echo(f"{entry.code}  {entry.title} ({entry.publisher_short})")
        for edition in entry.editions:
            first, *others = _held_lines(workspace.store, entry, edition)
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
            marked.append(f"not used {name}: {landed.unlanded}")
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
            marked.append(f"refused  {name}, set aside: {each.unlanded}")
    return [*lines, *marked] or ["nothing held"]


@main.command()
def releases() -> None:
    """List the releases and their state; the one that readers see is marked."""
    from warehouse.release import count_checks, release_states

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
def doctor() -> None:
    """Say what the workspace and the Dagster home hold, what is wrong and how to fix it."""
    from orchestration.doctor import findings, state

    workspace = Workspace.from_environment()
    for line in state(workspace):
        click.echo(line)
    found = findings(workspace)
    for finding in found:
        click.echo(str(finding))
    click.echo(f"{len(found)} things to fix" if found else "nothing is wrong")
    raise SystemExit(BAD if found else 0)


@main.command()
@click.argument("number", type=int)
def rollback(number: int) -> None:
    """Let readers see release NUMBER again, once its files are what its manifest says."""
    from orchestration.lock import locked
    from warehouse.release import restore

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

    for line in difference_lines(Workspace.from_environment(), earlier, later, limit=limit):
        click.echo(line)


@main.command()
@click.option("--area", help="GSS code of a combined authority, e.g. E47000001.")
@click.option("--framework", help="Framework of goals; that of the report unless given.")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True)
def site(area: str | None, framework: str | None, folder: Path) -> None:
    """Write the pages of the published release for another combined authority or framework."""
    from warehouse.connection import reading
    from warehouse.writers import METHODS
    from warehouse.writers.read import read_model
    from warehouse.writers.site import write_site

    _refuse_taken(folder / "site")
    with reading(Workspace.from_environment().warehouse_file) as connection:
        write_site(read_model(connection, area, framework), folder, methods=METHODS)
        click.echo(f"open {folder / 'site' / 'index.html'}")


@main.command()
@click.argument("codes", nargs=-1, required=True)
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path(), show_default=True)
def briefing(codes: tuple[str, ...], folder: Path) -> None:
    """Write two printed pages (PDF) about each area, by its GSS code."""
    from warehouse.connection import reading
    from warehouse.writers.briefing import write_briefings
    from warehouse.writers.read import read_model

    with reading(Workspace.from_environment().warehouse_file) as connection:
        for path in write_briefings(read_model(connection), folder, codes):
            click.echo(str(path))


@main.command()
@click.option("--port", default=3000, show_default=True)
def ui(port: int) -> None:
    """Open the Dagster page on this computer, with its schedules and sensors."""
    from orchestration.page import serve_with_daemon
    from orchestration.runs import dagster_home

    dagster_home()
    click.echo(f"http://127.0.0.1:{port} once it has started (Ctrl-C stops)")
    serve_with_daemon(port)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Serve the published pages, on this computer unless another host is named."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    folder = Workspace.from_environment().exports / "site"
    if not (folder / "index.html").exists():
        raise PulseError(
            "no pages are published yet",
            code="no_pages",
            file=str(folder),
            todo="run `make refresh` first",
        )
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer((host, port), handler) as server:
        click.echo(f"http://{host}:{port}/index.html (Ctrl-C stops)")
        server.serve_forever()


if __name__ == "__main__":
    main()
