"""The Office for National Statistics: the geography lookup service and Explore Local Statistics.

Belongs here: asking the two services and putting a lookup's answer down as the CSV file that the
service's own download would be. Does not belong here: what the columns mean (``sources.parsers``).

The lookup service answers in pages and reports its errors with HTTP status 200. Its answer has no
file form of its own that is stable from one day to the next (row order and object ids are the
database's), so it is put down in one canonical way: the columns wanted, blanks around names removed,
rows in order of their codes. The same lookup is then always the same bytes.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import Field

from sources.catalogue import Dataset, Edition, OnsArcgisDiscovery, OnsElsDiscovery, fill
from sources.errors import FetchError
from sources.http import CSV, Fetched, HttpClient, TransferError
from sources.publishers.base import (
    Answer,
    Cursor,
    EditionFile,
    Payload,
    how_many,
    missing_settings,
    read_payload,
)

MOST_PAGES: Final = 50
"""Pages of a lookup that are asked for at most; a lookup of authorities has one."""


# --- lookups -------------------------------------------------------------------------------------


class ArcgisField(Payload):
    """A column as the service declares it."""

    name: str


class ArcgisFeature(Payload):
    """One row."""

    attributes: dict[str, str | int | float | None]


class ArcgisError(Payload):
    """The service's own error, sent with HTTP status 200."""

    code: int | None = None
    message: str = ""
    details: tuple[str, ...] = ()


class ArcgisPage(Payload):
    """One page of an answer."""

    error: ArcgisError | None = None
    features: tuple[ArcgisFeature, ...] | None = None
    declared: tuple[ArcgisField, ...] = Field(default=(), alias="fields")
    more: bool = Field(default=False, alias="exceededTransferLimit")


def fetch_lookup(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None
) -> Answer:
    """A lookup as canonical CSV, or "nothing new": one request where it fits one page.

    Raises FetchError: ``json_error`` for the service's own error, ``empty_answer``,
    ``missing_field``, ``ambiguous_field``, ``paging_stuck``, ``too_many_pages``.
    """
    discovery = dataset.discovery
    if not isinstance(discovery, OnsArcgisDiscovery) or edition.edition not in discovery.services:
        raise missing_settings(dataset, edition, "lookup service")
    service = discovery.services[edition.edition]
    address = http.settings.address("ons_geography", discovery.query.format(service=service))
    known = cursor if cursor and cursor.sha256 and cursor.address == address else None
    rows: list[dict[str, Any]] = []
    names: list[str] = []
    first: Fetched | None = None
    for number in range(MOST_PAGES):
        asked = {
            **discovery.parameters,
            "resultOffset": str(len(rows)),
            "resultRecordCount": str(discovery.page_size),
        }
        validators = known.file_validators if known and number == 0 else None
        payload, fetched = http.get_json(
            f"{address}?{urlencode(asked)}",
            validators=validators,
            dataset=dataset.code,
            edition=edition.edition,
        )
        if fetched.not_modified and known is not None:
            return Answer(None, known)
        page = _read_page(payload, fetched, dataset.code, edition.edition)
        first = first or fetched
        names = names or [each.name for each in page.declared]
        received = [each.attributes for each in page.features or ()]
        if number and received and received[0] == rows[0]:
            raise FetchError(
                f"{address} sends the same page again and again",
                code="paging_stuck",
                dataset=dataset.code,
                edition=edition.edition,
                expected=f"rows from {len(rows)} on",
                todo="Lower page_size in the catalogue, or report this.",
            )
        rows += received
        if not page.more:
            break
        if not received:
            raise FetchError(
                f"{address} says that there are more rows and sends none",
                code="paging_stuck",
                dataset=dataset.code,
                edition=edition.edition,
                todo="Try again later.",
            )
    else:
        raise FetchError(
            f"{address} has more than {MOST_PAGES} pages of {discovery.page_size} rows",
            code="too_many_pages",
            dataset=dataset.code,
            edition=edition.edition,
            todo="Check the service in the catalogue: this is not a lookup of authorities.",
        )
    if first is None or not rows:
        raise FetchError(
            f"{address} answered without a row",
            code="empty_answer",
            dataset=dataset.code,
            edition=edition.edition,
            expected="a row a local authority",
            todo="Check the name of the service in the catalogue.",
        )
    columns = _columns(names or list(rows[0]), discovery, edition.edition, dataset=dataset.code)
    return Answer(
        EditionFile(
            _canonical_csv(rows, columns),
            f"{service}.csv",
            address,
            "text/csv",
            first.validators,
            first.retrieved_at,
        ),
        Cursor(
            address=address,
            file_etag=first.validators.etag,
            file_last_modified=first.validators.last_modified,
        ),
        (f"{len(rows)} rows of the lookup service, put down as CSV in order of their codes.",),
    )


def _read_page(payload: Any, fetched: Fetched, dataset: str, edition: str) -> ArcgisPage:
    page = read_payload(ArcgisPage, payload, fetched.address, dataset=dataset, edition=edition)
    if page.error is not None:
        said = "; ".join(each for each in (page.error.message, *page.error.details) if each)
        raise TransferError(
            f"The lookup service answered with an error of its own ({page.error.code}: {said})",
            code="json_error",
            address=fetched.address,
            content=fetched.content,
            content_type=fetched.content_type,
            dataset=dataset,
            edition=edition,
            todo="Check the name of the service and its parameters in the catalogue; if they are "
            "right, try again later.",
        )
    if page.features is None:
        raise TransferError(
            "The lookup service answered without features",
            code="unexpected_payload",
            address=fetched.address,
            content=fetched.content,
            content_type=fetched.content_type,
            dataset=dataset,
            edition=edition,
            todo="Open the address and read what the service says.",
        )
    return page


def _columns(
    names: list[str], discovery: OnsArcgisDiscovery, edition: str, *, dataset: str
) -> list[str]:
    """The columns wanted, as the service names them this year, in the catalogue's order."""
    chosen: list[str] = []
    for wanted, pattern in discovery.fields.items():
        compiled = re.compile(fill(pattern, edition), re.IGNORECASE)
        fitting = [name for name in names if compiled.fullmatch(name)]
        if len(fitting) != 1:
            raise FetchError(
                f"The column for {wanted} cannot be told",
                code="ambiguous_field" if fitting else "missing_field",
                dataset=dataset,
                edition=edition,
                expected=f"one column named like {pattern!r}",
                found=how_many("column", fitting) if fitting else ", ".join(names[:20]),
                todo="Correct the pattern under discovery: fields in the catalogue.",
            )
        chosen += fitting
    return chosen


def _canonical_csv(rows: list[dict[str, Any]], columns: list[str]) -> bytes:
    tidy = sorted({tuple(_text(row.get(column)) for column in columns) for row in rows})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(tidy)
    return out.getvalue().encode()


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


# --- Explore Local Statistics --------------------------------------------------------------------


def fetch_indicators(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None
) -> Answer:
    """The indicators of an edition as the service's own CSV, or "nothing new": one request."""
    discovery = dataset.discovery
    if not isinstance(discovery, OnsElsDiscovery):
        raise missing_settings(dataset, edition, "data address")
    asked = {"indicator": ",".join(discovery.indicators.values()), **discovery.parameters}
    address = http.settings.address("ons", f"{discovery.data}?{urlencode(asked, safe=',')}")
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
            f"{dataset.code}_{edition.edition}.csv",
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
