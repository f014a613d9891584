"""The publishers' APIs: one class each, chosen by the catalogue's ``discovery``.

Does not belong here: how bytes are fetched (``sources.http``), and what becomes of a file.
"""

from typing import Any, Final

from sources.catalogue import Dataset
from sources.http import HttpClient
from sources.publishers.base import Answer, Cursor, Publisher, Watched
from sources.publishers.govuk import GovUk
from sources.publishers.nomis import Nomis
from sources.publishers.ons import LocalStatistics, Lookup
from sources.publishers.smc import SocialMobilityCommission

PUBLISHERS: Final[dict[str, type[Publisher[Any]]]] = {
    "govuk": GovUk,
    "smc": SocialMobilityCommission,
    "ons_arcgis": Lookup,
    "ons_els": LocalStatistics,
    "nomis": Nomis,
}


def publisher_for(dataset: Dataset, http: HttpClient) -> Publisher[Any] | None:
    """The client of a dataset; None where nothing is fetched."""
    discovery = dataset.discovery
    return PUBLISHERS[discovery.kind](dataset, discovery, http) if discovery else None


__all__ = ["PUBLISHERS", "Answer", "Cursor", "Publisher", "Watched", "publisher_for"]
