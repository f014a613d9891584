-- Each local result with the national figure of the same area whose fieldwork is nearest in time.
with results as (

    select
        local_surveys.* exclude (area_code, area_name, area_level),
        coalesce(areas.area_code, local_surveys.area_code) as area_code,
        coalesce(areas.area_name, local_surveys.area_name) as area_name,
        coalesce(areas.area_level, local_surveys.area_level) as area_level,
        nullif(max({{ decimals_stored('local_surveys.value') }}) over (
            partition by local_surveys.dataset, local_surveys.measure
        ), 3) as decimals,
        coalesce(
            {{ se_from_interval(
                'local_surveys.lower_95', 'local_surveys.upper_95', 'local_surveys.value',
                'local_surveys.base', 'local_surveys.design_effect'
            ) }},
            -- Null where the survey gives no design effect either.
            {{ se_floor('local_surveys.value', 'local_surveys.base', 'local_surveys.design_effect') }}
        ) as se
    from {{ source('raw', 'local_surveys') }} as local_surveys
    left join {{ ref('areas') }} as printed on local_surveys.area_code = printed.area_code
    left join {{ ref('areas') }} as areas on printed.current_code = areas.area_code

),

national as (

    select
        cells.*,
        catalogue.mode,
        catalogue.publisher_short || ', ' || catalogue.short_title as series
    from {{ ref('int_barometer_cells') }} as cells
    left join {{ source('raw', 'catalogue') }} as catalogue
        on cells.source_dataset = catalogue.dataset
    where cells.unit = 'percent' and cells.value is not null

)

select
    results.*,
    national.source_dataset as comparator_dataset,
    national.edition as comparator_edition,
    national.series as comparator_series,
    national.mode as comparator_mode,
    national.value as comparator_value,
    national.lower_95 as comparator_lower_95,
    national.upper_95 as comparator_upper_95,
    national.se as comparator_se,
    national.origin as comparator_origin,
    cast(null as integer) as comparator_decimals,
    -- Two samples of one area: neither figure is part of the other.
    cast(null as double) as share_of_comparator,
    cast(null as double) as share_in_area
from results
left join national
    on
        results.barometer = national.barometer_id
        and results.area_code = national.area_code
        and results.breakdown = 'all'
qualify
    row_number() over (
        partition by
            results.dataset, results.edition, results.measure, results.area_code,
            results.breakdown, results.category
        order by
            abs({{ days_between('results.period_end', 'national.period_end') }}), national.edition desc
    ) = 1
