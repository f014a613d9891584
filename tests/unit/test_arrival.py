"""What a person hands in: a file is read, and anything else is refused at once in one line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import sources.arrival
from demonstration.publisher_files import write_publisher_file
from sources.areas import AreaBook
from sources.arrival import hand_in, receive
from sources.catalogue import load_catalogue
from sources.errors import ContractError, LandingError
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
    again = path.rename(tmp_path / "again.csv")
    (line, *_) = hand_in(INDEX, EDITION, again, store, AREAS, now=NOON)
    assert line.startswith("landed again.csv as ")
    assert line.endswith(", which is held as synthetic-2.csv")


POPULATION = load_catalogue().dataset("ons_population")
DISTRICTS = sorted(AREAS.codes("lad", prefix="E", year=2023))


def _wide(codes: list[str]) -> str:
    """The table of the Nomis page: a column per age, with notes above and below."""
    ages = [f"Age {age}" for age in range(16, 90)] + ["Aged 90+"]
    lines = ["Population estimates", "Population,All persons", "Date,2023", ""]
    lines += [",".join(["local authority: district / unitary", "mnemonic", *ages])]
    lines += [",".join([f'"{AREAS.name(code)}"', code, *["100"] * 75]) for code in codes]
    return "\n".join([*lines, "", "Aggregated data may be rounded."])


def _one_column(codes: list[str]) -> str:
    lines = ["Population,All persons", "Date,2023", ""]
    lines += ["local authority: district / unitary,mnemonic,Aged 16+"]
    return "\n".join(lines + [f'"{AREAS.name(code)}",{code},7500' for code in codes])


def _all_columns(codes: list[str]) -> str:
    """The service's answer, with ages as code, name and code of the name."""
    lines = ["DATE,DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,C_AGE,C_AGE_NAME,C_AGE_CODE,OBS_VALUE"]
    for code in codes:
        for age in range(16, 91):
            lines += [
                f'2023,2023,"{AREAS.name(code)}",{code},{101 + age},Age {age},{101 + age},100'
            ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "form",
    [_one_column, *(pytest.param(each, marks=pytest.mark.slow) for each in (_wide, _all_columns))],
)
def test_each_form_of_the_population_is_landed_whole_and_refused_in_part(
    store: LandingStore, form: Callable[[list[str]], str]
) -> None:
    def hand_in_for(codes: list[str]) -> pd.DataFrame:
        _, read = receive(
            POPULATION,
            POPULATION.edition("mid-2023"),
            form(codes).encode(),
            file_name="nomis.csv",
            address=None,
            store=store,
            areas=AREAS,
            now=NOON,
            bundled=None,
        )
        return read.rows

    assert hand_in_for(DISTRICTS)["value"].tolist() == [7500.0] * 296
    with pytest.raises(ContractError) as caught:
        hand_in_for(DISTRICTS[:2])
    assert caught.value.code == "missing_area"
    assert "of all areas" in str(caught.value)
    assert str(caught.value).count("ons_population mid-2023") == 1
    # The message is short; every area that lacks is in the record of the refused file.
    (kept,) = store.quarantined(POPULATION.code, "mid-2023")
    assert len(str(caught.value)) < 600
    assert all(code in " ".join(kept.reasons[1:]) for code in DISTRICTS[2:])
