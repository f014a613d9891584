"""The statistics, proved on published figures and by simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

import sources
from tests.proof.dbt_sql import COMPARISONS, DBT_PROJECT, render, statistics_model

SEEDS = DBT_PROJECT / "seeds"
BUNDLED = Path(sources.__file__).resolve().parent / "bundled"

LEAD_AREA = "E47000007"
ENGLAND = "E92000001"
DRAWS = 40_000
SEED = 20_240_331
# Share of England's population 16+, mid-2020.
LEAD_SHARE_OF_ENGLAND = 0.0506
DESIGN_EFFECT = 1.65
Z_95 = 1.959963984540054
# Interviews in the seven authorities: about 550 each, as unequal as the boosted samples are.
BASES = (640, 560, 540, 520, 500, 545, 555)
ENGLAND_BASE = 172_000


Array = npt.NDArray[Any]
# Value, lower and upper limit of as many figures as the arrays are long.
Figures = tuple[Array, Array, Array]


@dataclass(frozen=True)
class Line:
    """One line of the proof: what was found, what must hold, and whether it does.

    Attributes:
        holds: None where the line only informs.
    """

    section: str
    what: str
    found: str
    wanted: str = ""
    holds: bool | None = None


def _within(
    section: str, what: str, found: float, lowest: float, highest: float, *, places: int = 2
) -> Line:
    return Line(
        section,
        what,
        f"{found:.{places}f}",
        f"{lowest:.{places}f} to {highest:.{places}f}",
        bool(lowest <= found <= highest),
    )


def _near(section: str, what: str, found: float, wanted: float, tolerance: float = 0.005) -> Line:
    places = max(2, round(-np.log10(tolerance)))
    return Line(
        section,
        what,
        f"{found:.{places}f}",
        f"{wanted:.{places}f}",
        bool(abs(found - wanted) <= tolerance),
    )


@contextmanager
def published_figures() -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database with the bundled Participation Survey figures and our models on them.

    It holds the input tables of the statistics models (weights are the mid-2020 populations, as
    printed) and int_standard_errors, int_combined_authority_parts, _estimates and _checks,
    int_barometer_cells, int_comparisons and int_ranks. The two combined authorities abolished in
    2024 stand beside those of 2025, because the survey published figures for them.
    """
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
    try:
        _load_inputs(connection)
        for model in (
            "int_standard_errors",
            "int_combined_authority_parts",
            "int_combined_authority_estimates",
            "int_combined_authority_checks",
        ):
            connection.execute(f"create table {model} as {statistics_model(model)}")
        connection.execute(_CELLS)
        for model in (*COMPARISONS, "int_ranks"):
            connection.execute(f"create table {model} as {statistics_model(model)}")
        yield connection
    finally:
        connection.close()


def _table(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    connection.register("frame_in", frame)
    connection.execute(f"create table {name} as select * from frame_in")
    connection.unregister("frame_in")


def _seed(name: str) -> pd.DataFrame:
    return pd.read_csv(SEEDS / f"{name}.csv", dtype="string", keep_default_na=False, na_values=[""])


def _load_inputs(connection: duckdb.DuckDBPyConnection) -> None:
    _table(connection, "areas", _seed("areas"))
    _table(connection, "area_groups", _seed("area_groups"))
    _table(connection, "barometer_definitions", _seed("barometer_definitions"))
    _table(connection, "raw_designs", _seed("survey_designs"))
    for name, path in {
        "figures": BUNDLED / "dcms_participation" / "2023-24.csv",
        "lookup": BUNDLED / "ons_combined_authorities" / "2025.csv",
        "population": BUNDLED / "ons_population" / "mid-2020.csv",
    }.items():
        _table(
            connection,
            name,
            pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""]),
        )
    connection.execute(_INPUTS)


_INPUTS = """
create table survey_designs as
select
    dataset,
    edition,
    cast(england_base as bigint) as england_base,
    cast(design_effect as double) as design_effect
from raw_designs;

create table int_published_figures as
select
    barometer_definitions.barometer_id,
    barometer_definitions.goal_id,
    figures.measure,
    barometer_definitions.dataset,
    figures.dataset as source_dataset,
    figures.edition,
    cast(figures.period_start as date) as period_start,
    cast(figures.period_end as date) as period_end,
    areas.current_code as area_code,
    areas.area_name,
    areas.area_level,
    areas.region_code,
    figures.unit,
    barometer_definitions.polarity,
    cast(figures.value as double) as value,
    cast(figures.lower_95 as double) as lower_95,
    cast(figures.upper_95 as double) as upper_95,
    cast(figures.base as bigint) as base,
    cast(null as integer) as group_number,
    cast(null as varchar) as group_label,
    figures.status,
    figures.status_symbol,
    figures.origin,
    figures.area_code || figures.measure as provenance_id,
    1 as source_rank
from figures
inner join barometer_definitions on figures.measure = barometer_definitions.barometer_id
inner join areas on figures.area_code = areas.area_code;

create table int_area_memberships as
select distinct
    2025 as vintage,
    groups.kind,
    groups.parent_code,
    coalesce(areas.current_code, groups.member_code) as member_code
from (
    select 'combined_authority' as kind, parent_code, member_code from lookup
    union all
    select
        case kind when 'former_combined_authority' then 'combined_authority' else kind end as kind,
        parent_code,
        member_code
    from area_groups
    where kind in ('former_combined_authority', 'county', 'region', 'nation')
) as groups
left join areas on groups.member_code = areas.area_code;

create table int_populations_16_plus as
select
    2020 as vintage,
    areas.current_code as area_code,
    cast(population.value as bigint) as population_16_plus,
    population.area_code as provenance_id,
    population.origin
from population
inner join areas on population.area_code = areas.area_code
where areas.area_level = 'lad';
"""

# The published figure where there is one, else ours.
_CELLS = """
create table int_barometer_cells as
select
    barometer_id, goal_id, dataset, edition, period_start, period_end, area_code, area_name,
    area_level, region_code, unit, polarity, value, lower_95, upper_95, se, base, group_number,
    group_label, status, origin, provenance_id, source_dataset, 'published' as method
from int_standard_errors
union all
select
    barometer_id, goal_id, dataset, edition, period_start, period_end, area_code, area_name,
    area_level, region_code, unit, polarity, value, lower_95, upper_95, se, base,
    null as group_number, null as group_label, status, origin, provenance_id,
    dataset as source_dataset, method
from int_combined_authority_estimates as estimates
where not exists (
    select 1
    from int_standard_errors as published
    where
        published.barometer_id = estimates.barometer_id
        and published.area_code = estimates.area_code
)
"""


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[float, ...]:
    row = connection.execute(query).fetchone()
    if row is None:
        raise LookupError(f"no row: {query}")
    return tuple(float(value) for value in row)


def against_published(connection: duckdb.DuckDBPyConnection) -> list[Line]:
    """Our combined-authority figures beside those of the survey's publisher."""
    section = "1 published figures"
    areas, figures, rounds, both_limits, alerts = _one(
        connection,
        """
        select
            count(distinct area_code),
            count(*),
            sum(cast(rounds_to_published as integer)),
            sum(cast(lower_within_one and upper_within_one as integer)),
            sum(cast(alert as integer))
        from int_combined_authority_checks
        """,
    )
    largest, mean, largest_unweighted, mean_unweighted, unweighted_rounds, limit = _one(
        connection,
        render(
            """
        select
            max(abs(difference)),
            avg(abs(difference)),
            max(abs(unweighted_difference)),
            avg(abs(unweighted_difference)),
            sum(cast(
                {{ round_half_up('unweighted_mean') }} = published_value as integer
            )),
            max(greatest(
                abs(estimated_lower_95 - published_lower_95),
                abs(estimated_upper_95 - published_upper_95)
            ))
        from int_combined_authority_checks
        """
        ),
    )
    refused = connection.execute(
        """
        select distinct area_name from int_combined_authority_estimates
        where value is null and area_level = 'cauth' order by area_name
        """
    ).fetchall()
    return [
        Line(section, "areas compared", f"{areas:.0f}", "11", areas == 11),
        Line(
            section,
            "estimates that round to the published percentage",
            f"{rounds:.0f} of {figures:.0f}",
            "at least 19 of 22",
            bool(figures == 22 and rounds >= 19),
        ),
        Line(
            section,
            "the unweighted mean of the authorities instead",
            f"{unweighted_rounds:.0f} of {figures:.0f}",
        ),
        _within(section, "largest error, points", largest, 0.0, 1.0),
        Line(section, "unweighted: largest error, points", f"{largest_unweighted:.2f}"),
        Line(
            section,
            "mean absolute error, points",
            f"{mean:.2f}",
            "below the unweighted",
            mean < mean_unweighted,
        ),
        Line(section, "unweighted: mean absolute error, points", f"{mean_unweighted:.2f}"),
        Line(
            section,
            "intervals with both ends within one point",
            f"{both_limits:.0f} of {figures:.0f}",
            "22 of 22",
            both_limits == figures == 22,
        ),
        Line(section, "largest error of a limit before rounding, points", f"{limit:.2f}"),
        Line(
            section, "differences that raise an alert (above 1)", f"{alerts:.0f}", "0", alerts == 0
        ),
        Line(
            section,
            "refused: a member without figure or population",
            ", ".join(row[0] for row in refused) or "none",
        ),
    ]


# --- simulation -------------------------------------------------------------------------------


def _published_sample(
    rng: np.random.Generator, truth: Array, bases: Array, *, places: int = 0
) -> Figures:
    """What a publisher would print: percentage and limits, rounded, of a complex sample.

    A sample of n with design effect d is a simple random one of n / d. Shapes: truth is
    (draws, areas) in percent; each result has that shape.
    """
    size = np.round(bases / DESIGN_EFFECT).astype(np.int64)
    share = rng.binomial(size, truth / 100) / size
    se = np.sqrt(share * (1 - share) / size)
    z = Z_95
    value = np.round(100 * share, places)
    lower = np.minimum(np.round(np.clip(100 * (share - z * se), 0, 100), places), value)
    upper = np.maximum(np.round(np.clip(100 * (share + z * se), 0, 100), places), value)
    return value, lower, upper


def _columns(figures: Figures, column: int = 0) -> Figures:
    value, lower, upper = figures
    return value[:, column], lower[:, column], upper[:, column]


def _weights(connection: duckdb.DuckDBPyConnection) -> Array:
    rows = connection.execute(
        f"""
        select distinct member_code, weight from int_combined_authority_parts
        where parent_code = '{LEAD_AREA}' order by member_code
        """
    ).fetchall()
    return np.array([row[1] for row in rows])


def _estimate_members(weights: Array, value: Array, lower: Array, upper: Array) -> pd.DataFrame:
    """One estimate a draw from the members' published figures, by the macros."""
    draws, members = value.shape
    frame = pd.DataFrame(
        {
            "draw": np.repeat(np.arange(draws), members),
            "weight": np.tile(weights, draws),
            "value": value.ravel(),
            "lower_95": lower.ravel(),
            "upper_95": upper.ravel(),
            "base": np.tile(np.asarray(BASES)[:members], draws),
        }
    )
    query = render(
        """
        with members as (
            select
                *,
                {{ se_from_interval('lower_95', 'upper_95', 'value', 'base') }} as se
            from frame_in
        )
        select
            draw,
            sum(weight * value) as value,
            sqrt(sum(weight * weight * se * se)) as se,
            avg(value) as unweighted,
            sqrt(avg(se * se) / count(*)) as unweighted_se,
            {{ mover_limit('weight', 'value', 'lower_95', 'lower') }} as mover_lower,
            {{ mover_limit('weight', 'value', 'upper_95', 'upper') }} as mover_upper
        from members
        group by draw
        order by draw
        """
    )
    return _query(frame, query)


def _query(frame: pd.DataFrame, query: str) -> pd.DataFrame:
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
    try:
        connection.register("frame_in", frame)
        return connection.execute(query).df()
    finally:
        connection.close()


# How seven authorities may lie: Solihull high and Wolverhampton low for trust, the report's range
# for attractiveness, and the ceiling where nearly everyone would be helped.
PATTERNS: dict[str, tuple[float, ...]] = {
    "trust": (28.5, 28.5, 28.5, 28.5, 43.0, 28.5, 22.0),
    "attractiveness": (40.7, 40.7, 40.7, 28.0, 63.0, 40.7, 40.7),
    "help": (94.5, 94.0, 95.5, 93.5, 96.5, 94.5, 94.0),
}


# How the figures compared are printed: its name, the decimals shown, and the decimals that the rule
# is told of.
PRINTED: tuple[tuple[str, int, int | None], ...] = (
    ("unrounded", 6, 2),
    ("whole numbers", 0, 0),
    ("whole numbers, rounding left out", 0, None),
)


def coverage(weights: Array, *, draws: int = DRAWS) -> dict[str, dict[str, float]]:
    """Per pattern, the share of draws, in percent, whose 95% limits hold the true figure."""
    rng = np.random.default_rng(SEED)
    result: dict[str, dict[str, float]] = {}
    for name, pattern in PATTERNS.items():
        # Half a point either way, so that no pattern sits on a rounding step.
        truth = np.asarray(pattern) + rng.uniform(-0.5, 0.5, size=(draws, len(pattern)))
        estimate = _estimate_members(weights, *_published_sample(rng, truth, np.array([BASES])))
        target = truth @ weights
        z = Z_95
        value, se = estimate["value"].to_numpy(), estimate["se"].to_numpy()
        plain, plain_se = (
            estimate["unweighted"].to_numpy(),
            estimate["unweighted_se"].to_numpy(),
        )
        result[name] = {
            "normal": 100 * float(np.mean(np.abs(value - target) <= z * se)),
            "mover": 100
            * float(
                np.mean(
                    (estimate["mover_lower"].to_numpy() <= target)
                    & (target <= estimate["mover_upper"].to_numpy())
                )
            ),
            "unweighted": 100 * float(np.mean(np.abs(plain - target) <= z * plain_se)),
            "unweighted_bias": float(np.mean(plain - target)),
        }
    return result


def _verdicts(
    area: Array,
    area_se: Array,
    other: Array,
    other_se: Array,
    share: float | Array,
    decimals: tuple[int | None, int | None],
) -> pd.DataFrame:
    """Per draw, whether the declared rule says `different`, and whether it is a `close_call`.

    Share is the area's part of the other's population, 0 where they are separate; decimals are
    those in which either is printed, None for a figure of our own.
    """
    frame = pd.DataFrame(
        {
            "draw": np.arange(len(area)),
            "value": area,
            "se": area_se,
            "other": other,
            "other_se": other_se,
            "share": share,
            "decimals": pd.array([decimals[0]] * len(area), dtype="Int64"),
            "other_decimals": pd.array([decimals[1]] * len(area), dtype="Int64"),
        }
    )
    query = render(
        """
        with differences as (
            select
                draw,
                value - other as difference,
                {{ part_whole_variance('se', 'other_se', 'share') }} as variance,
                {{ rounding_variance('decimals', 'other_decimals') }} as rounding
            from frame_in
        ),
        scores as (
            select
                draw,
                {{ z_score('difference', '(variance + rounding)') }} as z,
                {{ z_score('difference', 'variance') }} as sampling_z
            from differences
        )
        select
            {{ comparison_outcome('z', "'none'") }} != 'similar' as different,
            {{ close_call('z') }} or {{ close_call('sampling_z') }} as close_call
        from scores
        order by draw
        """
    )
    return _query(frame, query)


def _standard_errors(figures: Figures, base: int) -> Array:
    value, lower, upper = figures
    frame = pd.DataFrame(
        {
            "draw": np.arange(len(value)),
            "value": value,
            "lower_95": lower,
            "upper_95": upper,
            "base": base,
        }
    )
    query = render(
        """
        select {{ se_from_interval('lower_95', 'upper_95', 'value', 'base') }} as se
        from frame_in
        order by draw
        """
    )
    return np.asarray(_query(frame, query)["se"].to_numpy(dtype=float))


def _different(verdicts: pd.DataFrame) -> float:
    return 100 * float(verdicts["different"].mean())


def _england(rng: np.random.Generator, part: Array, share: Array, level: Array) -> Figures:
    """England's figure and limits, unrounded, made of the part and a sample of the rest."""
    rest = _published_sample(rng, level[:, None], np.array([[ENGLAND_BASE]]), places=6)[0][:, 0]
    england = share * part + (1 - share) * rest
    half = Z_95 * np.sqrt(DESIGN_EFFECT * england * (100 - england) / ENGLAND_BASE)
    return england, england - half, england + half


def _as_printed(figures: Figures, places: int) -> Figures:
    value, lower, upper = figures
    return np.round(value, places), np.round(lower, places), np.round(upper, places)


def false_positives(weights: Array, *, draws: int = DRAWS) -> dict[str, float]:
    """Per test, the share of draws, in percent, called different although nothing differs.

    The comparator is made of the area and the rest, so that the two share the area's sample.
    """
    rng = np.random.default_rng(SEED + 1)
    result: dict[str, float] = {}
    members = len(weights)
    # A whole percentage lies on a lattice, so that at one level and one base the rate sits above
    # or below 5% by where the threshold falls between two steps; authorities differ in both.
    level = rng.uniform(25, 75, size=draws)
    bases = rng.integers(400, 800, size=(draws, members))
    seven = np.repeat(level[:, None], members, axis=1)
    usual_base = int(bases.mean())

    # The seven in turn v England, with the share of England's adults that each has.
    turn = np.arange(draws) % members
    shares = (LEAD_SHARE_OF_ENGLAND * weights)[turn]
    size = bases[np.arange(draws), turn][:, None]
    exact = _columns(_published_sample(rng, level[:, None], size, places=6))
    england = _england(rng, exact[0], shares, level)
    for printed, places, allowed in PRINTED:
        area, whole_country = _as_printed(exact, places), _as_printed(england, places)
        verdicts = _verdicts(
            area[0],
            _standard_errors(area, usual_base),
            whole_country[0],
            _standard_errors(whole_country, ENGLAND_BASE),
            shares,
            (allowed, allowed),
        )
        result[f"an authority v England, {printed}"] = _different(verdicts)
        if allowed == 0:
            largest = turn == int(np.argmax(weights))
            plain = verdicts["different"] & ~verdicts["close_call"]
            result["  of these, not told as close calls"] = 100 * float(plain.mean())
            result["  of these, the largest authority"] = _different(verdicts[largest])

    # An authority v the combined authority that it is part of: Birmingham, 38%, with and without
    # the correction; the combined figure is ours.
    first = _published_sample(rng, seven, bases)
    whole = _estimate_members(weights, *first)
    whole_value, whole_se = whole["value"].to_numpy(), whole["se"].to_numpy()
    birmingham = _columns(first)
    birmingham_se = _standard_errors(birmingham, usual_base)
    for label, part in (("", float(weights[0])), (", correction left out", 0.0)):
        result[f"Birmingham v WMCA{label}"] = _different(
            _verdicts(birmingham[0], birmingham_se, whole_value, whole_se, part, (0, None))
        )

    # Ours for WMCA, unrounded, v England as it is and as printed.
    lead_share = np.full(draws, LEAD_SHARE_OF_ENGLAND)
    england = _england(rng, whole_value, lead_share, level)
    for printed, places, allowed in PRINTED:
        whole_country = _as_printed(england, places)
        result[f"WMCA v England, {printed}"] = _different(
            _verdicts(
                whole_value,
                whole_se,
                whole_country[0],
                _standard_errors(whole_country, ENGLAND_BASE),
                lead_share,
                (None, allowed),
            )
        )

    # Combined authorities as a publisher prints them, of two to twelve authorities.
    sizes = rng.integers(2_500, 6_500, size=(draws, 2))
    pair = _published_sample(rng, np.repeat(level[:, None], 2, axis=1), sizes)
    one, other = _columns(pair), _columns(pair, 1)
    one_se, other_se = (_standard_errors(figures, int(sizes.mean())) for figures in (one, other))
    result["two combined authorities, whole numbers"] = _different(
        _verdicts(one[0], one_se, other[0], other_se, 0.0, (0, 0))
    )

    # Two editions in which nothing changed, printed as whole numbers.
    second = _published_sample(rng, seven, bases)
    again = _estimate_members(weights, *second)
    birmingham_again = _columns(second)
    result["change of an authority"] = _different(
        _verdicts(
            birmingham_again[0],
            _standard_errors(birmingham_again, usual_base),
            birmingham[0],
            birmingham_se,
            0.0,
            (0, 0),
        )
    )
    result["change of WMCA"] = _different(
        _verdicts(
            again["value"].to_numpy(),
            again["se"].to_numpy(),
            whole_value,
            whole_se,
            0.0,
            (None, None),
        )
    )
    return result


def by_simulation(weights: Array, *, draws: int = DRAWS) -> list[Line]:
    """Coverage of the intervals and false positives of the rules."""
    section = f"2 simulation, {draws:,} draws"
    lines: list[Line] = []
    for name, shares in coverage(weights, draws=draws).items():
        slack = 1.5 if name == "help" else 1.0
        for limits in ("normal", "mover"):
            lines.append(
                _within(
                    section,
                    f"coverage of 95% limits, {name}, {limits}",
                    shares[limits],
                    95 - slack,
                    95 + slack,
                )
            )
        lines.append(
            Line(
                section,
                f"coverage of the unweighted mean, {name}",
                f"{shares['unweighted']:.2f} (bias {shares['unweighted_bias']:+.1f})",
            )
        )
    informs = ("left out",)
    for name, rate in false_positives(weights, draws=draws).items():
        if "not told as close calls" in name:
            lines.append(_within(section, f"false positives, {name}", rate, 0.0, 2.7))
        elif any(part in name for part in informs):
            lines.append(Line(section, f"false positives, {name}", f"{rate:.2f}"))
        else:
            lines.append(_within(section, f"false positives, {name}", rate, 4.3, 5.7))
    return lines


# --- reference values -------------------------------------------------------------------------


def reference_values(connection: duckdb.DuckDBPyConnection) -> list[Line]:
    """The worked example and the z cases of docs/methods.md, from the models' own rows."""
    section = "3 reference values"
    lines: list[Line] = []
    for barometer, value, se, normal, mover, plain in (
        ("arts_engagement", 85.48, 0.59, (84.33, 86.63), (84.32, 86.63), 85.86),
        ("library_engagement", 24.31, 0.70, (22.93, 25.68), (22.84, 25.62), 23.00),
    ):
        found = _one(
            connection,
            f"""
            select value, se, normal_lower, normal_upper, mover_lower, mover_upper, unweighted_mean
            from int_combined_authority_estimates
            where area_code = '{LEAD_AREA}' and barometer_id = '{barometer}'
            """,
        )
        wanted = (value, se, *normal, *mover, plain)
        for label, got, expected in zip(
            ("value", "SE", "lower", "upper", "MOVER lower", "MOVER upper", "unweighted"),
            found,
            wanted,
            strict=True,
        ):
            # One printed limit (22.93) was itself worked from rounded figures.
            lines.append(_near(section, f"WMCA {barometer}, {label}", got, expected, 0.0075))
    scores = connection.execute(
        render(
            """
            select
                areas.barometer_id,
                areas.area_code,
                {{ z_score(
                    'areas.value - england.value',
                    'areas.plain_se * areas.plain_se + england.plain_se * england.plain_se'
                ) }} as z
            from (
                select *, (upper_95 - lower_95) / (2 * {{ confidence_z() }}) as plain_se
                from int_standard_errors
            ) as areas
            inner join (
                select *, (upper_95 - lower_95) / (2 * {{ confidence_z() }}) as plain_se
                from int_standard_errors
            ) as england
                on areas.barometer_id = england.barometer_id and england.area_code = 'E92000001'
            """
        )
    ).fetchall()
    z = {(barometer, code): score for barometer, code, score in scores}
    for (barometer, code), expected in Z_CASES.items():
        lines.append(
            _near(section, f"z v England, {barometer}, {code}", z[barometer, code], expected)
        )
    library = _one(
        connection,
        f"""
        select england.value, england.se, lead.value, lead.se
        from int_standard_errors as england, int_standard_errors as lead
        where
            england.area_code = '{ENGLAND}' and lead.area_code = '{LEAD_AREA}'
            and england.barometer_id = 'library_engagement'
            and lead.barometer_id = 'library_engagement'
        """,
    )
    difference = library[2] - library[0]
    for label, england_se, share, expected in (
        ("England without error", 0.0, 0.0, -1.960),
        ("with the floor", library[1], 0.0, -1.897),
        ("with floor and part-whole correction", library[1], 0.0506, -1.994),
    ):
        found_z, close = connection.execute(
            render(
                """
                select z, {{ close_call('z') }}
                from (
                    select {{ z_score('difference', part_whole_variance('se', 'england', 'share')) }} as z
                    from (select $1 as difference, $2 as se, $3 as england, $4 as share)
                )
                """
            ),
            [difference, library[3], england_se, share],
        ).fetchall()[0]
        line = _near(section, f"z WMCA v England, libraries, {label}", found_z, expected, 0.0015)
        lines.append(line)
        lines.append(Line(section, "  is a close call", str(bool(close)), "True", bool(close)))
    independent, corrected, outcome = connection.execute(
        render(
            f"""
            select
                {{{{ z_score('areas.value - wmca.value', 'areas.se * areas.se + wmca.se * wmca.se') }}}},
                {{{{ z_score(
                    'areas.value - wmca.value',
                    part_whole_variance('areas.se', 'wmca.se', 'parts.weight')
                ) }}}},
                (
                    select outcome from int_comparisons
                    where
                        barometer_id = 'library_engagement' and area_code = 'E08000025'
                        and comparator_kind = 'lead_combined_authority'
                )
            from int_standard_errors as areas, int_standard_errors as wmca,
                int_combined_authority_parts as parts
            where
                areas.barometer_id = 'library_engagement'
                and wmca.barometer_id = 'library_engagement'
                and parts.barometer_id = 'library_engagement'
                and areas.area_code = 'E08000025' and wmca.area_code = '{LEAD_AREA}'
                and parts.parent_code = wmca.area_code and parts.member_code = areas.area_code
            """
        )
    ).fetchall()[0]
    kept, kept_close = connection.execute(
        f"""
        select outcome, close_call from int_comparisons
        where
            barometer_id = 'library_engagement' and area_code = '{LEAD_AREA}'
            and comparator_kind = 'england'
        """
    ).fetchall()[0]
    lines.append(
        Line(
            section,
            "z WMCA v England, libraries, as told",
            f"{kept}{', close call' if kept_close else ''}",
            "a close call",
            bool(kept_close),
        )
    )
    lines.append(
        _near(section, "z Birmingham v WMCA, libraries, as if separate", independent, 2.18)
    )
    lines.append(_near(section, "z Birmingham v WMCA, libraries, corrected", corrected, 3.74))
    lines.append(Line(section, "  its verdict", str(outcome), "better", outcome == "better"))
    return lines


Z_CASES: dict[tuple[str, str], float] = {
    ("arts_engagement", "E47000007"): -4.96,
    ("arts_engagement", "E08000025"): -4.75,
    ("arts_engagement", "E08000031"): -3.40,
    ("arts_engagement", "E08000026"): -3.33,
    ("arts_engagement", "E08000028"): -3.22,
    ("arts_engagement", "E08000030"): -2.77,
    ("arts_engagement", "E08000027"): -1.29,
    ("arts_engagement", "E08000029"): 0.64,
    ("library_engagement", "E08000031"): -2.94,
    ("library_engagement", "E08000028"): -2.80,
    ("library_engagement", "E08000030"): -1.74,
    ("library_engagement", "E08000025"): 1.57,
    ("library_engagement", "E08000029"): -1.47,
    ("library_engagement", "E08000026"): 0.56,
    ("library_engagement", "E08000027"): 0.49,
}


# --- the report's trust figure ----------------------------------------------------------------


def trust_arithmetic(weights: Array) -> list[Line]:
    """What the other five authorities must average, given Solihull 43 and Wolverhampton 22."""
    section = "4 the report's trust figure"
    solihull, wolverhampton = weights[4], weights[6]
    others = 1 - solihull - wolverhampton
    lines: list[Line] = []
    for figure, expected in ((29.0, 28.5), (37.0, 38.1)):
        needed = (figure - 43 * solihull - 22 * wolverhampton) / others
        lines.append(
            _near(
                section,
                f"for WMCA {figure:.0f}%, the other five must average",
                float(needed),
                expected,
                0.05,
            )
        )
    lines.append(
        Line(
            section,
            "reading",
            "29 lies inside the printed range; 37 needs five authorities near its top (43)",
        )
    )
    return lines


def prove(*, draws: int = DRAWS) -> list[Line]:
    """Every line of the proof, in order."""
    with published_figures() as connection:
        weights = _weights(connection)
        parts: list[Callable[[], list[Line]]] = [
            lambda: against_published(connection),
            lambda: by_simulation(weights, draws=draws),
            lambda: reference_values(connection),
            lambda: trust_arithmetic(weights),
        ]
        return [line for part in parts for line in part()]


def as_text(lines: Sequence[Line]) -> str:
    """The proof as a table for a terminal."""
    rows: list[str] = []
    section = ""
    for line in lines:
        if line.section != section:
            section = line.section
            rows += ["", section]
        mark = {True: "holds", False: "FAILS", None: ""}[line.holds]
        rows.append(f"  {line.what:<62} {line.found:>12}  {line.wanted:<20} {mark}".rstrip())
    asked = [line for line in lines if line.holds is not None]
    kept = sum(1 for line in asked if line.holds)
    return "\n".join([*rows, "", f"{kept} of {len(asked)} hold"])


def main() -> int:
    """Print the proof; 1 where a line fails."""
    lines = prove()
    print(as_text(lines))
    return 0 if all(line.holds is not False for line in lines) else 1
