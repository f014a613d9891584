"""The one door: a file that arrives is examined, then landed, or quarantined with its reasons.

Belongs here: what every file goes through on its way in, fetched (``sources.fetch``) or handed in by a
person. Does not belong here: reading and judging the file (``sources.examination``), or storing it
(``sources.landing``).
"""

import os
import stat
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from sources.areas import AreaBook
from sources.catalogue import BUNDLED_DIRECTORY, Dataset, Edition, bundled_path
from sources.errors import LandingError, PulseError, counted
from sources.examination import examine
from sources.landing import LandedFile, LandingStore
from sources.parsers import QUESTION, Parsed
from sources.selection import accepted_before

SIZE_LIMIT: Final = 100_000_000
"""Bytes; the largest file that any of the publishers has is under 10 MB."""

MADE_UP_PREFIX: Final = "synthetic-"
"""How the name of a made-up file begins: what is in it is never released."""

_REMARKS: Final = 4


def receive(
    dataset: Dataset,
    edition: Edition,
    content: bytes,
    *,
    file_name: str,
    address: str | None,
    store: LandingStore,
    areas: AreaBook,
    now: datetime,
    bundled: Path | None = BUNDLED_DIRECTORY,
    **record: Any,
) -> tuple[LandedFile, Parsed]:
    """Examine a file; land it, or quarantine it and raise.

    ``address`` is None for a file handed in by a person. ``now`` is when it came, with a time zone;
    ``record`` is what else ``LandingStore.land`` keeps. Returns the file as it lies in the store, and
    what was read from it. Raises ParseError or ContractError, which list
    every fault of the file, and LandingError where the store cannot keep it.
    """
    sent: dict[str, Any] = {"file_name": file_name, "address": address, "retrieved_at": now}
    try:
        previous = accepted_before(dataset, edition, store, areas, bundled)
        examined = examine(content, file_name, dataset, edition, areas, previous=previous)
    except LandingError:
        raise
    except PulseError as error:
        store.quarantine(dataset.code, edition.edition, content, reasons=error.reasons, **sent)
        raise
    made_up = address is None and file_name.startswith(MADE_UP_PREFIX)
    origin: Literal["synthetic", "publisher"] = "synthetic" if made_up else "publisher"
    landed = store.land(dataset.code, edition.edition, content, origin=origin, **sent, **record)
    return landed, examined


def hand_in(
    dataset: Dataset,
    edition: Edition,
    path: Path,
    store: LandingStore,
    areas: AreaBook,
    *,
    now: datetime,
) -> list[str]:
    """Let in a file from the disk. Returns what became of it, in lines for the person who did it.

    Raises as ``receive``, and LandingError where there is no file that can be read
    ("not_a_file", "too_large", "unreadable_file").
    """
    place = {"dataset": dataset.code, "edition": edition.edition, "file": path.name}
    content = read_regular_file(path, place)
    before = store.revisions(dataset.code, edition.edition)
    landed, examined = receive(
        dataset,
        edition,
        content,
        file_name=path.name,
        address=None,
        store=store,
        areas=areas,
        now=now,
    )
    if before:
        instead = f", not revision {before[0].revision}" * (before[0].sha256 != landed.sha256)
    else:
        instead = ", not the bundled copy" * bundled_path(dataset, edition).is_file()
    known = f", which is held as {landed.file_name}" * (landed.file_name != path.name)
    lines = [
        f"landed {path.name} as {dataset.code} {edition.edition}, revision {landed.revision}{known}",
        f"{counted(len(examined.rows), 'row', 'rows')}; the next refresh uses them{instead}",
    ]
    if landed.origin == "synthetic":
        lines.append(
            "the name of the file says that it is made up: its figures will not be released"
        )
    warnings = [f"{finding.severity}: {finding.message}" for finding in examined.findings]
    notes = [f"note: {n.message}" for n in examined.notes if not n.code.startswith(QUESTION)]
    for remarks in (warnings, notes):
        lines += remarks[:_REMARKS]
        if len(remarks) > _REMARKS:
            lines.append(
                f"and {len(remarks) - _REMARKS} more like these, listed by the next refresh"
            )
    return lines


def read_regular_file(path: Path, place: dict[str, str]) -> bytes:
    """The bytes of a file, at most ``SIZE_LIMIT``; never waits for a pipe or a device."""
    try:
        found = path.stat()
        mode, size, content = found.st_mode, found.st_size, b""
        if stat.S_ISREG(mode) and size <= SIZE_LIMIT:
            # Should a pipe have taken the file's place since, opening it does not wait.
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                content = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise LandingError(
            "the file cannot be read",
            code="unreadable_file",
            found=error.strerror,
            todo="check the path and its permissions",
            **place,
        ) from error
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe"}
        raise LandingError(
            "this is not a file",
            code="not_a_file",
            expected="an XLSX, ODS or CSV file",
            found=kinds.get(stat.S_IFMT(mode), "a device"),
            todo="name the downloaded file itself",
            **place,
        )
    if max(size, len(content)) > SIZE_LIMIT:
        raise LandingError(
            "the file is too large",
            code="too_large",
            expected=f"at most {SIZE_LIMIT:,} bytes",
            found=f"{max(size, len(content)):,} bytes or more",
            todo="check that this is the file from the publisher's page",
            **place,
        )
    return content
