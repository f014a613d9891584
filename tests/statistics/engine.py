"""Run macros and models of dbt_project on rows that a test makes up, in an in-memory DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from tests.proof.dbt_sql import render, statistics_model
from tests.scratch import database

AREAS = {
    "area_code": "varchar",
    "area_name": "varchar",
    "area_level": "varchar",
    "region_code": "varchar",
    "current_code": "varchar",
}
FIGURES = {
    "barometer_id": "varchar",
    "goal_id": "varchar",
    "measure": "varchar",
    "dataset": "varchar",
    "source_dataset": "varchar",
    "edition": "varchar",
    "period_start": "date",
    "period_end": "date",
    "area_code": "varchar",
    "area_name": "varchar",
    "area_level": "varchar",
    "region_code": "varchar",
    "unit": "varchar",
    "polarity": "varchar",
    "value": "double",
    "lower_95": "double",
    "upper_95": "double",
    "base": "bigint",
    "group_number": "integer",
    "group_label": "varchar",
    "status": "varchar",
    "status_symbol": "varchar",
    "origin": "varchar",
    "provenance_id": "varchar",
    "published_area_code": "varchar",
    "of_adults": "boolean",
    "source_rank": "integer",
}
CELLS = {
    **FIGURES,
    "se": "double",
    "se_method": "varchar",
    "status_reason": "varchar",
    "method": "varchar",
}
INPUTS: dict[str, dict[str, str]] = {
    "areas": AREAS,
    "int_published_figures": FIGURES,
    "int_standard_errors": FIGURES,
    "int_barometer_cells": CELLS,
    "int_indicators": {
        "barometer_id": "varchar",
        "role": "varchar",
        "statement": "varchar",
        "of_adults": "boolean",
        "decimals": "integer",
    },
    "catalogue": {"dataset": "varchar", "periods_in_file": "boolean"},
    "area_code_changes": {
        "old_code": "varchar",
        "new_code": "varchar",
        "year": "integer",
        "kind": "varchar",
    },
    "similar_areas": {"area_code": "varchar", "overall": "varchar"},
    "int_area_memberships": {
        "vintage": "integer",
        "kind": "varchar",
        "parent_code": "varchar",
        "member_code": "varchar",
    },
    "int_populations_16_plus": {
        "vintage": "integer",
        "area_code": "varchar",
        "population_16_plus": "bigint",
        "provenance_id": "varchar",
        "origin": "varchar",
    },
    "int_editions": {
        "series": "varchar",
        "dataset": "varchar",
        "edition": "varchar",
        "edition_order": "integer",
        "is_baseline": "boolean",
    },
    "int_series_breaks": {
        "series": "varchar",
        "barometer_id": "varchar",
        "area_code": "varchar",
        "from_edition": "varchar",
        "to_edition": "varchar",
        "from_order": "integer",
        "to_order": "integer",
        "kind": "varchar",
        "grade": "varchar",
        "reason": "varchar",
        "said_by": "varchar",
        "citation": "varchar",
        "said_on": "date",
    },
    "census_residents": {"area_code": "varchar", "usual_residents": "bigint"},
    "survey_designs": {
        "dataset": "varchar",
        "edition": "varchar",
        "measure": "varchar",
        "england_base": "bigint",
        "design_effect": "double",
    },
}
DEFAULTS: dict[str, Any] = {
    "barometer_id": "trust_in_neighbours",
    "goal_id": "connected",
    "dataset": "dcms_community_life",
    "edition": "2023-24",
    "period_start": "2023-10-01",
    "period_end": "2024-03-31",
    "area_level": "lad",
    "unit": "percent",
    "polarity": "high_good",
    "status": "published",
    "of_adults": True,
}
FILL: Mapping[str, Mapping[str, Any]] = {
    "int_published_figures": DEFAULTS,
    "int_standard_errors": DEFAULTS,
    "int_barometer_cells": DEFAULTS,
    "int_editions": {"series": DEFAULTS["dataset"]},
    "int_indicators": {"role": "key", "of_adults": True, "decimals": 0},
}

# The models whose rows tests look at.
RESULTS = frozenset(
    {
        *("int_combined_authority_estimates", "int_comparisons", "int_ranks", "int_changes"),
        "int_group_counts",
    }
)

Row = Mapping[str, Any]


@cache
def _model(name: str) -> str:
    return statistics_model(name)


@cache
def _expression(text: str) -> str:
    return render(text)


def evaluate(rows: Sequence[Row], **expressions: str) -> list[dict[str, Any]]:
    """SQL expressions, macros and all, on each row; columns are doubles unless text."""
    frame = pd.DataFrame([{**row, "row_at": at} for at, row in enumerate(rows)])
    with database() as connection:
        connection.register("rows_in", frame)
        casts = ", ".join(
            column
            if frame[column].map(lambda item: isinstance(item, str)).any()
            else f"cast({column} as double) as {column}"
            for column in frame.columns
        )
        select = ", ".join(f"{_expression(text)} as {name}" for name, text in expressions.items())
        relation = connection.execute(
            f"select {select} from (select {casts} from rows_in) order by row_at"
        )
        names = [column[0] for column in relation.description]
        return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def run_models(
    wanted: Sequence[str],
    inputs: Mapping[str, Sequence[Row]],
    *,
    variables: Mapping[str, Any] | None = None,
) -> dict[str, pd.DataFrame]:
    """Build models in the order given on made-up inputs; an input not given is empty.

    Rows take what they leave out from FILL.
    """
    with database() as connection:
        for table, columns in INPUTS.items():
            if table in wanted:
                continue
            names = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table {table} ({names})")
            rows = list(inputs.get(table, ()))
            if table == "int_indicators" and not rows:
                figures = [
                    row
                    for name in FILL
                    if "cells" in name or "figures" in name
                    for row in inputs.get(name, ())
                ]
                named = {row.get("barometer_id", DEFAULTS["barometer_id"]) for row in figures}
                rows = [{"barometer_id": each} for each in sorted(named)]
            if not rows:
                continue
            fill = FILL.get(table, {})
            full = [{**fill, **row} for row in rows]
            frame = pd.DataFrame(
                {name: [row.get(name) for row in full] for name in columns}, dtype=object
            )
            connection.register("rows_in", frame)
            casts = ", ".join(f"cast({name} as {kind})" for name, kind in columns.items())
            connection.execute(f"insert into {table} select {casts} from rows_in")
            connection.unregister("rows_in")
        if "int_barometer_cells" not in wanted:
            connection.execute(f"create table int_cell_decimals as {_model('int_cell_decimals')}")
        built: dict[str, pd.DataFrame] = {}
        for model in wanted:
            connection.execute(
                f"create table {model} as {statistics_model(model, variables=variables) if variables else _model(model)}"
            )
            if model in RESULTS:
                built[model] = connection.execute(f"select * from {model}").df()
        return built


ESTIMATES = (
    "int_standard_errors",
    "int_combined_authority_weights",
    "int_combined_authority_parts",
    "int_combined_authority_estimates",
)
