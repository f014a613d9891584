"""What a revision changed: two readings of the same edition, figure by figure.

Belongs here: comparing rows. Does not belong here: reading files, or deciding which revision is used.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

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


def compare_revisions(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Compare two revisions of an edition.

    ``old``, ``new``: observations (``sources.observation``), each unique in ``KEY``. Returns
    ``REVISION_COLUMNS``, ordered by measure, area, period and field; empty where nothing changed.
    Figures are compared exactly: a change in the last printed decimal is a change. A row that only
    one side has gives one line for its value.
    """
    columns = [*KEY, *FIGURES, "status", "area_name", "dataset", "edition", "revision"]
    both = old[columns].merge(
        new[columns], how="outer", on=list(KEY), suffixes=("_old", "_new"), indicator=True
    )
    if both.empty:
        return _typed(pd.DataFrame(columns=list(REVISION_COLUMNS)))
    found: list[pd.DataFrame] = []
    for side, kind in (("left_only", "removed"), ("right_only", "added")):
        rows = both[both["_merge"] == side]
        found.append(_lines(rows, "value", kind))
    shared = both[both["_merge"] == "both"]
    any_figure = pd.Series(False, index=shared.index)
    for figure in FIGURES:
        differs = ~_same(shared[f"{figure}_old"], shared[f"{figure}_new"])
        any_figure |= differs
        found.append(_lines(shared[differs], figure, "changed"))
    statuses = shared["status_old"].astype("string") != shared["status_new"].astype("string")
    found.append(_lines(shared[statuses & ~any_figure], "status", "changed"))
    lines = pd.concat([each for each in found if not each.empty] or found[:1], ignore_index=True)
    order = [*REVISION_COLUMNS[4:6], "area_level", "period_start", "period_end", "field"]
    return _typed(lines.sort_values(order, kind="stable", ignore_index=True))


def _same(old: pd.Series, new: pd.Series) -> pd.Series:
    before, after = old.astype("Float64"), new.astype("Float64")
    return ((before == after) | (before.isna() & after.isna())).fillna(False).astype(bool)


def _lines(rows: pd.DataFrame, field: str, kind: str) -> pd.DataFrame:
    lines = pd.DataFrame(index=rows.index)
    for name in ("dataset", "edition", "area_name"):
        lines[name] = rows[f"{name}_new"].fillna(rows[f"{name}_old"])
    lines["old_revision"], lines["new_revision"] = rows["revision_old"], rows["revision_new"]
    for name in KEY:
        lines[name] = rows[name]
    lines["field"], lines["kind"] = field, kind
    figures = field in FIGURES
    lines["old_value"] = rows[f"{field}_old"].astype("Float64") if figures else pd.NA
    lines["new_value"] = rows[f"{field}_new"].astype("Float64") if figures else pd.NA
    lines["old_status"], lines["new_status"] = rows["status_old"], rows["status_new"]
    return lines[list(REVISION_COLUMNS)]


def _typed(lines: pd.DataFrame) -> pd.DataFrame:
    kinds = {
        name: "datetime64[ns]"
        if name.startswith("period_")
        else "float64"
        if name in {"old_value", "new_value"}
        else "string"
        for name in REVISION_COLUMNS
    }
    for name in ("old_value", "new_value"):
        lines[name] = lines[name].astype("Float64").astype("float64")
    return lines[list(REVISION_COLUMNS)].astype(kinds)
