"""Selection: which revision of each edition is used, and what all of it depends on.

Belongs here: the observations of a dataset over its editions, the record of what was used and what was
refused, and the identity under which the result may be kept and used again. Does not belong here:
reading a file (``sources.parsers``), judging rows (``sources.contract``), keeping files
(``sources.landing``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from sources.areas import SEED_FILES, AreaBook
from sources.catalogue import Dataset
from sources.contract import Finding
from sources.intake import (
    BUNDLED_DIRECTORY,
    Intake,
    Rejection,
    bundled_path,
    revised_figures,
    take_in,
)
from sources.landing import LandingStore
from sources.observation import empty_memberships, empty_observations
from sources.parsers import Note
from sources.revisions import REVISION_COLUMNS

_LIBRARIES: Final = ("pandas", "pandera", "python-calamine")
_NOWHERE: Final = Path("/nonexistent")


@dataclass(frozen=True)
class EditionUsed:
    """What is used of one edition, and what was refused on the way to it; ``figures`` counts rows.

    ``findings`` are those of the rows used, so there is no error among them. Findings carry no
    ``failure_cases`` here: the messages name the cells.
    """

    dataset: str
    edition: str
    state: Literal["accepted", "nothing_held"]
    origin: str | None
    revision: str | None
    file_sha256: str | None
    file_name: str | None
    address: str | None
    retrieved_at: datetime | None
    figures: int
    notes: tuple[Note, ...] = ()
    findings: tuple[Finding, ...] = ()
    rejections: tuple[Rejection, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record in JSON's own types; ``from_json`` gives an equal one."""
        return {
            "dataset": self.dataset,
            "edition": self.edition,
            "state": self.state,
            "origin": self.origin,
            "revision": self.revision,
            "file_sha256": self.file_sha256,
            "file_name": self.file_name,
            "address": self.address,
            "retrieved_at": self.retrieved_at.isoformat() if self.retrieved_at else None,
            "figures": self.figures,
            "notes": [[note.code, note.message] for note in self.notes],
            "findings": _findings_to_json(self.findings),
            "rejections": [
                {
                    "revision": each.revision,
                    "file_name": each.file_name,
                    "findings": _findings_to_json(each.findings),
                    "error": each.error,
                    "code": each.code,
                    "quarantined": str(each.quarantined) if each.quarantined else None,
                }
                for each in self.rejections
            ],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> EditionUsed:
        """Raises KeyError or ValueError for a record that ``to_json`` did not write."""
        moment = record["retrieved_at"]
        return cls(
            **{
                **record,
                "retrieved_at": datetime.fromisoformat(moment) if moment else None,
                "notes": tuple(Note(code, message) for code, message in record["notes"]),
                "findings": _findings_from_json(record["findings"]),
                "rejections": tuple(
                    Rejection(
                        revision=each["revision"],
                        file_name=each["file_name"],
                        findings=_findings_from_json(each["findings"]),
                        error=each["error"],
                        code=each["code"],
                        quarantined=Path(each["quarantined"]) if each["quarantined"] else None,
                    )
                    for each in record["rejections"]
                ),
            }
        )


@dataclass(frozen=True)
class DatasetObservations:
    """The accepted rows of a dataset over all of its editions, and what became of each edition.

    ``rows``: ``OBSERVATION_COLUMNS``, or ``MEMBERSHIP_COLUMNS`` for a dataset of that shape.
    ``revised``: ``sources.revisions.REVISION_COLUMNS``, what the revisions in use changed.
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

    ``bundled`` is the folder of the bundled figures; None uses none. Raises LandingError where the
    store itself cannot be used; faults of files and rows come back as rejections.
    """
    folder = bundled or _NOWHERE
    taken: list[Intake] = []
    for edition in dataset.editions:
        earlier = [intake.rows for intake in taken if len(intake.rows)]
        previous = pd.concat(earlier, ignore_index=True) if earlier else None
        taken.append(take_in(dataset, edition, store, areas, bundled=folder, previous=previous))
    empty = empty_memberships() if dataset.shape == "memberships" else empty_observations()
    frames = [intake.rows for intake in taken if len(intake.rows)]
    revised = [
        revised_figures(intake, dataset, dataset.edition(intake.edition), store, areas, folder)
        for intake in taken
    ]
    revised = [frame for frame in revised if len(frame)]
    return DatasetObservations(
        dataset=dataset.code,
        rows=pd.concat(frames, ignore_index=True) if frames else empty,
        editions=tuple(_used(intake) for intake in taken),
        revised=pd.concat(revised, ignore_index=True)
        if revised
        else pd.DataFrame(columns=list(REVISION_COLUMNS)),
    )


def observation_identity(
    dataset: Dataset,
    store: LandingStore,
    seeds: Path,
    *,
    bundled: Path | None = BUNDLED_DIRECTORY,
) -> str:
    """sha256 of everything that ``observe`` depends on: an equal identity gives an equal result.

    That is the landed revisions in their order (the bytes on disk, not only their record), what is in
    quarantine, the bundled figures, the dataset's entry of the catalogue, the area ``seeds`` (a
    folder), the code of ``sources`` and the libraries that read files.
    """
    parts: list[object] = [dataset.model_dump_json(), _code_identity()]
    parts += [_sha256(seeds / name) for name in SEED_FILES]
    for edition in dataset.editions:
        parts.append(edition.edition)
        revisions = store.revisions(dataset.code, edition.edition)
        for landed in revisions:
            parts += [
                landed.sha256,
                _sha256(landed.path),
                landed.file_name,
                landed.origin,
                landed.address,
                landed.retrieved_at.isoformat(),
            ]
        # A landed file that is refused is set aside by ``observe`` itself: that changes nothing.
        known = {landed.sha256 for landed in revisions}
        refused = {each.sha256 for each in store.quarantined(dataset.code, edition.edition)}
        parts += sorted(refused - known)
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


def _used(intake: Intake) -> EditionUsed:
    return EditionUsed(
        dataset=intake.dataset,
        edition=intake.edition,
        state=intake.state,
        origin=intake.origin,
        revision=intake.revision,
        file_sha256=intake.file_sha256,
        file_name=intake.file_name,
        address=intake.address,
        retrieved_at=intake.retrieved_at,
        figures=len(intake.rows),
        notes=intake.notes,
        findings=_without_cases(intake.findings),
        rejections=tuple(
            Rejection(
                revision=each.revision,
                file_name=each.file_name,
                findings=_without_cases(each.findings),
                error=each.error,
                code=each.code,
                quarantined=each.quarantined,
            )
            for each in intake.rejections
        ),
    )


def _without_cases(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(Finding(each.code, each.severity, each.message, each.where) for each in findings)


def _findings_to_json(findings: tuple[Finding, ...]) -> list[list[str | None]]:
    return [[each.code, each.severity, each.message, each.where] for each in findings]


def _findings_from_json(records: list[list[Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(*record) for record in records)
