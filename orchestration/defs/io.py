"""Observations between assets: one Parquet file per dataset and identity, kept and used again.

The file's own metadata holds the record of the editions and the revised figures. A link names the
file that is in use; what other runs left beyond a few identities is removed.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sources.selection import DatasetObservations, EditionUsed
from warehouse.workspace import Workspace, WorkspaceError, replace_link

_KEPT = 3
IDENTITY = "identity"


class ObservationsIO(dg.IOManager):
    """Stores what an observations asset returned, by the ``identity`` in its metadata."""

    def __init__(self, workspace: Workspace) -> None:
        self._root = workspace.builds / "observations"

    def handle_output(self, context: dg.OutputContext, obj: DatasetObservations) -> None:
        """Write the file of this identity where there is none yet, and put it in use."""
        identity = context.output_metadata[IDENTITY]
        if isinstance(identity, dg.MetadataValue):
            identity = identity.value
        path = self._path(obj.dataset, str(identity))
        if not path.exists():
            _write(obj, path)
        replace_link(path.with_name("current"), path.name)
        files = sorted(path.parent.glob("*.parquet"), key=lambda each: each.stat().st_mtime)
        for old in files[:-_KEPT]:
            if old != path:
                old.unlink()

    def load_input(self, context: dg.InputContext) -> DatasetObservations:
        """What is in use of the dataset that the asset key names."""
        return read(self.in_use(context.asset_key.path[-1]))

    def kept(self, dataset: str, identity: str) -> DatasetObservations | None:
        """What was stored under an identity, if it still is."""
        path = self._path(dataset, identity)
        try:
            return read(path)
        except (OSError, pa.ArrowException, KeyError, ValueError):
            # Absent, or damaged: it is made again.
            path.unlink(missing_ok=True)
            return None

    def in_use(self, dataset: str) -> Path:
        """The file in use.

        Raises:
            WorkspaceError: when the asset was never materialised in this workspace.
        """
        path = self._root / dataset / "current"
        if not path.exists():
            raise WorkspaceError(
                "the observations of this dataset were not made yet",
                code="no_observations",
                dataset=dataset,
                file=str(path),
                todo=f"materialise observations/{dataset}, or run the job refresh",
            )
        return path

    def _path(self, dataset: str, identity: str) -> Path:
        return self._root / dataset / f"{identity}.parquet"


@dg.io_manager(required_resource_keys={"pulse"}, description="Observations as Parquet files.")
def observations_io(context: dg.InitResourceContext) -> ObservationsIO:
    """In the workspace of the run."""
    return ObservationsIO(context.resources.pulse.workspace)


def _write(observations: DatasetObservations, path: Path) -> None:
    table = pa.Table.from_pandas(observations.rows, preserve_index=False)
    record = {
        "dataset": observations.dataset,
        "editions": [each.to_json() for each in observations.editions],
        "revised": _packed(observations.revised),
    }
    metadata = {**(table.schema.metadata or {}), b"pulse": json.dumps(record).encode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved: a kill leaves no half file under an identity.
    aside = path.with_suffix(".writing")
    pq.write_table(table.replace_schema_metadata(metadata), aside)
    aside.replace(path)


def _packed(frame: pd.DataFrame) -> str:
    """A small frame as text: Parquet, because JSON would round its figures."""
    return base64.b64encode(frame.to_parquet(index=False)).decode()


def read(path: Path) -> DatasetObservations:
    """A stored file; an equal value to the one that was written."""
    table = pq.read_table(path)
    record = json.loads(table.schema.metadata[b"pulse"])
    return DatasetObservations(
        dataset=record["dataset"],
        rows=table.to_pandas(),
        editions=tuple(EditionUsed.from_json(each) for each in record["editions"]),
        revised=pd.read_parquet(io.BytesIO(base64.b64decode(record["revised"]))),
    )


def read_editions(path: Path) -> tuple[EditionUsed, ...]:
    """The record of the editions alone."""
    record = json.loads(pq.read_schema(path).metadata[b"pulse"])
    return tuple(EditionUsed.from_json(each) for each in record["editions"])
