"""Exports and the release: what a gated build becomes for its readers.

Write, audit, swap: the exports are written beside the build, the release is hashed in its own
folder, and one rename lets readers see it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration import dbt
from orchestration.defs.gate import GATED, gate_verdicts
from orchestration.defs.ingest import OWNER
from orchestration.defs.resources import PulseResource
from orchestration.defs.transform import dbt_verdicts, require_build
from warehouse.connection import reading
from warehouse.content import content_sha256
from warehouse.identity import code_version, libraries
from warehouse.meta import input_checks, inputs_used, seal, table_counts
from warehouse.release import (
    WAREHOUSE,
    Manifest,
    list_releases,
    next_number,
    previous_release,
    previous_warehouse,
    publish,
    remove_tree,
    whole_release,
)
from warehouse.workspace import Workspace
from warehouse.writers import write_exports

IDENTITY = "identity.json"
RELEASE = "release"


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


def identify(pulse: PulseResource) -> dict[str, Any]:
    """Number and moment of the release to be, and the releases that it comes after.

    Told once, before anything is written, so that every file of a release says the same. A release
    that is made again takes those of the one on record.
    """
    again = pulse.rebuilding
    if again is not None:
        return {
            "number": again.number,
            "made_at": again.made_at,
            "follows": again.follows,
            "earlier": list(again.earlier),
        }
    before = previous_release(pulse.workspace)
    return {
        "number": next_number(pulse.workspace),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "follows": before[0].number if before else None,
        "earlier": [
            {
                "number": each.number,
                "made_at": each.made_at,
                "code_version": each.code_version,
                "content_sha256": each.content_sha256,
            }
            for each in list_releases(pulse.workspace)
        ],
    }


def with_held(pulse: PulseResource, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each input with the sha256 of every revision that the store holds of it, newest first."""
    return [
        {
            **each,
            "held": [
                landed.sha256 for landed in pulse.store.revisions(each["dataset"], each["edition"])
            ],
        }
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
    identity = identify(pulse)
    made = build.parent / RELEASE
    remove_tree(made)
    content = seal(
        build,
        made / WAREHOUSE,
        dbt_manifest=dbt.MANIFEST,
        checks=all_checks(workspace),
        earlier=identity["earlier"],
        previous=previous_warehouse(workspace),
        follows=identity["follows"],
        number=identity["number"],
        made_at=datetime.fromisoformat(identity["made_at"]),
        version_of_code=code_version(),
    )
    (build.parent / IDENTITY).write_text(
        json.dumps({**identity, "content": content}), encoding="utf-8"
    )
    with reading(made / WAREHOUSE) as connection:
        files = write_exports(
            connection,
            made / "exports",
            content_sha256=content_sha256(content),
            cache=workspace.builds / "charts",
        )
    pulse.say(f"exported    {len(files)} files")
    return dg.MaterializeResult(
        metadata={
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
            "content sha256": content_sha256(content),
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
    version = code_version()
    identity = json.loads((build.parent / IDENTITY).read_text(encoding="utf-8"))
    content = content_sha256(identity["content"])
    inputs = inputs_used(build)
    now = whole_release(workspace)
    if (
        now is not None
        and now.content_sha256 == content
        and now.code_version == version
        and made_of(now.inputs) == made_of(inputs)
    ):
        pulse.say(f"unchanged   release {now.number} stays current: nothing differs from it")
        manifest = now
    else:
        manifest = publish(
            workspace,
            Manifest(
                **identity,
                code_version=version,
                identity="",
                content_sha256=content,
                inputs=with_held(pulse, inputs),
                checks=all_checks(workspace),
                tables=table_counts(build),
                source_mode=pulse.mode,
                made_with=libraries(),
            ),
            build.parent / RELEASE,
            keep=pulse.releases_to_keep,
        )
        pulse.say(f"published   release {manifest.number}")
    context.instance.add_run_tags(context.run.run_id, {"pulse/release": str(manifest.number)})
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
