"""The Social Mobility Commission's data site: one CSV file an index and edition.

Belongs here: the address of an edition's file, and what the ``latest`` page of an index tells about
a newer one. The version in an address is a version of the page, not an edition; which version holds
which edition is the catalogue's to say. Does not belong here: judging whether a new version is a
new edition (``sources.watch``).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from sources.catalogue import Dataset, Edition, SmcDiscovery
from sources.http import CSV, PAGE, HttpClient, TransferError, Validators
from sources.publishers.base import Answer, Cursor, EditionFile, missing_settings

_LINK: Final = re.compile(r"""href\s*=\s*["']([^"'<>]{1,1000})["']""", re.IGNORECASE)
_VERSION: Final = re.compile(r"/(\d{1,4}\.\d{1,4})(?=/|$)")
_DATE: Final = re.compile(
    r"""<time[^>]{0,200}datetime\s*=\s*["'](\d{4}-\d{2}-\d{2})""", re.IGNORECASE
)
_PAGE_BYTES: Final = 5_000_000


def fetch_edition(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None
) -> Answer:
    """The file of an edition, or "nothing new": one request, conditional where a cursor is given."""
    discovery = dataset.discovery
    if not isinstance(discovery, SmcDiscovery) or edition.edition not in discovery.files:
        raise missing_settings(dataset, edition, "version and file name")
    address = http.settings.address("smc", discovery.file_path(edition.edition))
    known = cursor if cursor and cursor.sha256 and cursor.address == address else None
    file = http.get(
        address,
        expect=CSV,
        validators=known.file_validators if known else None,
        dataset=dataset.code,
        edition=edition.edition,
    )
    if file.not_modified and known is not None:
        return Answer(None, known)
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
            address=address,
            file_etag=file.validators.etag,
            file_last_modified=file.validators.last_modified,
        ),
    )


@dataclass(frozen=True)
class LatestPage:
    """What the ``latest`` page of an index shows.

    ``versions`` ascending; ``files`` the full data sets of the newest version that it links to;
    ``published_on`` where the page states one date.
    """

    address: str
    versions: tuple[str, ...]
    files: tuple[str, ...]
    published_on: date | None
    validators: Validators

    @property
    def version(self) -> str | None:
        """The newest version that the page is or links to."""
        return self.versions[-1] if self.versions else None


def latest_page(
    http: HttpClient, dataset: Dataset, *, validators: Validators | None = None
) -> LatestPage | None:
    """Read the ``latest`` page of an index; None where it has not changed.

    Raises FetchError ``unexpected_payload`` where no version can be found on it.
    """
    discovery = dataset.discovery
    if not isinstance(discovery, SmcDiscovery):
        raise TypeError(f"{dataset.code} is not published on the commission's site")
    address = http.settings.address("smc", discovery.latest_path())
    page = http.get(
        address, expect=PAGE, validators=validators, max_bytes=_PAGE_BYTES, dataset=dataset.code
    )
    if page.not_modified:
        return None
    text = page.content.decode("utf-8", errors="replace")
    links = [urljoin(page.address, html.unescape(each)) for each in _LINK.findall(text)]
    own = [page.address, *(each for each in links if f"/{discovery.index}/" in each)]
    versions = sorted(
        {match[1] for each in own if (match := _VERSION.search(urlsplit(each).path))},
        key=_version_order,
    )
    if not versions:
        raise TransferError(
            f"{page.address} names no version of the index",
            code="unexpected_payload",
            address=page.address,
            content=page.content,
            content_type=page.content_type,
            dataset=dataset.code,
            expected=f"a link to a page like {discovery.page!r}",
            todo="Open the page; if the site was rearranged, correct the addresses in the catalogue.",
        )
    newest = versions[-1]
    files = tuple(
        dict.fromkeys(
            unquote(urlsplit(each).path).rsplit("/", 1)[-1]
            for each in own
            if f"/{newest}/" in urlsplit(each).path
            and urlsplit(each).path.lower().endswith("full-dataset.csv")
        )
    )
    dates = sorted(set(_DATE.findall(text)))
    return LatestPage(
        page.address,
        tuple(versions),
        files,
        _as_date(dates[-1]) if dates else None,
        page.validators,
    )


def _version_order(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def newer(version: str, known: list[str]) -> bool:
    """Whether a version is newer than every known one."""
    return all(_version_order(version) > _version_order(each) for each in known)


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
