"""The loader: accepted rows into the ``raw`` schema of a new warehouse file.

A build starts from an empty file, always: what is in ``raw`` afterwards is what the intake
accepted for this build and nothing else. The tables that say what was used and what was refused
(``raw.inputs``, ``raw.input_checks``) are written here too, because the marts show them.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from sources.catalogue import Catalogue, Dataset
from sources.editions import expected_date
from sources.inbox import Inbox
from sources.observation import MEMBERSHIP_COLUMNS, OBSERVATION_COLUMNS
from sources.parsers import QUESTION
from sources.selection import DatasetObservations, EditionUsed
from warehouse.connection import writing
from warehouse.workspace import Workspace, replace_link

# Of the columns that are not text.
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("period_start", "period_end", "published_on", "next_release_on"), "date"),
    **dict.fromkeys(("value", "lower_95", "upper_95", "old_value", "new_value"), "double"),
    **dict.fromkeys(("lower_limit", "upper_limit", "figure", "design_effect"), "double"),
    **dict.fromkeys(("group_number", "row_number", "refused"), "integer"),
    **dict.fromkeys(("expected_month", "precedence", "code_vintage"), "integer"),
    **dict.fromkeys(("base", "figures"), "bigint"),
    **dict.fromkeys(("is_baseline", "is_history", "periods_in_file"), "boolean"),
    "retrieved_at": "timestamp",
}


@dataclass(frozen=True)
class Table:
    """A table of the ``raw`` schema: what it holds, and the names of its columns, between blanks."""

    words: str
    names: str

    @property
    def columns(self) -> dict[str, str]:
        """The type of each column, by its name."""
        return {name: _TYPES.get(name, "varchar") for name in self.names.split()}


_ENTRY = "id areas goals groups pathways names source source_url register origin"

TABLES: Mapping[str, Table] = {
    "observations": Table(
        "Accepted figures of every dataset and edition", " ".join(OBSERVATION_COLUMNS)
    ),
    "memberships": Table(
        "Accepted rows of the lookups: which authority belongs to which",
        " ".join(MEMBERSHIP_COLUMNS),
    ),
    "catalogue": Table(
        "The datasets that the catalogue declares",
        "dataset title short_title publisher publisher_short landing_page licence licence_url "
        "cadence expected_month succeeded_by series precedence next_release_on mode "
        "periods_in_file",
    ),
    "editions": Table(
        "The editions that the catalogue declares",
        "dataset edition edition_title period_start period_end published_on is_baseline page "
        "how_to_obtain code_vintage is_history attribution",
    ),
    "edition_levels": Table("The area levels of each edition", "dataset edition area_level"),
    "group_scales": Table(
        "The groups of each index edition, with their limits",
        "dataset edition group_number group_label lower_limit upper_limit",
    ),
    "inputs": Table(
        "What was used of each edition and what was refused",
        "dataset edition state origin revision file_sha256 file_name source_url retrieved_at "
        "figures notes refused refusals publisher_state publisher_message",
    ),
    "input_checks": Table(
        "The findings of the contract on each input",
        "dataset edition revision check_name outcome message",
    ),
    "questions": Table(
        "Wording of question and responses of each measure",
        "dataset edition revision measure wording",
    ),
    "revised_figures": Table(
        "Figures that a revision changed",
        "dataset edition old_revision new_revision measure area_code area_name period_end "
        "breakdown category field kind old_value new_value old_status new_status",
    ),
    "initiatives": Table(
        "Initiatives of the register",
        f"{_ENTRY} name partners period starts ends aims activities open_referral_service "
        "open_referral_organisation",
    ),
    "evidence": Table(
        "Evidence items of the register",
        f"{_ENTRY} kind title summary outcomes initiative capacity organisation dated "
        "source_place consent figure figure_unit",
    ),
    "local_surveys": Table(
        "Results of surveys of councils",
        "dataset edition measure area_code area_name area_level period_start period_end unit "
        "value lower_95 upper_95 base breakdown category status reason origin file_sha256 "
        "row_number wording response barometer wording_is note title organisation survey_area "
        "mode weighting design_effect source source_url",
    ),
}
Rows = Iterable[dict[str, Any]]


def make_current(workspace: Workspace, build_id: str) -> None:
    """Point ``build/current`` at a build and remove the older ones: nothing reads them."""
    replace_link(workspace.current_build, build_id)
    for other in workspace.builds.iterdir():
        stays = other.is_symlink() or other.name in (build_id, "observations", "charts")
        if other.is_dir() and not stays:
            shutil.rmtree(other, ignore_errors=True)


def load(
    path: Path,
    catalogue: Catalogue,
    observations: Sequence[DatasetObservations],
    *,
    source_notes: Mapping[tuple[str, str], tuple[str, str]] | None = None,
    inbox: Inbox | None = None,
) -> dict[str, int]:
    """Write the accepted rows of every dataset into a new warehouse file.

    ``path``: in a folder that exists; the file does not. ``observations``: one for each dataset.
    ``source_notes``: by dataset and edition, the state that asking the publisher came to, as
    ``sources.fetch`` names it, and a message. Returns rows by table of the ``raw`` schema. Raises
    WorkspaceError when the file cannot be written.
    """
    inbox = inbox or Inbox()
    taken = sorted(
        (*(used for each in observations for used in each.editions), *inbox.editions),
        key=lambda used: (used.dataset, used.edition),
    )
    revised = [each.revised for each in observations if not each.revised.empty]
    datasets = list(catalogue.datasets.values())
    rows: dict[str, pd.DataFrame | Rows] = {
        "observations": _observed(observations, catalogue, "observations"),
        "memberships": _observed(observations, catalogue, "memberships"),
        "catalogue": _catalogue_rows(datasets, taken),
        "editions": _edition_rows(datasets),
        "edition_levels": [
            {"dataset": d.code, "edition": e.edition, "area_level": level}
            for d in datasets
            for e in d.editions
            for level in e.levels
        ],
        "group_scales": _scale_rows(datasets),
        "inputs": _input_rows(taken, source_notes or {}),
        "input_checks": _check_rows(taken),
        "questions": _question_rows(taken),
        "revised_figures": pd.concat(revised) if revised else (),
        **inbox.tables,
    }
    with writing(path) as connection:
        connection.execute("create schema raw")
        return {name: _create(connection, name, rows.get(name, ())) for name in TABLES}


def _observed(
    observations: Iterable[DatasetObservations], catalogue: Catalogue, shape: str
) -> pd.DataFrame | Rows:
    """The accepted rows of every dataset of one shape."""
    of_shape = (each for each in observations if catalogue.dataset(each.dataset).shape == shape)
    frames = [each.rows for each in of_shape if len(each.rows)]
    return pd.concat(frames, ignore_index=True) if frames else ()


def _create(connection: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame | Rows) -> int:
    columns = TABLES[table].columns
    types = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create table raw.{table} ({types})")
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows, columns=list(columns))
    if frame.empty:
        return 0
    frame = frame[list(columns)]
    connection.register("incoming", frame.astype(object).where(frame.notna(), None))
    connection.execute(f"insert into raw.{table} from incoming")
    connection.unregister("incoming")
    return len(frame)


def _catalogue_rows(datasets: Iterable[Dataset], taken: Iterable[EditionUsed]) -> Rows:
    held = defaultdict(list)
    for used in taken:
        if used.state == "accepted":
            held[used.dataset].append(used.edition)
    for d in datasets:
        yield {
            **vars(d),
            "dataset": d.code,
            "series": d.series or d.code,
            "next_release_on": expected_date(d, held[d.code]),
            "periods_in_file": d.periods == "file",
        }


def _edition_rows(datasets: Iterable[Dataset]) -> Rows:
    for d in datasets:
        for e in d.editions:
            yield {
                **vars(e),
                "dataset": d.code,
                "edition_title": e.title,
                "is_baseline": e.baseline,
                "is_history": e.history,
                "attribution": d.attribution_for(e.edition),
            }


def _scale_rows(datasets: Iterable[Dataset]) -> Rows:
    for dataset in datasets:
        for measure in dataset.measures:
            for edition, groups in measure.groups.items():
                limits = [None, *measure.group_limits[edition], None]
                for label, number in groups.items():
                    yield {
                        "dataset": dataset.code,
                        "edition": edition,
                        "group_number": number,
                        "group_label": label,
                        "lower_limit": limits[number - 1],
                        "upper_limit": limits[number],
                    }


def _input_rows(
    taken: Iterable[EditionUsed], notes: Mapping[tuple[str, str], tuple[str, str]]
) -> Rows:
    for used in taken:
        state, message = notes.get((used.dataset, used.edition), ("not_tried", None))
        said = [each.message for each in used.notes if not each.code.startswith(QUESTION)]
        yield {
            **vars(used),
            "source_url": used.address,
            "retrieved_at": used.retrieved_at and used.retrieved_at.replace(tzinfo=None),
            "notes": "; ".join(said) or None,
            "refused": len(used.rejections),
            "refusals": "; ".join(f"{r.file_name}: {r.error}" for r in used.rejections) or None,
            "publisher_state": state,
            "publisher_message": message,
        }


def _question_rows(taken: Iterable[EditionUsed]) -> Rows:
    for used in taken:
        for note in used.notes:
            if note.code.startswith(QUESTION):
                measure = note.code.removeprefix(QUESTION)
                yield {**vars(used), "measure": measure, "wording": note.message}


def _check_rows(taken: Iterable[EditionUsed]) -> Rows:
    for used in taken:
        found = [
            (used.revision, f.code, "red" if f.severity == "error" else f.severity, f.message)
            for f in used.findings
        ]
        found += [
            (r.revision, "accepted", "red", f"{r.file_name}: {r.error}") for r in used.rejections
        ]
        if used.state == "accepted":
            message = f"{used.figures} rows accepted"
            found.append((used.revision, "observations_keep_their_contract", "passed", message))
        for row in found:
            columns = TABLES["input_checks"].columns
            yield dict(zip(columns, (used.dataset, used.edition, *row), strict=True))
