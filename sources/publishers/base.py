"""What every publisher's client has: fetching an edition, and watching for news.

Belongs here: the shapes that clients return, and what they share. Does not belong here: anything that
is true of one publisher only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from sources.catalogue import Dataset, Edition
from sources.editions import WatchEvent, derive_edition
from sources.errors import FetchError, about
from sources.http import CSV, Fetched, HttpClient, TransferError, Validators

M = TypeVar("M", bound=BaseModel)
D = TypeVar("D")


class Payload(BaseModel, extra="ignore", frozen=True):
    """A part of a publisher's JSON: what is named here is checked, the rest is ignored."""


class Cursor(BaseModel, extra="forbid", frozen=True):
    """What is remembered of an edition's file, so that "nothing new" costs one small request.

    ``page``: validators of the release page as last read; ``release_title`` to ``attachment_size``:
    what it said; ``file``: the validators of the file itself; ``sha256``: the bytes that all this led
    to. ``mark`` sums up the releases of an edition that is published in several.
    """

    address: str
    sha256: str | None = None
    page: Validators = Validators()
    file: Validators = Validators()
    release_title: str | None = None
    public_updated_at: str | None = None
    updated_at: str | None = None
    attachment_url: str | None = None
    attachment_size: int | None = None
    withdrawn: str | None = None
    mark: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a publisher said about an edition.

    ``file``: as the publisher sent it (or, of a service, as it was put down); None where nothing is new
    since the cursor that was given. ``remarks`` are for the run's record; ``withdrawn`` is the
    publisher's notice where the release was withdrawn.
    """

    file: Fetched | None
    cursor: Cursor
    remarks: tuple[str, ...] = ()
    withdrawn: str | None = None


class WatchCursor(BaseModel, extra="forbid", frozen=True):
    """What a sensor keeps between looks. Unknown or damaged text counts as never having looked."""

    validators: Validators = Validators()
    seen: tuple[str, ...] = ()
    next_expected: date | None = None
    mark: str | None = None

    @classmethod
    def read(cls, text: str | None) -> WatchCursor:
        """The cursor that a sensor kept."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()


@dataclass(frozen=True)
class Watched:
    """What one look noticed, and the cursor to give the next one."""

    events: tuple[WatchEvent, ...]
    cursor: str


class Publisher(ABC, Generic[D]):
    """The client of one dataset at the API that publishes it."""

    site: ClassVar[str]
    """The publisher's base address in ``PublisherSettings``."""

    def __init__(self, dataset: Dataset, discovery: D, http: HttpClient) -> None:
        self.dataset = dataset
        self.discovery = discovery
        self.http = http

    def fetch(self, edition: Edition, cursor: Cursor | None = None) -> Answer:
        """The file of an edition, or "nothing new" since the cursor: as few requests as can be.

        Raises FetchError: the codes of ``HttpClient.get``, ``no_address`` where the edition is not at
        the publisher or the catalogue does not say where, and those of the API.
        """
        with about(dataset=self.dataset.code, edition=edition.edition):
            return self.ask(edition, cursor)

    @abstractmethod
    def ask(self, edition: Edition, cursor: Cursor | None) -> Answer:
        """What ``fetch`` returns. Its errors need not name the dataset and the edition."""

    @abstractmethod
    def look(self, former: WatchCursor, today: date) -> tuple[list[WatchEvent], WatchCursor]:
        """What is new since the former look. Raises FetchError."""

    def watch(self, cursor: str | None, today: date) -> Watched:
        """Look for news. Raises FetchError; the cursor that was given then stays the right one."""
        with about(dataset=self.dataset.code):
            events, after = self.look(WatchCursor.read(cursor), today)
        return Watched(tuple(events), after.model_dump_json(exclude_defaults=True))

    # -- what clients share --

    def fault(self, code: str, message: str, **more: Any) -> FetchError:
        """An error; ``more`` as those of ``PulseError``, and of ``TransferError`` where content came."""
        kind = TransferError if "content" in more else FetchError
        return kind(message, code=code, **more)

    def missing(self, edition: Edition, what: str) -> FetchError:
        """The catalogue does not say where the edition is."""
        return self.fault(
            "no_address",
            f"The catalogue does not say where this edition is published ({what})",
            todo=edition.how_to_obtain or f"Add it to sources/catalogue/{self.dataset.code}.yaml.",
        )

    def get_csv(self, address: str, known: Cursor | None = None) -> Fetched:
        """A CSV file from the publisher, where it is another than the known one."""
        validators = known.file if known else None
        return self.http.get(address, expect=CSV, validators=validators)

    def fetch_csv(self, address: str, cursor: Cursor | None, **other: Any) -> Answer:
        """The answer where an edition is one CSV file at one address."""
        known = known_at(address, cursor)
        fetched = self.get_csv(address, known)
        if fetched.not_modified and known is not None:
            return Answer(None, known)
        return Answer(replace(fetched, **other), cursor_of(address, fetched))

    def read(self, kind: type[M], payload: Any, fetched: Fetched) -> M:
        """A publisher's JSON as ``kind``. Raises TransferError ``unexpected_payload``."""
        try:
            return kind.model_validate(payload)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(str(part) for part in fault['loc']) or 'the whole'}: {fault['msg']}"
                for fault in error.errors(include_url=False)[:5]
            )
            raise self.fault(
                "unexpected_payload",
                f"{fetched.address} answered in a form that is not the documented one ({faults})",
                address=fetched.address,
                content=fetched.content,
                todo="Compare the answer with the publisher's documentation of its service.",
            ) from error

    def new_edition(
        self, code: str, facts: Mapping[str, str] | None = None, **known: Any
    ) -> list[WatchEvent]:
        """The event of an edition that was recognised; none where nothing is listed to derive it from.

        ``facts``: what the discovery needs to find it; ``known``: see ``derive_edition``.
        """
        derived = derive_edition(self.dataset, code, **known)
        if derived is None:
            return []
        message = (
            f"{self.dataset.short_title} {code} is published and was recognised: it is fetched, read "
            "and checked by itself. Confirm its period and areas, then list it in "
            f"sources/catalogue/{self.dataset.code}.yaml."
        )
        known = {"edition": code, "derived": derived, "facts": facts or {}}
        return [WatchEvent("new_edition", self.dataset.code, message, **known)]


def known_at(address: str, cursor: Cursor | None) -> Cursor | None:
    """The cursor, where it is of a file that came from this address."""
    return cursor if cursor and cursor.sha256 and cursor.address == address else None


def cursor_of(address: str, fetched: Fetched, **more: Any) -> Cursor:
    """The cursor of a file that came from an address."""
    return Cursor(
        address=address,
        file=fetched.validators,
        **more,
    )
