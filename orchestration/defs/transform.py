"""Raw and everything that dbt makes of it: one new DuckDB file a build.

The file starts empty, is loaded from what this run accepted, and is built by one dbt invocation.
Nothing that readers can see is touched here.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets

from orchestration import dbt
from orchestration.defs.ingest import (
    OWNER,
    accepted_by,
    noted_by,
    observe_dataset,
    run_folder,
)
from orchestration.defs.resources import PulseResource
from sources.catalogue import load_catalogue
from warehouse.raw import load, make_current
from warehouse.workspace import Workspace

CODE_TESTS = ("resource_type:unit_test", "path:tests/statistics")
_UNIQUE_ID = "dagster_dbt/unique_id"
RAW_TABLES = {
    "observations": "Accepted figures of every dataset and edition",
    "memberships": "Accepted rows of the lookups: which authority belongs to which",
    "catalogue": "The datasets that the catalogue declares",
    "editions": "The editions that the catalogue declares",
    "edition_levels": "The area levels of each edition",
    "group_scales": "The groups of each index edition, with their limits",
    "inputs": "What was used of each edition and what was refused",
    "input_checks": "The findings of the contract on each input",
    "revised_figures": "Figures that a revision changed",
}


class PulseTranslator(DagsterDbtTranslator):
    """dbt's words for Dagster's page."""

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """One team owns all of it."""
        return [OWNER]


def _raw_specs() -> list[dg.AssetSpec]:
    everything = [dg.AssetKey(["observations", code]) for code in load_catalogue().datasets]
    return [
        dg.AssetSpec(
            ["raw", table],
            deps=everything,
            group_name="raw",
            kinds={"duckdb"},
            owners=[OWNER],
            description=f"{words}, as loaded into this build.",
        )
        for table, words in RAW_TABLES.items()
    ]


@dg.definitions
def transform() -> dg.Definitions:
    """The loader and the dbt assets."""

    @dg.multi_asset(specs=_raw_specs(), name="raw")
    def load_raw(
        context: dg.AssetExecutionContext, pulse: PulseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        workspace = pulse.workspace
        catalogue = pulse.catalogue
        run_id = context.run.run_id
        observations = []
        notes = {}
        for dataset in catalogue.datasets.values():
            found = accepted_by(workspace, run_id, dataset.code)
            found = observe_dataset(pulse, dataset) if found is None else found
            observations.append(found)
            if len(found.revised):
                pulse.say(f"revised     {dataset.code}: {len(found.revised)} figures changed")
            notes.update(noted_by(workspace, run_id, dataset.code))
        folder = run_folder(workspace, run_id)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "pulse.duckdb"
        path.unlink(missing_ok=True)
        counts = load(path, catalogue, observations, source_notes=notes)
        make_current(workspace, run_id)
        pulse.say(f"loaded      {sum(counts.values())} rows into a new warehouse")
        for table, rows in counts.items():
            yield dg.MaterializeResult(
                asset_key=["raw", table], metadata={"dagster/row_count": rows}
            )

    @dbt_assets(
        manifest=dbt.ensure_manifest(),
        # Worked examples test the code, not the figures: they run in the tests.
        exclude=" ".join(CODE_TESTS),
        dagster_dbt_translator=PulseTranslator(),
    )
    def build(context: dg.AssetExecutionContext, pulse: PulseResource) -> Iterator[DbtEvent]:
        workspace = pulse.workspace
        require_build(workspace)
        pulse.say("building    the marts with dbt")
        names = _unique_ids(context.assets_def)
        passed: Counter[str] = Counter()
        failed: list[dbt.NodeResult] = []
        results = []
        for result in dbt.build(_selection(context, names), workspace.build_file.resolve().parent):
            results.append(result)
            kind = result.unique_id.partition(".")[0]
            if result.passed:
                passed["tests" if kind == "test" else "models"] += 1
            elif result.status != "skipped":
                pulse.say(f"FAILED      {result.unique_id.split('.')[2]}: {result.message}")
            if not result.passed:
                failed.append(result)
            yield from _events(result, names.get(result.unique_id))
        _keep_verdicts(workspace, results)
        pulse.say(
            f"built       {passed['models']} models, {passed['tests']} tests, {len(failed)} failed"
        )
        skipped = sum(result.status == "skipped" for result in failed)
        if skipped:
            pulse.say(f"skipped     {skipped} that depend on what failed")
        if failed:
            raise dg.Failure(
                description="dbt build failed: the models and tests it names are red above",
                metadata={
                    "dbt log": dg.MetadataValue.path(
                        str(workspace.current_build / "dbt" / "dbt.log")
                    )
                },
            )

    return dg.Definitions(assets=[load_raw, build])


DbtEvent = dg.MaterializeResult[Any] | dg.AssetCheckResult


def _unique_ids(assets: dg.AssetsDefinition) -> dict[str, dg.AssetKey | dg.AssetCheckKey]:
    """Each asset and check of the dbt assets, by dbt's own name of the node."""
    found: dict[str, dg.AssetKey | dg.AssetCheckKey] = {
        spec.metadata[_UNIQUE_ID]: spec.key for spec in assets.specs
    }
    for check in assets.check_specs:
        found[(check.metadata or {})[_UNIQUE_ID]] = check.key
    return found


def _selection(
    context: dg.AssetExecutionContext, names: Mapping[str, dg.AssetKey | dg.AssetCheckKey]
) -> list[str]:
    """dbt's words for what was chosen in the page; everything where nothing was left out."""
    chosen = {*context.selected_asset_keys, *context.selected_asset_check_keys}
    nodes = [unique_id for unique_id, key in names.items() if key in chosen]
    if len(nodes) == len(names):
        return ["--exclude", *CODE_TESTS]
    # A name is unique among models, seeds and tests.
    return ["--indirect-selection", "empty", "--select", *(n.split(".")[2] for n in nodes)]


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


def _keep_verdicts(workspace: Workspace, results: Sequence[dbt.NodeResult]) -> None:
    """For the record of the release: what dbt said of each node of this build."""
    path = workspace.current_build / "dbt_results.json"
    path.write_text(json.dumps([asdict(result) for result in results]), encoding="utf-8")


def require_build(workspace: Workspace) -> None:
    """There is a build to work on.

    Raises:
        DbtError: when no build was started in this workspace.
    """
    if not workspace.build_file.exists():
        raise dbt.DbtError(
            "there is no build to work on",
            file=str(workspace.build_file),
            todo="run the job `refresh`, which makes one, instead of a single asset",
        )


def dbt_verdicts(workspace: Workspace) -> list[dict[str, Any]]:
    """What dbt said of each model and test of this build, in order of name."""
    path = workspace.current_build / "dbt_results.json"
    if not path.exists():
        return []
    verdicts = []
    for result in json.loads(path.read_text(encoding="utf-8")):
        kind, _, name = result["unique_id"].split(".", 2)
        verdicts.append(
            {
                "kind": "test" if kind == "test" else "model",
                "name": name.split(".")[0],
                "passed": result["status"] in ("success", "pass", "warn"),
                "message": result["message"] or result["status"],
            }
        )
    return sorted(verdicts, key=lambda verdict: (verdict["kind"], verdict["name"]))
