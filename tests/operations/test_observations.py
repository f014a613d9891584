"""Observations between assets: exact, kept by identity, and the decision whether to build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from sources.areas import AreaBook
from sources.catalogue import load_catalogue
from sources.landing import LandingStore
from sources.selection import DatasetObservations, observe
from tests.lazy import lazy
from warehouse.workspace import SEEDS, Workspace, WorkspaceError

pytestmark = pytest.mark.slow

dg = lazy("dagster")
transform = lazy("orchestration.defs.transform")
io = lazy("orchestration.defs.io")
resources = lazy("orchestration.defs.resources")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> DatasetObservations:
    """A small dataset, read from the bundled figures, with a revised figure added."""
    root = tmp_path_factory.mktemp("home")
    dataset = load_catalogue().dataset("young_foundation_report")
    found = observe(
        dataset, LandingStore(root / "landing", root / "quarantine"), AreaBook.from_seeds(SEEDS)
    )
    assert len(found.rows)
    revised = pd.DataFrame([dict.fromkeys(found.revised.columns, "x")])
    revised["old_value"] = 0.1 + 0.2
    return replace(found, revised=revised)


def write(kept: io.ObservationsIO, found: DatasetObservations, identity: str) -> None:
    kept.handle_output(dg.build_output_context(output_metadata={"identity": identity}), found)


def test_what_is_read_equals_what_was_written(
    observed: DatasetObservations, tmp_path: Path
) -> None:
    """Every figure to its last bit, types and missing values too."""
    kept = io.ObservationsIO(Workspace(tmp_path))
    write(kept, observed, "a")
    path = kept.in_use(observed.dataset)
    again = io.read(path)
    pd.testing.assert_frame_equal(again.rows, observed.rows, check_exact=True)
    pd.testing.assert_frame_equal(again.revised, observed.revised, check_exact=True)
    assert again.editions == observed.editions == io.read_editions(path)
    loaded = kept.load_input(
        dg.build_input_context(asset_key=dg.AssetKey(["observations", observed.dataset]))
    )
    assert loaded.editions == observed.editions


def test_only_an_equal_identity_is_used_again(
    observed: DatasetObservations, tmp_path: Path
) -> None:
    """A file that is damaged in one bit is not used; few identities are kept, the current one too."""
    kept = io.ObservationsIO(Workspace(tmp_path))
    for identity in "abcde":
        write(kept, observed, identity)
    assert kept.kept(observed.dataset, "a") is None
    assert kept.kept(observed.dataset, "e") is not None
    path = kept.in_use(observed.dataset).resolve()
    assert path.name.startswith("e.")
    whole = path.read_bytes()
    for damaged in (whole[:-200], whole[:99] + bytes([whole[99] ^ 1]) + whole[100:]):
        path.write_bytes(damaged)
        assert kept.kept(observed.dataset, "e") is None
        assert not path.exists()


def test_an_asset_that_was_never_made_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="materialise observations/x"):
        io.ObservationsIO(Workspace(tmp_path)).in_use("x")


@pytest.mark.parametrize(("current", "runs"), [("same", False), ("other", True), (None, True)])
def test_a_build_is_made_unless_the_current_release_is_made_of_the_same(
    current: str | None, runs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is, what depends on the decision is skipped and the run succeeds."""
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    release = SimpleNamespace(number=7, identity=current) if current else None
    monkeypatch.setattr(transform, "whole_release", lambda _: release)
    monkeypatch.setattr(transform, "build_identity", lambda *_: "same")
    monkeypatch.setattr(transform, "read_editions", lambda _: ())
    monkeypatch.setattr(io.ObservationsIO, "in_use", lambda *_: tmp_path)
    built = []

    @dg.asset(deps=[transform.NEEDED])
    def below() -> None:
        built.append(True)

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [transform.needed, below],
            instance=instance,
            resources={"pulse": resources.PulseResource()},
        )
        run = instance.get_run_by_id(result.run_id)
    assert result.success
    assert bool(built) is runs
    assert run is not None
    assert run.tags.get(transform.UNCHANGED) == (None if runs else "7")
