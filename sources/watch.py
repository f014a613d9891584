"""Noticing: new editions, successors, next dates, and sources that have fallen silent.

Belongs here: functions that a sensor calls with the cursor it kept, and that give back what was
noticed and the next cursor; deriving an edition that the catalogue's pattern recognises; judging
freshness by the catalogue's cadence. Does not belong here: fetching the figures
(``sources.refresh``), and when to look (``orchestration``).

A release is recognised by pattern or not at all. What looks like news and is not recognised becomes
an event that says what to do; nothing is guessed.
"""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError

from sources.catalogue import (
    Catalogue,
    Dataset,
    Edition,
    GovUkDiscovery,
    NomisDiscovery,
    OnsArcgisDiscovery,
    OnsElsDiscovery,
    SmcDiscovery,
    SmcFile,
)
from sources.errors import CatalogueError
from sources.http import CSV, HttpClient, Validators
from sources.publishers import govuk, smc
from sources.publishers.base import Payload, Release, read_payload
from sources.refresh import write_whole

EventKind = Literal[
    "new_edition", "unrecognised_release", "successor_release", "date_announced", "data_changed"
]

_NOT_ANNUAL: Final = re.compile(
    r"quarter|ad[ -]?hoc|technical|methodolog|questionnaire|experimental|user guide|consultation"
    r"|\b(january|april|july|october) to (march|june|september|december)\b",
    re.IGNORECASE,
)
_STATISTICS: Final = "/government/statistics/"
_ANNOUNCEMENTS: Final = "/government/statistics/announcements/"
SILENT_DAYS: Final = 365
"""A source without news for so long past its expected date is red."""


@dataclass(frozen=True)
class WatchEvent:
    """Something noticed.

    ``recognised``: it fits the catalogue's pattern, ``edition`` is its code and ``derived`` the edition
    to fetch. ``message`` says what to do where it is not. ``next_expected`` is set by
    ``date_announced``.
    """

    kind: EventKind
    dataset: str
    message: str
    recognised: bool = False
    edition: str | None = None
    derived: Edition | None = None
    title: str | None = None
    page: str | None = None
    published_on: date | None = None
    next_expected: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Watched:
    """What one look noticed, and the cursor to give the next one."""

    events: tuple[WatchEvent, ...]
    cursor: str
    requests: int = 0


class _Cursor(BaseModel):
    """What a sensor keeps between looks. Unknown or damaged text counts as never having looked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    etag: str | None = None
    last_modified: str | None = None
    seen: tuple[str, ...] = ()
    next_expected: date | None = None
    mark: str | None = None

    @classmethod
    def read(cls, text: str | None) -> _Cursor:
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()


def watch_dataset(
    dataset: Dataset, http: HttpClient, cursor: str | None, *, today: date
) -> Watched:
    """Look once whether a dataset's publisher has something new.

    One request where nothing changed, two for GOV.UK (the second asks for announced dates). Raises
    FetchError where the publisher does not answer as documented; the cursor then stays what it was.
    """
    before = http.requests
    former = _Cursor.read(cursor)
    discovery = dataset.discovery
    events: list[WatchEvent]
    if isinstance(discovery, GovUkDiscovery):
        events, after = _watch_govuk(dataset, discovery, http, former, today)
    elif isinstance(discovery, SmcDiscovery):
        events, after = _watch_smc(dataset, discovery, http, former)
    elif isinstance(discovery, OnsArcgisDiscovery):
        events, after = _watch_lookup(dataset, discovery, http, former, today)
    elif isinstance(discovery, NomisDiscovery):
        events, after = _watch_nomis(dataset, discovery, http, former, today)
    elif isinstance(discovery, OnsElsDiscovery):
        events, after = _watch_indicators(dataset, discovery, http, former)
    else:
        events, after = [], former
    return Watched(
        tuple(events), after.model_dump_json(exclude_defaults=True), http.requests - before
    )


# --- recognising ---------------------------------------------------------------------------------


def edition_code(dataset: Dataset, release: Release) -> str | None:
    """The edition that a release is, by the patterns of the catalogue; None where it fits neither."""
    discovery = dataset.discovery
    if not isinstance(discovery, GovUkDiscovery):
        return None
    for pattern, text in (
        (discovery.release_title, release.title),
        (discovery.release_path, release.page),
    ):
        match = re.search(pattern, text, re.IGNORECASE) if pattern else None
        if match is None:
            continue
        try:
            code = discovery.edition_code.format(**match.groupdict())
        except (KeyError, IndexError):
            continue
        if _consecutive(code):
            return code
    return None


def _consecutive(code: str) -> bool:
    """2025-26 is a survey year, 2025-31 is not."""
    match = re.fullmatch(r"(20\d{2})-(\d{2})", code)
    return match is None or (int(match[1]) + 1) % 100 == int(match[2])


def recognise_edition(dataset: Dataset, release: Release) -> Edition | None:
    """The edition of a release that the catalogue's pattern recognises, listed there or derived.

    A derived edition takes levels from the newest edition listed, and its period moved on by whole
    years; the code vintage stays open. None where the release is not recognised, or where nothing is
    listed to derive it from.
    """
    code = edition_code(dataset, release)
    if code is None:
        return None
    for entry in dataset.editions:
        if entry.edition == code:
            return entry
    return derive_edition(
        dataset, code, title=None, page=release.page, published_on=release.published_on
    )


def derive_edition(
    dataset: Dataset,
    code: str,
    *,
    title: str | None = None,
    page: str | None = None,
    published_on: date | None = None,
) -> Edition | None:
    """An edition that is not listed, from the newest one that is; None where there is none."""
    latest = dataset.latest
    year, former = _year(code), _year(latest.edition) if latest else None
    if latest is None or year is None or former is None:
        return None
    return Edition(
        edition=code,
        title=title or f"{dataset.short_title} {code.replace('-', '/', 1)}",
        period_start=_later(latest.period_start, year - former),
        period_end=_later(latest.period_end, year - former),
        published_on=published_on,
        page=page,
        levels=latest.levels,
        how_to_obtain=f"Download the data from the publisher's page ({page or dataset.landing_page}) "
        f"and hand it in: pulse land {dataset.code} {code} <file>",
        note=f"Recognised by the catalogue's pattern and derived from {latest.edition}: confirm its "
        f"period and areas, then list it in sources/catalogue/{dataset.code}.yaml.",
    )


def _year(code: str) -> int | None:
    found = re.search(r"\d{4}", code)
    return int(found.group()) if found else None


def _later(day: date, years: int) -> date:
    year = day.year + years
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def with_edition(
    dataset: Dataset, edition: Edition, facts: Mapping[str, str] | None = None
) -> Dataset:
    """The dataset with one more edition, held to the same coverage as the one before it.

    ``facts``: what the discovery needs to find it (``version`` and ``file_name``, ``service``, or
    ``year``). Raises CatalogueError ``bad_entry`` where the whole does not hold together.
    """
    given = dict(facts or {})
    if any(entry.edition == edition.edition for entry in dataset.editions):
        return dataset
    editions = sorted((*dataset.editions, edition), key=lambda entry: entry.period_end)
    latest = dataset.latest
    coverage = dataset.coverage
    if latest is not None:
        coverage += tuple(
            rule.model_copy(update={"edition": edition.edition})
            for rule in dataset.coverage_of(latest.edition)
        )
    discovery = dataset.discovery
    try:
        if isinstance(discovery, SmcDiscovery):
            file = SmcFile(version=given["version"], file_name=given["file_name"])
            discovery = discovery.model_copy(
                update={"files": {**discovery.files, edition.edition: file}}
            )
        elif isinstance(discovery, OnsArcgisDiscovery):
            discovery = discovery.model_copy(
                update={"services": {**discovery.services, edition.edition: given["service"]}}
            )
        elif isinstance(discovery, NomisDiscovery):
            discovery = discovery.model_copy(
                update={"years": {**discovery.years, edition.edition: given["year"]}}
            )
        longer = dataset.model_copy(
            update={"editions": tuple(editions), "coverage": coverage, "discovery": discovery}
        )
        return Dataset.model_validate(longer.model_dump())
    except (KeyError, ValidationError) as error:
        raise CatalogueError(
            f"The edition cannot be added to the catalogue's entry ({error})",
            code="bad_entry",
            dataset=dataset.code,
            edition=edition.edition,
            todo=f"List it in sources/catalogue/{dataset.code}.yaml.",
        ) from error


class NoticedEditions:
    """Editions that were recognised and are not in the catalogue yet: ``<landing>/.watch/editions``.

    They are data, like the files that they lead to, so that the next refresh fetches them by itself.
    """

    def __init__(self, landing_root: Path) -> None:
        self.root = landing_root / ".watch" / "editions"

    def remember(self, event: WatchEvent) -> None:
        """Keep the derived edition of an event. Does nothing for an event without one."""
        if event.derived is None:
            return
        kept = {entry["edition"]["edition"]: entry for entry in self._read(event.dataset)}
        kept[event.derived.edition] = {
            "edition": event.derived.model_dump(mode="json", exclude_none=True),
            "facts": dict(event.facts),
        }
        write_whole(
            self.root / f"{event.dataset}.json",
            json.dumps([kept[code] for code in sorted(kept)], indent=2).encode() + b"\n",
        )

    def extend(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue with the noticed editions that it does not list. The catalogue wins.

        Raises CatalogueError where what was kept does not fit it.
        """
        datasets = dict(catalogue.datasets)
        for code in catalogue.datasets:
            for entry in self._read(code):
                edition = Edition.model_validate(entry["edition"])
                datasets[code] = with_edition(datasets[code], edition, entry["facts"])
        return replace(catalogue, datasets=datasets)

    def _read(self, dataset: str) -> list[dict[str, Any]]:
        path = self.root / f"{dataset}.json"
        if not path.exists():
            return []
        try:
            kept = json.loads(path.read_bytes())
            for entry in kept:
                Edition.model_validate(entry["edition"])
                dict(entry["facts"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CatalogueError(
                f"What was kept of noticed editions cannot be read ({error})",
                code="bad_entry",
                dataset=dataset,
                file=path.name,
                todo="Remove the file; the editions will be noticed again.",
            ) from error
        return list(kept)


def _new_edition(
    dataset: Dataset, derived: Edition, facts: Mapping[str, str] | None = None
) -> WatchEvent:
    return WatchEvent(
        "new_edition",
        dataset.code,
        f"{dataset.short_title} {derived.edition} is published and was recognised: it is fetched, read "
        "and checked by itself. Confirm its period and areas, then list it in "
        f"sources/catalogue/{dataset.code}.yaml.",
        recognised=True,
        edition=derived.edition,
        derived=derived,
        title=derived.title,
        page=derived.page,
        published_on=derived.published_on,
        facts=dict(facts or {}),
    )


# --- GOV.UK --------------------------------------------------------------------------------------


def _watch_govuk(
    dataset: Dataset, discovery: GovUkDiscovery, http: HttpClient, former: _Cursor, today: date
) -> tuple[list[WatchEvent], _Cursor]:
    validators = Validators(former.etag, former.last_modified)
    releases: list[Release] | None = []
    if discovery.collection:
        releases, fetched = govuk.collection(
            http, discovery.collection, validators=validators, dataset=dataset.code
        )
        validators = fetched.validators if releases is not None else validators
    if discovery.search:
        releases = [
            *(releases or []),
            *govuk.search(http, discovery.search, dataset=dataset.code),
        ]
    events: list[WatchEvent] = []
    seen = list(former.seen)
    for release in releases or []:
        mark = f"{release.page}|{release.title}"
        if mark in seen:
            continue
        event = _judge(dataset, discovery, release, first_look=not former.seen)
        if event is not None:
            events.append(event)
        seen.append(mark)
    announced, expected = _watch_announcements(dataset, http, former, today)
    return [*events, *announced], _Cursor(
        etag=validators.etag,
        last_modified=validators.last_modified,
        seen=tuple(sorted(set(seen))),
        next_expected=expected,
    )


def _judge(
    dataset: Dataset, discovery: GovUkDiscovery, release: Release, *, first_look: bool
) -> WatchEvent | None:
    """What a release that was not seen before means; None where it means nothing."""
    if release.withdrawn or _ANNOUNCEMENTS in release.page:
        return None
    kind = release.document_type
    is_release = kind in discovery.document_types or (
        kind is None and release.page.startswith(_STATISTICS)
    )
    if not is_release:
        return None
    code = edition_code(dataset, release)
    if code is not None:
        if any(entry.edition == code for entry in dataset.editions):
            return None
        first = dataset.editions[0].edition if dataset.editions else ""
        if code < first:
            return None
        derived = recognise_edition(dataset, release)
        if derived is not None:
            return _new_edition(dataset, derived)
    successor = any(
        re.fullmatch(pattern, release.title, re.IGNORECASE) for pattern in discovery.watch
    )
    if successor and dataset.succeeded_by:
        return WatchEvent(
            "successor_release",
            dataset.code,
            f"{release.title!r} ({release.page}) is a release of the survey that follows "
            f"{dataset.short_title}. Read its statement on comparability, then describe its layout "
            f"in sources/catalogue/{dataset.succeeded_by}.yaml.",
            title=release.title,
            page=release.page,
            published_on=release.published_on,
            edition=code,
        )
    if code is None and (_NOT_ANNUAL.search(release.title) and not successor):
        return None
    latest = dataset.latest.published_on if dataset.latest else None
    if (
        first_look
        and latest is not None
        and release.published_on is not None
        and release.published_on <= latest
    ):
        return None
    if not (successor or code is not None or _of_the_survey(dataset, release)):
        return None
    why = (
        f"is edition {code}, and nothing is listed in the catalogue that it could be read like"
        if code is not None
        else f"does not fit the patterns of the catalogue (title {discovery.release_title!r})"
    )
    return WatchEvent(
        "unrecognised_release",
        dataset.code,
        f"{release.title!r} ({release.page}) looks like news of {dataset.short_title} and {why}. Open "
        f"the page: if it is an annual edition, list it in sources/catalogue/{dataset.code}.yaml, with "
        "a layout where its tables are new; if not, nothing needs to be done.",
        title=release.title,
        page=release.page,
        published_on=release.published_on,
        edition=code,
    )


def _of_the_survey(dataset: Dataset, release: Release) -> bool:
    return (dataset.survey or dataset.short_title).lower() in release.title.lower()


def _watch_announcements(
    dataset: Dataset, http: HttpClient, former: _Cursor, today: date
) -> tuple[list[WatchEvent], date | None]:
    """The next date that is announced for the survey, and an event where it is another than before."""
    found = govuk.search(
        http,
        {
            "q": dataset.survey or dataset.short_title,
            "filter_content_store_document_type": "official_statistics_announcement",
            "order": "-release_timestamp",
        },
        dataset=dataset.code,
    )
    dates: list[tuple[date, Release]] = []
    for release in found:
        stated = release.facts.get("release_date")
        if not stated or release.facts.get("state") == "cancelled":
            continue
        if _of_the_survey(dataset, release) and not _NOT_ANNUAL.search(release.title):
            day = date.fromisoformat(stated)
            if day >= today:
                dates.append((day, release))
    if not dates:
        return [], None
    day, release = min(dates, key=lambda each: (each[0], each[1].page))
    if day == former.next_expected:
        return [], day
    state = release.facts.get("state", "stated")
    return [
        WatchEvent(
            "date_announced",
            dataset.code,
            f"{release.title!r} is announced for {day.isoformat()} ({state}).",
            recognised=True,
            title=release.title,
            page=release.page,
            next_expected=day,
        )
    ], day


# --- the other publishers ------------------------------------------------------------------------


def _watch_smc(
    dataset: Dataset, discovery: SmcDiscovery, http: HttpClient, former: _Cursor
) -> tuple[list[WatchEvent], _Cursor]:
    page = smc.latest_page(http, dataset, validators=Validators(former.etag, former.last_modified))
    if page is None:
        return [], former
    after = former.model_copy(
        update={"etag": page.validators.etag, "last_modified": page.validators.last_modified}
    )
    known = [file.version for file in discovery.files.values()]
    version = page.version
    if version is None or not smc.newer(version, known) or version in former.seen:
        return [], after
    after = after.model_copy(update={"seen": (*former.seen, version)})
    address = discovery.page.format(domain=discovery.domain, index=discovery.index, version=version)
    year = page.published_on.year if page.published_on else None
    latest = _year(dataset.latest.edition) if dataset.latest else None
    if len(page.files) == 1 and year is not None and latest is not None and year > latest:
        derived = derive_edition(
            dataset,
            str(year),
            title=f"State of the Nation {year}",
            page=address,
            published_on=page.published_on,
        )
        if derived is not None:
            facts = {"version": version, "file_name": page.files[0]}
            return [_new_edition(dataset, derived, facts)], after
    why = (
        "it links to "
        + (", ".join(page.files) if page.files else "no file named …full-dataset.csv")
        + f", its date is {page.published_on.isoformat() if page.published_on else 'not stated'}"
    )
    return [
        WatchEvent(
            "unrecognised_release",
            dataset.code,
            f"{dataset.short_title}: the page shows version {version}, which is not in the catalogue, "
            f"and its edition cannot be told ({why}). Open {page.address}, find the year of the report "
            f"and the file of the full data set, and list them in sources/catalogue/{dataset.code}.yaml.",
            title=f"{dataset.short_title} {version}",
            page=address,
            published_on=page.published_on,
        )
    ], after


class _ServiceInfo(Payload):
    """What the lookup service says of itself."""

    name: str | None = None
    error: dict[str, Any] | None = None


def _watch_lookup(
    dataset: Dataset,
    discovery: OnsArcgisDiscovery,
    http: HttpClient,
    former: _Cursor,
    today: date,
) -> tuple[list[WatchEvent], _Cursor]:
    """Ask whether next year's lookup service exists, under the name that the pattern gives it."""
    edition, service = max(discovery.services.items(), key=lambda each: _year(each[0]) or 0)
    year = (_year(edition) or today.year) + 1
    name = re.sub(rf"(?<=[A-Z]){(year - 1) % 100:02d}(?=_)", lambda _: f"{year % 100:02d}", service)
    if year > today.year or name == service or name in former.seen:
        return [], former
    address = http.settings.address(
        "ons_geography", discovery.query.format(service=name).removesuffix("/query") + "?f=json"
    )
    payload, fetched = http.get_json(address, dataset=dataset.code)
    info = read_payload(_ServiceInfo, payload, fetched.address, dataset=dataset.code)
    if info.error is not None:
        return [], former
    derived = derive_edition(dataset, str(year))
    if derived is None:
        return [], former
    after = former.model_copy(update={"seen": (*former.seen, name)})
    return [_new_edition(dataset, derived, {"service": name})], after


def _watch_nomis(
    dataset: Dataset, discovery: NomisDiscovery, http: HttpClient, former: _Cursor, today: date
) -> tuple[list[WatchEvent], _Cursor]:
    """Ask for one row of the year after the newest; there is one once it is published."""
    edition, newest = max(discovery.years.items(), key=lambda each: each[1])
    year = int(newest) + 1
    if year >= today.year or str(year) in former.seen:
        return [], former
    asked = {**discovery.parameters, "date": str(year), "recordlimit": "1"}
    address = http.settings.address("nomis", f"{discovery.data}?{urlencode(asked, safe=',')}")
    answer = http.get(address, expect=CSV, dataset=dataset.code)
    lines = [line for line in answer.content.splitlines() if line.strip()]
    if len(lines) < 2 or b"," not in lines[1]:
        return [], former
    derived = derive_edition(
        dataset,
        edition.replace(newest, str(year)),
        title=f"Mid-{year} population estimates",
    )
    if derived is None:
        return [], former
    after = former.model_copy(update={"seen": (*former.seen, str(year))})
    return [_new_edition(dataset, derived, {"year": str(year)})], after


class _Indicator(Payload):
    """The part of an indicator's metadata that tells whether it moved."""

    dataModified: str | None = None  # noqa: N815


def _watch_indicators(
    dataset: Dataset, discovery: OnsElsDiscovery, http: HttpClient, former: _Cursor
) -> tuple[list[WatchEvent], _Cursor]:
    """Compare the date on which the service last changed the indicators' figures."""
    marks: list[str] = []
    for slug in sorted(set(discovery.indicators.values())):
        address = http.settings.address("ons", f"{discovery.metadata}/{slug}")
        payload, fetched = http.get_json(address, dataset=dataset.code)
        found = read_payload(_Indicator, payload, fetched.address, dataset=dataset.code)
        marks.append(f"{slug}={found.dataModified or 'not stated'}")
    mark = ";".join(marks)
    after = former.model_copy(update={"mark": mark})
    if former.mark in (None, mark):
        return [], after
    return [
        WatchEvent(
            "data_changed",
            dataset.code,
            f"{dataset.short_title}: the publisher changed the figures ({former.mark} -> {mark}). The "
            "next refresh fetches them; if they are of a later year, list the edition in "
            f"sources/catalogue/{dataset.code}.yaml.",
            recognised=True,
            page=dataset.landing_page,
        )
    ], after


# --- freshness -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Freshness:
    """Whether a dataset is as new as its cadence says.

    ``due``: expected and within its days of grace. ``overdue``: past them. ``red``: a year without news
    past the expected date.
    """

    state: Literal["ok", "due", "overdue"]
    red: bool
    expected_on: date | None
    message: str


def expected_date(dataset: Dataset, last_published: date | None) -> date | None:
    """The day by which the next edition is expected, by cadence; None where nothing can be said.

    Annual: the end of the expected month that is nearest to a year after the last publication, or a
    year after it where no month is known.
    """
    if dataset.cadence != "annual" or last_published is None:
        return None
    about = last_published + timedelta(days=365)
    if dataset.expected_month is None:
        return about
    ends = [
        date(year, dataset.expected_month, calendar.monthrange(year, dataset.expected_month)[1])
        for year in (about.year - 1, about.year, about.year + 1)
    ]
    later = [day for day in ends if day > last_published + timedelta(days=92)]
    return min(later, key=lambda day: abs((day - about).days))


def freshness(
    dataset: Dataset,
    today: date,
    last_published: date | None,
    *,
    next_announced: date | None = None,
    watched_since: date | None = None,
    successor_published: date | None = None,
) -> Freshness:
    """Judge a dataset by its cadence.

    ``last_published``: day of its newest edition; ``next_announced``: a date that its publisher gave,
    which goes before the cadence while it is ahead or less than its grace behind;
    ``watched_since``: for a dataset with no edition yet, the day from which it is watched;
    ``successor_published``: day on which the dataset that follows it was published, after which no
    edition of this one is expected.
    """
    name = dataset.short_title
    if dataset.cadence == "once":
        return Freshness("ok", False, None, f"{name} is published once; nothing more is expected.")
    if successor_published is not None and successor_published <= today:
        return Freshness(
            "ok",
            False,
            None,
            f"{name} was followed by {dataset.succeeded_by} on {successor_published.isoformat()}; no "
            "further edition is expected.",
        )
    expected = next_announced or expected_date(dataset, last_published)
    if (
        next_announced is not None
        and last_published is not None
        and next_announced <= last_published
    ):
        expected = expected_date(dataset, last_published)
    if expected is None and last_published is None and dataset.cadence == "annual":
        expected = watched_since
    if expected is None and last_published is not None:
        # Irregular: nothing is expected by a day, but silence has a length.
        expected = last_published + timedelta(days=365)
    if expected is None:
        return Freshness(
            "ok", False, None, f"{name}: no edition yet, and no date is announced; it is watched."
        )
    since = f"last published {last_published.isoformat()}" if last_published else "no edition yet"
    late = (today - expected).days
    if late <= 0:
        return Freshness(
            "ok", False, expected, f"{name}: {since}; next expected by {expected.isoformat()}."
        )
    red = late > SILENT_DAYS
    if late <= dataset.grace_days and not red:
        return Freshness(
            "due",
            False,
            expected,
            f"{name}: {since}; expected by {expected.isoformat()}, {late} days ago, within the "
            f"{dataset.grace_days} days of grace.",
        )
    follow = (
        f" Look at {dataset.succeeded_by}, which is to follow it."
        if dataset.succeeded_by
        else " Look at the publisher's page for a new name or place."
    )
    return Freshness(
        "overdue",
        red,
        expected,
        f"{name}: {since}; expected by {expected.isoformat()}, {late} days ago"
        + (", more than a year" if red else "")
        + f". {dataset.landing_page}.{follow}",
    )
