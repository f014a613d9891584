"""The gate: every contract, applied to a warehouse that was just built.

DuckDB finds what breaks a rule where the mart is, so that a mart of millions of rows is never read
into Python; pandera decides, over the findings, what is red. The gate writes nothing. Whoever calls
it decides what a red verdict stops.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from sources.evidence.model import personal_data
from warehouse.connection import attach, reading
from warehouse.contracts import CELL_MARTS, RELEASABLE_ORIGINS, UNIT_RANGES, Rule, rules

_SHOWN = 100
_PREVIOUS = "database_name = 'previous' and schema_name = 'marts'"
# What a person looks for first, of whatever mart; the rest of a row is one query away.
_FIRST = (
    *("barometer_id", "claim_id", "goal_id", "area_code", "area_name", "edition", "period_end"),
    *("value", "lower_95", "upper_95", "group_number", "group_label", "status", "origin"),
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


# The contract of what the rules found, one row per rule: ``rows`` of the mart, ``broken`` cases, and
# ``missing``, why a rule could not be asked at all (null where it could).
FINDINGS = pa.DataFrameSchema(
    {
        "rule": pa.Column(str, unique=True),
        "rows": pa.Column(int),
        "may_be_empty": pa.Column(bool),
        "broken": pa.Column(int, pa.Check.eq(0, name="nothing_breaks_the_rule")),
        "missing": pa.Column(object, nullable=True),
    },
    checks=[
        pa.Check(lambda found: (found["rows"] > 0) | found["may_be_empty"], name="mart_has_rows"),
        pa.Check(lambda found: found["missing"].isna(), name="rule_can_be_asked"),
    ],
)


@dataclass(frozen=True)
class Verdict:
    """A rule applied: how many cases break it, the first of them, and of how many rows."""

    rule: Rule
    broken: int
    cases: pd.DataFrame
    rows: int
    passed: bool


# A rule, rows of its mart, how many cases break it, why it cannot be asked (else None), first cases.
Found = tuple[Rule, int, int, str | None, pd.DataFrame]


def run_gate(
    build: Path,
    previous: Path | None,
    *,
    only: Iterable[Rule] | None = None,
    demonstration: bool = False,
) -> list[Verdict]:
    """Apply the rules to the marts of a build.

    ``previous``: the published warehouse, or none before the first release; ``demonstration``: whether
    the workspace is one where everything is made up, the only one whose figures may be synthetic.
    Returns a verdict per rule, in order. A mart that is missing or empty fails every rule on it.
    """
    with reading(build) as connection:
        if previous is not None and previous.exists():
            attach(connection, previous, "previous")
        prepare(connection, demonstration=demonstration)
        return apply(connection, rules() if only is None else only)


def prepare(connection: duckdb.DuckDBPyConnection, *, demonstration: bool = False) -> None:
    """Make the views that rules use, on a build and, as ``previous``, the release before it."""
    for name, query in _VIEWS.items():
        connection.execute(f"create temp view {name} as {query}")
    connection.create_function("has_personal_data", _has_personal_data, ["varchar"], "boolean")
    origins = [*RELEASABLE_ORIGINS, *(["synthetic"] if demonstration else [])]
    connection.execute("create temp table releasable as select unnest(?) as origin", [origins])
    connection.execute("create temp table unit_ranges (unit varchar, low double, high double)")
    ranges = [(unit, low, high) for unit, (low, high) in UNIT_RANGES.items()]
    connection.executemany("insert into unit_ranges values (?, ?, ?)", ranges)
    for mart, key in CELL_MARTS.items():
        before = f"marts.{mart} where false"
        if _count(connection, f"duckdb_tables() where {_PREVIOUS} and table_name = '{mart}'"):
            before = f"previous.marts.{mart}"
        connection.execute(
            f"create temp view previous_{mart} as select {', '.join(key)}, value from {before}"
        )


def _has_personal_data(text: str) -> bool:
    return any(True for _ in personal_data(text))


def apply(connection: duckdb.DuckDBPyConnection, chosen: Iterable[Rule]) -> list[Verdict]:
    """Apply rules to their marts; nothing is raised. Most marts without rows break every rule."""
    return judge([find(connection, rule) for rule in chosen])


def judge(found: Sequence[Found]) -> list[Verdict]:
    """The verdict on what each rule found, in order; no two rules have one name."""
    columns = list(FINDINGS.columns)
    table = pd.DataFrame(
        [(rule.name, rows, rule.may_be_empty, n, why) for rule, rows, n, why, _ in found],
        columns=columns,
    ).astype({"missing": object})
    red: set[int] = set()
    try:
        FINDINGS.validate(table, lazy=True)
    except SchemaErrors as errors:
        red = {int(index) for index in errors.failure_cases["index"].dropna()}
    verdicts = []
    for number, (rule, rows, broken, why, cases) in enumerate(found):
        if number in red and not broken:
            broken, cases = 1, pd.DataFrame({"found": [why or "a mart without rows"]})
        verdicts.append(Verdict(rule, broken, cases, rows, number not in red))
    return verdicts


def find(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Found:
    """What a rule finds in the marts of a build."""
    try:
        rows = _count(connection, f"marts.{rule.mart}")
        broken = _count(connection, f"({rule.broken})")
        first = f"select * from ({rule.broken}) limit {_SHOWN if broken else 0}"
        return rule, rows, broken, None, connection.execute(first).df()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        return rule, 0, 0, str(error).splitlines()[0], pd.DataFrame()


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    ((rows,),) = connection.execute(f"select count(*) from {relation}").fetchall()
    return int(rows)


def shown(verdict: Verdict) -> pd.DataFrame:
    """The failure cases that a person is shown, as text, key columns first."""
    first = [name for name in _FIRST if name in verdict.cases.columns]
    others = [name for name in verdict.cases.columns if name not in first]
    return verdict.cases[first + (others if len(first) < 4 else [])].astype(str)
