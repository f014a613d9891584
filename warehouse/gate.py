"""The gate: every contract, applied to a warehouse that was just built.

It reads and judges; it writes nothing. Whoever calls it decides what a red verdict stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from sources.evidence.model import personal_data
from warehouse.connection import attach, reading
from warehouse.contracts import RELEASABLE_ORIGINS, Rule, rules

_SHOWN = 100
# What a person looks for first, of whatever mart; the rest of a row is one query away.
_FIRST = (
    "barometer_id",
    "claim_id",
    "goal_id",
    "area_code",
    "area_name",
    "edition",
    "period_end",
    "value",
    "lower_95",
    "upper_95",
    "group_number",
    "group_label",
    "status",
    "origin",
    "provenance_id",
)
# What the rules compare the marts with, beside the tables of the build.
_VIEWS = {
    "areas": "select area_code from reference.areas "
    "union all select area_code from reference.small_areas",
    "local_authorities": "select area_code from reference.areas where area_level = 'lad' "
    "and area_code = current_code and valid_to is null and area_code like 'E%'",
    "combined_authorities": "select area_code from reference.areas where area_level = 'cauth' "
    "and area_code = current_code and valid_to is null",
    "authorities": "from local_authorities union all from combined_authorities",
    "history": "select (dataset, edition) from raw.editions where is_history",
    "report_indicators": "select framework, goal_id, barometer_id from meta.indicator_roles "
    "where is_report and role != 'context'",
}


@dataclass(frozen=True)
class Verdict:
    """A rule applied: how many cases break it, and the first of them, of how many rows."""

    rule: Rule
    broken: int
    cases: pd.DataFrame
    rows: int

    @property
    def passed(self) -> bool:
        """Whether nothing breaks the rule."""
        return self.broken == 0


def run_gate(
    build: Path,
    previous: Path | None,
    *,
    only: Iterable[Rule] | None = None,
    demonstration: bool = False,
) -> list[Verdict]:
    """Apply the rules to the marts of a build.

    Args:
        build: the warehouse file of the build.
        previous: the published warehouse, or none before the first release.
        only: some of the rules; all of them where it is not given.
        demonstration: whether the workspace is one where everything is made up, the only one whose
            figures may be synthetic.

    Returns:
        A verdict per rule, in order. A mart that is missing or empty fails every rule on it.
    """
    with reading(build) as connection:
        if previous is not None and previous.exists():
            attach(connection, previous, "previous")
        prepare(connection, demonstration=demonstration)
        return [apply(connection, rule) for rule in (rules() if only is None else only)]


def prepare(connection: duckdb.DuckDBPyConnection, *, demonstration: bool = False) -> None:
    """Make the views that rules use, on a build and, as ``previous``, the release before it."""
    for name, query in _VIEWS.items():
        connection.execute(f"create temp view {name} as {query}")
    connection.create_function("has_personal_data", _has_personal_data, ["varchar"], "boolean")
    origins = [*RELEASABLE_ORIGINS, *(["synthetic"] if demonstration else [])]
    connection.execute("create temp table releasable as select unnest(?) as origin", [origins])
    for mart in ("barometers", "context"):
        known = connection.execute(
            "select count(*) from duckdb_tables() where database_name = 'previous' "
            "and schema_name = 'marts' and table_name = ?",
            [mart],
        )
        before = "marts.barometers where false"
        if known.fetchall() != [(0,)]:
            before = f"previous.marts.{mart}"
        connection.execute(
            f"create temp view previous_{mart} as "
            f"select barometer_id, area_code, dataset, edition, period_end, value from {before}"
        )


def _has_personal_data(text: str) -> bool:
    return any(True for _ in personal_data(text))


def apply(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Verdict:
    """Apply a rule to its mart; nothing is raised. Most marts without rows break every rule."""
    try:
        rows = _count(connection, f"marts.{rule.mart}")
        if rows == 0 and not rule.may_be_empty:
            return Verdict(rule, 1, pd.DataFrame({"found": ["a mart without rows"]}), 0)
        broken = _count(connection, f"({rule.broken})")
        shown = f"select * from ({rule.broken}) limit {_SHOWN if broken else 0}"
        return Verdict(rule, broken, connection.execute(shown).df(), rows)
    except duckdb.CatalogException as error:
        found = str(error).splitlines()[0]
        return Verdict(rule, 1, pd.DataFrame({"found": [found]}), 0)


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    ((rows,),) = connection.execute(f"select count(*) from {relation}").fetchall()
    return int(rows)


def shown(verdict: Verdict) -> pd.DataFrame:
    """The failure cases that a person is shown, as text, key columns first."""
    first = [name for name in _FIRST if name in verdict.cases.columns]
    others = [name for name in verdict.cases.columns if name not in first]
    return verdict.cases[first + (others if len(first) < 4 else [])].astype(str)
