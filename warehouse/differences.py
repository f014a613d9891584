"""What changed between two releases: which figures, from what to what, and why.

The reason is read, not guessed: another revision of the same edition, an edition that one of the
two does not have, a figure that now comes from another source, or, where the inputs are the same,
another version of the method.
"""

from pathlib import Path

import pandas as pd

from warehouse.connection import attach, reading
from warehouse.release import WAREHOUSE, Manifest, release_folder
from warehouse.workspace import Workspace

_CELLS = """
    select
        b.*,
        (select min(p.revision) from {database}marts.provenance as p
         where p.provenance_id = b.provenance_id and p.part = 'figure') as revision
    from {database}marts.barometers as b
"""
_DIFFERENCES = f"""
    select
        barometer_id, area_code, dataset, edition, cast(period_end as varchar) as period_end,
        coalesce(after.area_name, before.area_name) as area_name,
        before.value as value_before, after.value as value_after,
        before.lower_95 as lower_95_before, after.lower_95 as lower_95_after,
        before.upper_95 as upper_95_before, after.upper_95 as upper_95_after,
        before.status as status_before, after.status as status_after,
        case
            when before.status is null then 'new edition'
            when after.status is null then 'edition gone'
            when (before.origin, before.source_dataset)
                is distinct from (after.origin, after.source_dataset) then 'other source'
            when before.revision is distinct from after.revision then 'revision'
            else 'method'
        end as why
    from ({_CELLS.format(database="earlier.")}) as before
    full join ({_CELLS.format(database="")}) as after
        using (barometer_id, area_code, dataset, edition, period_end)
    where
        (before.value, before.lower_95, before.upper_95, before.status)
        is distinct from (after.value, after.lower_95, after.upper_95, after.status)
    order by all
"""


def differences(earlier: Path, later: Path) -> pd.DataFrame:
    """Figures that differ between two warehouses.

    Returns a row per cell: the key, ``area_name``, value, limits and status before and after, and
    ``why``: new edition, edition gone, revision, other source or method.
    """
    with reading(later) as connection:
        attach(connection, earlier, "earlier")
        return connection.execute(_DIFFERENCES).df()


def difference_lines(workspace: Workspace, earlier: int, later: int, *, limit: int) -> list[str]:
    """The same for a person: counts by reason, then at most ``limit`` figures.

    Raises ReleaseError when one of the releases is not there.
    """
    folders = [release_folder(workspace, number) for number in (earlier, later)]
    before, after = (Manifest.read(folder).code_version for folder in folders)
    found = differences(*(folder / WAREHOUSE for folder in folders))
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
