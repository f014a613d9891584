"""A published warehouse of eight areas and three indicators, with the columns of the contracts.

Tables are made from the contracts in ``dbt_project``, so that a page that reads a column which no
mart has fails here. Every figure is made up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from warehouse.meta import SEALED_TABLES
from warehouse.workspace import DBT_PROJECT

ENGLAND, REGION, LEAD, OTHER = "E92000001", "E12000005", "E47000007", "E47000001"
MEMBERS = ("E08000030", "E08000031")
OUTSIDE = "E06000001"
ENDED, REPLACED_BY = "E08000016", "E08000038"
FRAMEWORK = "inclusive_communities"
LAST = date(2024, 3, 31)

AREAS = (
    (ENGLAND, "England", "nation", None),
    (REGION, "West Midlands", "itl1", None),
    (LEAD, "West Midlands", "cauth", None),
    (OTHER, "Greater <Manchester>", "cauth", None),
    (MEMBERS[0], "Walsall", "lad", LEAD),
    (MEMBERS[1], "Wolverhampton", "lad", LEAD),
    (OUTSIDE, "Hartlepool", "lad", None),
    (REPLACED_BY, "Barnsley", "lad", OTHER),
)


@cache
def _contracts() -> Mapping[str, Mapping[str, str]]:
    """Columns of each table and their types: from dbt's YAML, or of what is written on sealing."""
    found: dict[str, Mapping[str, str]] = {}
    for path in sorted(DBT_PROJECT.rglob("*.yml")):
        declared = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}
        for model in (*(declared.get("models") or ()), *(declared.get("seeds") or ())):
            if isinstance(model, dict) and model.get("columns"):
                types = (model.get("config") or {}).get("column_types") or {}
                found[model["name"]] = {
                    column["name"]: str(
                        column.get("data_type") or types.get(column["name"], "varchar").split()[0]
                    )
                    for column in model["columns"]
                }
    for name, (columns, *_) in SEALED_TABLES.items():
        found[name] = {column: kind for column, (kind, _) in columns.items()}
    return found


def table(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    name: str,
    rows: Sequence[Mapping[str, Any]] = (),
) -> None:
    """A table with the columns of its contract; what a row does not give is null."""
    columns = _contracts()[name]
    unknown = {key for row in rows for key in row} - set(columns)
    assert not unknown, f"{schema}.{name} has no {unknown}"
    described = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    connection.execute(f"create table {schema}.{name} ({described})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        connection.executemany(
            f"insert into {schema}.{name} values ({marks})",
            [[row.get(column) for column in columns] for row in rows],
        )


def indicator(name: str, unit: str = "percent", **more: Any) -> dict[str, Any]:
    return {
        "indicator_id": name,
        "title": f"Title of {name}",
        "short_title": f"Short {name}",
        "statement": f"do {name}",
        "unit": unit,
        "polarity": "high_good",
        "dataset": "dcms_survey" if unit == "percent" else "smc_index",
        "definition": f"Share of adults who do {name}",
        **more,
    }


def cell(name: str, area: str, value: float | None, **more: Any) -> dict[str, Any]:
    label = next(words for code, words, *_ in AREAS if code == area)
    level = next(kind for code, _, kind, _ in AREAS if code == area)
    held = value is not None
    return {
        "framework": FRAMEWORK,
        "goal_id": "connected",
        "barometer_id": name,
        "role": "key",
        "title": f"Title of {name}",
        "area_code": area,
        "area_name": label,
        "area_level": level,
        "dataset": "dcms_survey",
        "edition": "2023-24",
        "edition_title": "Survey 2023/24",
        "is_baseline": True,
        "is_latest": True,
        "period_start": date(2023, 10, 1),
        "period_end": LAST,
        "unit": "percent",
        "value": value,
        "lower_95": value - 3 if held else None,
        "upper_95": value + 3 if held else None,
        "status": "published" if held else "not_held",
        "status_reason": None if held else "Hand the file in: pulse land dcms_survey 2023-24 FILE",
        "origin": "publisher" if held else None,
        "outcome": "worse" if held and area != ENGLAND else "cannot_say",
        "close_call": False,
        "survives_family": held,
        "minimum_detectable_change": 8.5 if held else None,
        "sentence": f"In {label}, {value:.0f}% of adults do {name} (Survey 2023/24)."
        if held
        else f"No figure can be given for {label}.",
        "provenance_id": f"p-{name}-{area}" if held else None,
        **more,
    }


def cells() -> list[dict[str, Any]]:
    rows = [
        cell("trust", code, value)
        for code, value in (
            (ENGLAND, 41.0),
            (REGION, 36.0),
            (LEAD, 30.4),
            (OTHER, 38.0),
            (MEMBERS[0], 26.5),
            (MEMBERS[1], 22.0),
            (OUTSIDE, 47.0),
            (REPLACED_BY, 40.0),
        )
    ]
    rows[2] |= {"mark": "[e]", "origin": "derived"}
    rows[5] |= {"close_call": True}
    rows[6] |= {"outcome": "better", "survives_family": False}
    rows += [cell("chat", code, None) for code, *_ in AREAS if code != ENGLAND]
    rows.append(cell("chat", ENGLAND, 69.4, mark="[quoted]", origin="reported"))
    index = {
        "dataset": "smc_index",
        "edition": "2025",
        "edition_title": "State of the Nation 2025",
        "unit": "z_score",
        "lower_95": None,
        "upper_95": None,
        "outcome": "cannot_say",
        "minimum_detectable_change": None,
    }
    rows += [
        cell("prospects", code, value, group_number=group, group_label=label, **index)
        for code, value, group, label in (
            (MEMBERS[0], -0.7, 3, "Lower Middling"),
            (MEMBERS[1], -0.3, 4, "Middling"),
        )
    ]
    return rows


def community(connection: duckdb.DuckDBPyConnection) -> None:
    """An initiative, what was said there, and two outcomes, one of them without evidence."""
    entry = {
        "area_code": MEMBERS[0],
        "area_name": "Walsall",
        "goals": "connected",
        "target_groups": "residents",
        "target_group_titles": "Residents in general",
        "source": "A <report>, 2026",
    }
    garden = entry | {
        "initiative_id": "garden",
        "name": "The garden",
        "period": "2026",
        "partners": "A centre",
        "aims": "To meet",
        "activities": "Digging",
    }
    said = entry | {
        "evidence_id": "said",
        "kind": "quotation",
        "title": "What was said",
        "summary": "Neighbours met <there>",
        "outcomes": "connected.do.1",
        "dated": "2026",
        "consent": "given",
        "is_fictional": False,
    }
    table(connection, "marts", "initiatives", [garden, garden | {"area_code": LEAD}])
    table(connection, "marts", "evidence", [said])
    outcomes = [
        {
            "outcome_id": f"connected.do.{number}",
            "goal_id": "connected",
            "kind": "do",
            "outcome_order": number,
            "outcome": f"Outcome {number}",
            "items": 2 - number,
            "evidence_ids": ids,
            "sentence": words,
        }
        for number, ids, words in ((1, "said", "What was said"), (2, None, "none yet"))
    ]
    table(connection, "marts", "outcome_evidence", outcomes)
    worse = {
        "framework": FRAMEWORK,
        "goal_id": "connected",
        "barometer_id": "trust",
        "area_code": MEMBERS[0],
        "is_worse_than_england": True,
        "has_got_worse": False,
        "sentence": "In Walsall, 26% of adults do trust (Survey 2023/24).",
    }
    table(connection, "marts", "pathways", [worse])
    prompt = {"title": "Understand", "prompt": "Analyse communities", "citation": "The report"}
    table(connection, "reference", "pathway_prompts", [prompt])
    local = {
        "title": "Residents' survey",
        "organisation": "Walsall Council",
        "survey_area_code": MEMBERS[0],
        "area_code": MEMBERS[0],
        "area_name": "Walsall",
        "wording": "Can people be trusted?",
        "response": "Many",
        "barometer_id": "trust",
        "wording_is": "similar",
        "mode": "online",
        "weighting": "By age",
        "category": "all",
        "unit": "percent",
        "value": 33.3,
        "period_start": date(2024, 2, 1),
        "period_end": LAST,
        "national_value": 26.5,
        "national_series": "Survey",
        "national_edition": "2023-24",
        "reason": "The wording is not the same.",
        "source": "Results, 2024",
    }
    table(connection, "marts", "local_surveys", [local])


def groups() -> list[dict[str, Any]]:
    """A barometer of England by sex, where one figure is withheld, and a context figure of women."""
    shared = ("area_code", "area_name", "area_level", "edition_title", "period_end", "origin")
    known = {
        name: value
        for name, value in cell("trust", ENGLAND, 41.0).items()
        if name in (*shared, "dataset", "edition", "period_start", "unit", "title")
    }
    known |= {"is_latest": True, "breakdown": "sex", "status": "published"}
    women = {"category": "Female", "category_order": 1, "value": 43.2}
    limits = {"lower_95": 41.0, "upper_95": 45.4, "base": 1234}
    trust = {**known, "barometer_id": "trust", "subject": "trust"}
    work = {"barometer_id": "employment", "subject": "work", "title": "Work"}
    return [
        {**trust, **women, **limits, "provenance_id": "p-trust-women"},
        {**trust, "category": "Male", "category_order": 2, "status": "suppressed"},
        *(
            {**known, **work, **women, "unit": "years", "area_code": code}
            for code in (REGION, LEAD)
        ),
    ]


def context(connection: duckdb.DuckDBPyConnection) -> None:
    """A context indicator with a figure, its trend, and the register of what the report lists."""
    row = cell("trust", MEMBERS[0], 30.25) | {
        "barometer_id": "employment",
        "role": "context",
        "sentence": "In Walsall, 30.3% do employment.",
        "comparator_value": 41.0,
    }
    england = row | {"area_code": ENGLAND, "value": 41.0, "sentence": None}
    older = row | {"area_code": MEMBERS[1], "value": 20.0, "edition": "2022-23"}
    table(connection, "marts", "context", [row, england, older])
    trend = {"barometer_id": "employment", "area_code": MEMBERS[0], "trend": "increasing"}
    table(connection, "marts", "trends", [trend])
    table(
        connection,
        "reference",
        "secondary_data",
        [
            {
                "goal_id": "connected",
                "data_set": "A survey of work",
                "publisher": "An office",
                "state": "landed",
                "indicator_ids": "employment trust",
            }
        ],
    )


def build(path: Path, *, made_up: bool = False) -> Path:
    """Write the warehouse to ``path``."""
    path.write_bytes(_content(made_up))
    return path


@cache
def _content(made_up: bool) -> bytes:
    """The bytes of the warehouse, made once."""
    with tempfile.TemporaryDirectory() as folder:
        return _write(Path(folder) / "pulse.duckdb", made_up).read_bytes()


def _write(path: Path, made_up: bool) -> Path:
    with duckdb.connect(str(path)) as connection:
        for schema in ("marts", "meta", "reference"):
            connection.execute(f"create schema {schema}")
        rows = [row | ({"origin": "synthetic"} if made_up else {}) for row in cells()]
        names = ("trust", "chat", "prospects")
        table(
            connection,
            "reference",
            "areas",
            [
                {"area_code": code, "area_name": name, "area_level": level, "current_code": code}
                | ({"region_code": REGION} if level == "lad" or code == LEAD else {})
                for code, name, level, _ in AREAS
            ]
            + [
                {
                    "area_code": ENDED,
                    "area_name": "Barnsley",
                    "area_level": "lad",
                    "current_code": REPLACED_BY,
                    "valid_to": 2025,
                }
            ],
        )
        table(
            connection,
            "reference",
            "indicators",
            [
                indicator("trust", caution="Many, not some."),
                indicator("chat"),
                indicator("prospects", "z_score"),
                indicator("employment", dataset="ons", decimals=1),
            ],
        )
        table(
            connection,
            "reference",
            "framework_indicators",
            [
                {
                    "framework": FRAMEWORK,
                    "goal_id": "connected",
                    "indicator_id": name,
                    "role": "key" if name == "trust" else "supporting",
                    "indicator_order": number,
                }
                for number, name in enumerate(names, start=1)
            ]
            + [
                {
                    "framework": FRAMEWORK,
                    "goal_id": "connected",
                    "indicator_id": "employment",
                    "role": "context",
                    "indicator_order": 11,
                }
            ],
        )
        table(
            connection,
            "reference",
            "goals",
            [
                {
                    "framework": FRAMEWORK,
                    "goal_id": "connected",
                    "goal_order": 1,
                    "title": "A connected region",
                    "concept": "Social capital",
                    "definition": "Ties between people",
                    "for_residents": "It is easy to meet",
                }
            ],
        )
        table(
            connection,
            "reference",
            "area_groups",
            [
                {
                    "parent_code": LEAD,
                    "member_code": OUTSIDE,
                    "kind": "wmca_non_constituent",
                }
            ],
        )
        community(connection)
        table(connection, "reference", "small_areas", [])
        context(connection)
        table(connection, "reference", "series_breaks", [])
        table(connection, "marts", "barometers", rows)
        table(connection, "marts", "breakdowns", groups())
        table(
            connection,
            "marts",
            "authority_profiles",
            [
                {"area_code": code, "area_name": name, "combined_authority_code": parent}
                for code, name, level, parent in AREAS
                if level == "lad"
            ],
        )
        table(
            connection,
            "marts",
            "comparisons",
            [
                {
                    "barometer_id": "trust",
                    "area_code": MEMBERS[0],
                    "edition": "2023-24",
                    "period_end": LAST,
                    "role": "key",
                    "comparator_kind": "region",
                    "comparator_code": REGION,
                    "comparator_name": "West Midlands",
                    "outcome": "worse",
                    "sentence": "Walsall is below its region.",
                },
                {
                    "barometer_id": "trust",
                    "area_code": MEMBERS[0],
                    "edition": "2023-24",
                    "period_end": LAST,
                    "role": "key",
                    "comparator_kind": "similar_areas",
                    "comparator_name": "5 similar areas",
                    "comparator_value": 33.0,
                    "comparator_lowest": 31.0,
                    "comparator_highest": 38.0,
                    "outcome": "cannot_say",
                },
            ],
        )
        table(
            connection,
            "marts",
            "changes",
            [
                {
                    "barometer_id": "trust",
                    "area_code": LEAD,
                    "role": "key",
                    "change_kind": "consecutive",
                    "from_edition": "2022-23",
                    "to_edition": "2023-24",
                    "from_period_end": date(2023, 3, 31),
                    "to_period_end": LAST,
                    "outcome": "similar",
                    "close_call": False,
                    "grade": "caution",
                    "grade_reason": "The questionnaire changed.",
                    "sentence": "No change was found, with caution.",
                }
            ],
        )
        table(
            connection,
            "marts",
            "group_counts",
            [
                {
                    "barometer_id": "prospects",
                    "area_code": LEAD,
                    "edition": "2025",
                    "period_end": LAST,
                    "group_number": number,
                    "group_label": label,
                    "groups_in_edition": 7,
                    "areas": 1,
                }
                for number, label in ((3, "Lower Middling"), (4, "Middling"))
            ],
        )
        table(
            connection,
            "marts",
            "combined_authorities",
            [
                {
                    "barometer_id": "trust",
                    "title": "Title of trust",
                    "area_code": code,
                    "area_name": name,
                    "edition": "2023-24",
                    "is_latest": True,
                    "our_estimate": 30.41,
                    "our_lower_95": 28.2,
                    "our_upper_95": 32.6,
                    "our_estimate_at_census_shares": weighed,
                    "method": method,
                }
                for code, name, weighed, method in (
                    (LEAD, "West Midlands", 30.57, "population_weighted_v1"),
                    (OTHER, "Greater Manchester", 30.45, "published"),
                )
            ],
        )
        table(
            connection,
            "marts",
            "report_reconciliation",
            [
                {
                    "claim_id": "RC01",
                    "barometer_id": "trust",
                    "area_code": LEAD,
                    "area_name": "WMCA",
                    "statistic": "value",
                    "claimed_value": "37",
                    "our_value": "30",
                    "verdict": "differs",
                    "explanation": "Pulse has 30%.",
                }
            ],
        )
        table(
            connection,
            "marts",
            "provenance",
            [
                {
                    "provenance_id": row["provenance_id"],
                    "part": "figure",
                    "dataset": row["dataset"],
                    "edition": row["edition"],
                    "area_code": row["area_code"],
                    "value": row["value"],
                    "file_name": "tables.xlsx",
                    "sheet": "B4c",
                    "row_number": 9,
                    "column_letter": "C",
                }
                for row in [*rows, *groups()]
                if row.get("provenance_id")
            ],
        )
        table(
            connection,
            "marts",
            "pulse",
            [
                {
                    "goal_id": "connected",
                    "goal_order": 1,
                    "barometer_id": "trust",
                    "area_code": LEAD,
                    "area_name": "West Midlands",
                    "sentence": rows[2]["sentence"],
                }
            ],
        )
        table(
            connection,
            "meta",
            "datasets",
            [
                {
                    "dataset": name,
                    "title": f"Title of {name}",
                    "publisher": "Publisher",
                    "landing_page": "https://www.gov.uk/",
                    "next_release_on": date(2025, 12, 1),
                }
                for name in ("dcms_survey", "smc_index")
            ],
        )
        table(
            connection,
            "meta",
            "editions",
            [
                {
                    "dataset": name,
                    "edition": edition,
                    "dataset_title": f"Title of {name}",
                    "edition_title": f"{name} {edition}",
                    "publisher": "Publisher",
                    "landing_page": "https://www.gov.uk/",
                    "licence": "Open Government Licence v3.0",
                    "attribution": f"Source: {name} {edition}, OGL v3.0",
                    "state": "accepted",
                    "origin": "publisher",
                    "figures": 8,
                    "published_on": date(2024, 12, 4),
                }
                for name, edition in (("dcms_survey", "2023-24"), ("smc_index", "2025"))
            ],
        )
        table(
            connection,
            "meta",
            "releases",
            [
                {
                    "release": 3,
                    "made_at": datetime(2026, 5, 2, 9, 0, tzinfo=UTC),
                    "code_version": "abc",
                }
            ],
        )
        for name in ("checks", "gap_reasons", "revisions", "changed_figures"):
            table(connection, "meta", name, [])
    return path
