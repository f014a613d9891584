"""Every constraint in the contract of a mart refuses the fault that it names.

The tables are made from the contracts, in memory; dbt makes the real ones from the same YAML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import yaml

from tests.scratch import database
from warehouse.workspace import PROJECT


def _models() -> dict[str, list[dict[str, Any]]]:
    """Columns of every model that has a contract, by model."""
    return {
        model["name"]: model["columns"]
        for path in sorted((PROJECT / "dbt_project" / "models" / "marts").glob("*.yml"))
        for model in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader).get("models", [])
    }


MODELS = _models()


def _constraints() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for model, columns in MODELS.items():
        for column in columns:
            for constraint in column.get("constraints", []):
                yield model, column["name"], constraint


CONSTRAINTS = list(_constraints())


def _definition(column: dict[str, Any]) -> str:
    """The column with its constraints, as dbt-duckdb writes them."""
    rules = {"not_null": "not null", "primary_key": "primary key", "unique": "unique"}
    words = [
        f"check ({each['expression']})" if each["type"] == "check" else rules[each["type"]]
        for each in column.get("constraints", [])
    ]
    return " ".join([f'"{column["name"]}"', column["data_type"], *words])


def _refuses(model: str, column: str, value: object) -> str:
    """What DuckDB says when one row has this value in this column and the others are empty.

    The other columns lose their constraints, so that only this one can refuse the row.
    """
    columns = [
        each if each["name"] == column else {**each, "constraints": []} for each in MODELS[model]
    ]
    with database() as connection:
        connection.execute(f"create table planted ({', '.join(map(_definition, columns))})")
        with pytest.raises(duckdb.ConstraintException) as refusal:
            # Twice: a key refuses the second of two equal rows.
            connection.execute(f'insert into planted ("{column}") values (?), (?)', [value, value])
        return str(refusal.value)


def test_the_marts_have_constraints() -> None:
    assert {each["type"] for _, _, each in CONSTRAINTS} >= {"not_null", "primary_key", "check"}


@pytest.mark.parametrize(
    ("model", "column", "constraint"),
    CONSTRAINTS,
    ids=[f"{model}.{column} {each['type']}" for model, column, each in CONSTRAINTS],
)
def test_a_constraint_refuses_its_fault(
    model: str, column: str, constraint: dict[str, Any]
) -> None:
    kind = constraint["type"]
    if kind == "check":
        (data_type,) = (each["data_type"] for each in MODELS[model] if each["name"] == column)
        value = "no such value" if data_type == "varchar" else -1_000
        assert "CHECK" in _refuses(model, column, value)
    elif kind == "not_null":
        assert "NOT NULL" in _refuses(model, column, None)
    else:
        (data_type,) = (each["data_type"] for each in MODELS[model] if each["name"] == column)
        assert "uplicate key" in _refuses(model, column, "E1" if data_type == "varchar" else 1)
