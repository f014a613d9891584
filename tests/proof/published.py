"""Our combined-authority figures beside published ones, and the reference values of the methods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pandas as pd

import sources
from tests.proof.dbt_sql import COMPARISONS, DBT_PROJECT, RANKS, render, statistics_model
from tests.proof.lines import Line, near, within

SEEDS = DBT_PROJECT / "seeds"
BUNDLED = Path(sources.__file__).resolve().parent / "bundled"

LEAD_AREA = "E47000007"
ENGLAND = "E92000001"

# The models from published figures to our own beside them.
ESTIMATES = (
    "int_standard_errors",
    "int_combined_authority_weights",
    "int_combined_authority_parts",
    "int_combined_authority_estimates",
    "int_combined_authority_checks",
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
        for model in ESTIMATES:
            connection.execute(f"create table {model} as {statistics_model(model)}")
        connection.execute(_CELLS)
        for model in ("int_cell_decimals", *COMPARISONS, *RANKS):
            connection.execute(f"create table {model} as {statistics_model(model)}")
        yield connection
    finally:
        connection.close()


def table(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    connection.register("frame_in", frame)
    connection.execute(f"create table {name} as select * from frame_in")
    connection.unregister("frame_in")


def _seed(name: str) -> pd.DataFrame:
    return pd.read_csv(SEEDS / f"{name}.csv", dtype="string", keep_default_na=False, na_values=[""])


def _indicators() -> pd.DataFrame:
    """Every indicator with its goal and role, as the dbt model of that name has them."""
    both = _seed("indicators").merge(_seed("framework_indicators"), on="indicator_id")
    both["of_adults"] = both["of_adults"].eq("true")
    both["decimals"] = both["decimals"].astype("int64")
    return both.rename(columns={"indicator_id": "barometer_id"}).drop_duplicates("barometer_id")


def _carried(*parts: str) -> pd.DataFrame:
    path = BUNDLED.joinpath(*parts)
    return pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""])


def load_areas(connection: duckdb.DuckDBPyConnection) -> None:
    """The seeds of areas and designs, memberships, and the populations 16+ of mid-2020."""
    for name in ("areas", "area_groups", "area_code_changes", "similar_areas"):
        table(connection, name, _seed(name))
    table(connection, "int_indicators", _indicators())
    table(connection, "raw_designs", _seed("survey_designs"))
    table(connection, "raw_census", _seed("census_residents"))
    table(connection, "lookup", _carried("ons_combined_authorities", "2025.csv"))
    table(connection, "population", _carried("ons_population", "mid-2020.csv"))
    connection.execute(_AREAS)
    for model in ("int_population_parts", "int_populations_16_plus"):
        connection.execute(f"create table {model} as {statistics_model(model)}")


def _load_inputs(connection: duckdb.DuckDBPyConnection) -> None:
    load_areas(connection)
    table(connection, "figures", _carried("dcms_participation", "2023-24.csv"))
    connection.execute(_FIGURES)


_AREAS = """
create table survey_designs as
select
    dataset,
    edition,
    measure,
    cast(england_base as bigint) as england_base,
    cast(design_effect as double) as design_effect
from raw_designs;

create table census_residents as
select area_code, cast(usual_residents as bigint) as usual_residents from raw_census;

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

create table int_observations as
select
    population.measure,
    population.edition,
    coalesce(areas.current_code, population.area_code) as area_code,
    population.area_code as published_area_code,
    cast(population.value as bigint) as value,
    population.origin,
    population.area_code as provenance_id
from population
left join areas on population.area_code = areas.area_code;
"""

_FIGURES = """
create table int_published_figures as
select
    int_indicators.barometer_id,
    int_indicators.goal_id,
    figures.measure,
    int_indicators.dataset,
    figures.dataset as source_dataset,
    figures.edition,
    cast(figures.period_start as date) as period_start,
    cast(figures.period_end as date) as period_end,
    areas.current_code as area_code,
    areas.area_name,
    areas.area_level,
    areas.region_code,
    figures.unit,
    int_indicators.polarity,
    int_indicators.of_adults,
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
inner join int_indicators on figures.measure = int_indicators.barometer_id
inner join areas on figures.area_code = areas.area_code;
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
        Line(section, "areas compared", f"{areas:.0f}", "12", areas == 12),
        Line(
            section,
            "estimates that round to the published percentage",
            f"{rounds:.0f} of {figures:.0f}",
            "at least 21 of 24",
            bool(figures == 24 and rounds >= 21),
        ),
        Line(
            section,
            "the unweighted mean of the authorities instead",
            f"{unweighted_rounds:.0f} of {figures:.0f}",
        ),
        within(section, "largest error, points", largest, 0.0, 1.0),
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
            "24 of 24",
            both_limits == figures == 24,
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


def reference_values(connection: duckdb.DuckDBPyConnection) -> list[Line]:
    """The worked example and the z cases of docs/methods.md, from the models' own rows."""
    section = "1b reference values"
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
            lines.append(near(section, f"WMCA {barometer}, {label}", got, expected, 0.0075))
    for case in Z_CASES:
        points, scaled = z_of(connection, case)
        lines.append(near(section, f"{case}, in points", points, Z_CASES[case][0]))
        lines.append(near(section, f"{case}, on the scale", scaled, Z_CASES[case][1]))
    verdict, close = connection.execute(
        """
        select outcome, close_call from int_comparisons
        where
            barometer_id = 'library_engagement' and area_code = $1
            and comparator_kind = 'england'
        """,
        [LEAD_AREA],
    ).fetchall()[0]
    lines.append(
        Line(section, "libraries E47000007, verdict", f"{verdict}, close: {close}", "close", close)
    )
    return lines


@dataclass(frozen=True)
class Case:
    """A published comparison; with a share, of an area inside the other.

    Standard errors are those of the limits alone, unless `floor` gives the other's its floor.
    """

    barometer: str
    area: str
    other: str = ENGLAND
    floor: bool = False
    share: float | None = None

    def __str__(self) -> str:
        floor = ", floor" if self.floor else ""
        share = f", share {self.share}" if self.share else ""
        return f"{self.barometer.split('_')[0]} {self.area} v {self.other}{floor}{share}"


def z_of(connection: duckdb.DuckDBPyConnection, case: Case) -> tuple[float, float]:
    """z in points, as the declared rule had it before, and on the scale of the tests.

    A score is tested in its own unit, so the first is the same SQL on the same figures.
    """
    rows = connection.execute(
        render(
            """
            with pairs as (
                select
                    units.unit,
                    area.value,
                    area.lower_95,
                    area.upper_95,
                    (area.upper_95 - area.lower_95) / (2 * {{ confidence_z() }}) as se,
                    other.value as comparator_value,
                    other.lower_95 as comparator_lower_95,
                    other.upper_95 as comparator_upper_95,
                    case
                        when $floor then other.se
                        else (other.upper_95 - other.lower_95) / (2 * {{ confidence_z() }})
                    end as comparator_se,
                    cast($share as double) as share_of_comparator,
                    cast(null as double) as share_in_area,
                    cast(null as integer) as decimals,
                    cast(null as integer) as comparator_decimals
                from int_standard_errors as area
                inner join int_standard_errors as other on area.barometer_id = other.barometer_id
                cross join (values ('score'), ('percent')) as units (unit)
                where
                    area.barometer_id = $barometer
                    and area.area_code = $area
                    and other.area_code = $other
            )

            select z from ({{ compared('pairs') }}) order by unit = 'percent'
            """
        ),
        asdict(case),
    ).fetchall()
    return rows[0][0], rows[1][0]


# The declared rule's z before (in points) and now (on the scale of the tests).
Z_CASES: dict[Case, tuple[float, float]] = {
    Case("arts_engagement", "E47000007"): (-4.96, -5.32),
    Case("arts_engagement", "E08000025"): (-4.75, -5.13),
    Case("arts_engagement", "E08000031"): (-3.40, -3.785),
    Case("arts_engagement", "E08000026"): (-3.33, -3.603),
    Case("arts_engagement", "E08000028"): (-3.22, -3.498),
    Case("arts_engagement", "E08000030"): (-2.77, -3.056),
    Case("arts_engagement", "E08000027"): (-1.29, -1.332),
    Case("arts_engagement", "E08000029"): (0.64, 0.653),
    Case("library_engagement", "E08000031"): (-2.94, -2.752),
    Case("library_engagement", "E08000028"): (-2.80, -2.688),
    Case("library_engagement", "E08000030"): (-1.74, -1.687),
    Case("library_engagement", "E08000025"): (1.57, 1.577),
    Case("library_engagement", "E08000029"): (-1.47, -1.426),
    Case("library_engagement", "E08000026"): (0.56, 0.567),
    Case("library_engagement", "E08000027"): (0.49, 0.492),
    Case("library_engagement", LEAD_AREA): (-1.960, -1.944),
    Case("library_engagement", LEAD_AREA, floor=True): (-1.897, -1.884),
    Case("library_engagement", LEAD_AREA, floor=True, share=0.0506): (-1.994, -1.979),
    Case("library_engagement", "E08000025", LEAD_AREA): (2.18, 2.202),
    Case("library_engagement", "E08000025", LEAD_AREA, share=0.3823): (3.74, 3.838),
}


# --- the report's trust figure ----------------------------------------------------------------


def trust_arithmetic(weights: list[float]) -> list[Line]:
    """What the other five authorities must average, given Solihull 43 and Wolverhampton 22."""
    section = "1c the report's trust figure"
    solihull, wolverhampton = weights[4], weights[6]
    others = 1 - solihull - wolverhampton
    lines: list[Line] = []
    for figure, expected in ((29.0, 28.5), (37.0, 38.1)):
        needed = (figure - 43 * solihull - 22 * wolverhampton) / others
        lines.append(
            near(
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


def published() -> list[Line]:
    """Our figures beside the survey's, the reference values, and the report's trust figure."""
    with published_figures() as connection:
        weights = connection.execute(
            """
            select distinct member_code, weight from int_combined_authority_parts
            where parent_code = $1 order by member_code
            """,
            [LEAD_AREA],
        ).fetchall()
        return [
            *against_published(connection),
            *reference_values(connection),
            *trust_arithmetic([row[1] for row in weights]),
        ]
