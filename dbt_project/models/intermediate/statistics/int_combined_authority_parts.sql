{#- Fieldwork that lies halfway between two mid-years, give or take a week, takes the earlier. -#}
{%- set tie_days = 7 -%}

with figures as (

    select * from {{ ref('int_standard_errors') }}
    where unit = 'percent'

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where
        kind in ('combined_authority', 'county')
        and vintage = {{ var('membership_vintage') }}

),

populations as (

    select * from {{ ref('int_populations_16_plus') }}

),

areas as (

    select * from {{ ref('areas') }}

),

-- Editions that have figures for lower-tier authorities at all.
editions as (

    select distinct
        figures.barometer_id,
        figures.goal_id,
        figures.dataset,
        figures.edition,
        figures.period_start,
        figures.period_end,
        figures.unit,
        figures.polarity
    from figures
    inner join memberships on figures.area_code = memberships.member_code

),

periods as (

    select distinct
        dataset,
        edition,
        period_start,
        period_end
    from editions

),

parents as (

    select
        kind as parent_kind,
        parent_code,
        vintage as membership_vintage,
        cast(count(*) as integer) as members
    from memberships
    group by kind, parent_code, vintage

),

-- A vintage serves only a parent all of whose members it counts.
covering_vintages as (

    select
        parents.parent_code,
        populations.vintage,
        sum(populations.population_16_plus) as parent_population_16_plus
    from parents
    inner join memberships on parents.parent_code = memberships.parent_code
    inner join populations on memberships.member_code = populations.area_code
    group by parents.parent_code, parents.members, populations.vintage
    having count(*) = parents.members and min(populations.population_16_plus) > 0

),

distances as (

    select
        periods.*,
        covering_vintages.parent_code,
        covering_vintages.vintage,
        covering_vintages.parent_population_16_plus,
        {{ population_vintage_distance(
            'periods.period_start', 'periods.period_end', 'covering_vintages.vintage'
        ) }} as population_distance_days
    from periods
    cross join covering_vintages

),

nearest as (

    select
        *,
        min(population_distance_days) over (
            partition by dataset, edition, period_start, period_end, parent_code
        ) as nearest_distance_days
    from distances

),

chosen_vintages as (

    select
        *,
        row_number() over (
            partition by dataset, edition, period_start, period_end, parent_code
            order by vintage
        ) as preference
    from nearest
    where population_distance_days <= nearest_distance_days + {{ tie_days }}

),

final as (

    select
        editions.barometer_id,
        editions.goal_id,
        editions.dataset,
        editions.edition,
        editions.period_start,
        editions.period_end,
        editions.unit,
        editions.polarity,
        parents.parent_kind,
        parents.parent_code,
        parents.membership_vintage,
        parents.members,
        memberships.member_code,
        coalesce(member_areas.area_name, memberships.member_code) as member_name,
        chosen_vintages.vintage as population_vintage,
        chosen_vintages.population_distance_days,
        populations.population_16_plus,
        populations.population_16_plus
        / chosen_vintages.parent_population_16_plus as weight,
        figures.value,
        figures.lower_95,
        figures.upper_95,
        figures.se,
        figures.base,
        figures.published_decimals,
        coalesce(figures.small_base, false) as small_base,
        -- No row at all is one more way of not being available.
        coalesce(figures.status, 'not_available') as status,
        figures.area_code is not null as has_row,
        figures.provenance_id as figure_provenance_id,
        figures.origin as figure_origin,
        populations.provenance_id as population_provenance_id,
        'd-' || substr(
            md5(
                concat_ws(
                    '|', 'population_weighted_v1', editions.barometer_id, parents.parent_code,
                    editions.edition, cast(editions.period_start as varchar)
                )
            ),
            1,
            16
        ) as provenance_id
    from editions
    cross join parents
    inner join memberships on parents.parent_code = memberships.parent_code
    left join figures
        on
            editions.barometer_id = figures.barometer_id
            and editions.dataset = figures.dataset
            and editions.edition = figures.edition
            and editions.period_start = figures.period_start
            and editions.period_end = figures.period_end
            and memberships.member_code = figures.area_code
    left join areas as member_areas on memberships.member_code = member_areas.area_code
    left join chosen_vintages
        on
            editions.dataset = chosen_vintages.dataset
            and editions.edition = chosen_vintages.edition
            and editions.period_start = chosen_vintages.period_start
            and editions.period_end = chosen_vintages.period_end
            and parents.parent_code = chosen_vintages.parent_code
            and chosen_vintages.preference = 1
    left join populations
        on
            memberships.member_code = populations.area_code
            and chosen_vintages.vintage = populations.vintage

)

select * from final
