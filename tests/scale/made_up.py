"""Made-up observations of England's lower-layer super output areas, beside those of a real build.

Every figure is a hash of its area, indicator and edition, so that a size is the same each time. The
areas are as many as England has (33,755) and have codes that none of them bears; each belongs to a
local authority. Authorities, combined authorities, regions and England have figures too.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.workspace import DBT_PROJECT

AREAS = 33_755
DATASET = "made_up_survey"
FRAMEWORK = "small_areas"


@dataclass(frozen=True)
class Size:
    """So many indicators in so many editions, each for every area."""

    name: str
    indicators: int
    editions: int

    @property
    def rows(self) -> int:
        """Figures of small areas."""
        return AREAS * self.indicators * self.editions


SIZES = {
    each.name: each for each in (Size("small", 2, 2), Size("middle", 8, 5), Size("large", 40, 10))
}


def make_project(folder: Path, size: Size) -> Path:
    """A copy of the dbt project whose seeds have the made-up framework; returns its folder."""
    project = folder / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target"))
    seeds = project / "seeds"
    codes = [f"made_up_{number:02}" for number in range(1, size.indicators + 1)]
    _append(seeds / "frameworks.csv", [{"framework": FRAMEWORK, "title": "Made up", "owner": "-"}])
    _append(
        seeds / "goals.csv",
        [{"framework": FRAMEWORK, "goal_id": "made_up", "goal_order": 1, "title": "Made up"}],
    )
    _append(
        seeds / "indicators.csv",
        [
            {
                "indicator_id": code,
                "title": f"Made-up indicator {code[-2:]}",
                "short_title": code,
                "statement": "gave a made-up answer",
                "unit": "percent",
                "polarity": "high_good",
                "dataset": DATASET,
            }
            for code in codes
        ],
    )
    _append(
        seeds / "framework_indicators.csv",
        [
            {
                "framework": FRAMEWORK,
                "goal_id": "made_up",
                "indicator_id": code,
                "role": "supporting" if number else "key",
                "indicator_order": number + 1,
            }
            for number, code in enumerate(codes)
        ],
    )
    _append(
        seeds / "indicator_measures.csv",
        [
            {"indicator_id": code, "dataset": DATASET, "measure": code, "precedence": 1}
            for code in codes
        ],
    )
    return project


def _append(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        columns = csv.DictReader(stream).fieldnames
    assert columns is not None
    with path.open("a", encoding="utf-8", newline="") as stream:
        csv.DictWriter(stream, columns, restval="", lineterminator="\n").writerows(rows)


def load_raw(path: Path, base: Path, size: Size) -> None:
    """Make a warehouse file whose ``raw`` is that of a real build and the made-up figures.

    Args:
        path: the file to make.
        base: the warehouse of a build, for everything that is not made up.
        size: how many figures.
    """
    with duckdb.connect(str(path), config={"python_enable_replacements": False}) as connection:
        connection.execute(f"attach '{base}' as base (read_only)")
        connection.execute("create schema raw")
        tables = connection.execute(
            "select table_name from duckdb_tables() "
            "where database_name = 'base' and schema_name = 'raw'"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"create table raw.{table} as from base.raw.{table}")
        for statement in _SQL.format(
            areas=AREAS, dataset=DATASET, indicators=size.indicators, editions=size.editions
        ).split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("detach base")
        connection.execute("checkpoint")


_SQL = """
create temp table authorities as
select
    area_code,
    row_number() over (order by area_code) - 1 as place,
    count(*) over () as authorities
from base.reference.areas
where area_level = 'lad' and current_code = area_code and valid_to is null and area_code like 'E%';

create temp table places as
select
    'E019' || lpad(cast(number as varchar), 5, '0') as area_code,
    'Made-up area ' || number as area_name,
    'lsoa' as area_level,
    authorities.area_code as parent_code
from range(1, {areas} + 1) as numbers (number)
inner join authorities on number * authorities // ({areas} + 1) = place
union all
select area_code, area_name, area_level, null
from base.reference.areas
where
    area_level in ('nation', 'itl1', 'cauth', 'lad')
    and current_code = area_code
    and valid_to is null
    and area_code like 'E%';

insert into raw.catalogue by name
select
    '{dataset}' as dataset, 'Made-up survey' as title, 'Made-up' as short_title,
    'Nobody' as publisher, 'Nobody' as publisher_short, '{dataset}' as series,
    1 as precedence, 'none' as licence, 'annual' as cadence,
    false as periods_in_file;

insert into raw.editions by name
select
    '{dataset}' as dataset,
    cast(2014 + number as varchar) as edition,
    'Made-up survey ' || 2014 + number as edition_title,
    make_date(2014 + number, 1, 1) as period_start,
    make_date(2014 + number, 12, 31) as period_end,
    number = 1 as is_baseline,
    false as is_history
from range(1, {editions} + 1) as numbers (number);

insert into raw.edition_levels by name
select distinct editions.dataset, editions.edition, places.area_level
from raw.editions as editions cross join places
where editions.dataset = '{dataset}';

insert into raw.inputs by name
select
    dataset, edition, 'accepted' as state, 'synthetic' as origin, '0123456789ab' as revision,
    repeat('0', 64) as file_sha256, 'made_up.csv' as file_name
from raw.editions where dataset = '{dataset}';

insert into raw.memberships by name
select
    'made_up_lookup' as dataset, '2025' as edition, '0123456789ab' as revision,
    area_code as member_code, area_name as member_name, parent_code,
    'made up' as parent_name, 'synthetic' as origin
from places where parent_code is not null;

insert into raw.observations by name
with numbered as (
    select
        places.*,
        indicators.number as indicator,
        editions.edition,
        editions.period_start,
        editions.period_end,
        hash(places.area_code, indicators.number) % 10000 / 10000.0 as level_draw,
        hash(places.area_code, indicators.number, editions.edition) % 10000 / 10000.0 as draw
    from raw.editions as editions
    cross join range(1, {indicators} + 1) as indicators (number)
    cross join places
    where editions.dataset = '{dataset}'
),
drawn as (
    select
        *,
        round(20 + 60 * level_draw + 4 * (draw - 0.5), 1) as drawn_value,
        case when area_level = 'lsoa' then 6.5 else 1.5 end as half_width,
        draw < 0.01 and area_level = 'lsoa' as is_suppressed
    from numbered
)
select
    '{dataset}' as dataset,
    edition,
    '0123456789ab' as revision,
    'all' as breakdown,
    'all' as category,
    'made_up_' || lpad(cast(indicator as varchar), 2, '0') as measure,
    area_code,
    area_name,
    area_level,
    period_start,
    period_end,
    'percent' as unit,
    case when not is_suppressed then drawn_value end as value,
    case when not is_suppressed then round(drawn_value - half_width, 1) end as lower_95,
    case when not is_suppressed then round(drawn_value + half_width, 1) end as upper_95,
    case when not is_suppressed then case when area_level = 'lsoa' then 220 else 2000 end end as base,
    case when is_suppressed then 'suppressed' else 'published' end as status,
    case when is_suppressed then '[c]' end as status_symbol,
    'synthetic' as origin,
    repeat('0', 64) as file_sha256,
    measure as sheet,
    cast(row_number() over () % 1000000 + 2 as integer) as row_number,
    'C' as column_letter
from drawn
"""
