"""The summary of a refresh in the terminal.

Everything here is read from the release that was just published, or, where none was, from the
run's own events.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import dagster as dg

from orchestration.defs.publish import outcome
from orchestration.defs.transform import UNCHANGED
from sources.errors import PulseError
from warehouse.connection import reading
from warehouse.release import count_checks, current_release
from warehouse.workspace import Workspace

_WIDTH = 100


def summary_lines(workspace: Workspace, result: dg.ExecuteInProcessResult) -> list[str]:
    """What was used, how many figures, what has none and why, every check's verdict, where it is."""
    manifest = current_release(workspace)
    run = result.dagster_run
    if UNCHANGED in run.tags and manifest is not None:
        return [
            "",
            f"Nothing changed: release {manifest.number} of {manifest.made_at[:19]} is current.",
        ]
    lines = _heading("What was used")
    with reading(workspace.warehouse_file) as connection:
        ask = connection.execute
        for dataset, edition, origin, revision, figures, message in ask(
            "select dataset, edition, coalesce(origin, 'nothing held'), coalesce(revision, ''), "
            "figures, publisher_message from meta.editions order by 1, 2"
        ).fetchall():
            lines.append(f"  {dataset:<30}{edition:<11}{origin:<14}{revision:<14}{figures:>6} rows")
            if message:
                lines += _wrapped(f"    {message}")
        refused = ask(
            "select dataset, edition, refusals from meta.editions where files_refused > 0 "
            "order by 1, 2"
        ).fetchall()
        if refused:
            lines += _heading("Refused; what is used instead is listed above")
            lines += [f"  {dataset} {edition}: {why}" for dataset, edition, why in refused]

        lines += _heading("Figures in the barometers")
        for origin, count in ask(
            "select coalesce(origin, 'none'), count(*) from marts.barometers "
            "where value is not null group by 1 order by 2 desc"
        ).fetchall():
            lines.append(f"  {origin:<14}{count:>7}")
        lead, name = ask("select min(area_code), min(area_name) from marts.pulse").fetchall()[0]
        lines += _heading(f"{name} ({lead}) and its members, latest edition of each barometer")
        for title, held, cells in ask(
            "select goal_id || ': ' || barometer_id, count(value), count(*) from marts.barometers "
            "where is_latest and (area_code = $lead or area_code in "
            "(select area_code from marts.authority_profiles where combined_authority_code = $lead)) "
            "group by 1 order by 1",
            {"lead": lead},
        ).fetchall():
            lines.append(f"  {title:<46}{held} of {cells} areas have a figure")

        lines += _heading("What has no figure, and why (all areas and editions)")
        for status, cells, reason in ask(
            "select status, sum(cells), case status "
            "when 'not_applicable' then 'An index is never averaged and has no value of its own "
            "for England, regions, combined authorities and districts of a county.' "
            "when 'not_available' then 'The publisher has no figures at that level: ' "
            "|| string_agg(distinct dataset || ' ' || edition, ', ' order by dataset || ' ' || edition) "
            "when 'not_held' then any_value(how) else 'See meta.gaps.' end "
            "from (select gap_reasons.*, case status when 'not_held' then 'Published, and not held here. ' "
            "|| editions.how_to_obtain end as how from meta.gap_reasons as gap_reasons "
            "inner join meta.editions as editions using (dataset, edition)) "
            "group by status, case when status = 'not_held' then dataset || edition end "
            "order by 2 desc"
        ).fetchall():
            lines += _wrapped(f"{cells:>6} cells  {status}: {reason}")

    lines += _heading("Checks")
    checks = manifest.checks if manifest else []
    for kind, words in (
        ("contract", "contracts of the inputs"),
        ("test", "tests of the models"),
        ("gate", "rules of the gate"),
    ):
        mine = [c for c in checks if c["kind"] == kind]
        lines.append(f"  {words:<26}{count_checks(mine)}")
        lines += [
            f"      {c['outcome']} {c['subject']}: {c['check_name']}: {c['message']}"
            for c in mine
            if c["outcome"] in ("red", "warning")
        ]
    if manifest:
        lines += _heading(f"Release {manifest.number}")
        lines.append(f"  warehouse   {workspace.warehouse_file}")
        lines.append(f"  exports     {workspace.exports}")
        lines.append("  this run    make ui, then Runs (http://127.0.0.1:3000)")
    return lines


def failure_lines(workspace: Workspace, result: dg.ExecuteInProcessResult) -> list[str]:
    """What went wrong, what to do, and that what was published is untouched."""
    lines = _heading("The refresh stopped")
    lines += [f"  {place}: {_words(error)[:1200]}" for place, error in _errors(result)]
    for evaluation in result.get_asset_check_evaluations():
        if outcome(evaluation) == "red":
            lines.append(f"  red: {evaluation.asset_key.to_user_string()}: {evaluation.check_name}")
    now = current_release(workspace)
    lines.append("")
    lines.append(
        f"  Release {now.number} of {now.made_at[:19]} is still what readers see."
        if now
        else "  Nothing has been published yet."
    )
    lines.append("  Look at the run: make ui, then Runs (http://127.0.0.1:3000)")
    return lines


def _errors(result: dg.ExecuteInProcessResult) -> Iterator[tuple[str, dg.SerializableErrorInfo]]:
    """Where and what: the failed steps, else what kept the run from having any."""
    failed = [event for event in result.all_events if event.is_step_failure]
    before = [event for event in result.all_events if event.is_resource_init_failure]
    for event in failed or before or [e for e in result.all_events if e.is_run_failure]:
        error = getattr(event.event_specific_data, "error", None)
        if error is not None:
            yield str(event.step_key) if event.is_step_failure else "before the first step", error


def _words(error: dg.SerializableErrorInfo) -> str:
    """What a person is to read of an error: of all that wrap one another, the one with the advice.

    Our own errors lose the name of their class; an error that nobody foresaw keeps it.
    """
    chain = [error]
    while (cause := chain[-1].cause or chain[-1].context) is not None:
        chain.append(cause)
    kinds = [PulseError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    names = {kind.__name__ for kind in kinds}
    ours = [each for each in chain if each.cls_name in names]
    # The innermost of ours knows the place; else what wraps nothing, or what a station raised.
    failures = [each for each in chain if each.cls_name == "Failure"]
    chosen = (ours or failures or chain)[-1]
    words = chosen.message.strip()
    return str(words.partition(": ")[2] if ours or failures else words)


def _heading(words: str) -> list[str]:
    return ["", words, "-" * len(words)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="                ")
