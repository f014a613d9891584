{#- Fieldwork that lies halfway between two mid-years, give or take a week, takes the earlier. -#}
{%- set tie_days = 7 -%}
-- The weight of every member of a combined authority or county in each fieldwork period.
with memberships as (

    select
        kind as parent_kind,
        parent_code,
        vintage as membership_vintage,
        member_code,
        count(*) over (partition by kind, parent_code) as members
    from {{ ref('int_area_memberships') }}
    where
        kind in ('combined_authority', 'county')
        and vintage = {{ var('membership_vintage') }}

),

populations as (

    select * from {{ ref('int_populations_16_plus') }}

),

periods as (

    select distinct
        figures.dataset,
        figures.edition,
        figures.period_start,
        figures.period_end
    from {{ ref('int_standard_errors') }} as figures
    inner join memberships on figures.area_code = memberships.member_code
    where figures.of_adults

),

-- A vintage serves only a parent all of whose members it counts.
covering_vintages as (

    select
        memberships.parent_code,
        populations.vintage,
        sum(populations.population_16_plus) as parent_population_16_plus
    from memberships
    inner join populations on memberships.member_code = populations.area_code
    group by memberships.parent_code, memberships.members, populations.vintage
    having count(*) = memberships.members and min(populations.population_16_plus) > 0

),

distances as (

    select
        periods.*,
        covering_vintages.*,
        {{ population_vintage_distance(
            'periods.period_start', 'periods.period_end', 'covering_vintages.vintage'
        ) }} as distance_days
    from periods
    cross join covering_vintages

),

near as (

    select *
    from distances
    qualify
        distance_days <= {{ tie_days }} + min(distance_days) over (
            partition by dataset, edition, period_start, period_end, parent_code
        )

),

chosen_vintages as (

    select *
    from near
    qualify
        row_number() over (
            partition by dataset, edition, period_start, period_end, parent_code
            order by vintage
        ) = 1

)

select
    periods.*,
    memberships.*,
    chosen_vintages.vintage as population_vintage,
    chosen_vintages.distance_days as population_distance_days,
    populations.population_16_plus,
    populations.provenance_id as population_provenance_id,
    populations.population_16_plus / chosen_vintages.parent_population_16_plus as weight
from periods
cross join memberships
left join chosen_vintages
    on
        periods.dataset = chosen_vintages.dataset
        and periods.edition = chosen_vintages.edition
        and periods.period_start = chosen_vintages.period_start
        and periods.period_end = chosen_vintages.period_end
        and memberships.parent_code = chosen_vintages.parent_code
left join populations
    on
        memberships.member_code = populations.area_code
        and chosen_vintages.vintage = populations.vintage
