"""Whatever a publisher sends, what was good yesterday is there today: every fault, every dataset.

The cases and what is expected of each are in ``fault_matrix``. Two small datasets,
whose files are found in different ways, meet every fault here; the others among the slow tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demonstration.publisher_files import Fault
from tests.publishers.fault_matrix import (
    ACCEPTED,
    REFUSED,
    TRANSFER_FAULTS,
    Case,
    as_markdown,
    cases,
    faults_in,
    run,
)
from tests.publishers.servers import FakePublishers
from tests.publishers.world import fetched_editions

# Of small files; in a fast test each fault is met once, by the first of them that can have it.
QUICK = ("ons_combined_authorities", "smc_promising_prospects")


def marked() -> Iterator[object]:
    met = set()
    for case in sorted(cases(), key=lambda case: case.dataset not in QUICK[:1]):
        quick = case.dataset in QUICK and case.fault not in met
        met |= {case.fault} if quick else set()
        yield pytest.param(case, id=str(case), marks=[] if quick else [pytest.mark.slow])


@pytest.mark.parametrize("case", marked())
@pytest.mark.planted_fault
def test_a_fault_is_named_set_aside_and_harmless(
    world: FakePublishers, tmp_path: Path, case: Case
) -> None:
    result = run(case, world, tmp_path)
    assert faults_in(result) == [], result


def test_every_fault_is_planted_somewhere() -> None:
    planted = {case.fault for case in cases()}
    assert planted == {*TRANSFER_FAULTS, *(fault.value for fault in Fault)}
    assert {*ACCEPTED, *REFUSED} == set(Fault)


def test_every_fetched_dataset_meets_every_fault_of_the_transfer() -> None:
    met = {(case.dataset, case.fault) for case in cases() if case.kind == "transfer"}
    datasets = {dataset.code for dataset, _ in fetched_editions()}
    assert met == {(dataset, fault) for dataset in datasets for fault in TRANSFER_FAULTS}


def test_a_harmed_store_would_be_reported(world: FakePublishers, tmp_path: Path) -> None:
    """The judge itself can fail: a wrong outcome is listed."""
    case = next(case for case in cases() if case.fault == "404")
    result = run(case, world, tmp_path)
    good = as_markdown([result])
    assert "1 as expected, 0 not" in good
    for harm in (
        replace(result, outcome="accepted"),
        replace(result, code="other"),
        replace(result, untouched=False),
        replace(result, in_use="today"),
        replace(result, quarantined=0),
        replace(result, message=""),
    ):
        assert faults_in(harm)
        assert "0 as expected, 1 not" in as_markdown([harm])
