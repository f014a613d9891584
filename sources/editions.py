"""Editions noticed, expected and overdue.

Belongs here: what a publisher's news means for the catalogue (an event, an edition derived from the
one before, the catalogue with noticed editions added), and judging whether the next edition is late.
Does not belong here: looking at publishers (``sources.publishers``), and when to look.

A release is recognised by pattern or not at all. What looks like news and is not recognised becomes
an event that says what to do; nothing is guessed.
"""

import calendar
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from sources.catalogue import Catalogue, Dataset, Edition
from sources.errors import CatalogueError
from sources.landing import replace_file

EventKind = Literal["new_edition", "unrecognised_release", "date_announced", "data_changed"]


@dataclass(frozen=True)
class WatchEvent:
    """Something noticed at a publisher.

    ``derived`` is the edition to fetch and ``facts`` what its discovery needs, of a ``new_edition``;
    ``next_expected`` the day of a ``date_announced``. ``message`` says what to do: after an
    ``unrecognised_release`` nothing happens until somebody reads it.
    """

    kind: EventKind
    dataset: str
    message: str
    edition: str | None = None
    derived: Edition | None = None
    next_expected: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


# --- noticed -------------------------------------------------------------------------------------


def year_of(code: str) -> int | None:
    """The first four-digit year of an edition's code."""
    found = re.search(r"\d{4}", code)
    return int(found.group()) if found else None


def derive_edition(
    dataset: Dataset,
    code: str,
    *,
    title: str | None = None,
    page: str | None = None,
    published_on: date | None = None,
) -> Edition | None:
    """An edition that is not listed, from the newest one that is; None where there is none.

    It takes the levels of that edition and its period moved on by whole years; the year of its codes
    stays open.
    """
    latest = dataset.latest
    year, former = year_of(code), year_of(latest.edition) if latest else None
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


def _later(day: date, years: int) -> date:
    year = day.year + years
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def with_edition(
    dataset: Dataset, edition: Edition, facts: Mapping[str, str] | None = None
) -> Dataset:
    """The dataset with one more edition, under the same coverage rules as the one before it.

    ``facts``: what the discovery lists per edition. Raises CatalogueError ``bad_entry`` where the whole
    does not hold together.
    """
    if any(entry.edition == edition.edition for entry in dataset.editions):
        return dataset
    content = dataset.model_dump()
    content["editions"] = sorted(
        [*content["editions"], edition.model_dump()], key=lambda entry: str(entry["period_end"])
    )
    if dataset.latest is not None:
        before = dataset.latest.edition
        added = [rule for rule in content["coverage"] if rule["edition"] == before]
        content["coverage"] = [
            *content["coverage"],
            *({**rule, "edition": edition.edition} for rule in added),
        ]
    if dataset.discovery is not None and dataset.discovery.per_edition:
        listed = content["discovery"][dataset.discovery.per_edition]
        given: dict[str, str] = dict(facts or {})
        listed[edition.edition] = given if len(given) != 1 else given.popitem()[1]
    try:
        return Dataset.model_validate(content)
    except ValidationError as error:
        raise CatalogueError(
            f"The edition cannot be added to the catalogue's entry ({error})",
            code="bad_entry",
            dataset=dataset.code,
            edition=edition.edition,
            todo=f"List it in sources/catalogue/{dataset.code}.yaml.",
        ) from error


class _Noticed(BaseModel):
    edition: Edition
    facts: dict[str, str]


_NOTICED = TypeAdapter(list[_Noticed])


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
        kept = {entry.edition.edition: entry for entry in self._read(event.dataset)}
        kept[event.derived.edition] = _Noticed(edition=event.derived, facts=dict(event.facts))
        listed = [kept[code] for code in sorted(kept)]
        content = _NOTICED.dump_json(listed, indent=2, exclude_none=True) + b"\n"
        replace_file(self.root / f"{event.dataset}.json", content)

    def extend(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue with the noticed editions that it does not list. The catalogue wins.

        Raises CatalogueError where what was kept does not fit it.
        """
        datasets = dict(catalogue.datasets)
        for code in catalogue.datasets:
            for entry in self._read(code):
                datasets[code] = with_edition(datasets[code], entry.edition, entry.facts)
        return replace(catalogue, datasets=datasets)

    def _read(self, dataset: str) -> list[_Noticed]:
        path = self.root / f"{dataset}.json"
        try:
            return _NOTICED.validate_json(path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise CatalogueError(
                f"The record of noticed editions cannot be read ({error})",
                code="bad_entry",
                dataset=dataset,
                file=path.name,
                todo="Remove the file; the editions will be noticed again.",
            ) from error


# --- expected and overdue ------------------------------------------------------------------------


@dataclass(frozen=True)
class Freshness:
    """Whether the next edition of a dataset is late. ``due``: expected, within the days of grace."""

    state: Literal["ok", "due", "overdue"]
    expected_on: date | None
    message: str


def expected_date(dataset: Dataset, held: Collection[str] = ()) -> date | None:
    """The day by which the next edition is expected; None where nothing can be said.

    The catalogue's ``expected_on`` of the first edition that is neither published nor ``held``; else,
    of an annual dataset, the end of the expected month that is nearest to a year after the newest
    edition was published. Nothing is expected of a survey that was succeeded.
    """
    if dataset.succeeded_by is not None or dataset.cadence == "once":
        return None
    for edition in dataset.editions:
        if edition.expected_on and not edition.published_on and edition.edition not in held:
            return edition.expected_on
    published = dataset.latest.published_on if dataset.latest else None
    if dataset.cadence != "annual" or published is None:
        return None
    about = published + timedelta(days=365)
    if dataset.expected_month is None:
        return about
    ends = [
        date(year, dataset.expected_month, calendar.monthrange(year, dataset.expected_month)[1])
        for year in (about.year - 1, about.year, about.year + 1)
    ]
    later = [day for day in ends if day > published + timedelta(days=92)]
    return min(later, key=lambda day: abs((day - about).days))


def freshness(dataset: Dataset, today: date, *, held: Collection[str] = ()) -> Freshness:
    """Judge a dataset by what is expected of it. ``held``: editions with a landed file."""
    name = dataset.short_title
    expected = expected_date(dataset, held)
    if expected is None:
        why = (
            f"was succeeded by {dataset.succeeded_by}; no further edition is expected"
            if dataset.succeeded_by
            else "is published once"
            if dataset.cadence == "once"
            else "has no date by which its next edition is expected"
        )
        return Freshness("ok", None, f"{name} {why}.")
    late = (today - expected).days
    message = f"{name}: the next edition is expected by {expected.isoformat()}"
    if late <= 0:
        return Freshness("ok", expected, f"{message}.")
    message += f", {late} days ago"
    if late <= dataset.grace_days:
        return Freshness(
            "due", expected, f"{message}, within the {dataset.grace_days} days of grace."
        )
    return Freshness(
        "overdue",
        expected,
        f"{message}. Look at {dataset.landing_page}: if it is published, hand the file in or correct "
        f"sources/catalogue/{dataset.code}.yaml; if it was postponed, change its expected date there.",
    )
