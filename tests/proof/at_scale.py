"""The combined-authority method on twenty years of published local figures of the ONS.

Wherever the publisher prints a combined authority as well as its members, ours is set beside
theirs. Percentages from surveys and counts reproduce; modelled rates, medians, ratios and pounds do
not, which is where the method must not be used. The files are not part of the repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pandas as pd

from tests.proof.dbt_sql import statistics_model
from tests.proof.lines import Line, within
from tests.proof.published import ESTIMATES, load_areas, table
from tests.reference_data import REFERENCE_DATA

FILES = REFERENCE_DATA / "ons_local_indicators"

# What is pooled: percentages of people or places, by survey, count or measurement.
POOLED = {
    "employment-rate": "employment, inactivity",
    "qualifications-level-3-or-above": "level 3",
    "qualifications-none-gb": "no qualifications",
    "claimant-count": "claimant count",
    "early-years": "early years (3)",
    "library-walk": "library walk",
    "engagement-with-culture-and-heritage": "culture (4)",
}
# Shown, never counted, and why.
NOT_FOR = {
    "modelled-unemployment": "modelled: the members' errors are not independent",
    "healthy-life-expectancy": "modelled, in years",
    "gross-median-weekly-pay": "medians, in pounds",
    "housing-affordability-ratio": "ratios of medians",
    "gross-disposable-household-income-per-head": "pounds per head",
}


def read(stem: str) -> pd.DataFrame:
    """One file of local indicators: one row per indicator, period and area, duplicates dropped."""
    rows = pd.read_csv(FILES / f"{stem}.csv", encoding="utf-8-sig")
    rows = rows.drop_duplicates(["areacd", "indicator", "period"])
    return pd.DataFrame(
        {
            "file": stem,
            "indicator": rows["indicator"],
            "period": rows["period"],
            "published_area_code": rows["areacd"],
            "value": pd.to_numeric(rows["observation"]),
            "lower_95": pd.to_numeric(rows["lci_95"]),
            "upper_95": pd.to_numeric(rows["uci_95"]),
        }
    )


@contextmanager
def estimates(stems: list[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which our estimates stand beside the published figures of these files.

    The models take percentages; a figure in another unit is passed as one, so its limits, which
    would be clipped at 100, are left out of it.
    """
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
    try:
        load_areas(connection)
        table(connection, "indicators", pd.concat([read(stem) for stem in stems]))
        connection.execute(_FIGURES)
        for model in ESTIMATES:
            connection.execute(f"create table {model} as {statistics_model(model)}")
        yield connection
    finally:
        connection.close()


_FIGURES = """
create table int_published_figures as
select
    indicators.indicator as barometer_id,
    cast(null as varchar) as goal_id,
    indicators.file as dataset,
    indicators.period as edition,
    cast(substr(indicators.period, 1, 10) as date) as period_start,
    cast(substr(indicators.period, 1, 10) as date) as period_end,
    areas.current_code as area_code,
    areas.area_name,
    areas.area_level,
    areas.region_code,
    'percent' as unit,
    true as of_adults,
    cast(null as varchar) as measure,
    cast(null as varchar) as polarity,
    indicators.value,
    case when indicators.upper_95 <= 100 then indicators.lower_95 end as lower_95,
    case when indicators.upper_95 <= 100 then indicators.upper_95 end as upper_95,
    cast(null as bigint) as base,
    'published' as status,
    'publisher' as origin,
    indicators.published_area_code || indicators.indicator || indicators.period as provenance_id
from indicators
inner join areas on indicators.published_area_code = areas.area_code
where indicators.value is not null
qualify
    row_number() over (
        partition by indicators.file, indicators.indicator, indicators.period, areas.current_code
        order by indicators.published_area_code = areas.current_code desc
    ) = 1
"""

_SUMMARY = """
select
    count(*) as "values",
    sum(cast(abs(difference) <= 1 as integer)) as within_one,
    avg(abs(difference)) as error,
    avg(abs(unweighted_difference)) as unweighted_error,
    sum(cast(abs(unweighted_difference) <= 1 as integer)) as unweighted_within_one,
    median(abs(difference / published_value)) as relative,
    count(estimated_upper_95 - published_upper_95) as limits,
    sum(cast(
        abs(estimated_lower_95 - published_lower_95) <= 1
        and abs(estimated_upper_95 - published_upper_95) <= 1 as integer
    )) as limits_within_one,
    median(
        (estimated_upper_95 - estimated_lower_95)
        / nullif(published_upper_95 - published_lower_95, 0)
    ) as width_ratio
from int_combined_authority_checks
where area_code like 'E47%' and {where}
"""


def _summary(connection: duckdb.DuckDBPyConnection, where: str = "true") -> dict[str, float]:
    row = connection.execute(_SUMMARY.format(where=where)).df().iloc[0]
    return {str(name): float(value) for name, value in row.items()}


def _share(part: float, whole: float) -> str:
    return f"{part:.0f} of {whole:.0f} ({100 * part / whole:.1f}%)" if whole else "none"


def at_scale() -> list[Line]:
    """Pooled over POOLED, each file beside it, and the files of NOT_FOR."""
    section = "4 local indicators of the ONS, weights 16+ of mid-2020"
    if not FILES.is_dir():
        return [
            Line(section, "skipped: no shared/reference/data beside the repository", "not run"),
        ]
    lines: list[Line] = []
    with estimates(list(POOLED)) as connection:
        found = _summary(connection)
        count, pairs = found["values"], found["limits"]
        lines += [
            Line(section, "combined-authority values", f"{count:.0f}", "> 1200", count > 1200),
            Line(
                section,
                "  within a point of the published",
                _share(found["within_one"], count),
                "at least 99%",
                found["within_one"] >= 0.99 * count,
            ),
            Line(
                section,
                "  the unweighted mean instead",
                _share(found["unweighted_within_one"], count),
            ),
            Line(
                section,
                "  mean error, weighted and unweighted",
                f"{found['error']:.2f}, {found['unweighted_error']:.2f}",
            ),
            Line(section, "pairs of limits", f"{pairs:.0f}", "> 600", pairs > 600),
            Line(
                section,
                "  both within a point",
                _share(found["limits_within_one"], pairs),
                "at least 98%",
                found["limits_within_one"] >= 0.98 * pairs,
            ),
            within(section, "  median ratio of widths", found["width_ratio"], 0.95, 1.10),
        ]
        for stem, label in POOLED.items():
            lines.append(_one_file(section, label, _summary(connection, f"dataset = '{stem}'")))
    section = "4b where the method must not be used"
    with estimates(list(NOT_FOR)) as connection:
        for stem, why in NOT_FOR.items():
            summary = _summary(connection, f"dataset = '{stem}'")
            line = _one_file(section, f"{stem}", summary)
            wanted = f"not counted; {why}"
            lines.append(Line(section, line.what, line.found, wanted))
    return lines


def _one_file(section: str, label: str, found: dict[str, float]) -> Line:
    if not found["values"]:
        return Line(section, label, "no combined authority is published with all its members")
    text = (
        f"{_share(found['within_one'], found['values'])} within 1, mean error "
        f"{found['error']:.2f} (unweighted {found['unweighted_error']:.2f}; "
        f"{100 * found['relative']:.1f}% of the figure)"
    )
    if found["limits"]:
        text += f", width ratio {found['width_ratio']:.2f} of {found['limits']:.0f}"
    return Line(section, label, text)
