"""Exports and the release: what a gated build becomes for its readers.

Write, audit, swap: the exports are written beside the build, the release is hashed in its own
folder, and one rename lets readers see it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration import dbt
from orchestration.defs.gate import GATE_CHECKS, GATED
from orchestration.defs.ingest import OWNER, newest_metadata, table
from orchestration.defs.resources import PulseResource
from orchestration.defs.transform import current_build, dbt_checks
from orchestration.retention import forget_charts, releases_to_keep
from sources.inbox import DATASET as INBOX
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
from warehouse.workspace import Workspace, WorkspaceError

NUMBERED = "numbered"
RELEASE = "release"


def outcome(verdict: dg.AssetCheckEvaluation) -> str:
    """``passed``, ``warning`` or ``red``: only a failed check of severity error is red."""
    if verdict.passed:
        return "passed"
    return "red" if verdict.severity == dg.AssetCheckSeverity.ERROR else "warning"


def all_checks(instance: dg.DagsterInstance, build: Path) -> list[dict[str, Any]]:
    """Every check behind a build: contracts of the inputs, dbt's tests, the gate.

    The verdicts on the marts are Dagster's own: the newest of each check.
    """
    tests = dbt_checks()
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [*tests, *GATE_CHECKS]
    )
    found = []
    for key, record in newest.items():
        event = record.event and record.event.dagster_event
        if event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        verdict = event.asset_check_evaluation_data
        message = verdict.metadata.get("message")
        found.append(
            {
                "kind": "test" if key in tests else "gate",
                "subject": key.asset_key.path[-1],
                "check_name": key.name,
                "outcome": outcome(verdict),
                "message": str(message.value) if message else "",
            }
        )
    found.sort(key=lambda check: (check["kind"], check["subject"], check["check_name"]))
    return [*input_checks(build), *found]


def recorded(instance: dg.DagsterInstance, key: Sequence[str], name: str) -> Any:
    """A value in the metadata of an asset's newest materialization.

    Raises WorkspaceError when it was never materialised.
    """
    metadata = newest_metadata(instance, key)
    if name not in metadata:
        raise WorkspaceError(
            f"{'/'.join(key)} was not materialised yet",
            code="nothing_recorded",
            todo=f"materialise {'/'.join(key)} first, or run the job refresh",
        )
    return metadata[name].value


def identify(pulse: PulseResource) -> dict[str, Any]:
    """Number and moment of the release to be, and the releases that it comes after.

    Decided once, before anything is written, so that every file of a release agrees. A release that
    is made again takes those of the one on record.
    """
    again = pulse.rebuilding
    if again is not None:
        return {name: getattr(again, name) for name in ("number", "made_at", "follows", "earlier")}
    before = previous_release(pulse.workspace)
    shown = ("number", "made_at", "code_version", "content_sha256")
    earlier = list_releases(pulse.workspace)
    return {
        "number": next_number(pulse.workspace),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "follows": before[0].number if before else None,
        "earlier": [{name: getattr(each, name) for name in shown} for each in earlier],
    }


def with_held(workspace: Workspace, inputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each input with the sha256 of every revision that the store holds of it, newest first.

    A file of the inbox is held once, in the inbox.
    """
    held = []
    for used in inputs:
        place = used["dataset"], used["edition"]
        landed = [] if used["dataset"] == INBOX else workspace.store.revisions(*place)
        held.append({**used, "held": [each.sha256 for each in landed]})
    return held


@dg.asset(
    key=["release", "exports"],
    group_name="release",
    deps=[dg.AssetKey(["marts", mart]) for mart in GATED],
    kinds={"csv", "parquet"},
    owners=[OWNER],
)
def exports(context: dg.AssetExecutionContext, pulse: PulseResource) -> dg.MaterializeResult[Any]:
    """Files for readers, written from the gated marts beside the build, which is closed first.

    They are CSV, Parquet and their description, spreadsheets, pages and pictures.
    """
    # Its libraries take a second to import, and most runs write nothing.
    from warehouse.writers import write_exports

    workspace = pulse.workspace
    build = current_build(workspace)
    identity = identify(pulse)
    made = build.parent / RELEASE
    remove_tree(made)
    content = seal(
        build,
        made / WAREHOUSE,
        **identity,
        dbt_manifest=dbt.MANIFEST,
        checks=all_checks(context.instance, build),
        previous=previous_warehouse(workspace),
        version_of_code=code_version(),
    )
    charts = workspace.builds / "charts"
    pulse.say("exporting   tables, spreadsheets and pages")
    with reading(made / WAREHOUSE) as connection:
        files = write_exports(
            connection, made / "exports", content_sha256=content_sha256(content), cache=charts
        )
    forget_charts(charts)
    pulse.say(f"exported    {len(files)} files")
    return dg.MaterializeResult(
        metadata={
            NUMBERED: dg.MetadataValue.json({**identity, "content": content}),
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
            "content sha256": content_sha256(content),
        }
    )


@dg.asset(
    key=["release", "published"],
    group_name="release",
    deps=[exports],
    kinds={"duckdb"},
    owners=[OWNER],
)
def published(context: dg.AssetExecutionContext, pulse: PulseResource) -> dg.MaterializeResult[Any]:
    """Release that readers see; none is made where nothing in it is new.

    warehouse/pulse.duckdb and warehouse/exports are swapped in together or not at all.
    """
    workspace = pulse.workspace
    build = current_build(workspace)
    with reading(build) as connection:
        ((identity,),) = connection.execute("select identity from raw.build").fetchall()
    numbered = recorded(context.instance, exports.key.path, NUMBERED)
    now = whole_release(workspace)
    if now is not None and now.identity == identity:
        pulse.say(f"unchanged   release {now.number} stays current: it is made of the same")
        manifest = now
    else:
        manifest = publish(
            workspace,
            Manifest(
                **numbered,
                code_version=code_version(),
                identity=identity,
                content_sha256=content_sha256(numbered["content"]),
                inputs=with_held(workspace, inputs_used(build)),
                checks=all_checks(context.instance, build),
                tables=table_counts(build),
                source_mode=pulse.mode,
                made_with=libraries(),
            ),
            build.parent / RELEASE,
            keep=releases_to_keep(),
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
            "rows": table({"mart": m, "rows": n} for m, n in manifest.tables.items()),
            "preview": dg.MetadataValue.md(
                "\n\n".join(f"**{goal}**: {sentence}" for goal, sentence in preview)
            ),
        }
    )
