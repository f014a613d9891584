"""What every publisher's client speaks of: the file of an edition, and what to remember of it.

Belongs here: the shapes that clients return, and reading a publisher's JSON into them. Does not
belong here: anything that is true of one publisher only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sources.catalogue import Dataset, Edition
from sources.errors import FetchError
from sources.http import TransferError, Validators

M = TypeVar("M", bound=BaseModel)


class Payload(BaseModel):
    """A part of a publisher's JSON: what is named here is checked, the rest is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Cursor(BaseModel):
    """What is remembered of an edition's file, so that "nothing new" costs one small request.

    ``page_*``: the release page as last read; ``release_*`` and ``attachment_*``: what it said;
    ``file_*``: the validators of the file itself; ``sha256``: the bytes that all this led to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    sha256: str | None = None
    page_etag: str | None = None
    page_last_modified: str | None = None
    file_etag: str | None = None
    file_last_modified: str | None = None
    content_id: str | None = None
    release_title: str | None = None
    public_updated_at: str | None = None
    updated_at: str | None = None
    attachment_id: str | None = None
    attachment_url: str | None = None
    attachment_size: int | None = None
    withdrawn: str | None = None

    @property
    def page_validators(self) -> Validators:
        """What to ask the release page with."""
        return Validators(self.page_etag, self.page_last_modified)

    @property
    def file_validators(self) -> Validators:
        """What to ask the file with."""
        return Validators(self.file_etag, self.file_last_modified)


@dataclass(frozen=True)
class EditionFile:
    """The bytes of an edition as a publisher sent them (or, for a service, as they were put down)."""

    content: bytes
    file_name: str
    address: str
    content_type: str | None
    validators: Validators
    retrieved_at: datetime


@dataclass(frozen=True)
class Answer:
    """What a publisher said about an edition.

    ``file`` is None where nothing is new since the cursor that was given. ``remarks`` are for the
    run's record; ``withdrawn`` is the publisher's notice where the release was withdrawn.
    """

    file: EditionFile | None
    cursor: Cursor
    remarks: tuple[str, ...] = ()
    withdrawn: str | None = None


@dataclass(frozen=True)
class Release:
    """A release that a publisher lists: enough to recognise an edition and to go there."""

    title: str
    page: str
    content_id: str | None = None
    document_type: str | None = None
    published_on: date | None = None
    withdrawn: bool = False
    facts: dict[str, str] = field(default_factory=dict)


def read_payload(
    kind: type[M],
    payload: Any,
    address: str,
    *,
    dataset: str | None = None,
    edition: str | None = None,
) -> M:
    """A publisher's JSON as ``kind``. Raises TransferError ``unexpected_payload``, naming the fields."""
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'the whole'}: {fault['msg']}"
            for fault in error.errors(include_url=False)[:5]
        )
        raise TransferError(
            f"{address} answered in a form that is not the documented one ({faults})",
            code="unexpected_payload",
            address=address,
            content=repr(payload)[:20_000].encode(),
            dataset=dataset,
            edition=edition,
            todo="Compare the answer with the publisher's documentation of its service.",
        ) from error


def how_many(what: str, candidates: list[str]) -> str:
    """``none`` or a list of candidates, for messages about choosing one."""
    if not candidates:
        return f"no {what}"
    return f"{len(candidates)} {what}s: " + "; ".join(candidates)


def missing_settings(dataset: Dataset, edition: Edition, what: str) -> FetchError:
    """The catalogue does not say where the edition is."""
    return FetchError(
        f"The catalogue does not say where this edition is published ({what})",
        code="no_address",
        dataset=dataset.code,
        edition=edition.edition,
        todo=edition.how_to_obtain or f"Add it to sources/catalogue/{dataset.code}.yaml.",
    )
