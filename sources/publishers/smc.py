"""The Social Mobility Commission's data site: one CSV file per index and edition.

The version in an address is a version of the page, not an edition; which version holds which edition
is the catalogue's to say.
"""

import html
import re
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from sources.catalogue import Edition, SmcDiscovery
from sources.editions import WatchEvent, year_of
from sources.http import PAGE, Validators
from sources.publishers.base import Answer, Cursor, Publisher, WatchCursor

_LINK: Final = re.compile(r"""href\s*=\s*["']([^"'<>]{1,1000})["']""", re.IGNORECASE)
_VERSION: Final = re.compile(r"/(\d{1,4}\.\d{1,4})(?=/|$)")
_DATE: Final = re.compile(
    r"""<time[^>]{0,200}datetime\s*=\s*["'](\d{4}-\d{2}-\d{2})""", re.IGNORECASE
)
_PAGE_BYTES: Final = 5_000_000


@dataclass(frozen=True)
class LatestPage:
    """What the ``latest`` page of an index shows.

    ``version``: the newest that it is or links to; ``files``: the full data sets of that version that
    it links to; ``published_on``: where the page states a date.
    """

    address: str
    version: str
    files: tuple[str, ...]
    published_on: date | None
    validators: Validators


class SocialMobilityCommission(Publisher[SmcDiscovery]):
    """A composite index."""

    site = "smc"

    def ask(self, edition: Edition, cursor: Cursor | None) -> Answer:
        """One request, conditional where a cursor is given."""
        if edition.edition not in self.discovery.files:
            raise self.missing(edition, "version and file name")
        path = self.discovery.file_path(edition.edition)
        return self.fetch_csv(self.http.settings.address(self.site, path), cursor)

    def look(self, former: WatchCursor, today: date) -> tuple[list[WatchEvent], WatchCursor]:
        """Compare the version of the ``latest`` page with those of the catalogue."""
        page = self.latest_page(former.validators)
        if page is None:
            return [], former
        known = [_version_order(file.version) for file in self.discovery.files.values()]
        after = former.model_copy(update={"validators": page.validators})
        if _version_order(page.version) <= max(known) or page.version in former.seen:
            return [], after
        after = after.model_copy(update={"seen": (*former.seen, page.version)})
        year = page.published_on.year if page.published_on else 0
        latest = year_of(self.dataset.latest.edition) if self.dataset.latest else None
        if len(page.files) == 1 and latest is not None and year > latest:
            events = self.new_edition(
                str(year),
                {"version": page.version, "file_name": page.files[0]},
                title=f"State of the Nation {year}",
                page=self.discovery.page_path(page.version),
                published_on=page.published_on,
            )
            return events, after
        message = (
            f"{self.dataset.short_title}: the page shows version {page.version}, which is not in the "
            f"catalogue, and does not say which edition it is (files: {', '.join(page.files) or 'none'}; "
            f"date: {page.published_on or 'none'}). Open {page.address}, find the year of the report "
            "and the file of the full data set, and list them in "
            f"sources/catalogue/{self.dataset.code}.yaml."
        )
        return [WatchEvent("unrecognised_release", self.dataset.code, message)], after

    def latest_page(self, validators: Validators | None = None) -> LatestPage | None:
        """Read the ``latest`` page of the index; None where it has not changed.

        Raises FetchError ``unexpected_payload`` where no version can be found on it.
        """
        page = self.http.get(
            self.http.settings.address(self.site, self.discovery.latest_path()),
            expect=PAGE,
            validators=validators,
            max_bytes=_PAGE_BYTES,
        )
        if page.not_modified:
            return None
        text = page.content.decode("utf-8", errors="replace")
        links = [urljoin(page.address, html.unescape(each)) for each in _LINK.findall(text)]
        own = [page.address, *(each for each in links if f"/{self.discovery.index}/" in each)]
        paths = [unquote(urlsplit(each).path) for each in own]
        versions = {match[1] for path in paths if (match := _VERSION.search(path))}
        if not versions:
            raise self.fault(
                "unexpected_payload",
                f"{page.address} names no version of the index",
                address=page.address,
                content=page.content,
                expected=f"a link to a page like {self.discovery.page!r}",
                todo="Open the page; if the site was rearranged, correct the addresses in the "
                "catalogue.",
            )
        newest = max(versions, key=_version_order)
        files = {
            path.rsplit("/", 1)[-1]: None
            for path in paths
            if f"/{newest}/" in path and path.lower().endswith("full-dataset.csv")
        }
        published_on = None
        for day in sorted(set(_DATE.findall(text))):
            try:
                published_on = date.fromisoformat(day)
            except ValueError:
                continue
        return LatestPage(page.address, newest, tuple(files), published_on, page.validators)


def _version_order(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)
