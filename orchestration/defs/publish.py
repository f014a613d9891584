"""Exports and the release: what a gated build becomes for its readers.

Write, audit, swap: the exports are written beside the build, the release is hashed in its own
folder, and one rename lets readers see it.
"""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.defs.gate import GATED, gate_verdicts
from orchestration.defs.ingest import OWNER
from orchestration.defs.resources import PulseResource
from orchestration.defs.transform import dbt_verdicts, require_build
from warehouse.connection import reading
from warehouse.meta import code_version, input_checks, inputs_used, seal, table_counts
from warehouse.release import current_release, list_releases, next_number, publish
from warehouse.workspace import Workspace
from warehouse.writers import write_exports
from warehouse.writers.tables import content_sha256


def all_checks(workspace: Workspace) -> list[dict[str, Any]]:
    """Every check of the build at hand: contracts of the inputs, dbt's tests, the gate."""
    tests = [
        {
            "kind": "test",
            "subject": "dbt",
            "check_name": verdict["name"],
            "passed": verdict["passed"],
            "severity": "error",
            "message": verdict["message"],
        }
        for verdict in dbt_verdicts(workspace)
        if verdict["kind"] == "test"
    ]
    return [*input_checks(workspace.build_file), *tests, *gate_verdicts(workspace)]


def made_of(inputs: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """What a release was made of, without how the publishers answered that morning."""
    return [
        (each["dataset"], each["edition"], each["origin"], each["revision"], each["file_sha256"])
        for each in inputs
    ]


@dg.asset(
    key=["release", "exports"],
    group_name="release",
    deps=[dg.AssetKey(["marts", mart]) for mart in GATED],
    description=(
        "Everything that leaves the building, written from the gated marts: CSV, Parquet and their "
        "description, spreadsheets, pages and pictures."
    ),
    kinds={"csv", "parquet"},
    owners=[OWNER],
)
def exports(context: dg.AssetExecutionContext, pulse: PulseResource) -> dg.MaterializeResult[Any]:
    """Close the build and write its exports beside it."""
    workspace = pulse.workspace
    require_build(workspace)
    build = workspace.build_file.resolve()
    seal(
        build,
        checks=all_checks(workspace),
        releases=list_releases(workspace),
        number=next_number(workspace),
        made_at=datetime.now(UTC).replace(microsecond=0),
        version_of_code=code_version(),
    )
    folder = build.parent / "exports"
    shutil.rmtree(folder, ignore_errors=True)
    with reading(build) as connection:
        made = write_exports(
            connection, folder, dbt_manifest=workspace.builds / "dbt" / "manifest.json"
        )
    pulse.say(f"exported    {len(made)} files")
    return dg.MaterializeResult(
        metadata={
            "files": len(made),
            "bytes": sum(path.stat().st_size for path in made),
            "content sha256": content_sha256(folder),
        }
    )


@dg.asset(
    key=["release", "published"],
    group_name="release",
    deps=[exports],
    description=(
        "The release that readers see: warehouse/pulse.duckdb and warehouse/exports, swapped in "
        "together or not at all."
    ),
    kinds={"duckdb"},
    owners=[OWNER],
)
def published(context: dg.AssetExecutionContext, pulse: PulseResource) -> dg.MaterializeResult[Any]:
    """Make the next release, unless it would tell readers nothing new."""
    workspace = pulse.workspace
    require_build(workspace)
    build = workspace.build_file.resolve()
    folder = build.parent / "exports"
    version = code_version()
    content = content_sha256(folder)
    inputs = inputs_used(build)
    now = current_release(workspace)
    if (
        now is not None
        and now.content_sha256 == content
        and now.code_version == version
        and made_of(now.inputs) == made_of(inputs)
    ):
        pulse.say(f"unchanged   release {now.number} stands: nothing differs from it")
        manifest = now
    else:
        manifest = publish(
            workspace,
            warehouse=build,
            exports=folder,
            inputs=inputs,
            checks=all_checks(workspace),
            tables=table_counts(build),
            content_sha256=content,
            code_version=version,
            made_at=datetime.now(UTC),
            number=next_number(workspace),
            keep=pulse.keep_releases,
        )
        pulse.say(f"published   release {manifest.number}")
    with reading(workspace.warehouse_file) as connection:
        preview = connection.execute(
            "select goal_id, sentence from marts.pulse order by goal_id"
        ).fetchall()
    return dg.MaterializeResult(
        metadata={
            "release": manifest.number,
            "warehouse": dg.MetadataValue.path(str(workspace.warehouse_file)),
            "exports": dg.MetadataValue.path(str(workspace.exports)),
            "sha256 of the warehouse": manifest.files["pulse.duckdb"],
            "rows": dg.MetadataValue.table(
                [dg.TableRecord({"mart": m, "rows": n}) for m, n in manifest.tables.items()]
            ),
            "preview": dg.MetadataValue.md(
                "\n\n".join(f"**{goal}**: {sentence}" for goal, sentence in preview)
            ),
        }
    )
