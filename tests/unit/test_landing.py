"""Landing keeps bytes once, whole, and proves later that they are the same."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.errors import LandingError
from sources.landing import LandedFile, LandingStore, Unlanded

NOON = datetime(2025, 12, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing", tmp_path / "quarantine")


def land(store: LandingStore, content: bytes = b"bytes", **more: object) -> LandedFile:
    given_values: dict[str, object] = {
        "file_name": "tables.ods",
        "address": "https://www.gov.uk/x",
        "retrieved_at": NOON,
    }
    return store.land("demo", "2024-25", content, **(given_values | more))  # type: ignore[arg-type]


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_bytes_and_record_are_kept_under_their_sha256(store):
    landed = land(store, etag='"x"', content_type="text/csv", extra={"attachment": 3})
    sha256 = hashlib.sha256(b"bytes").hexdigest()
    assert landed.sha256 == sha256
    assert landed.revision == sha256[:12]
    assert landed.path == store.root / "demo" / "2024-25" / sha256 / "tables.ods"
    assert store.read(landed) == b"bytes"
    assert (landed.origin, landed.unlanded, landed.size) == ("publisher", None, 5)
    assert (landed.etag, landed.content_type, landed.extra) == (
        '"x"',
        "text/csv",
        {"attachment": 3},
    )
    record = json.loads((landed.path.parent / "record.json").read_text())
    assert record["retrieved_at"] == "2025-12-10T12:00:00Z"
    assert record["address"] == "https://www.gov.uk/x"


def test_a_file_without_an_address_was_handed_in(store):
    assert land(store, address=None).address is None


def test_times_are_kept_in_utc(store):
    summer = NOON.astimezone(timezone(timedelta(hours=1)))
    assert land(store, retrieved_at=summer).retrieved_at == NOON
    assert land(store, retrieved_at=summer).retrieved_at.tzinfo == UTC


def test_the_same_bytes_again_are_the_same_revision(store):
    first = land(store)
    before = tree(store.root)
    again = land(store, file_name="other.ods", retrieved_at=NOON + timedelta(days=1))
    assert again == first
    assert tree(store.root) == before


def test_other_bytes_are_a_revision_beside_and_the_newest_comes_first(store):
    old = land(store)
    new = land(store, b"revised", retrieved_at=NOON + timedelta(days=6))
    assert [item.revision for item in store.revisions("demo", "2024-25")] == [
        new.revision,
        old.revision,
    ]
    assert store.read(old) == b"bytes"


def test_a_publisher_that_goes_back_to_an_earlier_file_is_followed(store):
    old = land(store)
    land(store, b"revised", retrieved_at=NOON + timedelta(days=1))
    back = land(store, retrieved_at=NOON + timedelta(days=2))
    assert store.revisions("demo", "2024-25")[0] == back
    assert back.retrieved_at == old.retrieved_at
    assert back.received_at == NOON + timedelta(days=2)


def test_nothing_held_is_an_empty_list(store):
    assert store.revisions("demo", "2024-25") == []


def test_landed_files_are_read_only(store):
    landed = land(store)
    assert landed.path.stat().st_mode & 0o777 == 0o444
    assert (landed.path.parent / "record.json").stat().st_mode & 0o777 == 0o444


@pytest.mark.planted_fault
def test_altered_bytes_are_noticed_and_never_overwritten(store):
    landed = land(store)
    landed.path.chmod(0o644)
    landed.path.write_bytes(b"tampered")
    with pytest.raises(LandingError, match="not those that were landed") as caught:
        store.read(landed)
    assert caught.value.code == "bytes_changed"
    with pytest.raises(LandingError):
        land(store)
    assert landed.path.read_bytes() == b"tampered"


def test_lost_bytes_are_noticed(store):
    landed = land(store)
    landed.path.unlink()
    with pytest.raises(LandingError) as caught:
        store.read(landed)
    assert caught.value.code == "bytes_changed"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"sha256": "x"}'], ids=lambda text: repr(text)
)
def test_a_damaged_record_is_named(store, content):
    landed = land(store)
    record = landed.path.parent / "record.json"
    record.chmod(0o644)
    record.write_text(content)
    with pytest.raises(LandingError, match="record") as caught:
        store.revisions("demo", "2024-25")
    assert caught.value.code == "bad_record"


def test_a_record_cannot_point_outside_its_folder(store):
    landed = land(store)
    path = landed.path.parent / "record.json"
    record = json.loads(path.read_text()) | {"file_name": "../../../../etc/passwd"}
    path.chmod(0o644)
    path.write_text(json.dumps(record))
    with pytest.raises(LandingError):
        store.revisions("demo", "2024-25")


def test_an_empty_file_is_refused(store):
    with pytest.raises(LandingError) as caught:
        land(store, b"")
    assert caught.value.code == "empty_file"


def test_a_time_without_a_zone_is_refused(store):
    with pytest.raises(LandingError) as caught:
        land(store, retrieved_at=datetime(2025, 1, 1))  # noqa: DTZ001
    assert caught.value.code == "bad_time"


BAD_NAMES = ["", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", ".hidden", "a\nb", "a\0b", " a"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("part", ["dataset", "edition", "file_name"])
def test_a_name_that_leads_elsewhere_is_refused(store, part, name):
    names = {"dataset": "demo", "edition": "2024", "file_name": "a.csv"} | {part: name}
    dataset, edition, file_name = names.values()
    for call in (
        lambda: store.land(
            dataset, edition, b"x", file_name=file_name, address=None, retrieved_at=NOON
        ),
        lambda: store.quarantine(
            dataset, edition, b"x", file_name=file_name, reasons=["r"], retrieved_at=NOON
        ),
    ):
        with pytest.raises(LandingError) as caught:
            call()
        assert caught.value.code == "bad_name"
    assert not store.root.exists()
    assert not store.quarantine_root.exists()


@pytest.mark.parametrize("name", ["record.json", "Reasons.JSON", "x" * 201])
def test_a_file_name_of_the_stores_own_or_too_long_is_refused(store, name):
    with pytest.raises(LandingError):
        land(store, file_name=name)


@given(st.text(max_size=40))
def test_any_file_name_is_kept_inside_the_store_or_refused(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("any")
    store = LandingStore(folder / "landing", folder / "quarantine")
    try:
        landed = land(store, file_name=name)
    except LandingError as error:
        assert error.code == "bad_name"  # noqa: PT017
    else:
        assert landed.path.resolve().is_relative_to(store.root.resolve())
        assert store.read(landed) == b"bytes"
        assert store.revisions("demo", "2024-25") == [landed]


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=6))
def test_every_content_comes_back_as_it_went_in(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("any")
    store = LandingStore(folder / "landing", folder / "quarantine")
    for number, content in enumerate(contents):
        land(store, content, retrieved_at=NOON + timedelta(hours=number))
    revisions = store.revisions("demo", "2024-25")
    assert {store.read(item) for item in revisions} == set(contents)
    assert store.read(revisions[0]) == contents[-1]


def test_leftovers_of_a_crash_are_no_revision_and_are_cleared_once_old(store):
    landed = land(store)
    parent = landed.path.parent.parent
    old, young = parent / ".landing-1-old", parent / ".landing-1-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "tables.ods").write_bytes(b"half")
    long_ago = time.time() - 48 * 3600
    os.utime(old, (long_ago, long_ago))
    assert len(store.revisions("demo", "2024-25")) == 1
    land(store, b"next", retrieved_at=NOON + timedelta(days=1))
    assert not old.exists()
    assert young.exists()
    assert len(store.revisions("demo", "2024-25")) == 2


def test_a_folder_without_its_record_is_replaced(store):
    landed = land(store)
    (landed.path.parent / "record.json").unlink()
    assert store.revisions("demo", "2024-25") == []
    assert store.read(land(store)) == b"bytes"


def test_a_disk_that_refuses_is_a_landing_error_and_leaves_nothing(store, monkeypatch):
    def refuse(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(LandingError, match="No space left") as caught:
        land(store)
    assert caught.value.code == "not_written"
    assert tree(store.root) == []


def _land_often(root: Path, barrier: object, results: object) -> None:
    store = LandingStore(root / "landing", root / "quarantine")
    barrier.wait()  # type: ignore[attr-defined]
    for number in range(20):
        landed = land(store, b"same %d" % number * 2000)
        results.put((number, landed.sha256))  # type: ignore[attr-defined]


@pytest.mark.slow
def test_two_processes_that_land_the_same_bytes_both_succeed(tmp_path, store):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=_land_often, args=(tmp_path, barrier, results)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    seen = [results.get(timeout=60) for _ in range(40)]
    for worker in workers:
        worker.join(timeout=60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(set(seen)) == 20
    revisions = store.revisions("demo", "2024-25")
    assert len(revisions) == 20
    for landed in revisions:
        store.read(landed)
    assert not list(store.root.rglob(".landing-*"))


def _land_until_killed(root: Path, started: object) -> None:
    store = LandingStore(root / "landing", root / "quarantine")
    number = 0
    while True:
        land(store, os.urandom(200_000))
        number += 1
        if number == 2:
            started.set()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_kill_at_any_instant_leaves_only_whole_revisions(tmp_path, store):
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    worker = context.Process(target=_land_until_killed, args=(tmp_path, started))
    worker.start()
    assert started.wait(timeout=60)
    time.sleep(0.05)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(timeout=60)
    revisions = store.revisions("demo", "2024-25")
    assert len(revisions) >= 2
    for landed in revisions:
        assert len(store.read(landed)) == 200_000
    assert store.read(land(store)) == b"bytes"


def quarantine(store: LandingStore, *reasons: str, content: bytes = b"<html>") -> Path:
    return store.quarantine(
        "demo",
        "2024-25",
        content,
        file_name="tables.ods",
        reasons=reasons,
        address="https://www.gov.uk/x",
        retrieved_at=NOON,
    )


def test_refused_bytes_are_set_aside_with_their_reasons(store):
    folder = quarantine(store, "not_a_workbook: a web page")
    assert (folder / "tables.ods").read_bytes() == b"<html>"
    (item,) = store.quarantined("demo", "2024-25")
    assert item.reasons == ("not_a_workbook: a web page",)
    assert item.path == folder / "tables.ods"
    assert not item.landed
    assert store.quarantined("other", "2024-25") == []
    assert store.revisions("demo", "2024-25") == []


def test_the_same_refused_bytes_keep_one_copy_and_the_newest_reasons(store):
    quarantine(store, "one")
    quarantine(store, "two", "three")
    (item,) = store.quarantined("demo", "2024-25")
    assert item.reasons == ("two", "three")


def test_an_empty_answer_can_be_quarantined(store):
    assert (quarantine(store, "empty", content=b"") / "tables.ods").read_bytes() == b""


def unland(store: LandingStore, revision: str, why: str = "withdrawn") -> object:
    return store.unland("demo", "2024-25", revision, who="Ann", why=why, now=NOON)


def test_an_unlanded_file_stays_marked_with_who_when_and_why(store):
    older, newer = land(store), land(store, b"newer", retrieved_at=NOON + timedelta(days=1))
    marked = unland(store, newer.revision)
    assert isinstance(marked, LandedFile)
    assert marked.unlanded == Unlanded(who="Ann", when=NOON, why="withdrawn")
    assert store.read(marked) == b"newer"
    assert store.revisions("demo", "2024-25") == [older]
    assert store.revisions("demo", "2024-25", unlanded=True) == [marked, older]


def test_only_a_person_lifts_the_mark(store):
    landed = land(store)
    unland(store, landed.revision)
    assert land(store).unlanded is not None
    assert store.revisions("demo", "2024-25") == []
    assert land(store, address=None).unlanded is None
    assert store.revisions("demo", "2024-25") == [landed]


def test_a_refused_file_can_be_marked_too(store):
    folder = quarantine(store, "no")
    unland(store, folder.name[:12])
    (item,) = store.quarantined("demo", "2024-25")
    assert item.unlanded == Unlanded(who="Ann", when=NOON, why="withdrawn")


@pytest.mark.parametrize(
    ("revision", "why", "code"),
    [("0" * 12, "x", "unknown_revision"), ("", "x", "unknown_revision"), (None, " ", "no_reason")],
)
def test_unland_needs_one_revision_and_a_reason(store, revision, why, code):
    landed = land(store)
    with pytest.raises(LandingError) as caught:
        unland(store, landed.revision if revision is None else revision, why)
    assert caught.value.code == code
    assert store.revisions("demo", "2024-25") == [landed]


def test_a_damaged_mark_is_reported(store):
    landed = land(store)
    unland(store, landed.revision)
    path = landed.path.parents[1] / ".unlanded" / landed.sha256
    path.chmod(0o644)
    path.write_text("{}")
    with pytest.raises(LandingError, match="cannot be used"):
        store.revisions("demo", "2024-25")
