"""Raw and everything that dbt makes of it: one new DuckDB file a build.

The file starts empty, is loaded from what this run accepted, and is built by one dbt invocation.
Nothing that readers can see is touched here.
"""

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from orchestration.defs.ingest import (
    OWNER,
    accepted_by,
    noted_by,
    revised_in,
    run_folder,
    take_in_dataset,
)
from orchestration.defs.resources import PulseResource, dbt_executable
from sources.catalogue import load_catalogue
from sources.errors import PulseError
from warehouse.meta import row_counts
from warehouse.raw import load, make_current
from warehouse.workspace import DBT_PROJECT, Workspace

MANIFEST = DBT_PROJECT / "target" / "manifest.json"
CODE_TESTS = "resource_type:unit_test path:tests/statistics"
META_TABLES = (
    "catalogue",
    "editions",
    "edition_levels",
    "inputs",
    "input_checks",
    "revised_figures",
)


class TransformError(PulseError):
    """The dbt project cannot be read or built."""

    default_code = "transform"


def ensure_manifest() -> Path:
    """The parsed dbt project, parsed again when a file of it is newer.

    Raises:
        TransformError: when dbt cannot parse the project; its own words are in the message.
    """
    watched = [
        path
        for folder in ("models", "macros", "seeds", "tests")
        for path in (DBT_PROJECT / folder).rglob("*")
    ] + [DBT_PROJECT / "dbt_project.yml"]
    newest = max(path.stat().st_mtime for path in watched)
    if _is_fresh(newest):
        return MANIFEST
    try:
        return _parse(newest)
    except OSError as error:
        raise TransformError(
            "the parsed dbt project is out of date and cannot be written",
            code="unwritable_target",
            file=str(MANIFEST.parent),
            found=error.strerror or str(error),
            todo="parse it as a user who may write there (deploy/README.md), or make it writable",
        ) from error


def _parse(newest: float) -> Path:
    MANIFEST.parent.mkdir(parents=True, exist_ok=True)
    # dbt writes its manifest in place: made aside and moved, so that neither a kill nor a second
    # process that parses at the same time leaves a torn one, which would look fresh for ever.
    aside = MANIFEST.parent / "parsing"
    with (MANIFEST.parent / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_fresh(newest):
            return MANIFEST
        started = time.time()
        done = subprocess.run(
            [
                dbt_executable(),
                "parse",
                "--project-dir",
                str(DBT_PROJECT),
                "--profiles-dir",
                str(DBT_PROJECT),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "DBT_TARGET_PATH": str(aside),
                "DBT_LOG_PATH": str(aside),
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                # The same as in the build, or dbt's parse cache is thrown away.
                "PULSE_BUILD": str(Workspace.from_environment().current_build),
            },
        )
        made = aside / MANIFEST.name
        if done.returncode or not made.exists():
            raise TransformError(
                "dbt cannot parse the project",
                file=str(DBT_PROJECT),
                found=(done.stdout + done.stderr).strip()[-1500:],
                todo="mend the model that dbt names, then try `make check`",
            )
        # As old as its reading began: a file that was edited meanwhile is newer, and read again.
        os.utime(made, (started, started))
        for name in ("partial_parse.msgpack", MANIFEST.name):
            if (aside / name).exists():
                fresh = MANIFEST.with_name(f".{name}")
                shutil.copy2(aside / name, fresh)
                fresh.replace(MANIFEST.with_name(name))
    return MANIFEST


def _is_fresh(newest: float) -> bool:
    return MANIFEST.exists() and MANIFEST.stat().st_mtime > newest


class PulseTranslator(DagsterDbtTranslator):
    """dbt's words for Dagster's page."""

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """One team owns all of it."""
        return [OWNER]


def _raw_specs() -> list[dg.AssetSpec]:
    specs = [
        dg.AssetSpec(
            ["raw", dataset.code],
            deps=[dg.AssetKey(["observations", dataset.code])],
            group_name="raw",
            kinds={"duckdb"},
            owners=[OWNER],
            description=f"{dataset.title}: accepted rows, as loaded into this build.",
        )
        for dataset in load_catalogue().datasets.values()
    ]
    everything = [dg.AssetKey(["observations", code]) for code in load_catalogue().datasets]
    for table in META_TABLES:
        specs.append(
            dg.AssetSpec(
                ["raw", table],
                deps=everything,
                group_name="raw",
                kinds={"duckdb"},
                owners=[OWNER],
                description=f"What the catalogue declares and the intake decided: {table}.",
            )
        )
    return specs


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
        intakes = []
        notes = {}
        revised = []
        for dataset in catalogue.datasets.values():
            taken = accepted_by(workspace, run_id, dataset.code)
            taken = take_in_dataset(pulse, dataset) if taken is None else taken
            intakes += taken
            changed = revised_in(pulse, dataset, taken) if taken else pd.DataFrame()
            if len(changed):
                revised.append(changed)
                pulse.say(f"revised     {dataset.code}: {len(changed)} figures changed")
            notes.update(noted_by(workspace, run_id, dataset.code))
        folder = run_folder(workspace, run_id)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "pulse.duckdb"
        path.unlink(missing_ok=True)
        counts = load(
            path,
            catalogue,
            intakes,
            source_notes=notes,
            revised=pd.concat(revised, ignore_index=True) if revised else None,
        )
        make_current(workspace, run_id)
        pulse.say(f"loaded      {sum(counts.values())} rows into a new warehouse")
        for table, rows in counts.items():
            yield dg.MaterializeResult(
                asset_key=["raw", table], metadata={"dagster/row_count": rows}
            )

    @dbt_assets(
        manifest=ensure_manifest(),
        # Worked examples test the code, not the figures: they run in the tests.
        exclude=CODE_TESTS,
        dagster_dbt_translator=PulseTranslator(),
    )
    def build(
        context: dg.AssetExecutionContext, dbt: DbtCliResource, pulse: PulseResource
    ) -> Iterator[Any]:
        workspace = pulse.workspace
        require_build(workspace)
        os.environ["PULSE_BUILD"] = str(workspace.current_build)
        target = workspace.builds / "dbt"
        target.mkdir(parents=True, exist_ok=True)
        pulse.say("building    the marts with dbt")
        invocation = dbt.cli(["build"], context=context, target_path=target, raise_on_error=False)
        # Held back until dbt has let go of the file: then each table's rows can be counted.
        events = list(invocation.stream())
        counts = row_counts(workspace.build_file)
        for event in events:
            if isinstance(event, dg.Output):
                schema_and_name = tuple(context.asset_key_for_output(event.output_name).path)
                rows = counts.get(schema_and_name)
                if rows is not None:
                    event = event.with_metadata({**event.metadata, "dagster/row_count": rows})
            yield event
        results = target / "run_results.json"
        if results.exists():
            shutil.copyfile(results, workspace.current_build / "dbt_results.json")
            told = dbt_verdicts(workspace)
            failed = [v for v in told if not v["passed"]]
            skipped = [v for v in failed if v["message"] == "skipped"]
            pulse.say(
                f"built       {sum(v['kind'] == 'model' for v in told)} models, "
                f"{sum(v['kind'] == 'test' for v in told)} tests, {len(failed)} failed"
            )
            for verdict in failed:
                if verdict not in skipped:
                    pulse.say(f"FAILED      {verdict['name']}: {verdict['message']}")
            if skipped:
                pulse.say(f"skipped     {len(skipped)} that depend on what failed")
        if not invocation.is_successful():
            raise dg.Failure(
                description="dbt build failed: the models and tests it names are red above",
                metadata={"dbt log": dg.MetadataValue.path(str(target / "dbt.log"))},
            )

    return dg.Definitions(assets=[load_raw, build])


def require_build(workspace: Workspace) -> None:
    """There is a build to work on.

    Raises:
        TransformError: when no build was started in this workspace.
    """
    if not workspace.build_file.exists():
        raise TransformError(
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
    for result in json.loads(path.read_text(encoding="utf-8"))["results"]:
        kind, _, name = result["unique_id"].split(".", 2)
        verdicts.append(
            {
                "kind": "test" if kind in ("test", "unit_test") else "model",
                "name": name.split(".")[0],
                "passed": result["status"] in ("success", "pass", "warn"),
                "message": " ".join(str(result.get("message") or result["status"]).split()),
            }
        )
    return sorted(verdicts, key=lambda verdict: (verdict["kind"], verdict["name"]))
