"""Files that a person downloaded by hand: the same checks as any other, then landed.

Belongs here: taking a file from a path into the landing store, and the words that say what became
of it. Does not belong here: reading the file (``sources.parsers``) or judging its rows
(``sources.contract``).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sources.areas import AreaBook
from sources.catalogue import Dataset, Edition
from sources.content_check import check_content
from sources.errors import ContractError, LandingError, ParseError, PulseError
from sources.intake import BUNDLED_DIRECTORY, earlier_rows, read_file
from sources.landing import LandingStore

SIZE_LIMIT = 200_000_000
"""Bytes; the largest file that any of the publishers has is under 10 MB."""

MADE_UP_PREFIX = "synthetic-"


def is_made_up(file_name: str) -> bool:
    """Whether a file is named as a made-up file is."""
    return file_name.startswith(MADE_UP_PREFIX)


def land_file(
    dataset: Dataset,
    edition: Edition,
    path: Path,
    store: LandingStore,
    areas: AreaBook,
    *,
    now: datetime,
) -> str:
    """Read, check and land a file; a file that fails is quarantined with its reasons.

    Returns:
        What was landed, in words for the person who did it.

    Raises:
        LandingError: when the file cannot be read from the disk.
        ParseError: when it is not what it should be.
        ContractError: when its rows break the contract.
    """
    place = {"dataset": dataset.code, "edition": edition.edition, "file": path.name}
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise LandingError(
                "the file is too large",
                code="too_large",
                expected=f"at most {SIZE_LIMIT:,} bytes",
                found=f"{path.stat().st_size:,} bytes",
                todo="download it again from the publisher's page",
                **place,
            )
        content = path.read_bytes()
    except OSError as error:
        raise LandingError(
            "the file cannot be read",
            code="unreadable_file",
            found=error.strerror,
            todo="check the path and its permissions",
            **place,
        ) from error
    if dataset.parser is None:
        raise LandingError(
            "no layout of this dataset is known, so no file of it can be read",
            code="no_parser",
            todo=f"describe the layout in sources/catalogue/{dataset.code}.yaml",
            **place,
        )
    reasons: list[str] = []
    failure: PulseError | None = None
    try:
        check_content(content, dataset, edition, file_name=path.name)
        rows, notes, findings = read_file(
            content,
            path.name,
            dataset,
            edition,
            areas,
            previous=earlier_rows(dataset, edition, store, areas, BUNDLED_DIRECTORY),
        )
        errors = [finding for finding in findings if finding.severity == "error"]
        if errors:
            reasons = [f"{finding.code}: {finding.message}" for finding in errors]
            failure = ContractError(
                "the rows of the file break the contract: " + "; ".join(reasons[:5]),
                code=errors[0].code,
                todo="look at the quarantined copy and its reasons; nothing was landed",
                **place,
            )
    except ParseError as error:
        reasons = [str(error)]
        failure = error
    if failure is not None:
        store.quarantine(
            dataset.code,
            edition.edition,
            content,
            file_name=path.name,
            reasons=reasons,
            retrieved_at=now,
        )
        raise failure
    landed = store.land(
        dataset.code,
        edition.edition,
        content,
        file_name=path.name,
        address=None,
        retrieved_at=now,
        origin="synthetic" if is_made_up(path.name) else "publisher",
    )
    lines = [
        f"landed {landed.file_name} as {dataset.code} {edition.edition}, revision {landed.revision}",
        f"{len(rows)} rows; the next refresh uses them before the bundled figures",
    ]
    if landed.origin == "synthetic":
        lines.append(
            "the file says that it is made up: the gate will refuse to release its figures"
        )
    lines += [f"note: {note.message}" for note in notes]
    lines += [f"{finding.severity}: {finding.message}" for finding in findings]
    return "\n".join(lines)
