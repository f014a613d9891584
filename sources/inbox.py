"""The inbox: what councils and communities hand in, kept in a folder of the workspace.

Belongs here: reading the inbox into rows that keep their contract, and letting a file into it. A file
that was put there by hand and breaks the contract is refused whole, and stops nothing else. Its faults
are never quoted in the record: they may be personal data. Does not belong here: what the contracts say.

Files are read where they lie. Whoever removes one (consent that was withdrawn, say) takes it out of
the next release.
"""

import csv
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd
from pydantic import BaseModel

from sources.areas import AreaBook
from sources.arrival import MADE_UP_PREFIX, read_regular_file
from sources.errors import LandingError, PulseError
from sources.evidence.model import Lists
from sources.evidence.register import FORMS, Register, RegisterError, read_bundled, read_entries
from sources.landing import replace_file
from sources.respondents import ANSWERS, results_of
from sources.selection import EditionUsed, Rejection
from sources.surveys import RESULTS, SURVEY, Results, read_survey

DATASET: Final = "inbox"
EVIDENCE: Final = "evidence"
SURVEYS: Final = "surveys"


@dataclass(frozen=True)
class Inbox:
    """What is registered: rows by table of the loader, and what became of each file."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    editions: tuple[EditionUsed, ...] = ()


def read_inbox(folder: Path, seeds: Path) -> Inbox:
    """Read what ships with the project and every file of the inbox, oldest name first.

    Raises ParseError where an entry that ships with the project breaks the contract.
    """
    lists = Lists.from_seeds(seeds)
    register = read_bundled(lists)
    found = [("bundled", "reported", register)]
    editions = []
    for file, content, entries in _entries(folder / EVIDENCE, lists, register):
        name = f"{EVIDENCE}/{file}"
        if isinstance(entries, PulseError):
            editions.append(_refused(name, entries))
            continue
        origin = "synthetic" if file.startswith(MADE_UP_PREFIX) else "local"
        found.append((file, origin, entries))
        rows = len(entries.initiatives) + len(entries.evidence)
        editions.append(_accepted(name, origin, content, rows))
    surveys = []
    described = (folder / SURVEYS).glob(f"[!.]*/{SURVEY}")
    for each in sorted(path.parent for path in described):
        name = f"{SURVEYS}/{each.name}/{RESULTS}"
        try:
            results = read_survey(each, lists.areas, barometers(seeds))
        except PulseError as error:
            editions.append(_refused(name, error))
            continue
        surveys.append(_survey_rows(results))
        for file, content in results.content.items():
            origin = str(results.rows["origin"].iloc[0])
            count = len(results.rows) if file == RESULTS else 0
            editions.append(_accepted(f"{SURVEYS}/{each.name}/{file}", origin, content, count))
    return Inbox(
        {
            "local_surveys": pd.concat(surveys) if surveys else pd.DataFrame(),
            "initiatives": _rows((f, o, r.initiatives) for f, o, r in found),
            "evidence": _rows((f, o, r.evidence) for f, o, r in found),
        },
        tuple(editions),
    )


def hand_in_entries(path: Path, folder: Path, seeds: Path) -> Register:
    """Check a file of entries and put a copy into the inbox; one of that name is replaced.

    Raises RegisterError with every fault; nothing is kept then; LandingError when the file cannot
    be read or kept.
    """
    content = read_regular_file(path, {"file": path.name})
    if path.suffix not in FORMS:
        raise LandingError(
            "this is no file of entries",
            code="not_entries",
            file=path.name,
            expected=" or ".join(sorted(FORMS)),
            todo="write the blank form with `pulse evidence-form FILE`, and fill in that",
        )
    lists = Lists.from_seeds(seeds)
    before = read_bundled(lists)
    for file, _, found in _entries(folder / EVIDENCE, lists, before):
        if file != path.name and isinstance(found, Register):
            before += found
    entries = read_entries(content, path.name, lists, before)
    replace_file(folder / EVIDENCE / path.name, content, read_only=False)
    return entries


def hand_in_survey(source: Path, folder: Path, seeds: Path) -> Results:
    """Check the folder of a survey and put a copy into the inbox; one of that name is replaced.

    Raises ParseError with every fault, or LandingError when a file cannot be read or kept.
    """
    areas, known = AreaBook.from_seeds(seeds), barometers(seeds)
    if (source / ANSWERS).exists():
        # Of the answers themselves nothing is copied: only the percentages go on.
        with tempfile.TemporaryDirectory(prefix="pulse-survey-") as made:
            percentages = Path(made) / source.resolve().name
            for name, content in results_of(source).items():
                replace_file(percentages / name, content, read_only=False)
            results = read_survey(percentages, areas, known)
    else:
        results = read_survey(source.resolve(), areas, known)
    for name, content in results.content.items():
        target = folder / SURVEYS / source.resolve().name / name
        replace_file(target, content, read_only=False)
    return results


def barometers(seeds: Path) -> frozenset[str]:
    """The indicators that a question may resemble."""
    with (seeds / "indicators.csv").open(encoding="utf-8", newline="") as stream:
        return frozenset(row["indicator_id"] for row in csv.DictReader(stream))


def _survey_rows(results: Results) -> pd.DataFrame:
    """The rows of a survey with what it says of itself and of each question."""
    survey = results.survey
    questions = pd.DataFrame(
        [
            {**question.model_dump(exclude={"id"}), "measure": question.id}
            for question in survey.questions
        ]
    )
    said = survey.model_dump(include={"title", "organisation", "mode", "weighting", "source"})
    return results.rows.merge(questions, on="measure").assign(
        **said,
        source_url=survey.source_url,
        survey_area=survey.area,
        design_effect=survey.design_effect,
    )


def _entries(
    folder: Path, lists: Lists, before: Register
) -> Iterator[tuple[str, bytes, Register | PulseError]]:
    """Each file of entries with its bytes and what it registers, or the error that refuses it."""
    for path in sorted(each for each in folder.glob("[!.~]*") if each.suffix in FORMS):
        try:
            content = read_regular_file(path, {"file": path.name})
            entries = read_entries(content, path.name, lists, before)
        except PulseError as error:
            yield path.name, b"", error
            continue
        before += entries
        yield path.name, content, entries


def _rows(found: Iterable[tuple[str, str, Iterable[BaseModel]]]) -> pd.DataFrame:
    """One row per entry; what holds several values is one text."""
    return pd.DataFrame(
        [
            {
                **{
                    name: "; ".join(value) if isinstance(value, tuple) else value
                    for name, value in entry.model_dump().items()
                },
                "register": file,
                "origin": origin,
            }
            for file, origin, entries in found
            for entry in entries
        ]
    )


def _accepted(name: str, origin: str, content: bytes, rows: int) -> EditionUsed:
    sha256 = hashlib.sha256(content).hexdigest()
    return EditionUsed(
        DATASET, name, "accepted", origin, sha256[:12], sha256, file_name=name, figures=rows
    )


def _refused(name: str, error: PulseError) -> EditionUsed:
    faults = error.faults if isinstance(error, RegisterError) else (error,)
    counted = Counter(each.code for each in faults)
    said = ", ".join(f"{code} ({number})" for code, number in counted.items())
    words = (
        f"{said}. What to do: hand the file in again with the command line, which names each fault"
    )
    rejection = Rejection("", name, faults[0].code, words)
    return EditionUsed(DATASET, name, "nothing_held", rejections=(rejection,))
