"""The loader: accepted rows into the ``raw`` schema of a new warehouse file.

A build starts from an empty file, always: what is in ``raw`` afterwards is what the intake
accepted for this build and nothing else. The tables that say what was used and what was refused
(``raw.inputs``, ``raw.input_checks``) are written here too, because the marts show them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from sources.catalogue import Catalogue
from sources.editions import expected_date
from sources.inbox import Inbox
from sources.observation import MEMBERSHIP_COLUMNS, OBSERVATION_COLUMNS
from sources.parsers import QUESTION
from sources.selection import DatasetObservations, EditionUsed
from warehouse.connection import writing
from warehouse.workspace import Workspace

_OBSERVATION_TYPES: Mapping[str, str] = {
    "period_start": "date",
    "period_end": "date",
    "value": "double",
    "lower_95": "double",
    "upper_95": "double",
    "base": "bigint",
    "group_number": "integer",
    "row_number": "integer",
}

_CATALOGUE = (
    "dataset varchar, title varchar, short_title varchar, publisher varchar, "
    "publisher_short varchar, landing_page varchar, licence varchar, licence_url varchar, "
    "cadence varchar, expected_month integer, succeeded_by varchar, "
    "series varchar, precedence integer, next_release_on date, mode varchar, "
    "periods_in_file boolean"
)
_EDITIONS = (
    "dataset varchar, edition varchar, edition_title varchar, period_start date, "
    "period_end date, published_on date, is_baseline boolean, page varchar, "
    "how_to_obtain varchar, code_vintage integer, is_history boolean, attribution varchar"
)
_GROUP_SCALES = (
    "dataset varchar, edition varchar, group_number integer, group_label varchar, "
    "lower_limit double, upper_limit double"
)
_EDITION_LEVELS = "dataset varchar, edition varchar, area_level varchar"
_INPUTS = (
    "dataset varchar, edition varchar, state varchar, origin varchar, revision varchar, "
    "file_sha256 varchar, file_name varchar, source_url varchar, retrieved_at timestamp, "
    "figures bigint, notes varchar, refused integer, refusals varchar, publisher_state varchar, "
    "publisher_message varchar"
)
_INPUT_CHECKS = (
    "dataset varchar, edition varchar, revision varchar, check_name varchar, outcome varchar, "
    "message varchar"
)
_QUESTIONS = "dataset varchar, edition varchar, revision varchar, measure varchar, wording varchar"
_ENTRY = (
    "id varchar, areas varchar, goals varchar, groups varchar, pathways varchar, names varchar, "
    "source varchar, source_url varchar, register varchar, origin varchar"
)
_INITIATIVES = (
    f"{_ENTRY}, name varchar, partners varchar, period varchar, starts varchar, ends varchar, "
    "aims varchar, activities varchar, open_referral_service varchar, "
    "open_referral_organisation varchar"
)
_EVIDENCE = (
    f"{_ENTRY}, kind varchar, title varchar, summary varchar, outcomes varchar, "
    "initiative varchar, capacity varchar, organisation varchar, dated varchar, "
    "source_place varchar, consent varchar, figure double, figure_unit varchar"
)
_LOCAL_SURVEYS = (
    "dataset varchar, edition varchar, measure varchar, area_code varchar, area_name varchar, "
    "area_level varchar, period_start date, period_end date, unit varchar, value double, "
    "lower_95 double, upper_95 double, base bigint, breakdown varchar, category varchar, "
    "status varchar, reason varchar, origin varchar, file_sha256 varchar, row_number integer, "
    "wording varchar, response varchar, barometer varchar, wording_is varchar, note varchar, "
    "title varchar, organisation varchar, survey_area varchar, mode varchar, weighting varchar, "
    "design_effect double, source varchar, source_url varchar"
)
_REVISED = (
    "dataset varchar, edition varchar, old_revision varchar, new_revision varchar, "
    "measure varchar, area_code varchar, area_name varchar, period_end date, breakdown varchar, "
    "category varchar, field varchar, kind varchar, old_value double, new_value double, "
    "old_status varchar, new_status varchar"
)


@dataclass(frozen=True)
class SourceNote:
    """What became of the attempt to reach a publisher: ``state`` as ``sources.fetch`` names it."""

    state: str
    message: str


def make_current(workspace: Workspace, build_id: str) -> None:
    """Point ``build/current`` at a build and remove the older ones: nothing reads them."""
    link = workspace.current_build
    fresh = link.with_name(f".current-{build_id}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(build_id, target_is_directory=True)
    fresh.replace(link)
    for other in workspace.builds.iterdir():
        if other.is_symlink() and other.name.startswith(".current-"):
            other.unlink(missing_ok=True)
        elif (
            other.is_dir()
            and not other.is_symlink()
            and other.name not in (build_id, "observations", "charts")
        ):
            shutil.rmtree(other, ignore_errors=True)


def load(
    path: Path,
    catalogue: Catalogue,
    observations: Sequence[DatasetObservations],
    *,
    source_notes: Mapping[tuple[str, str], SourceNote] | None = None,
    inbox: Inbox | None = None,
) -> dict[str, int]:
    """Write the accepted rows of every dataset into a new warehouse file.

    Args:
        path: the file to make; its folder exists and the file does not.
        catalogue: what is declared of each dataset.
        observations: one for each dataset.
        source_notes: by dataset and edition, what reaching the publisher came to.
        inbox: what communities and councils handed in.

    Returns:
        Rows by table of the ``raw`` schema.

    Raises:
        WorkspaceError: when the file cannot be written.
    """
    inbox = inbox or Inbox()
    taken = sorted(
        (
            *(used for each in observations for used in each.editions),
            *inbox.editions,
        ),
        key=lambda used: (used.dataset, used.edition),
    )
    revised = [each.revised for each in observations if not each.revised.empty]
    notes = source_notes or {}
    counts: dict[str, int] = {}
    with writing(path) as connection:
        connection.execute("create schema raw")
        tables: list[tuple[str, str, pd.DataFrame | None]] = [
            (
                "observations",
                _typed(OBSERVATION_COLUMNS),
                _rows_of(observations, catalogue, "observations"),
            ),
            (
                "memberships",
                _typed(MEMBERSHIP_COLUMNS),
                _rows_of(observations, catalogue, "memberships"),
            ),
            ("catalogue", _CATALOGUE, _catalogue_rows(catalogue, observations)),
            ("editions", _EDITIONS, _edition_rows(catalogue)),
            ("edition_levels", _EDITION_LEVELS, _level_rows(catalogue)),
            ("group_scales", _GROUP_SCALES, _scale_rows(catalogue)),
            ("inputs", _INPUTS, _input_rows(taken, notes)),
            ("input_checks", _INPUT_CHECKS, _check_rows(taken)),
            ("questions", _QUESTIONS, _question_rows(taken)),
            ("initiatives", _INITIATIVES, inbox.tables.get("initiatives")),
            ("evidence", _EVIDENCE, inbox.tables.get("evidence")),
            ("local_surveys", _LOCAL_SURVEYS, inbox.tables.get("local_surveys")),
            ("revised_figures", _REVISED, pd.concat(revised) if revised else None),
        ]
        for name, types, frame in tables:
            counts[name] = _create(connection, name, types, frame)
    return counts


def _typed(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} {_OBSERVATION_TYPES.get(column, 'varchar')}" for column in columns)


def _rows_of(
    observations: Iterable[DatasetObservations], catalogue: Catalogue, shape: str
) -> pd.DataFrame | None:
    """The accepted rows of every dataset of one shape."""
    frames = [
        each.rows
        for each in observations
        if len(each.rows) and catalogue.dataset(each.dataset).shape == shape
    ]
    return pd.concat(frames, ignore_index=True) if frames else None


def _create(
    connection: duckdb.DuckDBPyConnection, table: str, types: str, frame: pd.DataFrame | None
) -> int:
    connection.execute(f"create table raw.{table} ({types})")
    if frame is None or frame.empty:
        return 0
    names = [part.split()[0] for part in types.split(", ")]
    connection.register("incoming", frame[names].astype(object).where(frame[names].notna(), None))
    casts = ", ".join(f"cast({part.split()[0]} as {part.split()[1]})" for part in types.split(", "))
    connection.execute(f"insert into raw.{table} select {casts} from incoming")
    connection.unregister("incoming")
    return len(frame)


def _catalogue_rows(
    catalogue: Catalogue, observations: Iterable[DatasetObservations]
) -> pd.DataFrame:
    held = {
        each.dataset: [used.edition for used in each.editions if used.state == "accepted"]
        for each in observations
    }
    return pd.DataFrame(
        [
            {
                "dataset": d.code,
                "title": d.title,
                "short_title": d.short_title,
                "publisher": d.publisher,
                "publisher_short": d.publisher_short,
                "landing_page": d.landing_page,
                "licence": d.licence,
                "licence_url": d.licence_url,
                "cadence": d.cadence,
                "expected_month": d.expected_month,
                "succeeded_by": d.succeeded_by,
                "series": d.series or d.code,
                "precedence": d.precedence,
                "mode": d.mode,
                "next_release_on": expected_date(d, held.get(d.code, ())),
                "periods_in_file": d.periods == "file",
            }
            for d in catalogue.datasets.values()
        ]
    )


def _edition_rows(catalogue: Catalogue) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "dataset": d.code,
                "edition": e.edition,
                "edition_title": e.title,
                "period_start": e.period_start,
                "period_end": e.period_end,
                "published_on": e.published_on,
                "is_baseline": e.baseline,
                "page": e.page,
                "how_to_obtain": e.how_to_obtain,
                "code_vintage": e.code_vintage,
                "is_history": e.history,
                "attribution": d.attribution_for(e.edition),
            }
            for d in catalogue.datasets.values()
            for e in d.editions
        ]
    )


def _level_rows(catalogue: Catalogue) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"dataset": d.code, "edition": e.edition, "area_level": level}
            for d in catalogue.datasets.values()
            for e in d.editions
            for level in e.levels
        ]
    )


def _scale_rows(catalogue: Catalogue) -> pd.DataFrame:
    rows = []
    for dataset in catalogue.datasets.values():
        for measure in dataset.measures:
            for edition, groups in measure.groups.items():
                limits = [None, *measure.group_limits[edition], None]
                rows += [
                    {
                        "dataset": dataset.code,
                        "edition": edition,
                        "group_number": number,
                        "group_label": label,
                        "lower_limit": limits[number - 1],
                        "upper_limit": limits[number],
                    }
                    for label, number in groups.items()
                ]
    return pd.DataFrame(rows)


def _input_rows(
    taken: Iterable[EditionUsed], notes: Mapping[tuple[str, str], SourceNote]
) -> pd.DataFrame:
    rows = []
    for used in taken:
        note = notes.get((used.dataset, used.edition))
        rows.append(
            {
                "dataset": used.dataset,
                "edition": used.edition,
                "state": used.state,
                "origin": used.origin,
                "revision": used.revision,
                "file_sha256": used.file_sha256,
                "file_name": used.file_name,
                "source_url": used.address,
                "retrieved_at": used.retrieved_at.replace(tzinfo=None)
                if used.retrieved_at
                else None,
                "figures": used.figures,
                "notes": "; ".join(n.message for n in used.notes if not n.code.startswith(QUESTION))
                or None,
                "refused": len(used.rejections),
                "refusals": "; ".join(f"{r.file_name}: {r.error}" for r in used.rejections) or None,
                "publisher_state": note.state if note else "not_tried",
                "publisher_message": note.message if note else None,
            }
        )
    return pd.DataFrame(rows)


def _question_rows(taken: Iterable[EditionUsed]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "dataset": used.dataset,
                "edition": used.edition,
                "revision": used.revision,
                "measure": note.code.removeprefix(QUESTION),
                "wording": note.message,
            }
            for used in taken
            for note in used.notes
            if note.code.startswith(QUESTION)
        ]
    )


def _check_rows(taken: Iterable[EditionUsed]) -> pd.DataFrame:
    rows = []
    for used in taken:
        for finding in used.findings:
            rows.append(
                {
                    "dataset": used.dataset,
                    "edition": used.edition,
                    "revision": used.revision,
                    "check_name": finding.code,
                    "outcome": "red" if finding.severity == "error" else finding.severity,
                    "message": finding.message,
                }
            )
        for rejection in used.rejections:
            rows.append(
                {
                    "dataset": used.dataset,
                    "edition": used.edition,
                    "revision": rejection.revision,
                    "check_name": "accepted",
                    "outcome": "red",
                    "message": f"{rejection.file_name}: {rejection.error}",
                }
            )
        if used.state == "accepted":
            rows.append(
                {
                    "dataset": used.dataset,
                    "edition": used.edition,
                    "revision": used.revision,
                    "check_name": "observations_keep_their_contract",
                    "outcome": "passed",
                    "message": f"{used.figures} rows accepted",
                }
            )
    return pd.DataFrame(rows)
