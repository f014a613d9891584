"""What a revision changed: two readings of the same edition, figure by figure.

Belongs here: comparing rows. Does not belong here: reading files, or deciding which revision is used.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

KEY: Final = (
    "measure",
    "area_level",
    "area_code",
    "period_start",
    "period_end",
    "unit",
)
FIGURES: Final = ("value", "lower_95", "upper_95", "base", "group_number")
REVISION_COLUMNS: Final = (
    "dataset",
    "edition",
    "old_revision",
    "new_revision",
    "measure",
    "area_code",
    "area_name",
    "area_level",
    "period_start",
    "period_end",
    "unit",
    "field",
    "old_value",
    "new_value",
    "old_status",
    "new_status",
    "kind",
)
"""One row a changed figure. ``field`` is one of ``FIGURES``, or ``status``; ``kind`` is ``changed``,
``added`` (only the new revision has the row) or ``removed`` (only the old one has)."""


_TYPES: Final = {
    name: "datetime64[ns]"
    if name.startswith("period_")
    else "float64"
    if name.endswith("_value")
    else "string"
    for name in REVISION_COLUMNS
}


def compare_revisions(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Compare two revisions of an edition.

    ``old``, ``new``: observations (``sources.observation``), each unique in ``KEY``. Returns
    ``REVISION_COLUMNS``, ordered by measure, area, period and field; empty where nothing changed.
    Figures are compared exactly: a change in the last printed decimal is a change. A row that only
    one side has gives one line for its value.
    """
    columns = [*KEY, *FIGURES, "status", "area_name", "dataset", "edition", "revision"]
    both = old[columns].merge(
        new[columns], how="outer", on=list(KEY), suffixes=("_old", "_new"), indicator="side"
    )
    side = both["side"].to_numpy(dtype=object)
    shared = side == "both"
    figures = {
        figure: (_real(both[f"{figure}_old"]), _real(both[f"{figure}_new"])) for figure in FIGURES
    }
    # One line is a row of ``both`` and a field of it.
    picked: list[tuple[str, NDArray[np.intp]]] = []
    changed = np.zeros(len(both), dtype=bool)
    for figure, (before, after) in figures.items():
        differs = shared & ~((before == after) | (np.isnan(before) & np.isnan(after)))
        changed |= differs
        if figure == "value":
            differs = differs | ~shared
        picked.append((figure, np.flatnonzero(differs)))
    statuses = _text(both["status_old"]) != _text(both["status_new"])
    picked.append(("status", np.flatnonzero(shared & ~changed & statuses)))

    at = np.concatenate([rows for _, rows in picked])
    lines = pd.DataFrame({name: both[name].to_numpy()[at] for name in KEY})
    kinds = {"both": "changed", "left_only": "removed", "right_only": "added"}
    lines["kind"] = [kinds[each] for each in side[at]]
    lines["field"] = [field for field, rows in picked for _ in rows]
    nothing = np.full(len(both), np.nan)
    for name, which in (("old_value", 0), ("new_value", 1)):
        lines[name] = np.concatenate(
            [figures.get(field, (nothing, nothing))[which][rows] for field, rows in picked]
        )
    for name in ("status", "revision"):
        for when in ("old", "new"):
            lines[f"{when}_{name}"] = _text(both[f"{name}_{when}"])[at]
    for name in ("dataset", "edition", "area_name"):
        lines[name] = _text(both[f"{name}_new"].fillna(both[f"{name}_old"]))[at]
    order = ["measure", "area_code", "area_level", "period_start", "period_end", "unit", "field"]
    lines = lines.sort_values(order, kind="stable", ignore_index=True)
    return lines[list(REVISION_COLUMNS)].astype(_TYPES)


def _real(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(column.astype("Float64").to_numpy(dtype="float64", na_value=np.nan))


def _text(column: pd.Series) -> NDArray[np.object_]:
    return np.asarray([None if pd.isna(each) else each for each in column], dtype=object)
