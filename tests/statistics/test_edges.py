"""The corners: ceilings, suppression, small bases, code changes, counties, one-member authorities."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.proof.dbt_sql import (
    COMPARISONS,
    DBT_PROJECT,
    MACROS,
    RANKS,
    RenderError,
    render,
    statistics_model,
)
from tests.scratch import database
from tests.statistics import engine, oracle

METHODS = Path(__file__).resolve().parents[2] / "docs" / "methods.md"


CHANGES = ("int_change_pairs", "int_change_grades", "int_changes")


def figure(code: str, value: float | None, half: float = 3.0, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "area_code": code,
        "area_name": code,
        "value": value,
        "provenance_id": code,
    }
    if value is not None:
        row |= {"lower_95": max(value - half, 0.0), "upper_95": min(value + half, 100.0)}
    return row | more


def member(parent: str, code: str, kind: str = "combined_authority") -> dict[str, Any]:
    return {"vintage": 2025, "kind": kind, "parent_code": parent, "member_code": code}


def people(*codes: str, vintage: int = 2023, number: int = 1000) -> list[dict[str, Any]]:
    return [{"vintage": vintage, "area_code": code, "population_16_plus": number} for code in codes]


def area(code: str, name: str, level: str = "cauth") -> dict[str, Any]:
    return {"area_code": code, "area_name": name, "area_level": level}


def estimate(inputs: dict[str, list[dict[str, Any]]], code: str) -> Any:
    built = engine.run_models(engine.ESTIMATES, inputs)["int_combined_authority_estimates"]
    rows = built[built["area_code"] == code]
    assert len(rows) == 1
    return rows.iloc[0]


def test_everyone_at_the_ceiling_stays_below_100_with_an_error() -> None:
    row = estimate(
        {
            "int_published_figures": [figure("A", 100.0), figure("B", 100.0)],
            "int_area_memberships": [member("P", "A"), member("P", "B")],
            "int_populations_16_plus": people("A", "B"),
        },
        "P",
    )
    assert row["value"] == 100.0
    assert row["upper_95"] == 100.0
    assert row["lower_95"] < 100.0
    assert row["se"] > 0
    assert row["interval_method"] == "mover"


def test_nobody_at_all_is_a_zero_and_not_a_gap() -> None:
    row = estimate(
        {
            "int_published_figures": [figure("A", 0.0), figure("B", 0.0)],
            "int_area_memberships": [member("P", "A"), member("P", "B")],
            "int_populations_16_plus": people("A", "B"),
        },
        "P",
    )
    assert row["value"] == 0.0
    assert row["lower_95"] == 0.0
    assert row["status"] == "published"


def test_a_suppressed_member_is_named_and_nothing_is_shown() -> None:
    row = estimate(
        {
            "int_published_figures": [
                figure("A", 40.0),
                figure("B", None, status="suppressed", status_symbol="[c]"),
                figure("C", None, status="not_available"),
            ],
            "int_area_memberships": [member("P", code) for code in "ABC"],
            "int_populations_16_plus": people("A", "B", "C"),
            "areas": [area("B", "Isles of Scilly", "lad")],
        },
        "P",
    )
    assert row["status"] == "suppressed"
    assert np.isnan(row["value"])
    assert np.isnan(row["unweighted_mean"])
    assert np.isnan(row["mover_upper"])
    assert "Isles of Scilly" in row["status_reason"]
    assert row["missing_members"] == "C, Isles of Scilly"


def test_a_county_is_made_of_its_districts() -> None:
    inputs = {
        "int_published_figures": [figure("D1", 20.0), figure("D2", 40.0), figure("U1", 60.0)],
        "int_area_memberships": [
            member("E10", "D1", "county"),
            member("E10", "D2", "county"),
            member("E47", "D1"),
            member("E47", "D2"),
            member("E47", "U1"),
        ],
        "int_populations_16_plus": people("D1", "D2") + people("U1", number=2000),
    }
    assert estimate(inputs, "E10")["value"] == pytest.approx(30.0)
    assert estimate(inputs, "E47")["value"] == pytest.approx(45.0)


def test_two_areas_of_one_name_are_two() -> None:
    inputs = {
        "int_published_figures": [figure("A", 20.0), figure("B", 40.0)],
        "int_area_memberships": [member("E47000010", "A"), member("E47000014", "B")],
        "int_populations_16_plus": people("A", "B"),
        "areas": [area("E47000010", "North East"), area("E47000014", "North East")],
    }
    assert estimate(inputs, "E47000010")["value"] == 20.0
    assert estimate(inputs, "E47000014")["value"] == 40.0


def test_an_index_is_never_averaged() -> None:
    built = engine.run_models(
        engine.ESTIMATES,
        {
            "int_published_figures": [
                figure("A", -0.4, unit="z_score", of_adults=False, lower_95=None, upper_95=None)
            ],
            "int_area_memberships": [member("P", "A")],
            "int_populations_16_plus": people("A"),
        },
    )
    assert built["int_combined_authority_estimates"].empty


def test_an_index_is_never_ranked() -> None:
    built = engine.run_models(
        RANKS,
        {
            "int_barometer_cells": [
                {"area_code": "A", "area_name": "A", "unit": "z_score", "value": 1.0, "se": 0.1}
            ],
            "int_area_memberships": [member("E92000001", "A", "nation")],
        },
    )
    assert built["int_ranks"].empty


def cells(*rows: tuple[str, str, float, float]) -> list[dict[str, Any]]:
    return [
        {"area_code": code, "area_name": code, "area_level": level, "value": value, "se": se}
        for code, level, value, se in rows
    ]


def compare(rows: list[dict[str, Any]], memberships: list[dict[str, Any]], *codes: str) -> Any:
    return engine.run_models(
        COMPARISONS,
        {
            "int_barometer_cells": rows,
            "int_area_memberships": memberships,
            "int_populations_16_plus": people(*codes),
        },
    )["int_comparisons"]


def test_an_authority_of_one_member_is_not_compared_with_itself() -> None:
    found = compare(
        cells(("A", "lad", 40, 2), ("E47000007", "cauth", 40, 2)), [member("E47000007", "A")], "A"
    )
    row = found[
        (found["area_code"] == "A") & (found["comparator_kind"] == "lead_combined_authority")
    ].iloc[0]
    assert (row["outcome"], row["reason_code"]) == ("cannot_say", "same_area")


def test_an_abolished_combined_authority_is_no_peer() -> None:
    found = compare(
        cells(
            ("E47000001", "cauth", 40, 1),
            ("E47000007", "cauth", 40, 1),
            ("E47000010", "cauth", 90, 1),
        ),
        [member("E47000001", "A"), member("E47000007", "B")],
        "A",
        "B",
    )
    assert "E47000010" not in set(found["area_code"]) | set(found["comparator_code"])


def test_a_larger_area_against_one_inside_it_has_the_same_variance() -> None:
    memberships = [member("E47000007", "A")] + [
        member("E12000005", code, "region") for code in ("A", "B")
    ]
    rows = cells(("E12000005", "itl1", 45, 1.5), ("E47000007", "cauth", 40, 2))
    for row in rows:
        row["region_code"] = "E12000005"
    found = compare(rows, memberships, "A", "B")
    forth = found[(found["area_code"] == "E47000007") & (found["comparator_kind"] == "region")]
    back = found[found["area_code"] == "E12000005"]
    back = back[back["comparator_kind"] == "lead_combined_authority"]
    assert forth["part_whole_share"].iloc[0] == back["part_whole_share"].iloc[0] == 0.5
    assert forth["z"].iloc[0] == pytest.approx(-back["z"].iloc[0])


def test_without_populations_a_part_is_judged_as_if_separate_and_says_so() -> None:
    found = compare(
        cells(("A", "lad", 40, 2), ("E92000001", "nation", 45, 0.5)),
        [member("E92000001", "A", "nation"), member("E92000001", "B", "nation")],
    )
    row = found[found["comparator_kind"] == "england"].iloc[0]
    assert row["is_part_whole"]
    assert not row["part_whole_applied"]
    wanted = oracle.compared(
        oracle.Figure(40, 2, decimals=0), oracle.Figure(45, 0.5, decimals=0), None
    )
    assert wanted is not None
    assert row["sampling_z"] == pytest.approx(wanted.sampling_z)
    assert row["z"] == pytest.approx(wanted.z)


def test_whole_numbers_cannot_separate_a_part_from_most_of_its_whole() -> None:
    memberships = [member("E47000007", "A"), member("E12000005", "A", "region")]
    memberships.append(member("E12000005", "B", "region"))
    rows = cells(("E47000007", "cauth", 24, 0.51), ("E12000005", "itl1", 23, 0.26))
    for row in rows:
        row["region_code"] = "E12000005"
    found = compare(rows, memberships, "A", "B")
    found = found[found["comparator_kind"] == "region"]
    assert set(found["reason_code"]) == {"printed_too_coarsely"}
    assert found["z"].isna().all()
    for row in rows:
        row["value"] += 0.1
    found = compare(rows, memberships, "A", "B")
    assert found[found["comparator_kind"] == "region"]["outcome"].iloc[0] == "better"


def test_a_break_of_one_area_leaves_the_others() -> None:
    rows = [
        {
            "area_code": code,
            "area_name": code,
            "edition": edition,
            "period_start": f"{int(end[:4]) - 1}-10-01",
            "period_end": end,
            "value": value,
            "se": 1.0,
        }
        for code in ("E08000038", "E08000016")
        for edition, end, value in (("1", "2024-03-31", 40.0), ("2", "2025-03-31", 45.0))
    ]
    built = engine.run_models(
        CHANGES,
        {
            "int_barometer_cells": rows,
            "int_editions": [
                {"dataset": "dcms_community_life", "edition": "1", "edition_order": 1},
                {
                    "dataset": "dcms_community_life",
                    "edition": "2",
                    "edition_order": 2,
                },
            ],
            "int_series_breaks": [
                {
                    "series": "dcms_community_life",
                    "from_edition": "1",
                    "to_edition": "2",
                    "from_order": 1,
                    "to_order": 2,
                    "area_code": "E08000038",
                    "kind": "geography",
                    "grade": "block",
                    "reason": "The boundary changed",
                }
            ],
        },
    )["int_changes"].set_index("area_code")
    assert built.loc["E08000038", "outcome"] == "cannot_say"
    assert built.loc["E08000038", "reason"] == "The boundary changed."
    assert np.isnan(built.loc["E08000038", "change"])
    assert built.loc["E08000016", "outcome"] == "better"
    least = built.loc["E08000016", "minimum_detectable_change"]
    assert least == pytest.approx((1.959963984540054 + 0.8416212335729143) * (2 + 1 / 6) ** 0.5)
    assert built.loc["E08000016", "grade"] == "caution"


@pytest.mark.parametrize(
    "between",
    [
        ("1", "2"),
        *(pytest.param(each, marks=pytest.mark.slow) for each in (("2", "3"), ("0", "2"))),
        ("2", "9"),
    ],
)
def test_a_break_anywhere_between_stops_the_baseline_comparison(between: tuple[str, str]) -> None:
    rows = [
        {
            "area_code": "A",
            "area_name": "A",
            "edition": edition,
            "period_end": f"202{edition}-03-31",
            "value": 40.0,
            "se": 1.0,
        }
        for edition in ("1", "2", "3")
    ]
    built = engine.run_models(
        CHANGES,
        {
            "int_barometer_cells": rows,
            "int_editions": [
                {
                    "dataset": "dcms_community_life",
                    "edition": edition,
                    "edition_order": int(edition),
                    "is_baseline": edition == "1",
                }
                for edition, previous in (("1", None), ("2", "1"), ("3", "2"))
            ],
            "int_series_breaks": [
                {
                    "series": "dcms_community_life",
                    "from_edition": between[0],
                    "to_edition": between[1],
                    "from_order": int(between[0]) if between[0] in "123" else None,
                    "to_order": int(between[1]) if between[1] in "123" else None,
                    "kind": "wording",
                    "grade": "block",
                    "reason": "The question changed",
                }
            ],
        },
    )["int_changes"]
    baseline = built[built["change_kind"] == "baseline_to_latest"].iloc[0]
    assert baseline["grade"] == "block"
    assert baseline["outcome"] == "cannot_say"


# What is computed is tested on small editions above.
@pytest.mark.slow
def test_a_full_edition_is_compared_in_seconds() -> None:
    """330 areas, 12 barometers, two editions. About a second and a half on two idle cores."""
    rng = np.random.default_rng(1)
    authorities = [f"A{number:03d}" for number in range(296)]
    parents = [f"E470000{number:02d}" for number in range(1, 16)]
    memberships = [member("E92000001", code, "nation") for code in authorities]
    memberships += [
        member(f"E1200000{1 + at % 9}", code, "region") for at, code in enumerate(authorities)
    ]
    memberships += [
        member(parents[at % 15], code) for at, code in enumerate(authorities) if at < 106
    ]
    places = [(code, "lad", f"E1200000{1 + at % 9}") for at, code in enumerate(authorities)]
    places += [(code, "cauth", None) for code in parents]
    places += [(f"E1200000{at}", "itl1", f"E1200000{at}") for at in range(1, 10)]
    places += [("E92000001", "nation", None)]
    rows = [
        {
            "barometer_id": f"b{barometer}",
            "goal_id": f"g{barometer % 3}",
            "edition": edition,
            "area_code": code,
            "area_name": code,
            "area_level": level,
            "region_code": region,
            "value": float(rng.integers(20, 80)),
            "se": 2.2,
        }
        for barometer in range(12)
        for edition in ("2023-24", "2024-25")
        for code, level, region in places
    ]
    started = time.perf_counter()
    built = engine.run_models(
        (*COMPARISONS, *RANKS),
        {
            "int_barometer_cells": rows,
            "int_area_memberships": memberships,
            "int_populations_16_plus": people(*authorities),
        },
    )
    elapsed = time.perf_counter() - started
    assert len(built["int_comparisons"]) > 20_000
    assert (built["int_comparisons"]["outcome"] != "cannot_say").mean() > 0.7
    # Generous for a busy machine; a join that multiplies would take minutes.
    assert elapsed < 30


def _anchors() -> set[str]:
    headings = re.findall(r"^#{2,3} (.+)$", METHODS.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_every_link_to_the_methods_page_arrives() -> None:
    anchors = _anchors()
    broken = []
    for path in [*DBT_PROJECT.rglob("*.yml"), *MACROS[0].glob("*.sql"), METHODS]:
        if "target" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        links = re.findall(r"methods\.md#([a-z0-9-]+)", text)
        if path == METHODS:
            links += re.findall(r"\]\(#([a-z0-9-]+)\)", text)
        broken += [f"{path.name}: {link}" for link in links if link not in anchors]
    assert broken == []


# What a mart carries as it came or names for what it is; every other column is computed.
CARRIED = re.compile(
    r"""
    (?:.+_)?(?:id|order|title|name|edition|origin|dataset|status|status_reason|group_label)
    | (?:.+_)?period_(?:start|end) | (?:.+_)?group_number | (?:.+_)?(?:area|region|authority)_code
    | rank_group_code | area_level | role | unit | polarity | base | method | revision | measure
    | is_baseline | is_latest | section | statistic | claimed_value | note
    | barometers | barometers_with_figure | index_groups_held | (?:.+_)?mark | sentence
    | comparator_(?:value|ties) | outcome_reason | framework | england_edition_title
    | (?:members_|change_)?sentence | initiatives
    # What a local survey says of itself, and which national series it is beside.
    | survey | organisation | response | wording(?:_\w+)? | (?:national_)?mode | weighting | breakdown
    | category | national_series | source(?:_url)? | file_sha256 | row_number | initiative_ids
    """,
    re.VERBOSE,
)


def test_every_computed_column_of_a_mart_leads_to_its_method() -> None:
    models = [
        model
        for path in sorted((DBT_PROJECT / "models" / "marts").glob("*.yml"))
        for model in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader).get("models", [])
    ]
    words = (DBT_PROJECT / "models" / "columns.md").read_text("utf-8")
    shared = re.findall(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", words, re.DOTALL)
    blocks = {f"{{{{ doc('{name}') }}}}": text for name, text in shared}
    silent = [
        f"{model['name']}.{column['name']}"
        for model in models
        # Provenance and registers are copied from the files as they are.
        if model["name"] not in ("provenance", "initiatives", "evidence", "outcome_evidence")
        for column in model["columns"]
        if "docs/methods.md#" not in blocks.get(column["description"], column["description"])
        and not CARRIED.fullmatch(column["name"])
    ]
    assert silent == []


def test_every_method_in_a_row_is_on_the_methods_page() -> None:
    page = METHODS.read_text(encoding="utf-8")
    models = (DBT_PROJECT / "models" / "intermediate").rglob("*.sql")
    named = {
        name
        for path in models
        for name in re.findall(r"'([a-z0-9_]+_v\d+)'", path.read_text(encoding="utf-8"))
    }
    assert named
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_every_macro_has_a_worked_example_and_a_description() -> None:
    described = (MACROS[0] / "_statistics.yml").read_text(encoding="utf-8")
    examples = {path.stem for path in (DBT_PROJECT / "tests" / "statistics").glob("assert_*.sql")}
    for path in MACROS[0].glob("*.sql"):
        assert f"- name: {path.stem}\n" in described, path.stem
        assert any(example.startswith(f"assert_{path.stem}") for example in examples), path.stem


@pytest.mark.parametrize(
    "path",
    sorted((DBT_PROJECT / "tests" / "statistics").glob("assert_*.sql")),
    ids=lambda path: path.stem,
)
def test_worked_example(path: Path) -> None:
    with database() as connection:
        assert connection.execute(render(path.read_text(encoding="utf-8"))).fetchall() == []


def test_an_unknown_model_or_variable_is_refused_by_name() -> None:
    with pytest.raises(RenderError, match="int_standard_errors"):
        statistics_model("int_nothing")
    with pytest.raises(RenderError, match="no_such_thing"):
        render("{{ var('no_such_thing') }}")
