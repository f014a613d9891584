-- Every cell that a reader may look for and that has no published figure, with the reason.

with barometers as (

    select * from {{ ref('int_indicators') }}

),

editions as (

    select * from {{ ref('int_editions') }}

),

edition_levels as (

    select * from {{ source('raw', 'edition_levels') }}

),

areas as (

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
    from {{ ref('int_published_figures') }}

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
        areas.area_code,
        areas.area_name,
        areas.area_level,
        areas.region_code,
        counties.county_name,
        own_level.area_level is not null as is_published_level,
        authority_level.area_level is not null as has_authority_figures
    from barometers
    -- An older edition of a national series has its figures and no gaps.
    inner join editions on barometers.dataset = editions.series and not editions.is_history
    cross join areas
    left join counties on areas.area_code = counties.area_code
    left join edition_levels as own_level
        on
            editions.dataset = own_level.dataset
            and editions.edition = own_level.edition
            and areas.area_level = own_level.area_level
    left join edition_levels as authority_level
        on
            editions.dataset = authority_level.dataset
            and editions.edition = authority_level.edition
            and authority_level.area_level = 'lad'

),

without_figure as (

    select cells.*
    from cells
    left join figures
        on
            cells.barometer_id = figures.barometer_id
            and cells.edition = figures.edition
            and cells.area_code = figures.area_code
    where figures.barometer_id is null

),

final as (

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
            else edition_title || ' publishes no figures for ' || {{ level_in_words('area_level') }} || '.'
        end as status_reason
    from without_figure

)

select * from final
