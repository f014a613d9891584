"""What a person hands in: a file is read, and anything else is refused at once in one line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sources.arrival
from demonstration.publisher_files import write_publisher_file
from sources.areas import AreaBook
from sources.arrival import hand_in
from sources.catalogue import load_catalogue
from sources.errors import LandingError
from sources.landing import LandingStore

AREAS = AreaBook.from_seeds(Path(__file__).parents[2] / "dbt_project" / "seeds")
INDEX = load_catalogue().dataset("smc_promising_prospects")
EDITION = INDEX.edition("2024")
NOON = datetime(2025, 12, 18, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing", tmp_path / "quarantine")


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


THINGS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a named pipe": (os.mkfifo, "not_a_file", "a named pipe"),
    "a folder": (Path.mkdir, "not_a_file", "a folder"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "not_a_file", "a device"),
    "a file of a terabyte": (_sparse, "too_large", "100,000,000 bytes"),
    "nothing": (lambda path: None, "unreadable_file", "No such file"),
    "a ring of links": (lambda path: path.symlink_to(path), "unreadable_file", "symbolic links"),
}


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_no_file_is_refused_within_a_second(
    store: LandingStore, tmp_path: Path, thing: str
) -> None:
    make, code, words = THINGS[thing]
    make(tmp_path / "tables.csv")
    started = time.monotonic()
    with pytest.raises(LandingError) as caught:
        hand_in(INDEX, EDITION, tmp_path / "tables.csv", store, AREAS, now=NOON)
    assert time.monotonic() - started < 1
    assert caught.value.code == code
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not store.root.exists()


def test_the_message_says_what_the_next_refresh_uses(
    store: LandingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources.arrival, "accepted_before", lambda *_: None)
    lines = []
    for seed in (1, 2):
        path = tmp_path / f"synthetic-{seed}.csv"
        path.write_bytes(write_publisher_file(INDEX, EDITION, AREAS, seed=seed))
        lines.append(hand_in(INDEX, EDITION, path, store, AREAS, now=NOON))
    first = store.revisions(INDEX.code, EDITION.edition)
    assert lines[0][1].endswith("the next refresh uses them, not the bundled copy")
    assert any(lines[1][1].endswith(f", not revision {each.revision}") for each in first)
    assert "will not be released" in lines[0][2]
    assert {each.origin for each in first} == {"synthetic"}
