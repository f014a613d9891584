"""The order of sources: ask the publisher, keep what came, say plainly what happened.

Belongs here: whether a publisher is asked at all, what is done with its answer (checked, landed as a
revision, or set aside with the reasons), and what is remembered so that an unchanged edition costs
one small request. Does not belong here: reading and judging the figures, and falling back to an
older revision or to the bundled figures; that is ``sources.intake``, which the caller runs next on
whatever the store then holds.

Nothing that a publisher sends can remove or alter what was landed before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from sources.catalogue import Catalogue, Dataset, Edition
from sources.content_check import check_content
from sources.errors import FetchError, LandingError, ParseError, PulseError
from sources.http import (
    CONNECTION_CODES,
    HttpClient,
    Reachability,
    TransferError,
    file_name_of,
    probe,
)
from sources.landing import LandedFile, LandingStore, write_whole
from sources.publishers import Answer, Cursor, publisher_for

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

_SHOWN: Final[Mapping[State, str]] = {
    "publisher_new": "new",
    "publisher_revision": "revised",
    "publisher_unchanged": "unchanged",
    "publisher_unreachable": "not reached",
    "publisher_refused": "refused",
    "not_tried": "not tried",
}


@dataclass(frozen=True)
class SourceOutcome:
    """What became of one edition at its publisher.

    ``landed``: the publisher's current file, as it lies in the store; None where none is known.
    ``quarantined``: the folder of the refused copy. ``withdrawn``: the publisher's notice. ``requests``:
    HTTP requests that it took.
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
    quarantined: Path | None = None
    requests: int = 0

    @property
    def failed(self) -> bool:
        """Whether the publisher was wanted and did not deliver."""
        return self.state in {"publisher_unreachable", "publisher_refused"}


@dataclass(frozen=True)
class Obtained:
    """A whole round over the catalogue."""

    outcomes: tuple[SourceOutcome, ...]
    reachability: Reachability | None
    requests: int

    def line(self) -> str:
        """The round in one line."""
        counts = Counter(_SHOWN[each.state] for each in self.outcomes)
        told = ", ".join(f"{counts[name]} {name}" for name in _SHOWN.values() if counts[name])
        probed = f" {self.reachability.line()}" if self.reachability else ""
        return f"Publishers: {told or 'nothing to ask'} ({self.requests} requests).{probed}"


class CursorStore:
    """What is remembered of each edition's file: ``<landing>/.watch/cursors/<dataset>/<edition>.json``.

    A cursor only saves requests. One that is lost or unreadable is as good as none.
    """

    def __init__(self, landing_root: Path) -> None:
        self.root = landing_root / ".watch" / "cursors"

    def load(self, dataset: str, edition: str) -> Cursor | None:
        """The cursor, None where there is none that can be read."""
        path = self.root / dataset / f"{edition}.json"
        try:
            return Cursor.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None

    def save(self, dataset: str, edition: str, cursor: Cursor) -> None:
        """Put the cursor in place of the former one, in one step."""
        write_whole(
            self.root / dataset / f"{edition}.json",
            cursor.model_dump_json(indent=2, exclude_none=True).encode() + b"\n",
        )


def obtain(
    dataset: Dataset,
    edition: Edition,
    *,
    mode: Mode,
    store: LandingStore,
    http: HttpClient,
    now: datetime,
    reachability: Reachability | None = None,
    afresh: bool = False,
) -> SourceOutcome:
    """Ask the publisher of an edition for its file, and land it where it is new.

    ``now`` (with a time zone) is noted on refused copies. ``reachability`` is shared by the calls of
    one run and learns from them. ``afresh`` fetches the whole file, whatever is remembered of it.
    Never raises for what a publisher does or sends, nor where the store cannot keep it: that is in
    ``state``, ``error`` and ``message``. In mode ``only_publisher`` the caller treats ``failed`` as
    the end.
    """
    before = http.requests

    def outcome(state: State, message: str, *, tried: bool = True) -> SourceOutcome:
        return SourceOutcome(
            dataset.code,
            edition.edition,
            tried,
            None,
            state,
            message,
            requests=http.requests - before,
        )

    publisher = publisher_for(dataset, http)
    if mode == "offline":
        return outcome("not_tried", "Offline was asked for.", tried=False)
    if publisher is None or dataset.parser is None or edition.history:
        why = "nothing is fetched for it" if publisher is None else "no layout is known for it"
        return outcome("not_tried", f"{dataset.short_title}: {why}.", tried=False)
    if reachability is not None and not reachability.reached.get(publisher.site, True):
        error = FetchError(
            f"Not asked: {publisher.site} could not be reached in this run",
            code="not_reached_before",
            dataset=dataset.code,
            edition=edition.edition,
            todo="run it again when the publisher answers; what was landed before is used meanwhile",
        )
        return replace(outcome("publisher_unreachable", error.message, tried=False), error=error)

    cursors = CursorStore(store.root)
    cursor = None if afresh else cursors.load(dataset.code, edition.edition)
    held = _held(store, dataset, edition, cursor)
    try:
        answer = publisher.fetch(edition, cursor if held else None)
        return replace(
            _settle(dataset, edition, answer, held, store, cursors),
            requests=http.requests - before,
        )
    except (FetchError, ParseError, LandingError) as error:
        if error.code == "no_address":
            return replace(outcome("not_tried", str(error), tried=False), error=error)
        if reachability is not None and error.code in _TRIPS:
            reachability.reached[publisher.site] = False
        unreached = error.code in CONNECTION_CODES
        return replace(
            outcome("publisher_unreachable" if unreached else "publisher_refused", str(error)),
            error=error,
            quarantined=_set_aside(dataset, edition, error, store, now),
        )


def _held(
    store: LandingStore, dataset: Dataset, edition: Edition, cursor: Cursor | None
) -> LandedFile | None:
    """The landed file that the cursor speaks of, if its bytes are still those."""
    if cursor is None or cursor.sha256 is None:
        return None
    for landed in store.revisions(dataset.code, edition.edition):
        if landed.sha256 == cursor.sha256:
            try:
                store.read(landed)
            except LandingError:
                return None
            return landed
    return None


class _RefusedContentError(ParseError):
    """A body that came well and is not the file wanted; keeps it for the quarantine."""

    def __init__(self, error: ParseError, answer: Answer) -> None:
        super().__init__(
            error.message,
            code=error.code,
            dataset=error.dataset,
            edition=error.edition,
            file=error.file,
            sheet=error.sheet,
            cell=error.cell,
            expected=error.expected,
            found=error.found,
            todo=error.todo,
        )
        self.file_sent = answer.file


def _settle(
    dataset: Dataset,
    edition: Edition,
    answer: Answer,
    held: LandedFile | None,
    store: LandingStore,
    cursors: CursorStore,
) -> SourceOutcome:
    """Check and land what came; remember it."""
    name = f"{dataset.short_title} {edition.edition}"
    withdrawn = f" The release is {answer.withdrawn}." if answer.withdrawn else ""
    if answer.file is None:
        cursors.save(dataset.code, edition.edition, answer.cursor)
        return SourceOutcome(
            dataset.code,
            edition.edition,
            True,
            held,
            "publisher_unchanged",
            f"{name}: the publisher has nothing new.{withdrawn}",
            remarks=answer.remarks,
            withdrawn=answer.withdrawn,
        )
    file = answer.file
    try:
        remarks = check_content(file.content, dataset, edition, file_name=file.file_name)
    except ParseError as error:
        raise _RefusedContentError(error, answer) from error
    known = store.revisions(dataset.code, edition.edition)
    landed = store.land(
        dataset.code,
        edition.edition,
        file.content,
        file_name=file.file_name,
        address=file.address,
        retrieved_at=file.retrieved_at,
        etag=file.validators.etag,
        last_modified=file.validators.last_modified,
        content_type=file.content_type,
        extra=answer.cursor.model_dump(exclude_none=True),
    )
    cursors.save(
        dataset.code, edition.edition, answer.cursor.model_copy(update={"sha256": landed.sha256})
    )
    state: State
    if not known:
        state, told = "publisher_new", "is new"
    elif landed.sha256 == known[0].sha256:
        state, told = "publisher_unchanged", "is the file that was held"
    elif landed.sha256 in {each.sha256 for each in known}:
        state, told = "publisher_revision", "is an earlier revision: the publisher went back to it"
    else:
        state, told = "publisher_revision", f"is another file than revision {known[0].revision}"
    return SourceOutcome(
        dataset.code,
        edition.edition,
        True,
        landed,
        state,
        f"{name}: {landed.file_name} (revision {landed.revision}) {told}.{withdrawn}",
        remarks=(*answer.remarks, *remarks),
        withdrawn=answer.withdrawn,
    )


def _set_aside(
    dataset: Dataset, edition: Edition, error: PulseError, store: LandingStore, now: datetime
) -> Path | None:
    """Quarantine what was received, with the reason; None where nothing was."""
    content, address, name = b"", None, "file"
    if isinstance(error, _RefusedContentError) and error.file_sent is not None:
        content, address = error.file_sent.content, error.file_sent.address
        name = error.file_sent.file_name
    elif isinstance(error, TransferError):
        content, address = error.content, error.address
        name = file_name_of(address) if address else name
    if not content:
        return None
    return store.quarantine(
        dataset.code,
        edition.edition,
        content,
        file_name=name,
        reasons=[f"{error.code}: {error}"],
        address=address,
        retrieved_at=now,
    )


def refresh_dataset(
    dataset: Dataset,
    *,
    mode: Mode,
    store: LandingStore,
    http: HttpClient,
    now: datetime,
    reachability: Reachability | None = None,
    editions: Iterable[Edition] | None = None,
    afresh: bool = False,
) -> tuple[SourceOutcome, ...]:
    """``obtain`` for every edition of a dataset (or those given), newest first."""
    wanted = tuple(editions) if editions is not None else tuple(reversed(dataset.editions))
    return tuple(
        obtain(
            dataset,
            edition,
            mode=mode,
            store=store,
            http=http,
            now=now,
            reachability=reachability,
            afresh=afresh,
        )
        for edition in wanted
    )


def refresh_all(
    catalogue: Catalogue,
    *,
    mode: Mode,
    store: LandingStore,
    http: HttpClient,
    now: datetime,
    only: Collection[str] | None = None,
    probe_seconds: float = 2.0,
) -> Obtained:
    """``refresh_dataset`` over the catalogue (or the codes in ``only``).

    Probes the publishers first, all at once: where none can be reached, the whole round costs
    ``probe_seconds`` at most.
    """
    before = http.requests
    reachability = None if mode == "offline" else probe(http.settings, seconds=probe_seconds)
    outcomes = [
        outcome
        for dataset in catalogue.datasets.values()
        if only is None or dataset.code in only
        for outcome in refresh_dataset(
            dataset, mode=mode, store=store, http=http, now=now, reachability=reachability
        )
    ]
    return Obtained(tuple(outcomes), reachability, http.requests - before)
