"""SQL and numpy agree to 1e-9 on generated cases, macro by macro and through the models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof.dbt_sql import COMPARISONS, RANKS
from tests.scratch import database
from tests.statistics import engine, oracle

TOLERANCE = 1e-9
pytestmark = pytest.mark.slow

BATCH = settings(
    max_examples=settings().max_examples // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)

# A model takes longer to run than a macro.
MODELS = settings(BATCH, max_examples=settings().max_examples // 5)

percents = st.one_of(
    st.integers(0, 100).map(float),
    st.floats(0, 100, allow_nan=False),
    st.sampled_from([0.0, 100.0, 0.5, 99.5]),
)
errors = st.floats(0.01, 20)
shares = st.floats(0, 0.6)
scores = st.one_of(
    st.floats(-9, 9),
    st.sampled_from([0.0, oracle.Z, -oracle.Z, 1.64, -1.64, 2.33, 7.0710678, -8.0, 36.0, 40.0]),
)


@st.composite
def printed(draw: st.DrawFn) -> dict[str, Any]:
    """A percentage with limits as a publisher may print them, good or bad."""
    value = draw(percents)
    kind = draw(st.sampled_from(["around", "around", "whole", "none", "narrow", "zero", "wrong"]))
    lower: float | None
    upper: float | None
    if kind == "none":
        lower = upper = None
    elif kind == "zero":
        lower = upper = value
    elif kind == "wrong":
        lower, upper = value + draw(st.floats(0.1, 5)), value + 6
    else:
        wide = 0.4 if kind == "narrow" else 9.0
        lower = max(0.0, value - draw(st.floats(0, wide)))
        upper = min(100.0, value + draw(st.floats(0, wide)))
        if kind == "whole":
            value = float(round(value))
            lower, upper = min(float(round(lower)), value), max(float(round(upper)), value)
    base = draw(st.one_of(st.none(), st.integers(1, 200_000).map(float)))
    return {"value": value, "lower_95": lower, "upper_95": upper, "base": base}


def agree(found: float | None, wanted: float | None) -> bool:
    """Equal to 1e-9, absolutely or relatively; nothing agrees with nothing."""
    if found is None or wanted is None:
        return found is None and wanted is None
    return math.isclose(found, wanted, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


@BATCH
@given(st.lists(printed(), min_size=1, max_size=40))
def test_standard_error(rows: list[dict[str, Any]]) -> None:
    found = engine.evaluate(
        rows, se="{{ se_from_interval('lower_95', 'upper_95', 'value', 'base') }}"
    )
    for row, result in zip(rows, found, strict=True):
        wanted = oracle.standard_error(row["value"], row["lower_95"], row["upper_95"], row["base"])
        assert agree(result["se"], wanted), row


@st.composite
def pairs(draw: st.DrawFn) -> dict[str, Any]:
    """Two percentages with errors and limits; the first may lie inside the second."""
    row: dict[str, Any] = {"share": draw(st.one_of(st.none(), st.floats(0.001, 0.6)))}
    for side in ("", "comparator_"):
        value, error = draw(percents), draw(st.floats(0.05, 6))
        row |= {f"{side}value": value, f"{side}se": error}
        row[f"{side}lower_95"] = max(value - 2 * error, 0.0)
        row[f"{side}upper_95"] = min(value + 2 * error, 100.0)
        row[f"{side}decimals"] = draw(st.sampled_from([None, 0, 1]))
    return row


def _figure(row: dict[str, Any], side: str = "") -> oracle.Figure:
    names = ("value", "se", "lower_95", "upper_95", "decimals")
    return oracle.Figure(*(row[f"{side}{name}"] for name in names))


@BATCH
@given(st.lists(pairs(), min_size=1, max_size=40), st.sampled_from(["percent", "score"]))
def test_difference(rows: list[dict[str, Any]], unit: str) -> None:
    columns = list(rows[0])
    kinds = ", ".join(f"{name} double" for name in columns)
    with database() as connection:
        connection.execute(f"create table figures (place integer, unit varchar, {kinds})")
        connection.executemany(
            f"insert into figures values ({', '.join('?' * (len(columns) + 2))})",
            [(at, unit, *row.values()) for at, row in enumerate(rows)],
        )
        connection.execute(
            "create table pairs as select *, share as share_of_comparator, "
            "null::double as share_in_area from figures"
        )
        connection.execute("alter table pairs drop column share")
        found = connection.execute(
            engine.render("select * from ({{ compared('pairs') }}) order by place")
        ).df()
    for row, result in zip(rows, found.to_dict("records"), strict=True):
        wanted = oracle.compared(_figure(row), _figure(row, "comparator_"), row["share"])
        if wanted is None:
            assert math.isnan(result["z"]), row
            continue
        if unit == "percent":
            assert agree(result["z"], wanted.z), row
            assert agree(result["sampling_z"], wanted.sampling_z), row
            assert agree(result["difference_se"], wanted.difference_se), row
        else:
            # On any other unit the test is that of the two-by-two covariance matrix.
            difference = row["value"] - row["comparator_value"]
            assert agree(result["sampling_z"], oracle.part_whole_z(row)), row
            assert agree(result["difference"], difference)
        half = oracle.Z * result["difference_se"]
        excludes_zero = abs(result["difference"]) > half
        if abs(abs(result["z"]) - oracle.Z) > 1e-6:
            assert excludes_zero == (abs(result["z"]) > oracle.Z), row


@BATCH
@given(st.lists(scores, min_size=1, max_size=60))
def test_p_value_and_verdict(cases: list[float]) -> None:
    found = engine.evaluate(
        [{"z": z} for z in cases],
        p="{{ two_sided_p('z') }}",
        outcome="{{ comparison_outcome('z', \"'none'\") }}",
        close="{{ close_call('z') }}",
    )
    for z, result in zip(cases, found, strict=True):
        assert agree(result["p"], oracle.two_sided_p(z)), z
        assert result["outcome"] == oracle.outcome(z, None)
        assert result["close"] == (1.64 < abs(z) < 2.33)


@BATCH
@given(
    st.lists(st.floats(1e-12, 1), min_size=1, max_size=40),
    st.lists(st.none(), max_size=3),
)
def test_benjamini_hochberg(p_values: list[float], missing: list[None]) -> None:
    # Repeated values, so that ties are among the cases.
    cases = p_values + p_values[:2]
    with database() as connection:
        connection.execute("create table tests (place integer, p double, family varchar)")
        connection.executemany(
            "insert into tests values (?, ?, 'page')",
            [(at, p) for at, p in enumerate([*cases, *missing])],
        )
        rows = connection.execute(
            engine.render(
                "select place, bh_adjusted_p, bh_significant, bh_tests from ("
                "{{ benjamini_hochberg('tests', ['place'], 'p', ['family']) }}) order by place"
            )
        ).fetchall()
    wanted = oracle.benjamini_hochberg(np.array(cases))
    for (place, adjusted, significant, tests), expected in zip(rows, wanted, strict=False):
        assert agree(adjusted, float(expected)), (place, cases)
        assert significant == (adjusted <= 0.05)
        assert tests == len(cases)
    for _, adjusted, significant, _ in rows[len(cases) :]:
        assert adjusted is None
        assert significant is False


@BATCH
@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=60), st.integers(0, 3))
def test_rounding(cases: list[float], decimals: int) -> None:
    found = engine.evaluate(
        [{"x": x} for x in cases], shown=f"{{{{ round_half_up('x', {decimals}) }}}}"
    )
    for x, result in zip(cases, found, strict=True):
        # Ties of the ninth decimal of a binary number are nobody's figure.
        assert result["shown"] == pytest.approx(oracle.half_up(x, decimals), abs=1e-9), x


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Authorities with populations and good figures, in combined authorities of one to seven."""
    rows = []
    for parent in range(draw(st.integers(1, 4))):
        for member in range(draw(st.integers(1, 7))):
            value = draw(st.integers(1, 99))
            lower = value - draw(st.integers(1, 6))
            upper = value + draw(st.integers(1, 6))
            rows.append(
                {
                    "parent": f"P{parent}",
                    "code": f"A{parent}{member}",
                    "value": float(value),
                    "lower_95": float(max(lower, 0)),
                    "upper_95": float(min(upper, 100)),
                    "population": draw(st.integers(20_000, 900_000)),
                }
            )
    return rows


def _inputs(world: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    members = [
        {
            "vintage": 2025,
            "kind": "combined_authority",
            "parent_code": r["parent"],
            "member_code": r["code"],
        }
        for r in world
    ]
    nation = [{**m, "kind": "nation", "parent_code": "E92000001"} for m in members]
    return {
        "int_published_figures": [
            {
                "area_code": r["code"],
                "area_name": r["code"],
                "value": r["value"],
                "lower_95": r["lower_95"],
                "upper_95": r["upper_95"],
                "provenance_id": r["code"],
            }
            for r in world
        ],
        "int_area_memberships": members + nation,
        "int_populations_16_plus": [
            {"vintage": 2023, "area_code": r["code"], "population_16_plus": r["population"]}
            for r in world
        ],
        "areas": [
            {"area_code": parent, "area_name": parent, "area_level": "cauth"}
            for parent in sorted({r["parent"] for r in world})
        ],
    }


@MODELS
@given(worlds())
def test_combined_authority_model(world: list[dict[str, Any]]) -> None:
    built = engine.run_models(engine.ESTIMATES, _inputs(world))
    estimates = built["int_combined_authority_estimates"].set_index("area_code")
    for parent in sorted({r["parent"] for r in world}):
        members = [r for r in world if r["parent"] == parent]
        population = np.array([float(r["population"]) for r in members])
        weights = population / population.sum()
        values = np.array([r["value"] for r in members])
        lower = np.array([r["lower_95"] for r in members])
        upper = np.array([r["upper_95"] for r in members])
        value, se = oracle.combined(weights, values, (upper - lower) / (2 * oracle.Z))
        low, high = oracle.mover(weights, values, lower, upper)
        row = estimates.loc[parent]
        assert agree(row["value"], value)
        assert agree(row["se"], se)
        assert agree(row["mover_lower"], max(low, 0.0))
        assert agree(row["mover_upper"], min(high, 100.0))
        assert agree(row["normal_lower"], max(value - oracle.Z * se, 0.0))
        assert 0 <= row["lower_95"] <= row["value"] <= row["upper_95"] <= 100
        assert row["interval_method"] == (
            "mover" if len(members) == 1 or value < 15 or value > 85 else "normal"
        )
        if len(members) == 1:
            assert agree(row["lower_95"], float(lower[0]))
            assert agree(row["upper_95"], float(upper[0]))


@MODELS
@given(worlds(), st.integers(200, 800).map(lambda tenths: tenths / 10), st.floats(0.1, 0.5))
def test_comparison_and_rank_models(
    world: list[dict[str, Any]], england: float, england_se: float
) -> None:
    inputs = _inputs(world)
    cells = [
        {
            **{key: r[key] for key in ("value", "lower_95", "upper_95")},
            "area_code": r["code"],
            "area_name": r["code"],
            "se": (r["upper_95"] - r["lower_95"]) / (2 * oracle.Z),
        }
        for r in world
    ]
    nation = {
        "area_code": "E92000001",
        "area_name": "England",
        "area_level": "nation",
        "value": england,
        "se": england_se,
    }
    inputs["int_barometer_cells"] = [*cells, nation]
    built = engine.run_models((*COMPARISONS, *RANKS), inputs)
    comparisons = built["int_comparisons"]
    against = comparisons[comparisons["comparator_kind"] == "england"].set_index("area_code")
    total = sum(r["population"] for r in world)
    # Authorities are whole numbers; England's value sets the decimals of the column.
    decimals = oracle.decimals_of(np.array([cell["value"] for cell in cells] + [england]))
    for row, cell in zip(world, cells, strict=True):
        found = against.loc[row["code"]]
        share = row["population"] / total
        assert agree(found["part_whole_share"], share)
        # An area that is all of England is nothing to compare with England.
        if len(world) == 1:
            assert found["outcome"] == "cannot_say"
            assert found["reason_code"] == "same_area"
            continue
        area = oracle.Figure(
            cell["value"], cell["se"], cell["lower_95"], cell["upper_95"], decimals
        )
        wanted = oracle.compared(area, oracle.Figure(england, england_se, decimals=decimals), share)
        if wanted is None:
            assert found["reason_code"] == "intervals_disagree"
            continue
        if wanted.rounding > wanted.sampling:
            assert found["reason_code"] == "printed_too_coarsely"
            assert found["outcome"] == "cannot_say"
            continue
        assert found["outcome"] == oracle.outcome(wanted.z, "high_good")
        assert agree(found["z"], wanted.z)
        assert agree(found["sampling_z"], wanted.sampling_z)
        assert found["close_call"] == oracle.close(wanted.z, wanted.sampling_z)
        half = oracle.Z * wanted.difference_se
        assert agree(found["difference_upper_95"], cell["value"] - england + half)
    tested = against[against["p_value"].notna()]
    for _, family in tested.groupby("test_family"):
        wanted = oracle.benjamini_hochberg(family["p_value"].to_numpy(dtype=float))
        assert np.allclose(
            family["family_adjusted_p"].to_numpy(dtype=float), wanted, atol=TOLERANCE
        )

    for side, pick in (("best_peer", max), ("worst_peer", min)):
        peers = comparisons[comparisons["comparator_kind"] == side].set_index("area_code")
        for row in world:
            others = [r["value"] for r in world if r["parent"] == row["parent"] and r is not row]
            if not others:
                assert row["code"] not in peers.index
                continue
            found = peers.loc[row["code"]]
            assert found["comparator_value"] == pick(others)
            assert found["comparator_ties"] == others.count(pick(others))
            assert found["comparator_code"] != row["code"]

    ranks = built["int_ranks"]
    among_all = ranks[ranks["rank_group"] == "local_authorities_of_england"].set_index("area_code")
    figures = [
        oracle.Figure(cell["value"], cell["se"], cell["lower_95"], cell["upper_95"], decimals)
        for cell in cells
    ]
    for at, row in enumerate(world):
        found = among_all.loc[row["code"]]
        assert (found["rank"], found["rank_best"], found["rank_worst"]) == oracle.rank_range(
            figures, at
        )
        assert found["rank_best"] <= found["rank"] <= found["rank_worst"]


@st.composite
def two_editions(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Areas with a figure in each of two editions; a whole edition is whole numbers or is not."""
    whole = [draw(st.booleans()), draw(st.booleans())]
    rows = []
    for at in range(draw(st.integers(1, 12))):
        for edition, is_whole in zip(("1", "2"), whole, strict=True):
            value = draw(st.floats(1, 99))
            rows.append(
                {
                    "area_code": f"A{at}",
                    "area_name": f"A{at}",
                    "edition": edition,
                    "period_end": f"202{edition}-03-31",
                    "value": float(round(value)) if is_whole else value,
                    "se": draw(st.floats(0.05, 5)),
                    "base": draw(st.sampled_from([None, 12, 30, 550])),
                    "polarity": draw(st.sampled_from(["high_good", "low_good", "none"])),
                }
            )
    return rows


CHANGES = ("int_change_pairs", "int_change_grades", "int_changes")


@MODELS
@given(two_editions())
def test_change_model(rows: list[dict[str, Any]]) -> None:
    dataset = "dcms_community_life"
    editions = [
        {"dataset": dataset, "edition": "1", "edition_order": 1, "is_baseline": True},
        {"dataset": dataset, "edition": "2", "edition_order": 2},
    ]
    built = engine.run_models(CHANGES, {"int_barometer_cells": rows, "int_editions": editions})[
        "int_changes"
    ]
    consecutive = built[built["change_kind"] == "consecutive"].set_index("area_code")
    sides = [[r for r in rows if r["edition"] == edition] for edition in ("1", "2")]
    decimals = [oracle.decimals_of(np.array([r["value"] for r in side])) for side in sides]
    assert len(consecutive) == len(sides[0])
    for earlier, later in zip(*sides, strict=True):
        found = consecutive.loc[later["area_code"]]
        wanted_test = oracle.compared(
            oracle.Figure(later["value"], later["se"], decimals=decimals[1]),
            oracle.Figure(earlier["value"], earlier["se"], decimals=decimals[0]),
        )
        assert wanted_test is not None
        if any(r["base"] is not None and r["base"] < 30 for r in (earlier, later)):
            assert found["reason_code"] == "base_too_small"
            assert found["outcome"] == "cannot_say"
            continue
        if wanted_test.rounding > wanted_test.sampling:
            assert found["reason_code"] == "printed_too_coarsely"
            assert found["outcome"] == "cannot_say"
            continue
        change = later["value"] - earlier["value"]
        z, sampling_z = wanted_test.z, wanted_test.sampling_z
        assert agree(found["z"], z)
        assert agree(found["sampling_z"], sampling_z)
        assert agree(found["p_value"], oracle.two_sided_p(z))
        assert found["outcome"] == oracle.outcome(z, later["polarity"])
        assert found["close_call"] == oracle.close(z, sampling_z)
        least = oracle.least_change(
            earlier["se"], later["se"], math.sqrt(oracle.rounding(*decimals))
        )
        assert agree(found["minimum_detectable_change"], least)
        error = wanted_test.difference_se
        assert agree(found["change_lower_95"], change - oracle.Z * error)
        assert agree(found["change_upper_95"], change + oracle.Z * error)
    tested = consecutive[consecutive["p_value"].notna()]
    for _, family in tested.groupby(["area_code", "series"], dropna=False):
        wanted = oracle.benjamini_hochberg(family["p_value"].to_numpy(dtype=float))
        assert np.allclose(family["bh_adjusted_p"].to_numpy(dtype=float), wanted, atol=TOLERANCE)
