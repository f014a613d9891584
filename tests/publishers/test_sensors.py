"""The sensors as the daemon runs them, with a publisher behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sources.editions import NoticedEditions
from sources.errors import PulseError
from sources.landing import LandingStore
from tests.lazy import lazy
from tests.publishers.servers import FakePublishers
from tests.publishers.test_watch import CLS, NEW_PAGE, NEW_TITLE, add_release
from tests.publishers.world import catalogue
from warehouse.workspace import Workspace

dg = lazy("dagster")
definitions = lazy("orchestration.definitions")
ingest = lazy("orchestration.defs.ingest")
resources = lazy("orchestration.defs.resources")

# The whole code location is loaded, and with it the models.
pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(world: FakePublishers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose environment points at the publishers on loopback."""
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    for name in ("govuk", "govuk_assets", "ons", "ons_geography", "nomis", "smc"):
        monkeypatch.setenv(f"PULSE_{name.upper()}_BASE", getattr(world.settings, name))
    return Workspace(tmp_path)


def tick(dataset: str, cursor: str | None) -> dg.SensorResult:
    """One evaluation, as the daemon makes it."""
    (sensor,) = [s for s in definitions.defs().sensors or [] if s.name == f"watch_{dataset}"]
    assert isinstance(sensor, dg.SensorDefinition)
    with dg.DagsterInstance.ephemeral() as instance:
        result = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result


def test_a_new_edition_starts_one_refresh(world: FakePublishers, workspace: Workspace) -> None:
    before = tick(CLS.code, None)
    assert before.cursor
    add_release(world, CLS, NEW_PAGE, NEW_TITLE)
    now = tick(CLS.code, before.cursor)
    (request,) = now.run_requests or []
    assert request.tags["pulse/dataset"] == CLS.code
    assert request.tags["pulse/edition"] == "2025-26"
    assert request.run_key
    known = NoticedEditions(workspace.landing).extend(catalogue()).dataset(CLS.code)
    assert known.editions[-1].edition == "2025-26"
    assert not tick(CLS.code, now.cursor).run_requests


def test_a_release_nobody_described_reddens_its_check(
    world: FakePublishers, workspace: Workspace
) -> None:
    before = tick(CLS.code, None)
    add_release(world, CLS, "/government/statistics/cls", "Community Life Survey: a new series")
    now = tick(CLS.code, before.cursor)
    assert not now.run_requests
    (event,) = now.asset_events
    assert isinstance(event, dg.AssetCheckEvaluation)
    assert not event.passed
    assert ingest.alerts(workspace, CLS.code)


def test_a_publisher_that_is_down_skips_the_tick(
    world: FakePublishers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_GOVUK_BASE", "http://127.0.0.1:9")
    (sensor,) = [s for s in definitions.defs().sensors or [] if s.name == f"watch_{CLS.code}"]
    assert isinstance(sensor, dg.SensorDefinition)
    with dg.DagsterInstance.ephemeral() as instance:
        result = sensor(dg.build_sensor_context(instance=instance, cursor="{}"))
    assert isinstance(result, dg.SkipReason)
    assert "not looked at" in (result.skip_message or "")


def test_a_backfill_fetches_one_edition_and_asks_for_a_refresh(
    world: FakePublishers, workspace: Workspace
) -> None:
    location = definitions.defs()
    job = location.resolve_job_def("backfill")
    keys = job.partitions_def.get_partition_keys() if job.partitions_def else []
    assert set(keys) == {
        f"{d.code}/{e.edition}"
        for d in catalogue().datasets.values()
        if d.discovery
        for e in d.editions
    }
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(
            instance=instance,
            partition_key="dcms_participation/2023-24",
            resources={"pulse": resources.PulseResource()},
        )
        assert done.success
        store = LandingStore(workspace.landing, workspace.quarantine)
        assert [each.name for each in workspace.landing.iterdir() if each.name[0] != "."] == [
            "dcms_participation"
        ]
        assert len(store.revisions("dcms_participation", "2023-24")) == 1
        assert [
            each.name
            for each in (workspace.landing / "dcms_participation").iterdir()
            if each.name[0] != "."
        ] == ["2023-24"]
        (sensor,) = [s for s in location.sensors or [] if s.name == "refresh_after_backfill"]
        assert isinstance(sensor, dg.RunStatusSensorDefinition)
        event = next(e for e in done.all_events if e.event_type_value == "PIPELINE_SUCCESS")
        request = sensor(
            dg.build_run_status_sensor_context(
                sensor_name=sensor.name,
                dagster_instance=instance,
                dagster_run=done.dagster_run,
                dagster_event=event,
            )
        )
    assert isinstance(request, dg.RunRequest)
    assert request.run_config["resources"]["pulse"]["config"] == {"source_mode": "offline"}
    assert request.tags["pulse/edition"] == "dcms_participation/2023-24"


def test_damaged_messages_are_an_error_that_names_their_file(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    ingest.raise_alerts(workspace, CLS.code, ["one waits", "one waits", "another"])
    assert ingest.alerts(workspace, CLS.code) == ["one waits", "another"]
    (path,) = workspace.landing.rglob(f"{CLS.code}.json")
    path.write_text("{broken", encoding="utf-8")
    with pytest.raises(PulseError, match="remove the file") as caught:
        ingest.alerts(workspace, CLS.code)
    assert caught.value.file == str(path)
