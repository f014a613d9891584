"""What is used of a dataset, its record, and the identity under which the result is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sources.selection
from sources.areas import SEED_FILES, AreaBook
from sources.catalogue import load_catalogue
from sources.landing import LandingStore
from sources.selection import BUNDLED_DIRECTORY, EditionUsed, observation_identity, observe

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
AREAS = AreaBook.from_seeds(SEEDS)
INDEX = load_catalogue().dataset("smc_promising_prospects")
NOON = datetime(2025, 12, 18, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing", tmp_path / "quarantine")


def land(store: LandingStore, content: bytes = b"no index") -> Path:
    landed = store.land(
        INDEX.code, "2025", content, file_name="x.csv", address=None, retrieved_at=NOON
    )
    return landed.path


def test_every_edition_is_observed_and_its_record_survives_json(store: LandingStore) -> None:
    land(store)
    identity = observation_identity(INDEX, store, SEEDS)
    found = observe(INDEX, store, AREAS)
    assert observation_identity(INDEX, store, SEEDS) == identity
    assert [(each.edition, each.revision) for each in found.editions] == [
        ("2024", "bundled"),
        ("2025", "bundled"),
    ]
    assert len(found.rows) == sum(each.figures for each in found.editions) > 0
    assert [len(each.rejections) for each in found.editions] == [0, 1]
    for each in found.editions:
        assert EditionUsed.from_json(json.loads(json.dumps(each.to_json()))) == each


def test_without_bundled_figures_nothing_is_held(store: LandingStore) -> None:
    found = observe(INDEX, store, AREAS, bundled=None)
    assert {each.state for each in found.editions} == {"nothing_held"}
    assert found.rows.empty
    assert found.revised.empty


def _alter(path: Path) -> None:
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


class Inputs:
    """Copies of everything that the identity covers."""

    def __init__(self, folder: Path) -> None:
        self.seeds = folder / "seeds"
        self.bundled = folder / "bundled"
        self.store = LandingStore(folder / "landing", folder / "quarantine")
        self.dataset = INDEX
        self.seeds.mkdir()
        for name in SEED_FILES:
            shutil.copy(SEEDS / name, self.seeds)
        shutil.copytree(BUNDLED_DIRECTORY / INDEX.code, self.bundled / INDEX.code)
        self.landed = land(self.store)

    def identity(self) -> str:
        return observation_identity(self.dataset, self.store, self.seeds, bundled=self.bundled)

    def change_catalogue(self) -> None:
        self.dataset = INDEX.model_copy(update={"grace_days": INDEX.grace_days + 1})


CHANGES: dict[str, Callable[[Inputs], object]] = {
    "a byte of a landed file": lambda inputs: _alter(inputs.landed),
    "another landed file": lambda inputs: land(inputs.store, b"another"),
    "a byte of a bundled file": lambda inputs: _alter(inputs.bundled / INDEX.code / "2024.csv"),
    "a byte of an area seed": lambda inputs: _alter(inputs.seeds / SEED_FILES[0]),
    "a line of the catalogue": Inputs.change_catalogue,
    "a refused file": lambda inputs: inputs.store.quarantine(
        INDEX.code, "2025", b"y", file_name="y.csv", reasons=["no"], retrieved_at=NOON
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_identity_changes_with_what_the_result_depends_on(tmp_path: Path, change: str) -> None:
    inputs = Inputs(tmp_path)
    before = inputs.identity()
    assert inputs.identity() == before
    CHANGES[change](inputs)
    assert inputs.identity() != before


def test_the_identity_changes_with_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "sources"
    code.mkdir()
    (code / "parser.py").write_text("one = 1\n")
    monkeypatch.setattr(sources.selection, "__file__", str(code / "selection.py"))
    identity = sources.selection._code_identity.__wrapped__
    before = identity()
    assert identity() == before
    (code / "parser.py").write_text("one = 2\n")
    assert identity() != before
