"""Nomis: population estimates by single year of age, as CSV.

Belongs here: the address of one mid-year, and putting its pages together. Does not belong here:
summing the ages (``sources.parsers.population``).

An anonymous answer holds at most 25,000 rows and does not say that it was cut, so a full page is
followed by a question for the next one.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from sources.catalogue import Dataset, Edition, NomisDiscovery
from sources.errors import FetchError
from sources.http import CSV, Fetched, HttpClient
from sources.publishers.base import Answer, Cursor, EditionFile, missing_settings

ROWS_A_PAGE: Final = 25_000
MOST_PAGES: Final = 20


def fetch_edition(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None
) -> Answer:
    """The estimates of one mid-year, or "nothing new": one request a 25,000 rows.

    Raises FetchError, also ``no_address`` where the catalogue names no geography or year, and
    ``paging_stuck`` where a further page does not begin with the header of the first.
    """
    discovery = dataset.discovery
    if not isinstance(discovery, NomisDiscovery) or edition.edition not in discovery.years:
        raise missing_settings(dataset, edition, "year")
    if not discovery.parameters.get("geography"):
        raise missing_settings(dataset, edition, "geography")
    asked = {**discovery.parameters, "date": discovery.years[edition.edition]}
    address = http.settings.address("nomis", f"{discovery.data}?{urlencode(asked, safe=',')}")
    known = cursor if cursor and cursor.sha256 and cursor.address == address else None
    first = _page(http, address, dataset, edition, known)
    if first.not_modified and known is not None:
        return Answer(None, known)
    content = first.content
    header, _, rest = content.partition(b"\n")
    rows = _rows(rest)
    for number in range(1, MOST_PAGES):
        if rows < number * ROWS_A_PAGE:
            break
        page = _page(http, f"{address}&recordoffset={number * ROWS_A_PAGE}", dataset, edition, None)
        again, _, more = page.content.partition(b"\n")
        if again.strip() != header.strip() or (more.strip() and more == rest):
            raise FetchError(
                f"Page {number + 1} of the answer does not continue the one before",
                code="paging_stuck",
                dataset=dataset.code,
                edition=edition.edition,
                expected=header.decode("utf-8", errors="replace")[:200],
                found=again.decode("utf-8", errors="replace")[:200],
                todo="Narrow the geography in the catalogue so that one page is enough.",
            )
        content = content.rstrip(b"\r\n") + b"\n" + more
        rows, rest = rows + _rows(more), more
    return Answer(
        EditionFile(
            content,
            f"{dataset.code}_{edition.edition}.csv",
            first.address,
            first.content_type,
            first.validators,
            first.retrieved_at,
        ),
        Cursor(
            address=address,
            file_etag=first.validators.etag,
            file_last_modified=first.validators.last_modified,
        ),
    )


def _page(
    http: HttpClient, address: str, dataset: Dataset, edition: Edition, known: Cursor | None
) -> Fetched:
    return http.get(
        address,
        expect=CSV,
        validators=known.file_validators if known else None,
        dataset=dataset.code,
        edition=edition.edition,
    )


def _rows(body: bytes) -> int:
    return sum(1 for line in body.splitlines() if line.strip())
