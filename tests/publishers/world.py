"""A whole world of publishers: every fetched edition of the catalogue, published on loopback.

The files are made up (``demonstration.publisher_files``) in the layouts that the catalogue declares; a test that
needs other bytes passes its own.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from demonstration.publisher_files import Fault, usual_form, write_publisher_file
from sources.areas import AreaBook
from sources.catalogue import (
    Catalogue,
    Dataset,
    Edition,
    GovUkDiscovery,
    NomisDiscovery,
    OnsArcgisDiscovery,
    OnsElsDiscovery,
    SmcDiscovery,
    bundled_path,
    load_catalogue,
)
from sources.http import HttpClient, Limits
from sources.publishers import Answer, Cursor, publisher_for
from sources.selection import load_bundled
from tests.publishers.servers import ODS, XLSX, Asset, FakePublishers, nomis_lines

SEEDS: Final = Path(__file__).parents[2] / "dbt_project" / "seeds"
IMPATIENT: Final = Limits(
    connect_seconds=0.5,
    read_seconds=0.2,
    total_seconds=3.0,
    attempts=2,
    backoff_seconds=0.01,
    max_bytes=3_000_000,
)
Make = Callable[[Dataset, Edition], bytes]


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def areas() -> AreaBook:
    return AreaBook.from_seeds(SEEDS)


@cache
def made_up(dataset: str, edition: str, seed: int = 1, faults: tuple[Fault, ...] = ()) -> bytes:
    """A made-up file, made once."""
    entry = catalogue().dataset(dataset)
    return write_publisher_file(entry, entry.edition(edition), areas(), seed=seed, faults=faults)


def usual(dataset: Dataset, edition: Edition) -> bytes:
    """The made-up file of an edition; populations near those that the project carries."""
    if dataset.code == "ons_population":
        return _near_the_bundled(dataset.code, edition.edition)
    return made_up(dataset.code, edition.edition)


@cache
def _near_the_bundled(dataset: str, edition: str) -> bytes:
    """The made-up file with each area's ages scaled to about its bundled total.

    Otherwise the true figures of the year before would rightly give it away as made up.
    """
    entry = catalogue().dataset(dataset)
    bundled = load_bundled(entry, entry.editions[0], bundled_path(entry, entry.editions[0]))
    totals = dict(zip(bundled["area_code"], bundled["value"], strict=True))
    rows = list(csv.DictReader(io.StringIO(made_up(dataset, edition).decode())))
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["GEOGRAPHY_CODE"]] += int(row["OBS_VALUE"])
    for row in rows:
        code = row["GEOGRAPHY_CODE"]
        share = int(row["OBS_VALUE"]) / sums[code]
        row["OBS_VALUE"] = str(round(share * totals.get(code, sums[code]) * 1.02))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def fetched_editions() -> list[tuple[Dataset, Edition]]:
    """Every edition of the catalogue that its publisher is asked for."""
    found = []
    for dataset in catalogue().datasets.values():
        discovery = dataset.discovery
        # The editions of one file of all periods come in one answer: test_clients.py has its own.
        if discovery is None or dataset.parser is None or dataset.periods == "file":
            continue
        for edition in dataset.editions:
            if isinstance(discovery, NomisDiscovery) and edition.edition not in discovery.years:
                continue
            if edition.history:
                continue
            found.append((dataset, edition))
    return found


def publish(
    world: FakePublishers, dataset: Dataset, edition: Edition, content: bytes, *, stamp: str = "1"
) -> None:
    """Put a file where the publisher of its dataset would put it."""
    discovery = dataset.discovery
    match discovery:
        case GovUkDiscovery():
            form = usual_form(dataset, edition.edition)
            file_name = f"{dataset.code}_{edition.edition}_annual_data_tables.{form}"
            tables = world.attach(
                content,
                file_name,
                f"{dataset.short_title} {edition.edition}: data tables",
                ODS if form == "ods" else XLSX,
                stamp=stamp,
            )
            report = {
                "attachment_type": "html",
                "id": "report",
                "title": f"{dataset.short_title} annual report",
                "url": f"{edition.page}/annual-report",
            }
            technical = world.attach(
                b"%PDF-1.7", "technical.pdf", "Technical report", "application/pdf"
            )
            slashed = edition.edition.replace("-", "/", 1)
            if not edition.page:
                publish_topic(world, dataset, edition, "community-life", [report, tables])
                return
            world.publish_release(
                edition.page,
                f"{dataset.short_title} {slashed} annual publication",
                [report, technical, tables],
                public_updated_at=f"{edition.published_on or '2024-07-24'}T09:30:00Z",
            )
        case SmcDiscovery():
            path = discovery.file_path(edition.edition)
            world.smc_files[path] = _asset(content)
        case OnsArcgisDiscovery():
            world.publish_lookup(discovery.services[edition.edition], content)
        case OnsElsDiscovery():
            world.ons_data = _asset(content)
        case NomisDiscovery():
            year = discovery.years[edition.edition]
            world.populations[year] = content
            # Made before anybody waits for it.
            nomis_lines(content, year, discovery.parameters["select"].upper())


def publish_topic(
    world: FakePublishers,
    dataset: Dataset,
    edition: Edition,
    topic: str,
    attachments: list[dict[str, Any]],
) -> str:
    """One of the releases that an edition is split into; found by search. Returns its page."""
    slug = dataset.short_title.lower().replace(" ", "-")
    page = f"/government/statistics/{slug}-{edition.edition.replace('-', '')}-{topic}"
    title = (
        f"{dataset.short_title} {edition.edition.replace('-', '/', 1)}: {topic.replace('-', ' ')}"
    )
    world.publish_release(page, title, attachments, public_updated_at="2026-08-20T09:30:00Z")
    kept = [each for each in world.search_results if each["link"] != page]
    world.search_results = [
        *kept,
        {
            "title": title,
            "link": page,
            "public_timestamp": "2026-08-20T09:30:00Z",
            "content_store_document_type": "official_statistics",
        },
    ]
    return page


def fetch(
    http: HttpClient, dataset: Dataset, edition: Edition, cursor: Cursor | None = None
) -> Answer:
    """What the publisher of a dataset answers about an edition."""
    publisher = publisher_for(dataset, http)
    assert publisher is not None
    return publisher.fetch(edition, cursor)


def _asset(content: bytes) -> Asset:
    return Asset(content, "text/csv; charset=utf-8")


def publish_all(world: FakePublishers, make: Make = usual) -> None:
    """Publish every fetched edition, and the collections and pages that list them."""
    for dataset, edition in fetched_editions():
        publish(world, dataset, edition, make(dataset, edition))
    for dataset in catalogue().datasets.values():
        discovery = dataset.discovery
        if isinstance(discovery, GovUkDiscovery) and discovery.collection:
            members = [entry.page for entry in dataset.editions if entry.page]
            world.publish_collection(discovery.collection, members)
        if isinstance(discovery, SmcDiscovery):
            newest = max(discovery.files, key=lambda edition: edition)
            world.smc_pages[discovery.latest_path()] = smc_page(discovery, newest)


def smc_page(
    discovery: SmcDiscovery, edition: str, *, version: str | None = None, date: str = "2025-12-18"
) -> bytes:
    """The page of an index, as a reader gets it."""
    shown = version or discovery.files[edition].version
    folder = f"/state-of-the-nation/{discovery.domain}/composite_indices/{discovery.index}"
    name = discovery.files[edition].file_name.replace(discovery.files[edition].version, shown)
    return (
        f"<!DOCTYPE html><html><head><title>{discovery.index}</title></head><body>"
        f'<p>Published <time datetime="{date}">{date}</time></p>'
        f'<a href="{folder}/1.0">Version 1.0</a> <a href="/about">About</a>'
        f'<a href="{folder}/{shown}/{name}">Download the full dataset</a></body></html>'
    ).encode()


def file_address(dataset: Dataset, edition: Edition) -> tuple[str, str]:
    """The server that has an edition's file, and a pattern of its address there."""
    discovery = dataset.discovery
    match discovery:
        case GovUkDiscovery():
            return "govuk_assets", re.escape(f"{dataset.code}_{edition.edition}_annual")
        case SmcDiscovery():
            return "smc", re.escape(discovery.file_path(edition.edition))
        case OnsArcgisDiscovery():
            return "ons_geography", re.escape(discovery.services[edition.edition])
        case OnsElsDiscovery():
            return "ons", r"/data\.csv"
        case NomisDiscovery():
            return "nomis", f"date={discovery.years[edition.edition]}"
    raise AssertionError(dataset.code)


def client(world: FakePublishers, limits: Limits = IMPATIENT) -> HttpClient:
    """A client of these publishers that does not wait long."""
    return HttpClient(world.settings, limits)
