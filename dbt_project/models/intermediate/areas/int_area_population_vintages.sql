{#- Fieldwork that lies halfway between two mid-years, give or take a week, takes the earlier. -#}
{%- set tie_days = 7 -%}
-- The mid-year population estimate that is nearest to the middle of each edition's fieldwork.
with periods as (

    select distinct
        dataset,
        edition,
        period_start,
        period_end
    from {{ ref('int_barometer_cells') }}
    where unit != 'z_score' and value is not null and period_start is not null

),

vintages as (

    select distinct vintage
    from {{ ref('int_populations_16_plus') }}

),

distances as (

    select
        periods.*,
        vintages.vintage,
        {{ population_vintage_distance(
            'periods.period_start', 'periods.period_end', 'vintages.vintage'
        ) }} as distance_days
    from periods
    cross join vintages

),

nearest as (

    select
        *,
        min(distance_days) over (partition by dataset, edition, period_start, period_end)
            as nearest_distance_days
    from distances

)

select
    dataset,
    edition,
    period_start,
    period_end,
    min(vintage) as population_vintage
from nearest
where distance_days <= nearest_distance_days + {{ tie_days }}
group by dataset, edition, period_start, period_end
