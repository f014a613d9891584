"""Raw and everything that dbt makes of it: one new DuckDB file per build.

The file starts empty, is loaded from what this run accepted, and is built by one dbt invocation.
Nothing that readers can see is touched here.
"""

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets

from orchestration import dbt
from orchestration.defs.ingest import OWNER, noted_by
from orchestration.defs.io import IDENTITY, ObservationsIO, read_editions
from orchestration.defs.resources import PulseResource
from sources.catalogue import load_catalogue
from sources.errors import PulseError
from sources.inbox import read_inbox
from sources.selection import DatasetObservations
from warehouse.connection import writing
from warehouse.identity import build_identity
from warehouse.raw import TABLES, load, make_current
from warehouse.release import whole_release
from warehouse.workspace import SEEDS, Workspace

CODE_TESTS = ("resource_type:unit_test", "path:tests/statistics")
NEEDED = dg.AssetKey(["build", "needed"])
UNCHANGED = "pulse/unchanged"
_QUIET_SECONDS = 5.0
_UNIQUE_ID = "dagster_dbt/unique_id"


class PulseTranslator(DagsterDbtTranslator):
    """dbt's words for Dagster's page."""

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """One team owns all of it."""
        return [OWNER]


_OBSERVED = [dg.AssetKey(["observations", code]) for code in load_catalogue().datasets]


@dg.asset(
    key=["build", "needed"],
    group_name="raw",
    deps=_OBSERVED,
    kinds={"python"},
    owners=[OWNER],
    output_required=False,
)
def needed(
    context: dg.AssetExecutionContext, pulse: PulseResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """Decides whether there is anything to build.

    Where the current release is made of the same figures, catalogue, seeds and code, and is whole,
    nothing below runs and the run succeeds.
    """
    catalogue = pulse.workspace.catalogue
    kept = ObservationsIO(pulse.workspace)
    editions = [e for code in catalogue.datasets for e in read_editions(kept.in_use(code))]
    editions += read_inbox(pulse.workspace.inbox, SEEDS).editions
    identity = build_identity(catalogue, editions)
    now = whole_release(pulse.workspace)
    if now is not None and now.identity == identity and pulse.rebuilding is None:
        pulse.say(f"unchanged   release {now.number} is made of the same: nothing to build")
        context.instance.add_run_tags(context.run.run_id, {UNCHANGED: str(now.number)})
        return
    yield dg.MaterializeResult(data_version=dg.DataVersion(identity), metadata={IDENTITY: identity})


@dg.definitions
def transform() -> dg.Definitions:
    """The loader and the dbt assets."""

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                ["raw", name],
                deps=[NEEDED, *_OBSERVED],
                group_name="raw",
                kinds={"duckdb"},
                owners=[OWNER],
                description=f"{table.words}, as loaded into this build.",
            )
            for name, table in TABLES.items()
        ],
        name="raw",
        ins={
            code: dg.AssetIn(["observations", code], input_manager_key="observations_io")
            for code in load_catalogue().datasets
        },
    )
    def load_raw(
        context: dg.AssetExecutionContext, pulse: PulseResource, **observed: DatasetObservations
    ) -> Iterator[dg.MaterializeResult[Any]]:
        workspace = pulse.workspace
        catalogue = workspace.catalogue
        for code, observations in observed.items():
            if len(observations.revised):
                pulse.say(f"revised     {code}: {len(observations.revised)} figures changed")
        folder = workspace.builds / context.run.run_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        inbox = read_inbox(workspace.inbox, SEEDS)
        counts = load(
            folder / "pulse.duckdb",
            catalogue,
            list(observed.values()),
            source_notes=noted_by(context.instance, observed),
            inbox=inbox,
        )
        make_current(workspace, context.run.run_id)
        identity = build_identity(
            catalogue, [*(e for o in observed.values() for e in o.editions), *inbox.editions]
        )
        for refused in (each for each in inbox.editions if each.rejections):
            pulse.say(f"REFUSED     {refused.edition}: {refused.rejections[0].error}")
        with writing(workspace.build_file) as connection:
            # In the build itself: it is published under what it is made of, whatever changes since.
            connection.execute("create table raw.build as select ? as identity", [identity])
        pulse.say(f"loaded      {sum(counts.values())} rows into a new warehouse")
        for table, rows in counts.items():
            yield dg.MaterializeResult(
                asset_key=["raw", table],
                metadata={"dagster/row_count": rows, IDENTITY: identity},
                data_version=dg.DataVersion(identity),
            )

    return dg.Definitions(assets=[needed, load_raw, _dbt_assets()])


@cache
def _dbt_assets() -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=dbt.ensure_manifest(),
        # Worked examples test the code, not the figures: they run in the tests.
        exclude=" ".join(CODE_TESTS),
        dagster_dbt_translator=PulseTranslator(),
    )
    def build(context: dg.AssetExecutionContext, pulse: PulseResource) -> Iterator[DbtEvent]:
        folder = current_build(pulse.workspace).parent
        pulse.say("building    the marts with dbt")
        # Of all of them: in a run of some, the context knows only those.
        names = _unique_ids(_dbt_assets())
        passed: Counter[str] = Counter()
        failed: list[dbt.NodeResult] = []
        spoken = time.monotonic()
        for result in dbt.build(_selection(context, names), folder):
            kind = result.unique_id.partition(".")[0]
            if result.passed:
                passed["tests" if kind == "test" else "models"] += 1
            elif result.status != "skipped":
                pulse.say(f"FAILED      {result.unique_id.split('.')[2]}: {result.message}")
            if not result.passed:
                failed.append(result)
            if time.monotonic() - spoken > _QUIET_SECONDS:
                spoken = time.monotonic()
                pulse.say(f"building    {passed.total()} of {len(names)} nodes")
            yield from _events(result, names.get(result.unique_id))
        pulse.say(
            f"built       {passed['models']} models, {passed['tests']} tests, {len(failed)} failed"
        )
        skipped = sum(result.status == "skipped" for result in failed)
        if skipped:
            pulse.say(f"skipped     {skipped} that depend on what failed")
        if failed:
            raise dg.Failure(
                description="dbt build failed: the models and tests it names are red above",
                metadata={"dbt log": dg.MetadataValue.path(folder / "dbt" / "dbt.log")},
            )

    return build


def dbt_checks() -> set[dg.AssetCheckKey]:
    """The tests of the models and seeds, as checks of their assets."""
    return {check.key for check in _dbt_assets().check_specs}


DbtEvent = dg.MaterializeResult[Any] | dg.AssetCheckResult


def _unique_ids(assets: dg.AssetsDefinition) -> dict[str, dg.AssetKey | dg.AssetCheckKey]:
    """Each asset and check of the dbt assets, by dbt's own name of the node."""
    specs: list[dg.AssetSpec | dg.AssetCheckSpec] = [*assets.specs, *assets.check_specs]
    return {(spec.metadata or {})[_UNIQUE_ID]: spec.key for spec in specs}


def _selection(
    context: dg.AssetExecutionContext, names: Mapping[str, dg.AssetKey | dg.AssetCheckKey]
) -> list[str]:
    """dbt's words for what was chosen in the page; everything where nothing was left out."""
    chosen = {*context.selected_asset_keys, *context.selected_asset_check_keys}
    nodes = [unique_id for unique_id, key in names.items() if key in chosen]
    if len(nodes) == len(names):
        return ["--exclude", *CODE_TESTS]
    # The path, since a bare name may be the project's, which means all of it.
    known = json.loads(dbt.ensure_manifest().read_text(encoding="utf-8"))["nodes"]
    paths = [".".join(known[unique_id]["fqn"]) for unique_id in nodes]
    return ["--indirect-selection", "empty", "--select", *paths]


def _events(
    result: dbt.NodeResult, key: dg.AssetKey | dg.AssetCheckKey | None
) -> Iterator[DbtEvent]:
    """What Dagster is to record of one node."""
    metadata: dict[str, dg.MetadataValue[Any]] = {
        "status": dg.MetadataValue.text(result.status),
        "message": dg.MetadataValue.text(result.message),
        "seconds": dg.MetadataValue.float(result.seconds),
    }
    if isinstance(key, dg.AssetCheckKey) and result.status != "skipped":
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=result.status == "pass",
            severity=dg.AssetCheckSeverity.WARN
            if result.status == "warn"
            else dg.AssetCheckSeverity.ERROR,
            metadata={**metadata, "failed rows": dg.MetadataValue.int(result.failures or 0)},
        )
    elif isinstance(key, dg.AssetKey) and result.passed:
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)


def current_build(workspace: Workspace) -> Path:
    """The warehouse of the current build.

    Raises PulseError when no build was started in this workspace.
    """
    if not workspace.build_file.exists():
        raise PulseError(
            "there is no build to work on",
            code="transform",
            file=str(workspace.build_file),
            todo="run the job refresh, or materialise the group raw, which makes one",
        )
    return workspace.build_file.resolve()
