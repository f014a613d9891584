"""The code location that ``workspace.yaml`` and ``dg`` load. Policy only."""

from pathlib import Path

import dagster as dg

from orchestration.defs.io import observations_io
from orchestration.defs.resources import PulseResource
from orchestration.progress import progress_logger


@dg.definitions
def defs() -> dg.Definitions:
    """Everything below ``orchestration/defs``, run in one process: the build is one file."""
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={"pulse": PulseResource(), "observations_io": observations_io},
            executor=dg.in_process_executor,
            loggers={"console": progress_logger},
        ),
    )
