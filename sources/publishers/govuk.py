"""GOV.UK: releases through the Content API, new ones through collections and search.

Belongs here: reading a release, a collection, an announcement and search results, and choosing the
one attachment that holds the tables. An asset's address changes with every replacement, so it is
always read from the release page and never kept in the catalogue. Does not belong here: judging
which release is a new edition (``sources.watch``).

Structures: the content schemas that GOV.UK publishes (publication, document collection, official
statistics announcement) and its search API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from pydantic import AwareDatetime

from sources.catalogue import Dataset, Edition, GovUkDiscovery, fill
from sources.errors import FetchError
from sources.http import SPREADSHEET, Fetched, HttpClient, TransferError, Validators
from sources.publishers.base import (
    Answer,
    Cursor,
    EditionFile,
    Payload,
    Release,
    how_many,
    missing_settings,
    read_payload,
)

RELEASE_TYPES: Final = ("official_statistics", "national_statistics")
ANNOUNCEMENT_TYPES: Final = (
    "official_statistics_announcement",
    "national_statistics_announcement",
    "statistics_announcement",
)


class Attachment(Payload):
    """One attachment of a release. ``url`` may be relative to the site."""

    attachment_type: str = "file"
    content_type: str | None = None
    id: str | None = None
    url: str
    title: str = ""
    filename: str | None = None
    file_size: int | None = None

    def label(self) -> str:
        """How the attachment is named in a message."""
        name = self.filename or urlsplit(self.url).path.rsplit("/", 1)[-1]
        size = f", {self.file_size:,} bytes" if self.file_size is not None else ""
        return f"{self.title!r} ({name}, {self.content_type or self.attachment_type}{size})"


class WithdrawnNotice(Payload):
    """Why and when a page was withdrawn."""

    explanation: str = ""
    withdrawn_at: str | None = None


class ChangeNote(Payload):
    """A line of the page's history."""

    public_timestamp: str | None = None
    note: str | None = None


class ReleaseDetails(Payload):
    """The part of a release page that lists files, dates and history."""

    attachments: tuple[Attachment, ...] = ()
    change_history: tuple[ChangeNote, ...] = ()
    display_date: str | None = None
    release_timestamp: AwareDatetime | None = None
    state: str | None = None
    cancellation_reason: str | None = None


class LinkedDocument(Payload):
    """A document that a collection links to."""

    content_id: str | None = None
    title: str = ""
    base_path: str | None = None
    document_type: str | None = None
    public_updated_at: AwareDatetime | None = None
    withdrawn: bool = False


class Links(Payload):
    """The links of a page that matter here."""

    documents: tuple[LinkedDocument, ...] = ()


class ContentItem(Payload):
    """One page as the Content API gives it."""

    base_path: str
    content_id: str | None = None
    title: str = ""
    document_type: str = ""
    first_published_at: str | None = None
    public_updated_at: str | None = None
    updated_at: str | None = None
    withdrawn_notice: WithdrawnNotice | None = None
    details: ReleaseDetails = ReleaseDetails()
    links: Links = Links()

    @property
    def withdrawn(self) -> str | None:
        """The notice in one line where the page was withdrawn, else None."""
        notice = self.withdrawn_notice
        if notice is None or not (notice.explanation or notice.withdrawn_at):
            return None
        why = " ".join(re.sub(r"<[^>]+>", " ", notice.explanation).split()) or "no reason given"
        return f"withdrawn {(notice.withdrawn_at or 'at an unstated time')[:10]}: {why}"


class SearchResult(Payload):
    """One search result."""

    title: str = ""
    link: str
    content_id: str | None = None
    content_store_document_type: str | None = None
    public_timestamp: AwareDatetime | None = None
    release_timestamp: AwareDatetime | None = None
    statistics_announcement_state: str | None = None


class SearchResults(Payload):
    """The answer of the search API."""

    results: tuple[SearchResult, ...] = ()
    total: int = 0


def content_item(
    http: HttpClient,
    path: str,
    *,
    validators: Validators | None = None,
    dataset: str | None = None,
    edition: str | None = None,
) -> tuple[ContentItem | None, Fetched]:
    """Read a page through the Content API; ``(None, …)`` where it has not changed.

    Raises FetchError: ``page_moved`` where the page was redirected, ``gone`` where it was removed,
    and whatever ``HttpClient.get_json`` raises.
    """
    address = http.settings.address("govuk", "/api/content" + _page_path(http, path))
    payload, fetched = http.get_json(
        address, validators=validators, dataset=dataset, edition=edition
    )
    if fetched.not_modified:
        return None, fetched
    kind = payload.get("document_type") if isinstance(payload, dict) else None
    if kind == "redirect":
        targets = [
            str(each.get("destination"))
            for each in payload.get("redirects") or []
            if isinstance(each, dict)
        ]
        raise TransferError(
            f"The page {path} has moved",
            code="page_moved",
            address=address,
            content=fetched.content,
            dataset=dataset,
            edition=edition,
            found=", ".join(targets) or "no destination",
            todo="Correct the edition's page in the catalogue.",
        )
    if kind == "gone":
        raise TransferError(
            f"The page {path} was removed by its publisher",
            code="gone",
            address=address,
            content=fetched.content,
            dataset=dataset,
            edition=edition,
            todo="Read the collection page: the release was replaced or taken back.",
        )
    return read_payload(ContentItem, payload, address, dataset=dataset, edition=edition), fetched


def _page_path(http: HttpClient, page: str) -> str:
    address = http.settings.address("govuk", page)
    base = http.settings.govuk.rstrip("/")
    return address[len(base) :] if address.startswith(base + "/") else urlsplit(address).path


def choose_attachment(
    item: ContentItem, discovery: GovUkDiscovery, dataset: str, edition: str
) -> Attachment:
    """The attachment that holds the tables: by title, then by the first content type that fits.

    The same tables in two forms (ODS and XLSX) are no ambiguity: ``content_types`` is an order of
    preference. Two files of one form are.

    Raises FetchError ``no_attachment`` or ``ambiguous_attachment``, listing the candidates.
    """
    files = [each for each in item.details.attachments if each.attachment_type == "file"]
    wanted = re.compile(fill(discovery.attachment_title, edition), re.IGNORECASE)
    unwanted = (
        re.compile(fill(discovery.attachment_exclude, edition), re.IGNORECASE)
        if discovery.attachment_exclude
        else None
    )
    titled = [
        each
        for each in files
        if wanted.search(each.title) and not (unwanted and unwanted.search(each.title))
    ]
    for content_type in discovery.content_types:
        fitting = [each for each in titled if _has_type(each, content_type)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            raise FetchError(
                f"Several attachments of {item.base_path} could be the tables",
                code="ambiguous_attachment",
                dataset=dataset,
                edition=edition,
                expected=f"one attachment titled like {discovery.attachment_title!r}",
                found=how_many("candidate", [each.label() for each in fitting]),
                todo="Make attachment_title or attachment_exclude in the catalogue narrower.",
            )
    raise FetchError(
        f"No attachment of {item.base_path} is the tables",
        code="no_attachment",
        dataset=dataset,
        edition=edition,
        expected=f"one attachment titled like {discovery.attachment_title!r} of type "
        + " or ".join(discovery.content_types),
        found=how_many("attachment", [each.label() for each in item.details.attachments]),
        todo="Open the page; if the tables are there under another title, widen attachment_title.",
    )


def _has_type(attachment: Attachment, content_type: str) -> bool:
    return (attachment.content_type or "").split(";", 1)[0].strip().lower() == content_type.lower()


def fetch_edition(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None
) -> Answer:
    """The tables of an edition, or "nothing new".

    One request where the page has not changed; a second one where the page has, but its attachment
    looks the same; the download only where there is something to download. A swap of the file that
    leaves ``public_updated_at`` alone shows in the attachment's address or size, else in the file's
    own validators.
    """
    discovery = dataset.discovery
    if not isinstance(discovery, GovUkDiscovery) or not edition.page:
        raise missing_settings(dataset, edition, "page")
    where: dict[str, Any] = {"dataset": dataset.code, "edition": edition.edition}
    known = cursor if cursor and cursor.sha256 else None
    item, page = content_item(
        http, edition.page, validators=known.page_validators if known else None, **where
    )
    if item is None:
        if known is None:
            raise TransferError(
                f"{page.address} says that nothing changed, though nothing was known",
                code="unexpected_payload",
                **where,
            )
        return Answer(None, known, withdrawn=known.withdrawn)
    chosen = choose_attachment(item, discovery, dataset.code, edition.edition)
    address = _asset_address(http, chosen.url)
    told = {
        "address": address,
        "page_etag": page.validators.etag,
        "page_last_modified": page.validators.last_modified,
        "content_id": item.content_id,
        "release_title": item.title,
        "public_updated_at": item.public_updated_at,
        "updated_at": item.updated_at,
        "attachment_id": chosen.id,
        "attachment_url": chosen.url,
        "attachment_size": chosen.file_size,
        "withdrawn": item.withdrawn,
    }
    remarks = _remarks(item, known, chosen)
    same = known is not None and (known.attachment_url, known.attachment_size) == (
        chosen.url,
        chosen.file_size,
    )
    if known is not None and same and known.updated_at == item.updated_at:
        return Answer(None, known.model_copy(update=told), remarks, item.withdrawn)
    file = http.get(
        address,
        expect=SPREADSHEET,
        validators=known.file_validators if known is not None and same else None,
        **where,
    )
    if file.not_modified and known is not None:
        return Answer(None, known.model_copy(update=told), remarks, item.withdrawn)
    if chosen.file_size is not None and chosen.file_size != len(file.content):
        remarks = (
            *remarks,
            f"The page gives {chosen.file_size:,} bytes for the file, {len(file.content):,} came.",
        )
    return Answer(
        EditionFile(
            file.content,
            file.file_name,
            file.address,
            file.content_type,
            file.validators,
            file.retrieved_at,
        ),
        Cursor(
            **told,
            file_etag=file.validators.etag,
            file_last_modified=file.validators.last_modified,
        ),
        remarks,
        item.withdrawn,
    )


def _asset_address(http: HttpClient, url: str) -> str:
    if "://" not in url:
        return http.settings.address("govuk", url)
    return http.settings.address("govuk_assets", http.settings.address("govuk", url))


def _remarks(item: ContentItem, known: Cursor | None, chosen: Attachment) -> tuple[str, ...]:
    remarks: list[str] = []
    if item.withdrawn:
        remarks.append(f"The release is {item.withdrawn}. It is kept, and flagged.")
    if (
        known is not None
        and (known.attachment_url, known.attachment_size) != (chosen.url, chosen.file_size)
        and known.public_updated_at == item.public_updated_at
    ):
        remarks.append(
            "The publisher replaced the file without moving the page's public date "
            f"({(item.public_updated_at or 'none')[:10]})."
        )
    return tuple(remarks)


# --- noticing ------------------------------------------------------------------------------------


def collection(
    http: HttpClient, path: str, *, validators: Validators | None = None, dataset: str | None = None
) -> tuple[list[Release] | None, Fetched]:
    """The documents of a collection; ``(None, …)`` where it has not changed.

    Members without a path (they can be missing while being withdrawn) are left out.
    """
    item, fetched = content_item(http, path, validators=validators, dataset=dataset)
    if item is None:
        return None, fetched
    return [
        Release(
            title=each.title,
            page=each.base_path,
            content_id=each.content_id,
            document_type=each.document_type,
            published_on=each.public_updated_at.date() if each.public_updated_at else None,
            withdrawn=each.withdrawn,
        )
        for each in item.links.documents
        if each.base_path
    ], fetched


def search(
    http: HttpClient, parameters: Mapping[str, str | Sequence[str]], *, dataset: str | None = None
) -> list[Release]:
    """Search results, newest first. ``parameters`` as the search API names them.

    Raises FetchError ``bad_request`` where the API refuses a parameter (422).
    """
    asked: dict[str, Any] = {
        "order": "-public_timestamp",
        "count": "50",
        "fields": "title,link,content_id,content_store_document_type,public_timestamp,"
        "release_timestamp,statistics_announcement_state",
        **parameters,
    }
    address = http.settings.address("govuk", "/api/search.json?" + urlencode(asked, doseq=True))
    payload, fetched = http.get_json(address, dataset=dataset)
    found = read_payload(SearchResults, payload, fetched.address, dataset=dataset)
    return [
        Release(
            title=each.title,
            page=each.link,
            content_id=each.content_id,
            document_type=each.content_store_document_type,
            published_on=each.public_timestamp.date() if each.public_timestamp else None,
            facts={
                name: value
                for name, value in (
                    ("state", each.statistics_announcement_state),
                    (
                        "release_date",
                        each.release_timestamp.date().isoformat()
                        if each.release_timestamp
                        else None,
                    ),
                )
                if value
            },
        )
        for each in found.results
    ]


def announced_date(
    http: HttpClient, path: str, *, dataset: str | None = None
) -> tuple[date | None, str]:
    """The release date that an announcement page gives, and its state in words.

    None where the release was cancelled or no date is given.
    """
    item, _ = content_item(http, path, dataset=dataset)
    if item is None:
        return None, "not read"
    state = item.details.state or "stated"
    if state == "cancelled":
        return None, f"cancelled: {item.details.cancellation_reason or 'no reason given'}"
    moment: datetime | None = item.details.release_timestamp
    return (moment.astimezone(UTC).date() if moment else None), state
