"""What changed between two releases: which figures, from what to what, and why.

The reason is read, not guessed: another revision of the same edition, an edition that one of the
two does not have, a figure that now comes from another source, or, where the inputs are the same,
another version of the method.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from warehouse.connection import reading
from warehouse.release import Manifest, release_folder
from warehouse.workspace import Workspace

KEY = ["barometer_id", "area_code", "dataset", "edition", "period_end"]
_QUERY = """
    select
        b.barometer_id, b.area_code, b.area_name, b.dataset, b.edition,
        cast(b.period_end as varchar) as period_end, b.value, b.lower_95, b.upper_95, b.status,
        b.origin, b.method, b.source_dataset,
        (select min(p.revision) from marts.provenance p
         where p.provenance_id = b.provenance_id and p.part = 'figure') as revision
    from marts.barometers b
"""


def differences(earlier: Path, later: Path) -> pd.DataFrame:
    """Figures that differ between two warehouses.

    Returns:
        A row a cell: the key, ``area_name``, value, limits and status before and after, and ``why``:
        new edition, edition gone, revision, other source, method, or figure held.
    """
    frames = []
    for path in (earlier, later):
        with reading(path) as connection:
            frames.append(connection.execute(_QUERY).df())
    both = frames[0].merge(frames[1], on=KEY, how="outer", suffixes=("_before", "_after"))
    changed = pd.Series(False, index=both.index)
    for column in ("value", "lower_95", "upper_95", "status"):
        before, after = both[f"{column}_before"], both[f"{column}_after"]
        changed |= ~(before.eq(after) | (before.isna() & after.isna()))
    both = both[changed].copy()
    both["area_name"] = both["area_name_after"].fillna(both["area_name_before"])
    both["why"] = [_why(row) for row in both.to_dict("records")]
    return both[
        [*KEY, "area_name"]
        + [
            f"{c}_{s}"
            for c in ("value", "lower_95", "upper_95", "status")
            for s in ("before", "after")
        ]
        + ["why"]
    ].reset_index(drop=True)


def _why(row: Mapping[Hashable, Any]) -> str:
    if pd.isna(row["status_before"]):
        return "new edition"
    if pd.isna(row["status_after"]):
        return "edition gone"
    if row["origin_before"] != row["origin_after"] or (
        row["source_dataset_before"] != row["source_dataset_after"]
    ):
        return "other source"
    if row["revision_before"] != row["revision_after"]:
        return "revision"
    return "method"


def difference_lines(
    workspace: Workspace, earlier: int, later: int, *, limit: int = 40
) -> list[str]:
    """The same for a person: counts by reason, then the figures.

    Raises:
        ReleaseError: when one of the releases is not there.
    """
    folders = [release_folder(workspace, number) for number in (earlier, later)]
    before, after = (Manifest.read(folder).code_version for folder in folders)
    found = differences(*(folder / "pulse.duckdb" for folder in folders))
    lines = [f"release {earlier} to release {later}: {len(found)} cells differ"]
    if before != after:
        lines.append(f"code: {before} to {after}")
    lines += [f"  {count:>6}  {why}" for why, count in found["why"].value_counts().items()]
    for row in found.head(limit).to_dict("records"):
        lines.append(
            f"  {row['barometer_id']} {row['area_name']} ({row['area_code']}) {row['edition']}: "
            f"{_shown(row['value_before'])} to {_shown(row['value_after'])} ({row['why']})"
        )
    if len(found) > limit:
        lines.append(f"  and {len(found) - limit} more: --limit {len(found)} lists them")
    return lines


def _shown(value: float) -> str:
    return "none" if pd.isna(value) else f"{value:g}"
