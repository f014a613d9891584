"""One small client a publisher: where an edition's file is, and what is new.

Belongs here: choosing the client by the catalogue's ``discovery``. Does not belong here: how bytes
are fetched (``sources.http``), whether they are the right file (``sources.content_check``), and the
order in which sources are tried (``sources.refresh``).
"""

from __future__ import annotations

from sources.addresses import PublisherSettings
from sources.catalogue import Dataset, Discovery, Edition
from sources.http import HttpClient
from sources.publishers import govuk, nomis, ons, smc
from sources.publishers.base import Answer, Cursor, EditionFile, Release, missing_settings

PUBLISHER_OF = {
    "govuk": "govuk",
    "smc": "smc",
    "ons_arcgis": "ons_geography",
    "ons_els": "ons",
    "nomis": "nomis",
}
"""The base address in ``PublisherSettings`` that a kind of discovery asks first."""


def publisher_of(discovery: Discovery | None) -> str | None:
    """The name of the publisher in ``PublisherSettings``; None where nothing is fetched."""
    return None if discovery is None else PUBLISHER_OF[discovery.kind]


def fetch_edition(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None = None
) -> Answer:
    """An edition's file from its publisher, or "nothing new" since ``cursor``.

    Raises FetchError; see ``HttpClient.get`` and the clients for the codes.
    """
    match dataset.discovery.kind if dataset.discovery else None:
        case "govuk":
            return govuk.fetch_edition(http, dataset, edition, cursor)
        case "smc":
            return smc.fetch_edition(http, dataset, edition, cursor)
        case "ons_arcgis":
            return ons.fetch_lookup(http, dataset, edition, cursor)
        case "ons_els":
            return ons.fetch_indicators(http, dataset, edition, cursor)
        case "nomis":
            return nomis.fetch_edition(http, dataset, edition, cursor)
    raise missing_settings(dataset, edition, "discovery")


__all__ = [
    "PUBLISHER_OF",
    "Answer",
    "Cursor",
    "EditionFile",
    "PublisherSettings",
    "Release",
    "fetch_edition",
    "publisher_of",
]
