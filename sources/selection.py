"""Selection: which revision of each edition is used, and what the result depends on.

Belongs here: the order of choice (landed revisions, newest first; then the figures that ship with the
project; else nothing), the record of what was used and refused, what a revision changed, and the
identity under which the result may be kept and used again. Does not belong here: reading and judging a
file (``sources.examination``) or keeping it (``sources.landing``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from sources.areas import SEED_FILES, AreaBook
from sources.catalogue import BUNDLED_DIRECTORY, Dataset, Edition, bundled_path
from sources.contract import Finding
from sources.errors import ContractError, PulseError
from sources.examination import check, examine
from sources.landing import LandedFile, LandingStore, QuarantinedFile
from sources.observation import (
    as_memberships,
    as_observations,
    empty_memberships,
    empty_observations,
)
from sources.parsers import Note, Parsed

BUNDLED_REVISION: Final = "bundled"
_LIBRARIES: Final = ("pandas", "pandera")


@dataclass(frozen=True)
class Rejection:
    """A file that is held but not used, and why. ``error`` is one line for a person."""

    revision: str
    file_name: str
    code: str
    error: str


@dataclass(frozen=True)
class EditionUsed:
    """What is used of one edition, and what was refused on the way to it; ``figures`` counts rows.

    ``findings`` are those of the rows used, so there is no error among them.
    """

    dataset: str
    edition: str
    state: Literal["accepted", "nothing_held"]
    origin: str | None = None
    revision: str | None = None
    file_sha256: str | None = None
    file_name: str | None = None
    address: str | None = None
    retrieved_at: datetime | None = None
    figures: int = 0
    notes: tuple[Note, ...] = ()
    findings: tuple[Finding, ...] = ()
    rejections: tuple[Rejection, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record in JSON's own types; ``from_json`` gives an equal one."""
        record: dict[str, Any] = _RECORD.dump_python(self, mode="json")
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> EditionUsed:
        """Raises ValueError for a record that ``to_json`` did not write."""
        return _RECORD.validate_python(record)


_RECORD: Final = TypeAdapter(EditionUsed)


@dataclass(frozen=True)
class DatasetObservations:
    """The accepted rows of a dataset over all of its editions, and what became of each edition.

    ``rows``: ``OBSERVATION_COLUMNS``, or ``MEMBERSHIP_COLUMNS`` for a dataset of that shape.
    ``revised``: ``REVISION_COLUMNS``, what the revisions in use changed.
    """

    dataset: str
    rows: pd.DataFrame
    editions: tuple[EditionUsed, ...]
    revised: pd.DataFrame


def observe(
    dataset: Dataset,
    store: LandingStore,
    areas: AreaBook,
    *,
    bundled: Path | None = BUNDLED_DIRECTORY,
) -> DatasetObservations:
    """Choose, read and check every edition of the dataset, oldest first.

    ``bundled`` is the folder of the bundled figures; None uses none. A landed revision that cannot be
    read or breaks its contract is also put into quarantine with its reasons, and the next one is
    tried. Raises LandingError where the store itself cannot be used; faults of files and rows come
    back as rejections.
    """
    selection = _Selection(dataset, store, areas, bundled)
    accepted: list[pd.DataFrame] = []
    editions: list[EditionUsed] = []
    revised: list[pd.DataFrame] = []
    for edition in dataset.editions:
        used, rows, older = selection.choose(edition, _together(accepted))
        editions.append(used)
        if not rows.empty:
            accepted.append(rows)
        revised.append(selection.revised(edition, rows, older))
    revised = [changes for changes in revised if not changes.empty]
    whole = _together(accepted)
    return DatasetObservations(
        dataset=dataset.code,
        rows=_no_rows(dataset) if whole is None else whole,
        editions=tuple(editions),
        revised=pd.concat(revised, ignore_index=True) if revised else _no_revisions(),
    )


def accepted_before(
    dataset: Dataset,
    edition: Edition,
    store: LandingStore,
    areas: AreaBook,
    bundled: Path | None = BUNDLED_DIRECTORY,
) -> pd.DataFrame | None:
    """Rows in use of the editions before this one, for the contract of a file that arrives."""
    selection = _Selection(dataset, store, areas, bundled)
    accepted: list[pd.DataFrame] = []
    for entry in reversed(dataset.before(edition.edition)):
        _, rows, _ = selection.choose(entry, _together(accepted))
        if not rows.empty:
            accepted.append(rows)
    return _together(accepted)


def _together(accepted: list[pd.DataFrame]) -> pd.DataFrame | None:
    return pd.concat(accepted, ignore_index=True) if accepted else None


_Source = LandedFile | Path
"""A file that may be used of an edition: a landed revision, or the bundled figures (a path)."""


def _named(source: _Source) -> tuple[str, str]:
    """Revision and name of a file."""
    if isinstance(source, Path):
        return BUNDLED_REVISION, source.name
    return source.revision, source.file_name


@dataclass(frozen=True)
class _Selection:
    """The choice between the files of each edition of a dataset."""

    dataset: Dataset
    store: LandingStore
    areas: AreaBook
    bundled: Path | None

    def candidates(self, edition: Edition) -> Iterator[_Source]:
        """Best first."""
        yield from self.store.revisions(self.dataset.code, edition.edition)
        if self.bundled is not None:
            path = bundled_path(self.dataset, edition, self.bundled)
            if path.is_file():
                yield path

    def read(self, source: _Source, edition: Edition, previous: pd.DataFrame | None) -> Parsed:
        """Raises PulseError where the file cannot be used."""
        dataset, areas, (_, name) = self.dataset, self.areas, _named(source)
        if isinstance(source, Path):
            rows = load_bundled(dataset, edition, source)
            findings = check(rows, dataset, edition, areas, file_name=name, previous=previous)
            return Parsed(rows, (), findings)
        content = self.store.read(source)
        examined = examine(content, name, dataset, edition, areas, previous=previous)
        if source.origin == "publisher":
            return examined
        # A parser cannot know that a file was made up; whoever landed it did.
        origin = pd.Series(source.origin, index=examined.rows.index, dtype="string")
        return replace(examined, rows=examined.rows.assign(origin=origin))

    def choose(
        self, edition: Edition, previous: pd.DataFrame | None
    ) -> tuple[EditionUsed, pd.DataFrame, Iterator[_Source]]:
        """What is used, its rows, and the candidates that were not looked at."""
        rejections = []
        candidates = self.candidates(edition)
        for source in candidates:
            landed = source if isinstance(source, LandedFile) else None
            try:
                examined = self.read(source, edition, previous)
            except PulseError as error:
                rejections.append(Rejection(*_named(source), error.code, str(error)))
                if landed:
                    self.store.set_aside(landed, error.reasons)
                continue
            rows = examined.rows
            revision, name = _named(source)
            used = EditionUsed(
                dataset=self.dataset.code,
                edition=edition.edition,
                state="accepted",
                origin=landed.origin if landed else _origin_of(rows),
                revision=revision,
                file_sha256=source.sha256 if isinstance(source, LandedFile) else _sha256(source),
                file_name=name,
                address=landed.address if landed else None,
                retrieved_at=landed.retrieved_at if landed else None,
                figures=len(rows),
                notes=examined.notes,
                findings=examined.findings,
                rejections=(*rejections, *self._refused_by_hand(edition, landed)),
            )
            return used, rows, candidates
        rejections += self._refused_by_hand(edition, None)
        nothing = EditionUsed(
            self.dataset.code, edition.edition, "nothing_held", rejections=tuple(rejections)
        )
        return nothing, _no_rows(self.dataset), candidates

    def revised(
        self, edition: Edition, rows: pd.DataFrame, older: Iterator[_Source]
    ) -> pd.DataFrame:
        """What the rows of the file in use changed, against the next older file that can be read."""
        origins = set() if self.dataset.shape == "memberships" else set(rows["origin"])
        if origins not in ({"publisher"}, {"synthetic"}):
            return _no_revisions()
        for source in older:
            bundled = isinstance(source, Path)
            if origins == {"synthetic"} and bundled:
                continue  # What is made up revises nothing that was published.
            try:
                changes = compare_revisions(self.read(source, edition, None).rows, rows)
            except PulseError:
                continue
            # What ships with the project may hold only some of the figures: those are compared.
            return changes[changes["kind"] == "changed"] if bundled else changes
        return _no_revisions()

    def _refused_by_hand(self, edition: Edition, used: LandedFile | None) -> list[Rejection]:
        """Files that a person handed in after the one in use came, and that were refused.

        Nobody else would report them again: a publisher's file is fetched and judged at every refresh.
        """
        return [
            Rejection(each.revision, each.file_name, "refused_by_hand", each.reasons[0])
            for each in _by_hand(self.store, self.dataset, edition)
            if used is None or each.retrieved_at > used.received_at
        ]


def _by_hand(store: LandingStore, dataset: Dataset, edition: Edition) -> list[QuarantinedFile]:
    """Files of an edition that a person handed in and that were refused, not marked as unused."""
    return [
        each
        for each in store.quarantined(dataset.code, edition.edition)
        if each.address is None and not each.landed and each.unlanded is None
    ]


def load_bundled(dataset: Dataset, edition: Edition, path: Path) -> pd.DataFrame:
    """The bundled figures of an edition, in the tidy shape.

    Every row is ``transcribed`` or ``reported``, its revision is "bundled". One file of all editions is
    Parquet, without what the catalogue knows. Raises ContractError(code="bad_bundle") for a file that
    does not fit the shape or says something else about itself.
    """

    def bad(message: str) -> ContractError:
        return ContractError(
            message,
            code="bad_bundle",
            dataset=dataset.code,
            edition=edition.edition,
            file=path.name,
            todo="restore the file from the project",
        )

    conform = as_memberships if dataset.shape == "memberships" else as_observations
    try:
        if path.suffix == ".parquet":
            rows = conform(bundled_rows(dataset, edition, path))
        else:
            text = pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8")
            rows = conform(text.replace("", pd.NA))
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise bad(f"it does not fit the tidy shape: {error}") from error
    for column, wanted in (
        ("origin", ("transcribed", "reported")),
        ("revision", (BUNDLED_REVISION,)),
    ):
        if not rows[column].isin(wanted).all():
            raise bad(f"{column} is not {' or '.join(wanted)} in every row")
    return rows


def bundled_rows(dataset: Dataset, edition: Edition, path: Path) -> pd.DataFrame:
    """The rows of an edition in the one bundled file of all, with what every row shares.

    The file keeps the figures, and the publisher's file and line of each; its metadata has the words of
    the citation. Raises ValueError, or what pyarrow raises, for a file of another form.
    """
    table = pq.read_table(path, filters=[("edition", "=", edition.edition)])
    rows: pd.DataFrame = table.to_pandas()
    citation = (table.schema.metadata or {}).get(b"citation", b"").decode()
    rows["citation"] = [
        citation.format(file=file, line=line)
        for file, line in zip(rows.pop("file"), rows.pop("line"), strict=True)
    ]
    units = {measure.code: measure.unit for measure in dataset.measures}
    return rows.assign(
        dataset=dataset.code,
        revision=BUNDLED_REVISION,
        origin="transcribed",
        unit=rows["measure"].map(units),
    )


def _origin_of(carried: pd.DataFrame) -> str:
    """``reported`` where every figure was printed by somebody else, otherwise ``transcribed``."""
    return "reported" if carried["origin"].eq("reported").all() else "transcribed"


def _no_rows(dataset: Dataset) -> pd.DataFrame:
    return empty_memberships() if dataset.shape == "memberships" else empty_observations()


# --- what a revision changed ----------------------------------------------------------------------

KEY: Final = (
    *("measure", "area_level", "area_code", "period_start", "period_end", "unit"),
    *("breakdown", "category"),
)
FIGURES: Final = ("value", "lower_95", "upper_95", "base", "group_number")
REVISION_COLUMNS: Final = (
    *("dataset", "edition", "old_revision", "new_revision", "measure", "area_code", "area_name"),
    *("area_level", "period_start", "period_end", "unit", "breakdown", "category", "field"),
    *("old_value", "new_value", "old_status", "new_status", "kind"),
)
"""One row per changed figure. ``field`` is one of ``FIGURES``, or ``status``; ``kind`` is ``changed``,
``added`` (only the new revision has the row) or ``removed`` (only the old one has)."""

_TYPES: Final = {
    name: "datetime64[ns]"
    if name.startswith("period_")
    else "float64"
    if name.endswith("_value")
    else "string"
    for name in REVISION_COLUMNS
}


def _no_revisions() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in _TYPES.items()})


def compare_revisions(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Compare two revisions of an edition, figure by figure.

    ``old``, ``new``: observations (``sources.observation``), each unique in ``KEY``. Returns
    ``REVISION_COLUMNS``, ordered by measure, area, period and field; empty where nothing changed.
    Figures are compared exactly: a change in the last printed decimal is a change. A row that only
    one side has gives one line for its value.
    """
    columns = [*KEY, *FIGURES, "status", "area_name", "dataset", "edition", "revision"]
    both = old[columns].merge(
        new[columns], how="outer", on=list(KEY), suffixes=("_old", "_new"), indicator="side"
    )
    shared = both["side"].eq("both")
    changed = pd.Series(False, index=both.index)
    found = []
    for field in FIGURES:
        before, after = (both[f"{field}_{when}"].astype("Float64") for when in ("old", "new"))
        same = before.eq(after).fillna(False) | (before.isna() & after.isna())
        differs = shared & ~same
        changed |= differs
        if field == "value":
            differs |= ~shared
        found.append(both.assign(field=field, old_value=before, new_value=after)[differs])
    statuses = shared & ~changed & both["status_old"].ne(both["status_new"])
    found.append(both.assign(field="status", old_value=np.nan, new_value=np.nan)[statuses])
    lines = pd.concat(found).rename(
        columns=lambda name: re.sub(r"^(status|revision)_(old|new)$", r"\2_\1", name)
    )
    lines["kind"] = lines["side"].map(
        {"both": "changed", "left_only": "removed", "right_only": "added"}
    )
    for name in ("dataset", "edition", "area_name"):
        lines[name] = lines[f"{name}_new"].fillna(lines[f"{name}_old"])
    order = ["measure", "area_code", "area_level", "period_start", "period_end", "unit"]
    order += ["breakdown", "category", "field"]
    lines = lines.sort_values(order, kind="stable", ignore_index=True)
    return lines[list(REVISION_COLUMNS)].astype(_TYPES)


# --- identity -------------------------------------------------------------------------------------


def observation_identity(
    dataset: Dataset, store: LandingStore, seeds: Path, *, bundled: Path | None = BUNDLED_DIRECTORY
) -> str:
    """sha256 of everything that ``observe`` depends on: an equal identity gives an equal result.

    That is the landed revisions in their order (the bytes on disk, not only their record), what people
    handed in and was refused, the bundled figures, the dataset's entry of the catalogue, the area
    ``seeds`` (a folder), the code of ``sources`` and the libraries that read files.
    """
    parts: list[object] = [dataset.model_dump_json(), _code_identity()]
    parts += [_sha256(seeds / name) for name in SEED_FILES]
    for edition in dataset.editions:
        parts.append(edition.edition)
        for landed in store.revisions(dataset.code, edition.edition):
            parts += [landed.sha256, _sha256(landed.path), landed.file_name, landed.origin]
            parts += [landed.address, landed.received_at.isoformat()]
        for refused in _by_hand(store, dataset, edition):
            parts += [refused.sha256, refused.retrieved_at.isoformat(), refused.reasons]
        if bundled is not None:
            parts.append(_sha256(bundled_path(dataset, edition, bundled)))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@lru_cache(maxsize=1)
def _code_identity() -> str:
    root = Path(__file__).parent
    parts = [
        [path.relative_to(root).as_posix(), _sha256(path)] for path in sorted(root.rglob("*.py"))
    ]
    parts += [[name, version(name)] for name in _LIBRARIES]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
