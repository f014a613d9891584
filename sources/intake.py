"""Intake: which rows of an edition are used, out of all that is held of it.

Belongs here: the order of choice (landed revisions, newest first; then the figures that ship with the
project; else nothing), known corrections, and setting refused files aside with their reasons. Does not
belong here: the rules themselves (``sources.contract``), reading a file (``sources.parsers``), or
keeping it (``sources.landing``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from sources.areas import AreaBook
from sources.catalogue import Correction, Dataset, Edition
from sources.contract import Finding, check_rows
from sources.errors import ContractError, ParseError, PulseError
from sources.landing import LandedFile, LandingStore
from sources.observation import (
    as_memberships,
    as_observations,
    empty_memberships,
    empty_observations,
)
from sources.parsers import PARSERS, Note, ParseContext
from sources.revisions import compare_revisions

BUNDLED_DIRECTORY = Path(__file__).parent / "bundled"
BUNDLED_REVISION = "bundled"


@dataclass(frozen=True)
class Rejection:
    """A revision that is held but not used, and why. ``error`` is one line for a person."""

    revision: str
    file_name: str
    findings: tuple[Finding, ...]
    error: str
    code: str = "contract"
    quarantined: Path | None = None


@dataclass(frozen=True)
class Intake:
    """What is used of one edition, and what was refused on the way to it.

    ``rows`` is empty where the state is "nothing_held". ``findings`` are those of the rows used, so
    there is no error among them.
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
    rows: pd.DataFrame
    notes: tuple[Note, ...] = ()
    findings: tuple[Finding, ...] = ()
    rejections: tuple[Rejection, ...] = ()


def take_in(
    dataset: Dataset,
    edition: Edition,
    store: LandingStore,
    areas: AreaBook,
    *,
    bundled: Path | None = None,
    previous: pd.DataFrame | None = None,
) -> Intake:
    """The rows to use of the edition: its newest good revision, else the bundled figures, else none.

    A landed revision that cannot be parsed or breaks its contract is quarantined with its reasons and
    the next one tried. ``bundled`` is the folder of the bundled figures (the project's own by
    default). ``previous`` are accepted rows of earlier editions; where it is not given they are taken
    in from the same store and folder. Raises only LandingError, where the store itself cannot be
    used; faults of files and rows come back as rejections.
    """
    folder = bundled or BUNDLED_DIRECTORY
    rejections: list[Rejection] = []
    revisions = store.revisions(dataset.code, edition.edition)
    held = bundled_path(dataset, edition, folder).is_file()
    if previous is None and (revisions or held):
        previous = earlier_rows(dataset, edition, store, areas, folder)

    for landed in revisions:
        attempt = _try_landed(landed, dataset, edition, store, areas, previous)
        if not isinstance(attempt, Rejection):
            rows, notes, findings = attempt
            return Intake(
                dataset=dataset.code,
                edition=edition.edition,
                state="accepted",
                origin=landed.origin,
                revision=landed.revision,
                file_sha256=landed.sha256,
                file_name=landed.file_name,
                address=landed.address,
                retrieved_at=landed.retrieved_at,
                rows=rows,
                notes=notes,
                findings=findings,
                rejections=tuple(rejections),
            )
        rejections.append(_set_aside(attempt, landed, store))

    if held:
        path = bundled_path(dataset, edition, folder)
        try:
            carried = load_bundled(dataset, edition, folder)
        except ContractError as error:
            carried = None
            rejections.append(
                Rejection(BUNDLED_REVISION, path.name, (), str(error), code=error.code)
            )
        if carried is not None:
            findings = tuple(check_rows(carried, dataset, edition, areas, previous=previous))
            if not _errors(findings):
                return Intake(
                    dataset=dataset.code,
                    edition=edition.edition,
                    state="accepted",
                    origin=_origin_of(carried),
                    revision=BUNDLED_REVISION,
                    file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                    file_name=path.name,
                    address=None,
                    retrieved_at=None,
                    rows=carried,
                    findings=findings,
                    rejections=tuple(rejections),
                )
            rejections.append(_refused(BUNDLED_REVISION, path.name, findings))

    return Intake(
        dataset=dataset.code,
        edition=edition.edition,
        state="nothing_held",
        origin=None,
        revision=None,
        file_sha256=None,
        file_name=None,
        address=None,
        retrieved_at=None,
        rows=empty_memberships() if dataset.shape == "memberships" else empty_observations(),
        rejections=tuple(rejections),
    )


def read_file(
    content: bytes,
    file_name: str,
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    *,
    previous: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, tuple[Note, ...], tuple[Finding, ...]]:
    """Parse, correct and check a file without storing anything: rows, notes, every finding.

    Raises ParseError where the file cannot be read, also where the parser itself fails
    (code "parser_failed") or the dataset has none (code "no_parser").
    """
    place = {"dataset": dataset.code, "edition": edition.edition, "file": file_name}
    if dataset.parser is None or dataset.parser not in PARSERS:
        raise ParseError(
            "there is no parser for the files of this dataset",
            code="no_parser",
            todo=f"name one under parser in sources/catalogue/{dataset.code}.yaml",
            **place,
        )
    context = ParseContext(dataset=dataset, edition=edition, areas=areas, file_name=file_name)
    try:
        parsed = PARSERS[dataset.parser](content, context)
    except PulseError:
        raise
    except Exception as error:
        # A parser that fails in a way nobody foresaw must cost its own edition, not the refresh.
        raise ParseError(
            f"the parser {dataset.parser} failed: {type(error).__name__}: {error}",
            code="parser_failed",
            todo="report the file; this is a fault of the parser or a layout nobody has seen",
            **place,
        ) from error
    rows, corrected = apply_corrections(parsed.rows, dataset, edition)
    found = check_rows(rows, dataset, edition, areas, previous=previous)
    findings = (*parsed.findings, *found)
    return rows, (*parsed.notes, *corrected), findings


def apply_corrections(
    rows: pd.DataFrame, dataset: Dataset, edition: Edition
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """The rows with the catalogue's known faults set right, and a note for each correction."""
    notes = []
    for correction in dataset.corrections:
        if correction.edition != edition.edition or rows.empty:
            continue
        chosen = pd.Series(True, index=rows.index)
        if correction.measure is not None:
            chosen &= rows["measure"].eq(correction.measure).fillna(False).astype(bool)
        if correction.level is not None:
            chosen &= rows["area_level"].eq(correction.level).fillna(False).astype(bool)
        what = " ".join(part for part in (correction.measure, correction.level) if part)
        if not _fault_is_there(rows[chosen], correction):
            if chosen.any() and rows.loc[chosen, ["lower_95", "upper_95"]].notna().any(axis=None):
                notes.append(
                    Note(
                        "correction_not_needed",
                        f"{what}: the fault is gone, so nothing was corrected; remove the correction "
                        f"from sources/catalogue/{dataset.code}.yaml",
                    )
                )
            continue
        rows = rows.copy()
        rows.loc[chosen, ["lower_95", "upper_95"]] = float("nan")
        notes.append(
            Note(
                "correction_applied",
                f"{what}: bounds of {int(chosen.sum())} rows left out. {correction.reason}",
            )
        )
    return rows, tuple(notes)


def _fault_is_there(rows: pd.DataFrame, correction: Correction) -> bool:
    if correction.expect == "zero_width_interval":
        return bool((rows["lower_95"] == rows["upper_95"]).any())
    below = rows["value"] < rows["lower_95"]
    return bool((below | (rows["value"] > rows["upper_95"])).any())


def bundled_path(dataset: Dataset, edition: Edition, folder: Path | None = None) -> Path:
    """Where the bundled figures of the edition are, if there are any."""
    return (folder or BUNDLED_DIRECTORY) / dataset.code / f"{edition.edition}.csv"


def load_bundled(
    dataset: Dataset, edition: Edition, bundled: Path | None = None
) -> pd.DataFrame | None:
    """The figures of the edition that ship with the project, in the tidy shape; None without any.

    Every row is ``transcribed`` or ``reported``, its revision is "bundled". Raises ContractError(code="bad_bundle")
    for a file that does not fit the shape or says something else about itself.
    """
    path = bundled_path(dataset, edition, bundled)
    if not path.is_file():
        return None
    conform = as_memberships if dataset.shape == "memberships" else as_observations
    try:
        text = pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8")
        rows = conform(text.replace("", pd.NA))
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        raise _bad_bundle(
            dataset, edition, path, f"it does not fit the tidy shape: {error}"
        ) from error
    for column, wanted in (
        ("origin", ("transcribed", "reported")),
        ("revision", (BUNDLED_REVISION,)),
    ):
        if not rows[column].isin(wanted).all():
            known = " or ".join(repr(each) for each in wanted)
            raise _bad_bundle(dataset, edition, path, f"{column} is not {known} in every row")
    return rows


def _origin_of(carried: pd.DataFrame) -> str:
    """``reported`` where every figure was printed by somebody else, otherwise ``transcribed``."""
    return "reported" if carried["origin"].eq("reported").all() else "transcribed"


def _bad_bundle(dataset: Dataset, edition: Edition, path: Path, message: str) -> ContractError:
    return ContractError(
        message,
        code="bad_bundle",
        dataset=dataset.code,
        edition=edition.edition,
        file=path.name,
        todo="restore the file from the project",
    )


def _try_landed(
    landed: LandedFile,
    dataset: Dataset,
    edition: Edition,
    store: LandingStore,
    areas: AreaBook,
    previous: pd.DataFrame | None,
) -> tuple[pd.DataFrame, tuple[Note, ...], tuple[Finding, ...]] | Rejection:
    try:
        content = store.read(landed)
        rows, notes, findings = read_file(
            content, landed.file_name, dataset, edition, areas, previous=previous
        )
    except PulseError as error:
        return Rejection(landed.revision, landed.file_name, (), str(error), code=error.code)
    if _errors(findings):
        return _refused(landed.revision, landed.file_name, findings)
    if landed.origin != "publisher":
        # A parser cannot know that a file was made up; whoever landed it did.
        rows = rows.assign(origin=pd.Series(landed.origin, index=rows.index, dtype="string"))
    return rows, notes, findings


def _errors(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _refused(revision: str, file_name: str, findings: tuple[Finding, ...]) -> Rejection:
    errors = _errors(findings)
    return Rejection(
        revision,
        file_name,
        findings,
        " ".join(finding.message for finding in errors),
        code=errors[0].code,
    )


def _set_aside(rejection: Rejection, landed: LandedFile, store: LandingStore) -> Rejection:
    errors = _errors(rejection.findings)
    reasons = [f"{finding.code}: {finding.message}" for finding in errors]
    try:
        content = landed.path.read_bytes()
    except OSError:
        # There is nothing to set aside; the rejection says that the file cannot be read.
        return rejection
    path = store.quarantine(
        landed.dataset,
        landed.edition,
        content,
        file_name=landed.file_name,
        reasons=reasons or [f"{rejection.code}: {rejection.error}"],
        address=landed.address,
        retrieved_at=landed.retrieved_at,
    )
    return Rejection(
        rejection.revision,
        rejection.file_name,
        rejection.findings,
        rejection.error,
        rejection.code,
        path,
    )


def earlier_rows(
    dataset: Dataset, edition: Edition, store: LandingStore, areas: AreaBook, folder: Path
) -> pd.DataFrame | None:
    """Rows of the editions before this one, each from its newest good revision, else bundled."""
    found = []
    for entry in dataset.before(edition.edition):
        rows = None
        for landed in store.revisions(dataset.code, entry.edition):
            attempt = _try_landed(landed, dataset, entry, store, areas, None)
            if not isinstance(attempt, Rejection):
                rows = attempt[0]
                break
        if rows is None:
            try:
                rows = load_bundled(dataset, entry, folder)
            except ContractError:
                # Reported where that edition itself is taken in.
                rows = None
        if rows is not None and not rows.empty:
            found.append(rows)
    return pd.concat(found, ignore_index=True) if found else None


def revised_figures(
    taken: Intake,
    dataset: Dataset,
    edition: Edition,
    store: LandingStore,
    areas: AreaBook,
    folder: Path = BUNDLED_DIRECTORY,
) -> pd.DataFrame:
    """What the revision in use changed, against the one before it.

    The one before is the next older landed revision that can be read, else the bundled figures.
    Returns ``sources.revisions.REVISION_COLUMNS``; empty where nothing changed, where there is nothing
    to compare with, and for memberships.
    """
    nothing = compare_revisions(empty_observations(), empty_observations())
    if taken.state != "accepted" or taken.origin != "publisher" or dataset.shape == "memberships":
        return nothing
    older = store.revisions(dataset.code, edition.edition)
    names = [landed.revision for landed in older]
    older = older[names.index(taken.revision) + 1 :] if taken.revision in names else []
    for landed in older:
        attempt = _try_landed(landed, dataset, edition, store, areas, None)
        if not isinstance(attempt, Rejection):
            return compare_revisions(attempt[0], taken.rows)
    carried = load_bundled(dataset, edition, folder)
    if carried is None:
        return nothing
    # What ships with the project may hold only some of the figures: those are compared.
    changes = compare_revisions(carried, taken.rows)
    return changes[changes["kind"] == "changed"]


__all__ = [
    "BUNDLED_DIRECTORY",
    "BUNDLED_REVISION",
    "Intake",
    "Rejection",
    "apply_corrections",
    "bundled_path",
    "load_bundled",
    "read_file",
    "revised_figures",
    "take_in",
]
