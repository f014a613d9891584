"""The gate: every contract, applied to a warehouse that was just built.

It reads and judges; it writes nothing. Whoever calls it decides what a red verdict stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd

from warehouse.connection import reading
from warehouse.contracts import Reference, Rule, Verdict, apply, lost_figures, rules

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
        A verdict per rule, in order. A mart that is missing fails every rule on it.
    """
    chosen = list(only) if only is not None else rules()
    verdicts = []
    with reading(build) as connection:
        reference = read_reference(connection, previous)
        if demonstration:
            reference = replace(
                reference, releasable_origins=(*reference.releasable_origins, "synthetic")
            )
        frames: dict[str, pd.DataFrame] = {}
        for rule in chosen:
            if rule.mart not in frames:
                frames[rule.mart] = _read(connection, rule.mart)
            verdict = apply(rule, frames[rule.mart], reference)
            if not verdict.passed and rule.name == "previous_figures_are_kept":
                # The rows that matter are not in the new mart: they are the ones it lost.
                verdict = Verdict(
                    rule, False, lost_figures(frames[rule.mart], reference), verdict.rows
                )
            verdicts.append(verdict)
    return verdicts


def shown(verdict: Verdict) -> pd.DataFrame:
    """The failure cases that a person is shown: the first hundred as text, key columns first."""
    cases = verdict.failures.head(_SHOWN)
    first = [name for name in _FIRST if name in cases.columns]
    others = [name for name in cases.columns if name not in first]
    return cases[first + (others if len(first) < 4 else [])].astype(str)


def read_reference(connection: duckdb.DuckDBPyConnection, previous: Path | None) -> Reference:
    """What the rules compare the marts with, read from the build and the release before it."""
    goals: dict[str, set[str]] = {}
    for goal, barometer in connection.execute(
        "select goal_id, barometer_id from meta.indicator_roles where is_report"
    ).fetchall():
        goals.setdefault(goal, set()).add(barometer)
    return Reference(
        areas=_codes(connection, "select area_code from reference.areas"),
        authorities=_codes(
            connection,
            "select area_code from reference.areas where area_level = 'lad' "
            "and area_code = current_code and valid_to is null and area_code like 'E%'",
        ),
        combined_authorities=_codes(
            connection,
            "select area_code from reference.areas where area_level = 'cauth' "
            "and area_code = current_code and valid_to is null",
        ),
        editions=frozenset(
            (dataset, edition)
            for dataset, edition in connection.execute(
                "select dataset, edition from meta.editions"
            ).fetchall()
        ),
        history=frozenset(
            (dataset, edition)
            for dataset, edition in connection.execute(
                "select dataset, edition from raw.editions where is_history"
            ).fetchall()
        ),
        goals={goal: frozenset(names) for goal, names in goals.items()},
        claims=_codes(connection, "select claim_id from reference.report_claims"),
        provenance=_codes(connection, "select provenance_id from marts.provenance"),
        scales=connection.execute("from raw.group_scales").df(),
        outcomes=_codes(
            connection,
            "select concat_ws('.', goal_id, kind, outcome_order) from reference.resident_outcomes",
        ),
        previous=_previous(previous),
        explained_losses=frozenset(
            (dataset, edition)
            for dataset, edition in connection.execute(
                "select dataset, edition from reference.explained_losses"
            ).fetchall()
        ),
    )


def _codes(connection: duckdb.DuckDBPyConnection, query: str) -> frozenset[str]:
    return frozenset(code for (code,) in connection.execute(query).fetchall())


def _read(connection: duckdb.DuckDBPyConnection, mart: str) -> pd.DataFrame:
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'marts' and table_name = ?",
        [mart],
    ).fetchone()
    if found is None or found[0] == 0:
        return pd.DataFrame()
    return connection.execute(f"select * from marts.{mart}").df()


def _previous(path: Path | None) -> dict[str, pd.DataFrame]:
    if path is None or not path.exists():
        return {}
    with reading(path) as connection:
        return {"barometers": _read(connection, "barometers")}
