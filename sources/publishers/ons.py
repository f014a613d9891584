"""The Office for National Statistics: the geography lookup service and Explore Local Statistics.

The lookup service answers in pages and reports its errors with HTTP status 200. Its answer has no
file form that is stable from one day to the next (row order and object ids are the database's), so it
is put down in one canonical way: the columns wanted, blanks around names removed, rows in order of
their codes. The same lookup is then always the same bytes.
"""

import csv
import io
import re
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import Field, RootModel

from sources.catalogue import Edition, OnsArcgisDiscovery, OnsElsDiscovery, fill
from sources.editions import WatchEvent, year_of
from sources.http import Fetched
from sources.parsers.ons_local_statistics import YearRows, rows_by_year
from sources.publishers.base import (
    Answer,
    Cursor,
    Payload,
    Publisher,
    WatchCursor,
    cursor_of,
    known_at,
)

MOST_PAGES: Final = 50
"""Pages of a lookup that are asked for at most; a lookup of authorities has one."""


class ArcgisField(Payload):
    name: str


class ArcgisFeature(Payload):
    attributes: dict[str, str | int | float | None]


class ArcgisError(Payload):
    """The service's own error, sent with HTTP status 200."""

    code: int | None = None
    message: str = ""
    details: tuple[str, ...] = ()


class ArcgisPage(Payload):
    """One page of an answer, or what the service says of itself."""

    error: ArcgisError | None = None
    features: tuple[ArcgisFeature, ...] | None = None
    declared: tuple[ArcgisField, ...] = Field(default=(), alias="fields")
    more: bool = Field(default=False, alias="exceededTransferLimit")


class Lookup(Publisher[OnsArcgisDiscovery]):
    """A lookup of areas, one service per year of its codes."""

    site = "ons_geography"

    def ask(self, edition: Edition, cursor: Cursor | None) -> Answer:
        """A lookup as canonical CSV: one request where it fits one page.

        Raises also ``json_error`` for the service's own error, ``empty_answer``, ``missing_field``,
        ``ambiguous_field``, ``paging_stuck``, ``too_many_pages``.
        """
        discovery = self.discovery
        service = discovery.services.get(edition.edition)
        if service is None:
            raise self.missing(edition, "lookup service")
        address = self.http.settings.address(self.site, discovery.query.format(service=service))
        known = known_at(address, cursor)
        rows: list[dict[str, Any]] = []
        first: Fetched | None = None
        names: list[str] = []
        for number in range(MOST_PAGES):
            asked = urlencode(
                {
                    **discovery.parameters,
                    "resultOffset": str(len(rows)),
                    "resultRecordCount": str(discovery.page_size),
                }
            )
            validators = known.file if known and number == 0 else None
            payload, fetched = self.http.get_json(f"{address}?{asked}", validators=validators)
            if fetched.not_modified and known is not None:
                return Answer(None, known)
            page = self._page(payload, fetched)
            first = first or fetched
            received = [each.attributes for each in page.features or ()]
            names = names or [each.name for each in page.declared] or list(*received[:1])
            if page.more and (not received or (rows and received[0] == rows[0])):
                raise self.fault(
                    "paging_stuck",
                    f"{address} says that there are more rows and does not send them",
                    expected=f"rows from {len(rows)} on",
                    todo="Try again later; if it stays so, lower page_size in the catalogue.",
                )
            rows += received
            if not page.more:
                break
        else:
            raise self.fault(
                "too_many_pages",
                f"{address} has more than {MOST_PAGES} pages of {discovery.page_size} rows",
                todo="Check the service in the catalogue: this is not a lookup of authorities.",
            )
        if first is None or not rows:
            raise self.fault(
                "empty_answer",
                f"{address} answered without a row",
                expected="one row per local authority",
                todo="Check the name of the service in the catalogue.",
            )
        file = replace(
            first,
            content=_canonical_csv(rows, self._columns(names, edition)),
            file_name=f"{service}.csv",
            address=address,
            content_type="text/csv",
        )
        remark = f"{len(rows)} rows of the lookup service, put down as CSV in order of their codes."
        return Answer(file, cursor_of(address, first), (remark,))

    def _page(self, payload: Any, fetched: Fetched) -> ArcgisPage:
        page = self.read(ArcgisPage, payload, fetched)
        if page.features is not None and page.error is None:
            return page
        code, message = "unexpected_payload", "The lookup service answered without features"
        if page.error is not None:
            said = "; ".join(each for each in (page.error.message, *page.error.details) if each)
            code = "json_error"
            message = f"The lookup service reports an error ({page.error.code}: {said})"
        raise self.fault(
            code,
            message,
            address=fetched.address,
            content=fetched.content,
            todo="Check the name of the service and its parameters in the catalogue; if they are "
            "right, try again later.",
        )

    def _columns(self, names: list[str], edition: Edition) -> list[str]:
        """The columns wanted, as the service names them this year, in the catalogue's order."""
        chosen: list[str] = []
        for wanted, pattern in self.discovery.fields.items():
            compiled = re.compile(fill(pattern, edition.edition), re.IGNORECASE)
            fitting = [name for name in names if compiled.fullmatch(name)]
            if len(fitting) != 1:
                raise self.fault(
                    "ambiguous_field" if fitting else "missing_field",
                    f"{len(fitting)} columns could be the {wanted}",
                    expected=f"one column named like {pattern!r}",
                    found=", ".join(fitting or names[:20]),
                    todo="Correct the pattern under discovery: fields in the catalogue.",
                )
            chosen += fitting
        return chosen

    def look(self, former: WatchCursor, today: date) -> tuple[list[WatchEvent], WatchCursor]:
        """Ask whether next year's service exists, under the name that the pattern gives it."""
        services = self.discovery.services
        edition = max(services, key=lambda each: year_of(each) or 0)
        year = (year_of(edition) or today.year) + 1
        name = re.sub(
            rf"(?<=[A-Z]){(year - 1) % 100:02d}(?=_)", f"{year % 100:02d}", services[edition]
        )
        if year > today.year or name in {services[edition], *former.seen}:
            return [], former
        path = self.discovery.query.format(service=name).removesuffix("/query") + "?f=json"
        payload, fetched = self.http.get_json(self.http.settings.address(self.site, path))
        if self.read(ArcgisPage, payload, fetched).error is not None:
            return [], former
        after = former.model_copy(update={"seen": (*former.seen, name)})
        return self.new_edition(str(year), {"service": name}), after


def _canonical_csv(rows: list[dict[str, Any]], columns: list[str]) -> bytes:
    def text(value: object) -> str:
        return "" if value is None else " ".join(str(value).split())

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(sorted({tuple(text(row.get(column)) for column in columns) for row in rows}))
    return out.getvalue().encode()


class _Indicator(Payload):
    """The part of an indicator's metadata that shows whether its figures changed."""

    slug: str = ""
    data_modified: str | None = Field(default=None, alias="dataModified")


class _Indicators(RootModel[tuple[_Indicator, ...]]):
    """Every indicator of the service."""


class LocalStatistics(Publisher[OnsElsDiscovery]):
    """Indicators of Explore Local Statistics.

    The service gives the latest period unless one is asked for by ``time``: a year in which the period
    ends or lies, or ``all`` (ONSdigital/explore-local-statistics-app,
    src/lib/api/data/helpers/dataFilters.ts).
    """

    site = "ons"

    _whole: tuple[Fetched, dict[int, YearRows]] | None = None

    def ask(self, edition: Edition, cursor: Cursor | None) -> Answer:
        """The indicators of an edition as the service's own CSV.

        One request; where rows print their own periods, one for all editions, each of which gets the
        rows that begin in its year.
        """
        all_periods = self.dataset.periods == "file"
        asked = {
            "indicator": ",".join(self.discovery.indicators.values()),
            "time": "all" if all_periods else str(edition.period_start.year),
            "includeNames": "true",
            **self.discovery.parameters,
        }
        address = self.http.settings.address(
            self.site, f"{self.discovery.data}?{urlencode(asked, safe=',')}"
        )
        name = f"{self.dataset.code}_{edition.edition}.csv"
        if not all_periods:
            return self.fetch_csv(address, cursor, file_name=name)
        known = known_at(address, cursor)
        if self._whole is None:
            fetched = self.get_csv(address, known)
            if fetched.not_modified and known is not None:
                return Answer(None, known)
            self._whole = fetched, rows_by_year(fetched.content)
        fetched, years = self._whole
        part = years.get(edition.period_start.year)
        if part is None:
            raise self.missing(edition, "no figure of its year")
        file = replace(fetched, content=part.content, file_name=name)
        return Answer(file, cursor_of(address, fetched))

    def look(self, former: WatchCursor, today: date) -> tuple[list[WatchEvent], WatchCursor]:
        """Compare the date on which the service last changed the indicators' figures."""
        address = self.http.settings.address(self.site, self.discovery.metadata)
        payload, fetched = self.http.get_json(address)
        listed = self.read(_Indicators, payload, fetched).root
        wanted = sorted(set(self.discovery.indicators.values()))
        stated = {each.slug: each.data_modified for each in listed if each.data_modified}
        missing = [slug for slug in wanted if slug not in stated]
        if missing:
            raise self.fault(
                "unexpected_payload",
                f"{address} does not say when the figures of {', '.join(missing[:5])} changed",
                address=fetched.address,
                content=fetched.content,
                todo="Compare the indicators in the catalogue with the publisher's list.",
            )
        marks = [f"{slug}={stated[slug]}" for slug in wanted]
        mark = ";".join(marks)
        after = former.model_copy(update={"mark": mark})
        if former.mark in (None, mark):
            return [], after
        message = (
            f"{self.dataset.short_title}: the publisher changed the figures ({former.mark} -> {mark}). "
            "The next refresh fetches them; if they are of a later year, list the edition in "
            f"sources/catalogue/{self.dataset.code}.yaml."
        )
        return [WatchEvent("data_changed", self.dataset.code, message)], after
