with cells as (

    select * from {{ ref('int_barometer_cells') }}

),

barometers as (

    select * from {{ ref('barometer_definitions') }}

),

areas as (

    select * from {{ ref('areas') }}

),

editions as (

    select * from {{ ref('int_editions') }}

),

joined as (

    select
        cells.goal_id,
        cells.barometer_id,
        barometers.role,
        barometers.title,
        cells.area_code,
        cells.area_name,
        cells.area_level,
        cells.region_code,
        cells.dataset,
        cells.edition,
        editions.edition_title,
        editions.is_baseline,
        -- The newest cell with a figure; where no edition has one for this area, the newest cell.
        -- An abolished area has no latest cell.
        areas.valid_to is null
        and row_number() over (
            partition by cells.barometer_id, cells.area_code
            order by
                cells.value is not null desc,
                editions.edition_order desc,
                cells.period_end desc
        ) = 1 as is_latest,
        cells.period_start,
        cells.period_end,
        cells.unit,
        barometers.polarity,
        cells.value,
        cells.lower_95,
        cells.upper_95,
        cells.se,
        cells.se_method,
        cells.base,
        cells.group_number,
        cells.group_label,
        cells.status,
        cells.status_reason,
        cells.origin,
        cells.method,
        cells.source_dataset,
        cells.published_area_code,
        cells.provenance_id
    from cells
    inner join barometers on cells.barometer_id = barometers.barometer_id
    inner join areas on cells.area_code = areas.area_code
    inner join editions
        on
            cells.dataset = editions.dataset
            and cells.edition = editions.edition

)

select
    cast(goal_id as varchar) as goal_id,
    cast(barometer_id as varchar) as barometer_id,
    cast(role as varchar) as role,
    cast(title as varchar) as title,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(region_code as varchar) as region_code,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(edition_title as varchar) as edition_title,
    cast(is_baseline as boolean) as is_baseline,
    cast(is_latest as boolean) as is_latest,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(unit as varchar) as unit,
    cast(polarity as varchar) as polarity,
    cast(value as double) as value,
    cast(lower_95 as double) as lower_95,
    cast(upper_95 as double) as upper_95,
    cast(se as double) as standard_error,
    cast(se_method as varchar) as standard_error_method,
    cast(base as bigint) as base,
    cast(group_number as integer) as group_number,
    cast(group_label as varchar) as group_label,
    cast(status as varchar) as status,
    cast(status_reason as varchar) as status_reason,
    cast(origin as varchar) as origin,
    cast(method as varchar) as method,
    cast(source_dataset as varchar) as source_dataset,
    cast(published_area_code as varchar) as published_area_code,
    cast(provenance_id as varchar) as provenance_id
from joined
order by barometer_id, area_code, edition, period_end
