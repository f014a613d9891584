"""Fetching: what is asked, landed, kept and reported."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import sources.arrival
from demonstration.publisher_files import Fault
from sources.addresses import PublisherSettings
from sources.fetch import CursorStore, Mode, SourceOutcome, fetch
from sources.http import HttpClient, probe
from sources.landing import LandingStore
from sources.observation import empty_observations
from sources.parsers import Parsed
from sources.selection import observe
from tests.publishers import servers as say
from tests.publishers.servers import ODS, FakePublishers
from tests.publishers.world import (
    IMPATIENT,
    areas,
    catalogue,
    client,
    fetched_editions,
    made_up,
    publish,
)

NOW = datetime(2026, 1, 7, 6, 0, tzinfo=UTC)
PARTICIPATION = catalogue().dataset("dcms_participation")
INDEX = catalogue().dataset("smc_promising_prospects")
SOME = (PARTICIPATION, INDEX, catalogue().dataset("young_foundation_report"))
"""A workbook found on GOV.UK, a CSV file of a service, and a dataset that is not fetched."""
FETCHED = len(PARTICIPATION.editions) + len(INDEX.editions)
Round = tuple[SourceOutcome, ...]
Refresh = Callable[..., Round]


def refresh_some(
    http: HttpClient, store: LandingStore, mode: Mode = "only_publisher", probing: bool = True
) -> Round:
    """One round over ``SOME``; made-up files are not compared with the bundled figures."""
    reachability = probe(http.settings, seconds=1) if probing else None
    return tuple(
        outcome
        for dataset in SOME
        for outcome in fetch(
            dataset,
            dataset.editions,
            mode=mode,
            store=store,
            areas=areas(),
            http=http,
            now=NOW,
            reachability=reachability,
        )
    )


@pytest.fixture
def refresh(world: FakePublishers, store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> Refresh:
    """Rounds whose files are let in unread: what is read is tested where it is read."""
    nothing = Parsed(empty_observations(), ())
    monkeypatch.setattr(sources.arrival, "accepted_before", lambda *_: None)
    monkeypatch.setattr(sources.arrival, "examine", lambda *_, **__: nothing)

    def once(mode: Mode = "only_publisher") -> Round:
        with client(world) as http:
            return refresh_some(http, store, mode, probing=mode != "offline")

    return once


def states(round_: Round) -> Counter[str]:
    return Counter(each.state for each in round_)


def requests(round_: Round) -> int:
    return sum(each.requests for each in round_)


def one(
    world: FakePublishers, store: LandingStore, edition: str = "2025", **more: object
) -> SourceOutcome:
    (outcome,) = fetch(
        INDEX,
        [INDEX.edition(edition)],
        mode="only_publisher",
        store=store,
        areas=areas(),
        http=client(world),
        now=NOW,
        **more,  # type: ignore[arg-type]
    )
    return outcome


@pytest.mark.slow
def test_a_cold_and_an_unchanged_refresh_make_as_few_requests_as_can_be(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    cold = refresh()
    assert states(cold) == {"publisher_new": FETCHED, "not_tried": 1}
    assert requests(cold) == FETCHED + len(PARTICIPATION.editions)
    held = {(each.dataset, each.edition): each.landed for each in cold}

    world.heal()
    unchanged = refresh()
    assert states(unchanged) == {"publisher_unchanged": FETCHED, "not_tried": 1}
    assert requests(unchanged) == FETCHED
    assert sum(world.asked().values()) == FETCHED, "the servers count the same"
    assert {(each.dataset, each.edition): each.landed for each in unchanged} == held


@pytest.mark.slow
def test_after_a_refresh_every_edition_is_the_publishers(
    world: FakePublishers, store: LandingStore
) -> None:
    with client(world) as http:
        for dataset in {dataset.code: dataset for dataset, _ in fetched_editions()}.values():
            fetch(
                dataset,
                dataset.editions,
                mode="only_publisher",
                store=store,
                areas=areas(),
                http=http,
                now=NOW,
            )
            found = observe(dataset, store, areas(), bundled=None)
            assert [each.rejections for each in found.editions if each.rejections] == []
            for each in found.editions:
                if each.state == "accepted":
                    rows = found.rows[found.rows["edition"] == each.edition]
                    assert set(rows["file_sha256"]) == {each.file_sha256}


def test_without_validators_an_unchanged_refresh_still_lands_nothing(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    for server in world.servers.values():
        server.validators = False
    refresh()
    assert states(refresh())["publisher_unchanged"] == FETCHED
    assert len(store.revisions(INDEX.code, "2025")) == 1


def test_what_is_landed_is_what_was_sent_with_where_it_came_from(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    refresh()
    (landed,) = store.revisions(PARTICIPATION.code, "2024-25")
    assert store.read(landed) == made_up(PARTICIPATION.code, "2024-25")
    assert landed.origin == "publisher"
    assert landed.address
    assert landed.address.startswith(world.servers["govuk_assets"].base)
    assert landed.etag
    assert landed.content_type == ODS
    assert landed.extra["updated_at"] == "2025-12-10T09:30:05.123Z"


def test_other_bytes_are_a_new_revision_beside_the_old(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    refresh()
    publish(world, INDEX, INDEX.edition("2025"), made_up(INDEX.code, "2025", seed=2))
    again = refresh()
    assert states(again)["publisher_revision"] == 1
    newest, oldest = store.revisions(INDEX.code, "2025")
    assert store.read(newest) == made_up(INDEX.code, "2025", seed=2)
    assert store.read(oldest) == made_up(INDEX.code, "2025")
    (outcome,) = [each for each in again if each.state == "publisher_revision"]
    assert oldest.revision in outcome.message


@pytest.mark.slow
def test_a_publisher_that_goes_back_is_reported(world: FakePublishers, store: LandingStore) -> None:
    for seed in (1, 2, 1):
        publish(world, INDEX, INDEX.edition("2025"), made_up(INDEX.code, "2025", seed=seed))
        outcome = one(world, store)
    assert outcome.state == "publisher_revision"
    assert "went back" in outcome.message
    assert len(store.revisions(INDEX.code, "2025")) == 2


def test_offline_asks_nobody(world: FakePublishers, refresh: Refresh) -> None:
    round_ = refresh("offline")
    assert set(states(round_)) == {"not_tried"}
    assert not world.asked()
    assert requests(round_) == 0


@pytest.mark.parametrize("mode", ["default", "only_publisher"])
def test_an_absent_network_is_noticed_at_once_and_costs_no_request(
    store: LandingStore, mode: Mode
) -> None:
    closed = dict.fromkeys(
        ("govuk", "govuk_assets", "ons", "ons_geography", "nomis", "smc"), "http://127.0.0.1:1"
    )
    http = HttpClient(PublisherSettings(**closed), IMPATIENT)
    started = time.monotonic()
    round_ = refresh_some(http, store, mode)
    assert time.monotonic() - started < 2.0
    assert requests(round_) == 0
    assert states(round_) == {"publisher_unreachable": FETCHED, "not_tried": 1}
    assert [each.failed for each in round_ if each.state != "not_tried"] == [True] * FETCHED
    assert "No publisher can be reached from here" in probe(http.settings, seconds=1).line()


@pytest.mark.usefixtures("refresh")
def test_one_publisher_away_leaves_the_others(world: FakePublishers, store: LandingStore) -> None:
    settings = replace(world.settings, smc="http://127.0.0.1:1")
    round_ = refresh_some(HttpClient(settings, IMPATIENT), store)
    away = [each for each in round_ if each.state == "publisher_unreachable"]
    assert {each.dataset for each in away} == {INDEX.code}
    assert states(round_)["publisher_new"] == FETCHED - len(away)


def test_a_publisher_that_vanishes_midway_is_asked_once(
    world: FakePublishers, store: LandingStore
) -> None:
    """The probe reached it; the first refused connection spares the rest of the run the waiting."""
    settings = replace(world.settings, smc="http://127.0.0.1:1")
    http = HttpClient(settings, replace(IMPATIENT, attempts=1))
    http.settings = world.settings
    reachability = probe(world.settings, seconds=1.0)
    http.settings = settings
    outcomes = fetch(
        INDEX,
        INDEX.editions,
        mode="default",
        store=store,
        areas=areas(),
        http=http,
        now=NOW,
        reachability=reachability,
    )
    assert [each.error.code for each in outcomes if each.error] == [
        "connection_failed",
        "not_reached_before",
    ]
    assert http.requests == 1


@pytest.mark.slow
def test_one_slow_file_does_not_stop_the_publishers_other_files(
    world: FakePublishers, refresh: Refresh
) -> None:
    world.script("smc", "promising_prospects/3.0", say.say_nothing(0.5))
    round_ = refresh()
    assert states(round_) == {
        "publisher_unreachable": 1,
        "publisher_new": FETCHED - 1,
        "not_tried": 1,
    }


@pytest.mark.planted_fault
def test_refused_content_is_set_aside_with_its_reasons_and_not_landed(
    world: FakePublishers, store: LandingStore
) -> None:
    assert one(world, store).state == "publisher_new"
    publish(world, INDEX, INDEX.edition("2025"), b"colour,shape\nred,round\n")
    outcome = one(world, store)
    assert outcome.state == "publisher_refused"
    assert outcome.error is not None
    assert outcome.error.code == "unknown_layout"
    (kept,) = store.quarantined(INDEX.code, "2025")
    assert kept.path.read_bytes() == b"colour,shape\nred,round\n"
    assert kept.reasons[0].startswith("unknown_layout: ")
    assert len(store.revisions(INDEX.code, "2025")) == 1


@pytest.mark.parametrize("harm", [pytest.param("removed", marks=pytest.mark.slow), "altered"])
def test_a_file_that_is_no_longer_held_is_asked_for_in_full(
    world: FakePublishers, store: LandingStore, harm: str
) -> None:
    landed = one(world, store).landed
    assert landed is not None
    if harm == "removed":
        shutil.rmtree(landed.path.parent)
    else:
        landed.path.chmod(0o644)
        landed.path.write_bytes(b"altered")
    world.heal()
    outcome = one(world, store)
    assert "If-None-Match" not in world.servers["smc"].requests[0][1]
    if harm == "removed":
        assert outcome.state == "publisher_new"
    else:
        assert outcome.error is not None
        assert outcome.error.code == "bytes_changed", "altered bytes are a person's to look at"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"address": 1}',
        *(
            pytest.param(text, marks=pytest.mark.slow)
            for text in ("", "[]", '{"sha256": "0"}', "\x00")
        ),
    ],
)
def test_a_damaged_cursor_counts_as_none(
    world: FakePublishers, store: LandingStore, text: str
) -> None:
    one(world, store)
    path = CursorStore(store.root).root / INDEX.code / "2025.json"
    path.write_text(text)
    assert one(world, store).state == "publisher_unchanged"
    assert CursorStore(store.root).load(INDEX.code, "2025") is not None


@pytest.mark.slow
def test_the_cursor_of_one_address_is_not_used_for_another(
    world: FakePublishers, store: LandingStore
) -> None:
    one(world, store)
    cursor = CursorStore(store.root).load(INDEX.code, "2025")
    assert cursor is not None
    CursorStore(store.root).save(INDEX.code, "2024", cursor)
    assert one(world, store, "2024").state == "publisher_new"


def test_a_withdrawn_release_stays_and_is_flagged(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    refresh()
    page = PARTICIPATION.edition("2024-25").page
    assert page
    world.pages[page]["withdrawn_notice"] = {
        "explanation": "Replaced.",
        "withdrawn_at": "2026-01-05T00:00:00Z",
    }
    round_ = refresh()
    (flagged,) = [each for each in round_ if each.withdrawn]
    assert (flagged.dataset, flagged.edition) == (PARTICIPATION.code, "2024-25")
    assert flagged.state == "publisher_unchanged"
    assert "withdrawn 2026-01-05" in flagged.message
    assert len(store.revisions(PARTICIPATION.code, "2024-25")) == 1
    (again,) = [each for each in refresh() if each.withdrawn]
    assert again.withdrawn == flagged.withdrawn, "also when the page is not sent again"


def test_an_unlanded_file_is_not_asked_for_again_and_stays_unused(
    world: FakePublishers, store: LandingStore
) -> None:
    landed = one(world, store).landed
    assert landed is not None
    store.unland(INDEX.code, "2025", landed.revision, who="Ann", why="an error in it", now=NOW)
    outcome = one(world, store)
    assert outcome.state == "publisher_unchanged"
    assert "Ann took it out of use (an error in it)" in outcome.message
    assert store.revisions(INDEX.code, "2025") == []


def test_a_file_that_breaks_the_contract_is_not_landed(
    world: FakePublishers, store: LandingStore
) -> None:
    content = made_up(INDEX.code, "2025", faults=(Fault.MISSING_AUTHORITY,))
    publish(world, INDEX, INDEX.edition("2025"), content)
    outcome = one(world, store)
    assert outcome.state == "publisher_refused"
    assert outcome.error is not None
    assert outcome.error.code == "missing_area"
    assert store.revisions(INDEX.code, "2025") == []
    (kept,) = store.quarantined(INDEX.code, "2025")
    assert kept.path.read_bytes() == content
