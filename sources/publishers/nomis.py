"""Nomis: population estimates by single year of age, as CSV.

An anonymous answer holds at most 25,000 rows and does not say that it was cut, so a full page is
followed by a request for the next one. Summing the ages is the parser's.
"""

from dataclasses import replace
from datetime import date
from typing import Final
from urllib.parse import urlencode

from sources.catalogue import Edition, NomisDiscovery
from sources.editions import WatchEvent
from sources.publishers.base import Answer, Cursor, Publisher, WatchCursor, cursor_of, known_at

ROWS_PER_PAGE: Final = 25_000
MOST_PAGES: Final = 20


class Nomis(Publisher[NomisDiscovery]):
    """One mid-year per edition."""

    site = "nomis"

    def _address(self, year: str, **more: str) -> str:
        asked = {**self.discovery.parameters, "date": year, **more}
        return self.http.settings.address(
            self.site, f"{self.discovery.data}?{urlencode(asked, safe=',')}"
        )

    def ask(self, edition: Edition, cursor: Cursor | None) -> Answer:
        """One request per 25,000 rows. Raises also ``paging_stuck``."""
        year = self.discovery.years.get(edition.edition)
        if year is None:
            raise self.missing(edition, "year")
        if not self.discovery.parameters.get("geography"):
            raise self.missing(edition, "geography")
        address = self._address(year)
        known = known_at(address, cursor)
        first = self.get_csv(address, known)
        if first.not_modified and known is not None:
            return Answer(None, known)
        content = first.content
        header, _, rest = content.partition(b"\n")
        rows = _rows(rest)
        for number in range(1, MOST_PAGES):
            if rows < number * ROWS_PER_PAGE:
                break
            page = self.get_csv(self._address(year, recordoffset=str(number * ROWS_PER_PAGE)))
            again, _, more = page.content.partition(b"\n")
            if again.strip() != header.strip() or (more.strip() and more == rest):
                raise self.fault(
                    "paging_stuck",
                    f"Page {number + 1} of the answer does not continue the one before",
                    expected=header.decode("utf-8", errors="replace")[:200],
                    found=again.decode("utf-8", errors="replace")[:200],
                    todo="Narrow the geography in the catalogue so that one page is enough.",
                )
            content = content.rstrip(b"\r\n") + b"\n" + more
            rows, rest = rows + _rows(more), more
        name = f"{self.dataset.code}_{edition.edition}.csv"
        return Answer(replace(first, content=content, file_name=name), cursor_of(address, first))

    def look(self, former: WatchCursor, today: date) -> tuple[list[WatchEvent], WatchCursor]:
        """Ask for one row of the year after the newest; there is one once it is published."""
        edition, newest = max(self.discovery.years.items(), key=lambda each: each[1])
        year = str(int(newest) + 1)
        if int(year) >= today.year or year in former.seen:
            return [], former
        lines = self.get_csv(self._address(year, recordlimit="1")).content.split(b"\n")
        if len(lines) < 2 or b"," not in lines[1]:
            return [], former
        code, title = edition.replace(newest, year), f"Mid-{year} population estimates"
        return self.new_edition(code, {"year": year}, title=title), former.model_copy(
            update={"seen": (*former.seen, year)}
        )


def _rows(body: bytes) -> int:
    return sum(1 for line in body.splitlines() if line.strip())
