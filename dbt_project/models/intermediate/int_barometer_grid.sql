-- Every cell that a reader may look for and that has no published figure, with the reason.

with areas as (

    select *
    from {{ ref('areas') }}
    where
        valid_to is null
        and area_code = current_code
        and area_level in ('nation', 'itl1', 'cauth', 'lad')
        and (area_code like 'E%' or area_level = 'cauth')

),

figures as (

    select distinct
        barometer_id,
        edition,
        area_code,
        area_level
    from {{ ref('int_standard_errors') }}

),

levels as (

    select distinct
        barometer_id,
        edition,
        area_level
    from figures

),

counties as (

    select
        parents.area_code,
        county_areas.area_name as county_name
    from {{ ref('int_area_parents') }} as parents
    inner join {{ ref('areas') }} as county_areas on parents.county_code = county_areas.area_code

),

cells as (

    select
        barometers.barometer_id,
        barometers.goal_id,
        editions.dataset,
        barometers.unit,
        barometers.polarity,
        editions.edition,
        editions.edition_title,
        editions.period_start,
        editions.period_end,
        editions.how_to_obtain,
        editions.periods_in_file,
        levels.area_level is not null as has_figures_at_level,
        areas.area_code,
        areas.area_name,
        areas.area_level,
        areas.region_code,
        counties.county_name,
        own_level.area_level is not null as is_published_level,
        authority_level.area_level is not null as has_authority_figures
    from {{ ref('int_indicators') }} as barometers
    inner join {{ ref('int_grid_editions') }} as editions
        on barometers.barometer_id = editions.barometer_id
    cross join areas
    left join counties on areas.area_code = counties.area_code
    left join levels
        on
            editions.barometer_id = levels.barometer_id
            and editions.edition = levels.edition
            and areas.area_level = levels.area_level
    left join {{ source('raw', 'edition_levels') }} as own_level
        on
            editions.dataset = own_level.dataset
            and editions.edition = own_level.edition
            and areas.area_level = own_level.area_level
    left join {{ source('raw', 'edition_levels') }} as authority_level
        on
            editions.dataset = authority_level.dataset
            and editions.edition = authority_level.edition
            and authority_level.area_level = 'lad'

),

gaps as (

    select cells.*
    from cells
    anti join figures
        on
            cells.barometer_id = figures.barometer_id
            and cells.edition = figures.edition
            and cells.area_code = figures.area_code

)

select
    barometer_id,
    goal_id,
    dataset,
    unit,
    polarity,
    edition,
    period_start,
    period_end,
    area_code,
    area_name,
    area_level,
    region_code,
    case
        when unit = 'z_score' then 'not_applicable'
        when is_published_level then 'not_held'
        when area_level = 'cauth' and has_authority_figures then 'not_held'
        else 'not_available'
    end as status,
    case
        when unit = 'z_score' and area_level = 'nation'
            then
                'The index places areas of the United Kingdom against one another; '
                || 'it has no value for England.'
        when unit = 'z_score' and area_level in ('cauth', 'itl1')
            then 'The index is never averaged over areas: read the groups of the member authorities.'
        when unit = 'z_score' and county_name is not null
            then 'The index has one value for the whole of ' || county_name || '.'
        when unit = 'z_score'
            then 'The index has no value of its own for this area.'
        when is_published_level
            then edition_title || ' is not held here. ' || coalesce(how_to_obtain || '.', '')
        when area_level = 'cauth' and has_authority_figures
            then
                'Computed from the member authorities, whose figures are not all held. '
                || coalesce(how_to_obtain || '.', '')
        when periods_in_file and has_figures_at_level
            then 'The publisher gives no figure for this area in ' || edition_title || '.'
        when periods_in_file
            then
                'The publisher gives no figures for ' || {{ level_in_words('area_level') }}
                || ' in ' || edition_title || '.'
        else edition_title || ' publishes no figures for ' || {{ level_in_words('area_level') }} || '.'
    end as status_reason
from gaps
