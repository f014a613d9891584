"""Nomis: population estimates by single year of age, as CSV.

Belongs here: the address of one mid-year. Does not belong here: summing the ages
(``sources.parsers.population``).
"""

from __future__ import annotations

from urllib.parse import urlencode

from sources.catalogue import Dataset, Edition, NomisDiscovery
from sources.http import CSV, HttpClient
from sources.publishers.base import Answer, Cursor, EditionFile, missing_settings


def fetch_edition(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None
) -> Answer:
    """The estimates of one mid-year, or "nothing new": one request."""
    discovery = dataset.discovery
    if not isinstance(discovery, NomisDiscovery) or edition.edition not in discovery.years:
        raise missing_settings(dataset, edition, "year")
    asked = {**discovery.parameters, "time": discovery.years[edition.edition]}
    address = http.settings.address("nomis", f"{discovery.data}?{urlencode(asked, safe=',')}")
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
