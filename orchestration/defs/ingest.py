"""Landing and observations: a file a publisher sent becomes rows that keep their contract.

Each dataset has its own assets, so that one that is broken is red by itself while the others go
on; its last good edition stays in use.
"""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.defs.resources import PulseResource
from sources.catalogue import Dataset, load_catalogue
from sources.intake import Intake, take_in
from warehouse.raw import SourceNote
from warehouse.workspace import Workspace

OWNER = "team:data-engineering"


def run_folder(workspace: Workspace, run_id: str) -> Path:
    """Where the assets of one run leave what the next ones read."""
    return workspace.builds / run_id


def _leave(workspace: Workspace, run_id: str, kind: str, dataset: str, what: object) -> None:
    folder = run_folder(workspace, run_id) / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{dataset}.pickle").write_bytes(pickle.dumps(what))


def accepted_by(workspace: Workspace, run_id: str, dataset: str) -> list[Intake] | None:
    """What this run's observations asset accepted, or none where it did not run."""
    path = run_folder(workspace, run_id) / "accepted" / f"{dataset}.pickle"
    return pickle.loads(path.read_bytes()) if path.exists() else None


def noted_by(
    workspace: Workspace, run_id: str, dataset: str
) -> dict[tuple[str, str], SourceNote]:
    """What this run's landing asset heard from the publisher."""
    path = run_folder(workspace, run_id) / "sources" / f"{dataset}.pickle"
    return pickle.loads(path.read_bytes()) if path.exists() else {}


def take_in_dataset(pulse: PulseResource, dataset: Dataset) -> list[Intake]:
    """Every edition of a dataset through parser and contract, oldest first."""
    areas = pulse.areas
    store = pulse.store
    return [take_in(dataset, edition, store, areas) for edition in dataset.editions]


def _landing_asset(dataset: Dataset) -> dg.AssetsDefinition:
    @dg.asset(
        key=["landing", dataset.code],
        group_name="landing",
        description=(
            f"{dataset.title}: the files as {dataset.publisher} sent them, write-once. "
            f"A publisher that does not answer leaves what was landed before in use."
        ),
        kinds={"file"},
        owners=[OWNER],
        metadata={"publisher page": dg.MetadataValue.url(dataset.landing_page)},
    )
    def land(context: dg.AssetExecutionContext, pulse: PulseResource) -> dg.MaterializeResult[Any]:
        store = pulse.store
        held = [
            landed
            for edition in dataset.editions
            for landed in store.revisions(dataset.code, edition.edition)
        ]
        return dg.MaterializeResult(
            metadata={
                "files held": len(held),
                "files": dg.MetadataValue.table(
                    [
                        dg.TableRecord(
                            {
                                "edition": landed.edition,
                                "revision": landed.revision,
                                "file": landed.file_name,
                                "sha256": landed.sha256,
                                "retrieved": landed.retrieved_at.isoformat(timespec="seconds"),
                            }
                        )
                        for landed in held
                    ]
                )
                if held
                else dg.MetadataValue.text("none: the bundled figures are used"),
            }
        )

    return land


def _observations_asset(dataset: Dataset) -> dg.AssetsDefinition:
    check = dg.AssetCheckSpec(
        "every_file_keeps_the_contract",
        asset=dg.AssetKey(["observations", dataset.code]),
        description=(
            "No file of this dataset was refused. A refused file is in quarantine with its "
            "reasons; the last good revision, else the bundled figures, are used in its place."
        ),
    )

    @dg.asset(
        key=["observations", dataset.code],
        group_name="observations",
        deps=[dg.AssetKey(["landing", dataset.code])] if dataset.parser else [],
        description=f"{dataset.title}: one row a published cell, held against the contract.",
        kinds={"python", "pandera"},
        owners=[OWNER],
        check_specs=[check],
        metadata={"publisher page": dg.MetadataValue.url(dataset.landing_page)},
    )
    def observe(
        context: dg.AssetExecutionContext, pulse: PulseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        intakes = take_in_dataset(pulse, dataset)
        _leave(pulse.workspace, context.run.run_id, "accepted", dataset.code, intakes)
        rows = sum(len(intake.rows) for intake in intakes)
        refused = [
            dg.TableRecord(
                {
                    "edition": intake.edition,
                    "file": rejection.file_name,
                    "revision": rejection.revision or "",
                    "reason": rejection.error,
                }
            )
            for intake in intakes
            for rejection in intake.rejections
        ]
        for intake in intakes:
            if intake.state == "accepted":
                pulse.say(
                    f"observed    {dataset.code} {intake.edition}: {len(intake.rows)} rows, "
                    f"{intake.origin}"
                )
            for rejection in intake.rejections:
                pulse.say(
                    f"REFUSED     {dataset.code} {intake.edition}: {rejection.file_name}: "
                    f"{rejection.error}"
                )
        held = [intake for intake in intakes if intake.state == "accepted"]
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "editions": ", ".join(intake.edition for intake in held) or "none held",
                "origin": ", ".join(sorted({str(intake.origin) for intake in held})) or "none",
                "sha256": ", ".join(str(i.file_sha256) for i in held if i.file_sha256)
                or "bundled figures",
                "notes": "; ".join(n.message for i in held for n in i.notes) or "none",
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=check.name,
                    passed=not refused,
                    metadata={
                        "refused files": dg.MetadataValue.table(refused)
                        if refused
                        else dg.MetadataValue.int(0),
                        "editions with no figures": ", ".join(
                            i.edition for i in intakes if i.state != "accepted"
                        )
                        or "none",
                    },
                )
            ],
        )

    return observe


@dg.definitions
def ingest() -> dg.Definitions:
    """Landing and observations of every dataset in the catalogue."""
    assets: list[dg.AssetsDefinition] = []
    for dataset in load_catalogue().datasets.values():
        if dataset.parser:
            assets.append(_landing_asset(dataset))
        assets.append(_observations_asset(dataset))
    return dg.Definitions(assets=assets)
