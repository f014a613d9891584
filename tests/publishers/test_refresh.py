"""The order of sources: what is asked, landed, kept and told."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sources.addresses import PublisherSettings
from sources.catalogue import Catalogue
from sources.http import HttpClient, probe
from sources.intake import take_in
from sources.landing import LandingStore
from sources.refresh import CursorStore, Mode, Obtained, SourceOutcome, obtain, refresh_all
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
    publish_all,
)

NOW = datetime(2026, 1, 7, 6, 0, tzinfo=UTC)
CLS = catalogue().dataset("dcms_community_life")
INDEX = catalogue().dataset("smc_promising_prospects")
Refresh = Callable[..., Obtained]


@pytest.fixture
def refresh(world: FakePublishers, store: LandingStore) -> Refresh:
    def once(mode: Mode = "default", **keywords: object) -> Obtained:
        with client(world) as http:
            return refresh_all(
                catalogue(),
                mode=mode,
                store=store,
                http=http,
                now=NOW,
                **keywords,  # type: ignore[arg-type]
            )

    return once


def states(round_: Obtained) -> Counter[str]:
    return Counter(each.state for each in round_.outcomes)


def one(
    world: FakePublishers, store: LandingStore, edition: str = "2025", **more: object
) -> SourceOutcome:
    return obtain(
        INDEX,
        INDEX.edition(edition),
        mode="default",
        store=store,
        http=client(world),
        now=NOW,
        **more,  # type: ignore[arg-type]
    )


def test_a_cold_and_an_unchanged_refresh_make_as_few_requests_as_can_be(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    editions = len(fetched_editions())
    on_govuk = len(
        [d for d, _ in fetched_editions() if d.discovery and d.discovery.kind == "govuk"]
    )

    cold = refresh()
    assert states(cold) == {"publisher_new": editions, "not_tried": 2}
    assert cold.requests == editions + on_govuk
    held = {(each.dataset, each.edition): each.landed for each in cold.outcomes}

    world.heal()
    unchanged = refresh()
    assert states(unchanged) == {"publisher_unchanged": editions, "not_tried": 2}
    assert unchanged.requests == editions
    assert sum(world.asked().values()) == editions, "the servers count the same"
    assert {(each.dataset, each.edition): each.landed for each in unchanged.outcomes} == held
    for dataset, edition in fetched_editions():
        assert len(store.revisions(dataset.code, edition.edition)) == 1


@pytest.mark.slow
def test_after_a_refresh_every_edition_is_the_publishers(
    refresh: Refresh, store: LandingStore
) -> None:
    refresh()
    taken = {
        (dataset.code, edition.edition): take_in(dataset, edition, store, areas())
        for dataset, edition in fetched_editions()
    }
    assert {key: each.rejections for key, each in taken.items() if each.rejections} == {}
    assert {each.origin for each in taken.values()} == {"publisher"}
    for each in taken.values():
        assert set(each.rows["file_sha256"]) == {each.file_sha256}


def test_without_validators_an_unchanged_refresh_still_lands_nothing(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    for server in world.servers.values():
        server.validators = False
    refresh()
    assert states(refresh())["publisher_unchanged"] == len(fetched_editions())
    for dataset, edition in fetched_editions():
        assert len(store.revisions(dataset.code, edition.edition)) == 1


def test_what_is_landed_is_what_was_sent_with_where_it_came_from(
    world: FakePublishers, refresh: Refresh, store: LandingStore
) -> None:
    refresh()
    (landed,) = store.revisions(CLS.code, "2024-25")
    assert store.read(landed) == made_up(CLS.code, "2024-25")
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
    (outcome,) = [each for each in again.outcomes if each.state == "publisher_revision"]
    assert oldest.revision in outcome.message


def test_a_publisher_that_goes_back_is_told(world: FakePublishers, store: LandingStore) -> None:
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
    assert round_.requests == 0
    assert round_.reachability is None


@pytest.mark.parametrize("mode", ["default", "only_publisher"])
def test_an_absent_network_is_told_in_one_line_and_costs_no_request(
    store: LandingStore, mode: Mode
) -> None:
    closed = dict.fromkeys(
        ("govuk", "govuk_assets", "ons", "ons_geography", "nomis", "smc"), "http://127.0.0.1:1"
    )
    http = HttpClient(PublisherSettings(**closed), IMPATIENT)
    started = time.monotonic()
    round_ = refresh_all(catalogue(), mode=mode, store=store, http=http, now=NOW, probe_seconds=1)
    assert time.monotonic() - started < 2.0
    assert round_.requests == 0
    assert states(round_)["publisher_unreachable"] >= len(fetched_editions())
    assert "No publisher can be reached from here" in round_.line()
    assert "\n" not in round_.line()
    assert [each.failed for each in round_.outcomes if each.state != "not_tried"]


def test_one_publisher_away_leaves_the_others(world: FakePublishers, store: LandingStore) -> None:
    settings = replace(world.settings, smc="http://127.0.0.1:1")
    http = HttpClient(settings, IMPATIENT)
    round_ = refresh_all(catalogue(), mode="default", store=store, http=http, now=NOW)
    away = [each for each in round_.outcomes if each.state == "publisher_unreachable"]
    assert {each.dataset.split("_")[0] for each in away} == {"smc"}
    assert states(round_)["publisher_new"] == len(fetched_editions()) - len(away)
    assert "Cannot be reached from here: smc;" in round_.line()


def test_a_publisher_that_vanishes_midway_is_asked_once(
    world: FakePublishers, store: LandingStore
) -> None:
    """The probe reached it; the first refused connection spares the rest of the run the waiting."""
    settings = replace(world.settings, smc="http://127.0.0.1:1")
    http = HttpClient(settings, replace(IMPATIENT, attempts=1))
    http.settings = world.settings
    reachability = probe(world.settings, seconds=1.0)
    http.settings = settings
    outcomes = [
        obtain(
            INDEX,
            edition,
            mode="default",
            store=store,
            http=http,
            now=NOW,
            reachability=reachability,
        )
        for edition in INDEX.editions
    ]
    assert [each.error.code for each in outcomes if each.error] == [
        "connection_failed",
        "not_reached_before",
    ]
    assert http.requests == 1


def test_one_slow_file_does_not_stop_the_publishers_other_files(
    world: FakePublishers, refresh: Refresh
) -> None:
    world.script("smc", "promising_prospects/3.0", say.say_nothing(0.5))
    round_ = refresh()
    assert states(round_) == {
        "publisher_unreachable": 1,
        "publisher_new": len(fetched_editions()) - 1,
        "not_tried": 2,
    }


def test_refused_content_is_set_aside_with_its_reasons_and_not_landed(
    world: FakePublishers, store: LandingStore
) -> None:
    assert one(world, store).state == "publisher_new"
    publish(world, INDEX, INDEX.edition("2025"), b"colour,shape\nred,round\n")
    outcome = one(world, store)
    assert outcome.state == "publisher_refused"
    assert outcome.error is not None
    assert outcome.error.code == "not_the_tables"
    (kept,) = store.quarantined(INDEX.code, "2025")
    assert kept.path.read_bytes() == b"colour,shape\nred,round\n"
    assert kept.reasons[0].startswith("not_the_tables: ")
    assert outcome.quarantined == kept.path.parent
    assert len(store.revisions(INDEX.code, "2025")) == 1


@pytest.mark.parametrize("harm", ["removed", "altered"])
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


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address": 1}', '{"sha256": "0"}', "\x00"])
def test_a_damaged_cursor_counts_as_none(
    world: FakePublishers, store: LandingStore, text: str
) -> None:
    one(world, store)
    path = CursorStore(store.root).root / INDEX.code / "2025.json"
    path.write_text(text)
    assert one(world, store).state == "publisher_unchanged"
    assert CursorStore(store.root).load(INDEX.code, "2025") is not None


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
    page = CLS.edition("2024-25").page
    assert page
    world.pages[page]["withdrawn_notice"] = {
        "explanation": "Replaced.",
        "withdrawn_at": "2026-01-05T00:00:00Z",
    }
    round_ = refresh()
    (flagged,) = [each for each in round_.outcomes if each.withdrawn]
    assert (flagged.dataset, flagged.edition) == (CLS.code, "2024-25")
    assert flagged.state == "publisher_unchanged"
    assert "withdrawn 2026-01-05" in flagged.message
    assert len(store.revisions(CLS.code, "2024-25")) == 1
    (again,) = [each for each in refresh().outcomes if each.withdrawn]
    assert again.withdrawn == flagged.withdrawn, "also when the page is not sent again"


def test_the_round_is_told_in_one_line(world: FakePublishers, refresh: Refresh) -> None:
    line = refresh().line()
    assert line.startswith(f"Publishers: {len(fetched_editions())} new, 2 not tried (")
    assert "\n" not in line


def test_some_datasets_can_be_chosen(world: FakePublishers, refresh: Refresh) -> None:
    round_ = refresh(only={INDEX.code})
    assert {each.dataset for each in round_.outcomes} == {INDEX.code}
    assert set(world.asked()) == {"smc"}


def test_a_catalogue_without_discovery_asks_nobody(
    world: FakePublishers, store: LandingStore
) -> None:
    report = catalogue().dataset("young_foundation_report")
    publish_all(world)
    round_ = refresh_all(
        Catalogue({report.code: report}),
        mode="default",
        store=store,
        http=client(world),
        now=NOW,
    )
    assert states(round_) == {"not_tried": 1}
    assert not world.asked()
