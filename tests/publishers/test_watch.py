"""Noticing: new editions, successors, dates, and silence."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sources.arrival
from sources.catalogue import Dataset, GovUkDiscovery, OnsArcgisDiscovery, SmcDiscovery
from sources.editions import (
    NoticedEditions,
    WatchEvent,
    derive_edition,
    expected_date,
    freshness,
    with_edition,
)
from sources.errors import CatalogueError, FetchError
from sources.fetch import fetch
from sources.http import HttpClient
from sources.landing import LandingStore
from sources.observation import empty_observations
from sources.parsers import Parsed
from sources.publishers import Watched, publisher_for
from sources.publishers.base import WatchCursor
from sources.publishers.govuk import GovUk, Release
from tests.publishers import servers as say
from tests.publishers.servers import ODS, Asset, FakePublishers, as_json
from tests.publishers.world import areas, catalogue, client, made_up, smc_page

TODAY = date(2026, 9, 1)
CLS = catalogue().dataset("dcms_community_life")
PS = catalogue().dataset("dcms_participation")
CES = catalogue().dataset("dcms_community_engagement")
INDEX = catalogue().dataset("smc_promising_prospects")
LOOKUP = catalogue().dataset("ons_combined_authorities")
POPULATION = catalogue().dataset("ons_population")
ELS = catalogue().dataset("ons_local_statistics")


def look(
    world: FakePublishers, dataset: Dataset, cursor: str | None = None, today: date = TODAY
) -> Watched:
    with client(world) as http:
        publisher = publisher_for(dataset, http)
        assert publisher is not None
        return publisher.watch(cursor, today)


def requests(
    world: FakePublishers, dataset: Dataset, cursor: str | None = None, today: date = TODAY
) -> int:
    """How many requests a look takes."""
    before = sum(world.asked().values())
    look(world, dataset, cursor, today)
    return sum(world.asked().values()) - before


def add_release(
    world: FakePublishers, dataset: Dataset, page: str, title: str, **more: Any
) -> None:
    """A release, and the collection that lists it."""
    assert isinstance(dataset.discovery, GovUkDiscovery)
    collection = dataset.discovery.collection
    assert collection
    world.publish_release(page, title, [], public_updated_at="2026-08-20T09:30:00Z", **more)
    members = [each["base_path"] for each in world.pages[collection]["links"]["documents"]]
    world.publish_collection(collection, [*members, page])


NEW_PAGE = "/government/statistics/community-life-survey-202526-annual-publication"
NEW_TITLE = "Community Life Survey 2025/26 annual publication"


@pytest.mark.parametrize("dataset", [CLS, PS, INDEX, LOOKUP, POPULATION, ELS])
def test_nothing_new_is_no_event_and_few_requests(world: FakePublishers, dataset: Dataset) -> None:
    first = look(world, dataset, today=date(2026, 2, 1))
    assert first.events == ()
    again = look(world, dataset, first.cursor, today=date(2026, 2, 1))
    assert again.events == ()
    assert requests(world, dataset, first.cursor, date(2026, 2, 1)) <= 2
    assert json.loads(again.cursor) == json.loads(first.cursor)


def test_a_new_edition_is_recognised_once(world: FakePublishers) -> None:
    before = look(world, CLS)
    add_release(world, CLS, NEW_PAGE, NEW_TITLE)
    now = look(world, CLS, before.cursor)
    (event,) = now.events
    assert (event.kind, event.edition) == ("new_edition", "2025-26")
    assert event.derived is not None
    assert event.derived.page == NEW_PAGE
    assert event.derived.published_on == date(2026, 8, 20)
    assert event.derived.period_start == date(2025, 10, 1)
    assert event.derived.period_end == date(2026, 3, 31)
    assert event.derived.levels == CLS.editions[-1].levels
    assert not event.derived.baseline
    assert look(world, CLS, now.cursor).events == ()


def test_a_new_edition_is_found_at_the_first_look_too(world: FakePublishers) -> None:
    add_release(world, CLS, NEW_PAGE, NEW_TITLE)
    assert [event.edition for event in look(world, CLS).events] == ["2025-26"]


def test_a_path_is_enough_where_the_title_has_other_words(world: FakePublishers) -> None:
    add_release(world, CLS, NEW_PAGE, "Community Life Survey: findings for 2025 to 2026")
    assert [event.edition for event in look(world, CLS).events] == ["2025-26"]


@pytest.fixture
def open_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file in unread."""
    nothing = Parsed(empty_observations(), ())
    monkeypatch.setattr(sources.arrival, "accepted_before", lambda *_: None)
    monkeypatch.setattr(sources.arrival, "examine", lambda *_, **__: nothing)


@pytest.mark.usefixtures("open_door")
def test_a_new_edition_lands_by_itself(world: FakePublishers, store: LandingStore) -> None:
    """From the collection page to a landed file, with nothing but the catalogue's pattern."""
    add_release(world, CLS, NEW_PAGE, NEW_TITLE)
    content = b"the file of the new edition"
    tables = world.attach(content, "tables.ods", "Annual data tables 2025/26", ODS)
    world.pages[NEW_PAGE]["details"]["attachments"] = [tables]
    noticed = NoticedEditions(store.root)
    for event in look(world, CLS).events:
        noticed.remember(event)
    extended = noticed.extend(catalogue()).dataset(CLS.code)
    (outcome,) = fetch(
        extended,
        [extended.edition("2025-26")],
        mode="default",
        store=store,
        areas=areas(),
        http=client(world),
        now=datetime(2026, 9, 1, tzinfo=UTC),
    )
    assert outcome.state == "publisher_new"
    (landed,) = store.revisions(CLS.code, "2025-26")
    assert store.read(landed) == content


@pytest.mark.parametrize(
    ("title", "page", "events"),
    [
        ("Community Life Survey 2025 to 2026: results", "/government/statistics/cls-2526", 1),
        ("Community Life Survey 2025/31 annual publication", "/government/statistics/odd", 1),
        ("Community Life Survey: quarter 1, 2025/26", "/government/statistics/q1", 0),
        ("Community Life Survey 2025/26 technical report", "/government/statistics/tech", 0),
        ("Community Life Survey ad hoc statistics", "/government/statistics/adhoc", 0),
        ("Something else entirely", "/government/statistics/else", 0),
    ],
)
def test_what_looks_like_news_and_is_not_recognised_says_what_to_do(
    world: FakePublishers, title: str, page: str, events: int
) -> None:
    before = look(world, CLS)
    add_release(world, CLS, page, title)
    now = look(world, CLS, before.cursor)
    assert len(now.events) == events
    for event in now.events:
        assert (event.kind, event.derived) == ("unrecognised_release", None)
        assert title in event.message
        assert page in event.message
        assert "sources/catalogue/dcms_community_life.yaml" in event.message
    assert look(world, CLS, now.cursor).events == (), "an alert is given once"


@pytest.mark.parametrize(
    "kind", ["statistical_data_set", "guidance", "official_statistics_announcement"]
)
def test_other_kinds_of_page_are_no_news(world: FakePublishers, kind: str) -> None:
    add_release(world, CLS, NEW_PAGE, NEW_TITLE, document_type=kind)
    assert look(world, CLS).events == ()


def test_old_members_of_a_collection_are_no_news_at_the_first_look(world: FakePublishers) -> None:
    page = "/government/statistics/community-life-2012"
    add_release(world, CLS, page, "Community Life Survey 2012 to 2013: results")
    world.pages[page]["public_updated_at"] = "2013-07-01T09:30:00Z"
    assert isinstance(CLS.discovery, GovUkDiscovery)
    collection = CLS.discovery.collection
    assert collection
    members = [each["base_path"] for each in world.pages[collection]["links"]["documents"]]
    world.publish_collection(collection, members)
    assert look(world, CLS).events == ()


@pytest.mark.parametrize(
    "title",
    [
        "Community and Engagement Survey 2025/26: loneliness and support networks",
        "Community and Engagement Survey: 2025-26 annual release, identity",
        "Community and Engagement Survey, 2025 to 2026: neighbourhood",
    ],
)
def test_each_topic_of_the_successor_calls_for_a_refresh(world: FakePublishers, title: str) -> None:
    before = look(world, CES)
    world.search_results.append(
        {
            "title": title,
            "link": "/government/statistics/ces-by-another-name",
            "public_timestamp": "2026-09-09T09:30:00Z",
            "content_store_document_type": "official_statistics",
        }
    )
    now = look(world, CES, before.cursor)
    (event,) = now.events
    assert (event.kind, event.edition) == ("data_changed", "2025-26")
    assert event.kind == "data_changed"
    assert look(world, CES, now.cursor).events == ()


@pytest.mark.parametrize(
    ("title", "page"),
    [
        ("Community and Engagement Survey: October to December 2025", "/government/statistics/q"),
        ("Community and Engagement Survey 2025/26: wellbeing", "/government/statistics/x/report"),
        ("Community and Engagement Survey 2025/26: wellbeing", "/government/statistics/x-report"),
        ("Community and Engagement Survey 2025/26 technical report", "/government/statistics/t"),
    ],
)
def test_what_is_beside_a_release_of_the_successor_is_no_news(
    world: FakePublishers, title: str, page: str
) -> None:
    before = look(world, CES)
    world.search_results.append(
        {"title": title, "link": page, "content_store_document_type": "official_statistics"}
    )
    assert look(world, CES, before.cursor).events == ()


def announce(world: FakePublishers, title: str, day: str, state: str = "confirmed") -> None:
    world.search_results.append(
        {
            "title": title,
            "link": "/government/statistics/announcements/" + title.lower().replace(" ", "-"),
            "content_store_document_type": "official_statistics_announcement",
            "release_timestamp": f"{day}T09:30:00.000+00:00",
            "statistics_announcement_state": state,
        }
    )


def test_an_announced_date_is_reported_and_again_when_it_moves(world: FakePublishers) -> None:
    announce(world, "Community Life Survey 2025 26", "2026-12-09")
    announce(world, "Community Life Survey technical note", "2026-10-01")
    announce(world, "Community Life Survey cancelled", "2026-09-09", "cancelled")
    announce(world, "Another survey", "2026-09-05")
    first = look(world, CLS)
    (event,) = first.events
    assert (event.kind, event.next_expected) == ("date_announced", date(2026, 12, 9))
    assert look(world, CLS, first.cursor).events == ()
    world.search_results.clear()
    announce(world, "Community Life Survey 2025 26", "2027-01-20", "provisional")
    (moved,) = look(world, CLS, first.cursor).events
    assert moved.next_expected == date(2027, 1, 20)
    assert "provisional" in moved.message


def test_a_failed_look_keeps_the_cursor(world: FakePublishers) -> None:
    before = look(world, CLS)
    world.script("govuk", "/api/content", say.status(503))
    with pytest.raises(FetchError):
        look(world, CLS, before.cursor)
    world.heal()
    assert look(world, CLS, before.cursor).cursor == before.cursor


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    assert isinstance(WatchCursor.read(text), WatchCursor)


# --- the other publishers ------------------------------------------------------------------------


@pytest.mark.usefixtures("open_door")
def test_a_new_version_of_an_index_lands_by_itself(
    world: FakePublishers, store: LandingStore
) -> None:
    assert isinstance(INDEX.discovery, SmcDiscovery)
    before = look(world, INDEX)
    page = smc_page(INDEX.discovery, "2025", version="4.0", date="2026-12-17")
    world.smc_pages[INDEX.discovery.latest_path()] = page
    now = look(world, INDEX, before.cursor)
    (event,) = now.events
    assert (event.kind, event.edition) == ("new_edition", "2026")
    assert event.facts == {
        "version": "4.0",
        "file_name": "CI4-4.0-promising-prospects--full-dataset.csv",
    }
    assert look(world, INDEX, now.cursor).events == ()
    noticed = NoticedEditions(store.root)
    noticed.remember(event)
    extended = noticed.extend(catalogue()).dataset(INDEX.code)
    assert isinstance(extended.discovery, SmcDiscovery)
    content = b"the file of the new edition"
    world.smc_files[extended.discovery.file_path("2026")] = Asset(content, "text/csv")
    (outcome,) = fetch(
        extended,
        [extended.edition("2026")],
        mode="default",
        store=store,
        areas=areas(),
        http=client(world),
        now=datetime(2026, 12, 18, tzinfo=UTC),
    )
    assert outcome.state == "publisher_new"


@pytest.mark.parametrize(
    "page",
    [
        b"<a href='/state-of-the-nation/intermediate_outcomes/composite_indices/promising_prospects/4.0'>new</a>",
        b"<a href='/x/promising_prospects/4.0/a--full-dataset.csv'>a</a><a "
        b"href='/x/promising_prospects/4.0/b--full-dataset.csv'>b</a><time datetime='2026-12-17'>",
        b"<a href='/x/promising_prospects/4.0/a--full-dataset.csv'>a</a>",
        b"<a href='/x/promising_prospects/3.1/a--full-dataset.csv'>a</a><time datetime='2025-12-19'>",
    ],
    ids=["no file", "two files", "no date", "same year"],
)
def test_a_version_whose_edition_is_not_known_asks_a_person(
    world: FakePublishers, page: bytes
) -> None:
    assert isinstance(INDEX.discovery, SmcDiscovery)
    world.smc_pages[INDEX.discovery.latest_path()] = page
    (event,) = look(world, INDEX).events
    assert event.kind == "unrecognised_release"
    assert "smc_promising_prospects.yaml" in event.message


def test_next_years_lookup_is_noticed_when_it_appears(world: FakePublishers) -> None:
    before = look(world, LOOKUP)
    assert before.events == ()
    assert requests(world, LOOKUP) == 1
    world.publish_lookup("LAD26_CAUTH26_EN_LU", made_up(LOOKUP.code, "2025"))
    (event,) = look(world, LOOKUP, before.cursor).events
    assert (event.edition, event.facts) == ("2026", {"service": "LAD26_CAUTH26_EN_LU"})
    assert event.derived is not None
    extended = with_edition(LOOKUP, event.derived, event.facts)
    assert isinstance(extended.discovery, OnsArcgisDiscovery)
    assert extended.discovery.services["2026"] == "LAD26_CAUTH26_EN_LU"


def test_a_year_that_is_not_over_is_not_asked_for(world: FakePublishers) -> None:
    assert requests(world, LOOKUP, today=date(2025, 12, 31)) == 0
    assert requests(world, POPULATION, today=date(2025, 6, 1)) == 0


def test_the_next_mid_year_is_noticed_when_it_appears(world: FakePublishers) -> None:
    assert look(world, POPULATION).events == ()
    world.populations["2025"] = b"\n".join(made_up(POPULATION.code, "mid-2024").split(b"\n")[:3])
    (event,) = look(world, POPULATION).events
    assert (event.edition, event.facts) == ("mid-2025", {"year": "2025"})
    assert event.derived is not None
    assert event.derived.period_end == date(2025, 6, 30)


def test_a_change_of_the_indicators_is_noticed(world: FakePublishers) -> None:
    first = look(world, ELS)
    assert first.events == ()
    world.ons_modified = "2026-10-05T09:30:00.000Z"
    (event,) = look(world, ELS, first.cursor).events
    assert event.kind == "data_changed"
    assert "2026-10-05" in event.message


def test_metadata_in_another_form_is_an_error(world: FakePublishers) -> None:
    world.script("ons", "metadata", lambda reply: as_json(["odd"]))
    with pytest.raises(FetchError) as caught:
        look(world, ELS)
    assert caught.value.code == "unexpected_payload"


# --- recognising ---------------------------------------------------------------------------------


def edition_code(dataset: Dataset, title: str, page: str) -> str | None:
    assert isinstance(dataset.discovery, GovUkDiscovery)
    with HttpClient() as http:
        return GovUk(dataset, dataset.discovery, http).edition_code(Release(title=title, page=page))


def test_known_editions_are_recognised_by_their_page() -> None:
    for dataset in (CLS, PS):
        for edition in dataset.editions:
            if edition.history:
                continue
            assert edition.page
            assert edition_code(dataset, "Whatever", edition.page) == edition.edition


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Community Life Survey 2026/27 annual publication", "2026-27"),
        ("Community Life Survey 2026-27: annual publication", "2026-27"),
        ("Community Life Survey 2026 to 2027: annual publication", "2026-27"),
        ("Community Life Survey 2026/28 annual publication", None),
        ("Community Life Survey annual publication", None),
        ("", None),
    ],
)
def test_only_what_fits_the_pattern_is_an_edition(title: str, code: str | None) -> None:
    assert edition_code(CLS, title, "/government/statistics/x") == code


def test_an_added_edition_is_held_to_the_coverage_of_the_one_before() -> None:
    derived = derive_edition(CLS, "2025-26", page=NEW_PAGE)
    assert derived is not None
    extended = with_edition(CLS, derived)
    assert extended.editions[-1] == derived
    assert {(r.level, r.areas) for r in extended.coverage_of("2025-26")} == {
        (r.level, r.areas) for r in CLS.coverage_of("2024-25")
    }
    assert extended.layout("2025-26") == CLS.layout("2024-25")
    assert with_edition(extended, derived) is extended
    assert areas().codes("lad", prefix="E")


def test_an_index_edition_needs_its_version() -> None:
    derived = derive_edition(INDEX, "2026")
    assert derived is not None
    with pytest.raises(CatalogueError) as caught:
        with_edition(INDEX, derived)
    assert caught.value.code == "bad_entry"


def test_the_catalogue_wins_over_what_was_noticed(store: LandingStore) -> None:
    noticed = NoticedEditions(store.root)
    known = CLS.editions[-1].model_copy(update={"title": "Another title"})
    noticed.remember(WatchEvent("new_edition", CLS.code, "", derived=known))
    assert noticed.extend(catalogue()).dataset(CLS.code) == CLS
    noticed.remember(WatchEvent("unrecognised_release", PS.code, ""))
    assert noticed.extend(catalogue()).dataset(PS.code) == PS


@pytest.mark.parametrize("text", ["{", "[1]", '[{"edition": {}}]', '[{"edition": 1, "facts": 2}]'])
def test_damaged_notes_say_what_to_do(store: LandingStore, text: str) -> None:
    noticed = NoticedEditions(store.root)
    noticed.root.mkdir(parents=True)
    (noticed.root / f"{CLS.code}.json").write_text(text)
    with pytest.raises(CatalogueError) as caught:
        noticed.extend(catalogue())
    assert "noticed again" in str(caught.value)


# --- freshness -----------------------------------------------------------------------------------

PROSPECTS = INDEX.editions[-1].published_on


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 7, 1), "ok"),
        (date(2026, 7, 31), "ok"),
        (date(2026, 8, 1), "due"),
        (date(2026, 10, 1), "due"),
        (date(2026, 10, 2), "overdue"),
        (date(2030, 1, 1), "overdue"),
    ],
)
def test_an_edition_is_expected_by_the_day_that_the_catalogue_gives(
    today: date, state: str
) -> None:
    judged = freshness(CES, today)
    assert (judged.state, judged.expected_on) == (state, date(2026, 7, 31))
    assert freshness(CES, today, held=["2025-26"]).state == "ok", "it has come"


def test_an_annual_edition_is_expected_a_year_after_the_last() -> None:
    assert PROSPECTS is not None
    expected = expected_date(INDEX)
    assert expected is not None
    assert 330 < (expected - PROSPECTS).days < 400
    late = expected + timedelta(days=INDEX.grace_days + 1)
    assert freshness(INDEX, expected).state == "ok"
    assert freshness(INDEX, late).state == "overdue"
    assert INDEX.landing_page in freshness(INDEX, late).message


@pytest.mark.parametrize(
    "dataset", [CLS, PS, LOOKUP, POPULATION, catalogue().dataset("young_foundation_report")]
)
def test_an_ended_survey_and_an_edition_without_a_date_raise_nothing(dataset: Dataset) -> None:
    judged = freshness(dataset, date(2050, 1, 1))
    assert (judged.state, judged.expected_on) == ("ok", None)


@given(published=st.dates(date(2015, 1, 1), date(2040, 12, 31)), later=st.integers(0, 2_000))
def test_freshness_only_ever_grows_worse(published: date, later: int) -> None:
    order = ["ok", "due", "overdue"]
    last = INDEX.editions[-1].model_copy(update={"published_on": published})
    dataset = INDEX.model_copy(update={"editions": (*INDEX.editions[:-1], last)})
    day = published + timedelta(days=later)
    now, after = freshness(dataset, day), freshness(dataset, day + timedelta(days=1))
    assert order.index(now.state) <= order.index(after.state)
    expected = expected_date(dataset)
    assert expected is not None
    assert 90 < (expected - published).days < 600
