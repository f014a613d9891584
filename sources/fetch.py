"""Fetching: ask a publisher for an edition's file, and record what happened.

Belongs here: whether a publisher is asked at all, what becomes of its answer, and what is remembered so
that an unchanged edition costs one small request. Does not belong here: how a publisher is asked
(``sources.publishers``), whether a file is let in (``sources.arrival``) and which revision is used
(``sources.selection``).

Nothing that a publisher sends can remove or alter what was landed before.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from sources.areas import AreaBook
from sources.arrival import receive
from sources.catalogue import BUNDLED_DIRECTORY, Dataset, Edition
from sources.errors import ContractError, FetchError, LandingError, ParseError, PulseError
from sources.http import CONNECTION_CODES, HttpClient, Reachability, TransferError, file_name_of
from sources.landing import LandedFile, LandingStore, replace_file
from sources.publishers import Answer, Cursor, Publisher, publisher_for

Mode = Literal["default", "offline", "only_publisher"]
State = Literal[
    "publisher_new",
    "publisher_revision",
    "publisher_unchanged",
    "publisher_unreachable",
    "publisher_refused",
    "not_tried",
]

_TRIPS: Final = frozenset(
    {"connect_timeout", "connection_failed", "name_not_resolved", "tls_failed"}
)
"""Faults after which the same publisher is not asked again in the same run."""


@dataclass(frozen=True)
class SourceOutcome:
    """What became of one edition at its publisher.

    ``landed``: the publisher's current file, as it lies in the store; None where none is known.
    ``withdrawn``: the publisher's notice. ``requests``: HTTP requests that it took.
    """

    dataset: str
    edition: str
    tried: bool
    landed: LandedFile | None
    state: State
    message: str
    error: PulseError | None = None
    remarks: tuple[str, ...] = ()
    withdrawn: str | None = None
    requests: int = 0

    @property
    def failed(self) -> bool:
        """Whether the publisher was asked and did not deliver."""
        return self.state in {"publisher_unreachable", "publisher_refused"}


class CursorStore:
    """What is remembered of each edition's file: ``<landing>/.watch/cursors/<dataset>/<edition>.json``.

    A cursor only saves requests. One that is lost or unreadable is as good as none.
    """

    def __init__(self, landing_root: Path) -> None:
        self.root = landing_root / ".watch" / "cursors"

    def load(self, dataset: str, edition: str) -> Cursor | None:
        """The cursor, None where there is none that can be read."""
        try:
            return Cursor.model_validate_json(
                (self.root / dataset / f"{edition}.json").read_bytes()
            )
        except (OSError, ValidationError):
            return None

    def save(self, dataset: str, edition: str, cursor: Cursor) -> None:
        """Put the cursor in place of the former one, in one step."""
        content = cursor.model_dump_json(indent=2, exclude_none=True).encode() + b"\n"
        replace_file(self.root / dataset / f"{edition}.json", content)


def fetch(
    dataset: Dataset,
    editions: Iterable[Edition],
    *,
    mode: Mode,
    store: LandingStore,
    areas: AreaBook,
    http: HttpClient,
    now: datetime,
    reachability: Reachability | None = None,
    afresh: bool = False,
) -> tuple[SourceOutcome, ...]:
    """Ask the publisher for the files of some editions, and land what is new.

    The contract compares an edition with the ones before it, so the oldest comes first. ``now`` (with a
    time zone) is noted on refused answers. ``reachability`` is shared by the calls of one run and
    learns from them. ``afresh`` fetches whole files, whatever is remembered of them.
    Never raises for what a publisher does or sends, nor where the store cannot keep it: that is in
    ``state``, ``error`` and ``message``. In mode ``only_publisher`` the caller treats ``failed`` as
    the end.
    """
    publisher = publisher_for(dataset, http)
    run = _Run(dataset, publisher, mode, store, areas, http, now, reachability, afresh)
    return tuple(run.ask(edition) for edition in editions)


@dataclass(frozen=True)
class _Run:
    """The questions to the publisher of one dataset."""

    dataset: Dataset
    publisher: Publisher[Any] | None
    mode: Mode
    store: LandingStore
    areas: AreaBook
    http: HttpClient
    now: datetime
    reachability: Reachability | None
    afresh: bool

    @property
    def cursors(self) -> CursorStore:
        return CursorStore(self.store.root)

    def ask(self, edition: Edition) -> SourceOutcome:
        before = self.http.requests
        outcome = self._ask(edition)
        requests = self.http.requests - before
        return replace(outcome, tried=outcome.tried or requests > 0, requests=requests)

    def _ask(self, edition: Edition) -> SourceOutcome:
        dataset, publisher, known = self.dataset, self.publisher, self.reachability

        def outcome(state: State, message: str, error: PulseError | None = None) -> SourceOutcome:
            return SourceOutcome(*place, False, None, state, message, error=error)

        place = dataset.code, edition.edition
        name = f"{dataset.short_title} {edition.edition}"
        if self.mode == "offline":
            return outcome("not_tried", f"{name}: offline was asked for.")
        if publisher is None or dataset.parser is None or edition.history:
            why = "nothing is fetched for it" if publisher is None else "no layout is known for it"
            return outcome("not_tried", f"{name}: {why}.")
        if known is not None and not known.reached.get(publisher.site, True):
            error = FetchError(
                f"Not asked: {publisher.site} could not be reached in this run",
                code="not_reached_before",
                dataset=dataset.code,
                edition=edition.edition,
                todo="run it again when the publisher answers; what was landed before is used "
                "meanwhile",
            )
            return outcome("publisher_unreachable", error.message, error)
        cursor = None if self.afresh else self.cursors.load(*place)
        held = self._held(edition, cursor)
        try:
            return self._settle(edition, publisher.fetch(edition, cursor if held else None), held)
        except (FetchError, ParseError, ContractError, LandingError) as error:
            if error.code == "no_address":
                return outcome("not_tried", str(error), error)
            if known is not None and error.code in _TRIPS:
                known.reached[publisher.site] = False
            if isinstance(error, TransferError) and error.content:
                # What came was no file, so it did not reach the door.
                self.store.quarantine(
                    *place,
                    error.content,
                    file_name=file_name_of(error.address) if error.address else "file",
                    reasons=error.reasons,
                    address=error.address,
                    retrieved_at=self.now,
                )
            unreached = error.code in CONNECTION_CODES
            state: State = "publisher_unreachable" if unreached else "publisher_refused"
            return outcome(state, str(error), error)

    def _held(self, edition: Edition, cursor: Cursor | None) -> LandedFile | None:
        """The landed file that the cursor speaks of, if its bytes are still those."""
        if cursor is None or cursor.sha256 is None:
            return None
        for landed in self.store.revisions(self.dataset.code, edition.edition, unlanded=True):
            if landed.sha256 == cursor.sha256:
                try:
                    self.store.read(landed)
                except LandingError:
                    return None
                return landed
        return None

    def _settle(self, edition: Edition, answer: Answer, held: LandedFile | None) -> SourceOutcome:
        """Let in what came, where it is not landed yet; remember it."""
        dataset = self.dataset
        place = dataset.code, edition.edition
        state: State = "publisher_unchanged"
        what = "the publisher has nothing new"
        landed, cursor, remarks = held, answer.cursor, answer.remarks
        if answer.file is not None:
            file = answer.file
            sent: dict[str, Any] = {"file_name": file.file_name, "address": file.address}
            known = self.store.revisions(*place, unlanded=True)
            sha256 = hashlib.sha256(file.content).hexdigest()
            if any(each.sha256 == sha256 for each in known):
                landed = self.store.land(
                    *place, file.content, retrieved_at=file.retrieved_at, **sent
                )
                what = f"{landed.file_name} (revision {landed.revision}) is the file that was held"
                if sha256 != known[0].sha256:
                    state = "publisher_revision"
                    what = f"the publisher went back to an earlier revision, {landed.revision}"
            else:
                landed, read = receive(
                    dataset,
                    edition,
                    file.content,
                    store=self.store,
                    areas=self.areas,
                    now=file.retrieved_at,
                    bundled=None if self.mode == "only_publisher" else BUNDLED_DIRECTORY,
                    content_type=file.content_type,
                    extra=answer.cursor.model_dump(exclude_none=True),
                    **sent,
                    **vars(file.validators),
                )
                remarks += tuple(note.message for note in read.notes)
                state = "publisher_revision" if known else "publisher_new"
                what = f"{landed.file_name} (revision {landed.revision}) is new"
                if known:
                    what += f" and replaces revision {known[0].revision}"
            cursor = cursor.model_copy(update={"sha256": landed.sha256})
        self.cursors.save(*place, cursor)
        mark = landed.unlanded if landed else None
        notice = f" It is not used: {mark.who} took it out of use ({mark.why})." if mark else ""
        notice += f" The release is {answer.withdrawn}." if answer.withdrawn else ""
        message = f"{dataset.short_title} {edition.edition}: {what}.{notice}"
        return SourceOutcome(
            *place, True, landed, state, message, remarks=remarks, withdrawn=answer.withdrawn
        )
