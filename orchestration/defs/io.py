"""Observations between assets: one Parquet file per dataset and identity, kept and used again.

The file's own metadata holds the record of the editions and the revised figures. A link names the
file that is in use; what other runs left beyond a few identities is removed.
"""

import base64
import io
import json
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sources.selection import DatasetObservations, EditionUsed
from warehouse.release import sha256_of
from warehouse.workspace import Workspace, WorkspaceError, replace_link

_KEPT = 3
IDENTITY = "identity"


class Kept(NamedTuple):
    """The file of an identity, and what became of each edition in it."""

    file: Path
    editions: tuple[EditionUsed, ...]


class ObservationsIO(dg.IOManager):
    """Stores what an observations asset returned, by the ``identity`` in its metadata."""

    def __init__(self, workspace: Workspace) -> None:
        self._root = workspace.builds / "observations"

    def handle_output(self, context: dg.OutputContext, obj: DatasetObservations | Kept) -> None:
        """Put the file of this identity in use, written now unless it was kept."""
        identity = context.output_metadata[IDENTITY]
        if isinstance(identity, dg.MetadataValue):
            identity = identity.value
        path = (
            obj.file if isinstance(obj, Kept) else _write(obj, self._root / obj.dataset, identity)
        )
        replace_link(path.with_name("current"), path.name)
        files = sorted(path.parent.glob("*.parquet"), key=lambda each: each.stat().st_mtime)
        for old in files[:-_KEPT]:
            if old != path:
                old.unlink()

    def load_input(self, context: dg.InputContext) -> DatasetObservations:
        """What is in use of the dataset that the asset key names."""
        return read(self.in_use(context.asset_key.path[-1]))

    def kept(self, dataset: str, identity: str) -> Kept | None:
        """What was stored under an identity, if it still is; a damaged file is removed."""
        for path in (self._root / dataset).glob(f"{identity}.*.parquet"):
            if path.name == _named(identity, path):
                return Kept(path, read_editions(path))
            path.unlink()
        return None

    def in_use(self, dataset: str) -> Path:
        """The file in use.

        Raises WorkspaceError when the asset was never materialised in this workspace.
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


@dg.io_manager(required_resource_keys={"pulse"}, description="Observations as Parquet files.")
def observations_io(context: dg.InitResourceContext) -> ObservationsIO:
    """In the workspace of the run."""
    return ObservationsIO(context.resources.pulse.workspace)


def _write(observations: DatasetObservations, folder: Path, identity: object) -> Path:
    table = pa.Table.from_pandas(observations.rows, preserve_index=False)
    # A small frame as text: Parquet, because JSON would round its figures.
    revised = base64.b64encode(observations.revised.to_parquet(index=False)).decode()
    record = {
        "dataset": observations.dataset,
        "editions": [each.to_json() for each in observations.editions],
        "revised": revised,
    }
    metadata = {**(table.schema.metadata or {}), b"pulse": json.dumps(record).encode()}
    folder.mkdir(parents=True, exist_ok=True)
    # Written aside and moved: a kill leaves no half file under an identity.
    aside = folder / "writing"
    pq.write_table(table.replace_schema_metadata(metadata), aside)
    return aside.replace(folder / _named(identity, aside))


def _named(identity: object, file: Path) -> str:
    """The name of the file of an identity, by which its bytes are known too."""
    return f"{identity}.{sha256_of(file)}.parquet"


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
