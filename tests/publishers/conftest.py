"""Running publishers for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.landing import LandingStore
from tests.publishers.servers import FakePublishers, publishers
from tests.publishers.world import publish_all


@pytest.fixture(scope="session")
def running() -> Iterator[FakePublishers]:
    with publishers() as world:
        yield world


@pytest.fixture
def world(running: FakePublishers) -> Iterator[FakePublishers]:
    """Publishers that publish the whole catalogue, and behave until a test scripts otherwise."""
    running.clear()
    publish_all(running)
    yield running
    running.heal()


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing", tmp_path / "quarantine")
