with tested as (

    {{ compared(ref('int_local_survey_pairs')) }}

),

-- A local and a national figure are tested only where wording and mode are the same.
reasoned as (

    select
        *,
        case
            when value is null then 'no_figure'
            when barometer is null then 'no_barometer'
            when comparator_value is null then 'no_national_figure'
            when wording_is != 'same' then 'wording'
            when coalesce(mode != comparator_mode, true) then 'mode'
            when comparator_origin = 'reported' then 'quoted'
            when z is null then 'no_standard_error'
        end as reason_code
    from tested

)

select
    md5(concat_ws('|', dataset, edition, measure, area_code, breakdown, category)) as local_survey_id,
    cast(dataset as varchar) as survey,
    cast(title as varchar) as title,
    cast(organisation as varchar) as organisation,
    cast(survey_area as varchar) as survey_area_code,
    cast(measure as varchar) as question_id,
    cast(wording as varchar) as wording,
    cast(response as varchar) as response,
    cast(barometer as varchar) as barometer_id,
    cast(wording_is as varchar) as wording_is,
    cast(nullif(note, '') as varchar) as wording_note,
    cast(mode as varchar) as mode,
    cast(weighting as varchar) as weighting,
    cast(edition as varchar) as edition,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(breakdown as varchar) as breakdown,
    cast(category as varchar) as category,
    cast(unit as varchar) as unit,
    cast(value as double) as value,
    cast(lower_95 as double) as lower_95,
    cast(upper_95 as double) as upper_95,
    cast(base as bigint) as base,
    cast(status as varchar) as status,
    cast(reason as varchar) as status_reason,
    cast(comparator_series as varchar) as national_series,
    cast(comparator_edition as varchar) as national_edition,
    cast(comparator_value as double) as national_value,
    cast(comparator_lower_95 as double) as national_lower_95,
    cast(comparator_upper_95 as double) as national_upper_95,
    cast(comparator_mode as varchar) as national_mode,
    cast(case when reason_code is null then difference end as double) as difference,
    cast(case when reason_code is null then difference_se end as double) as difference_se,
    cast(case when reason_code is null then z end as double) as z,
    cast(
        case
            when reason_code is null then {{ comparison_outcome('z', "'none'") }} else 'cannot_say'
        end as varchar
    ) as outcome,
    cast(case when reason_code is null then 'caution' end as varchar) as grade,
    cast(case reason_code
        when 'no_figure' then 'The survey withholds the figure.'
        when 'no_barometer' then 'The question resembles no barometer.'
        when 'no_national_figure' then 'There is no national figure for the same area and people.'
        when 'wording' then 'The wording is not the same.'
        when 'mode' then 'Answers were collected in another way.'
        when 'quoted' then 'The national figure is quoted from another publication.'
        when 'no_standard_error' then 'One of the two gives no interval.'
    end as varchar) as reason,
    cast(origin as varchar) as origin,
    cast(source as varchar) as source,
    cast(source_url as varchar) as source_url,
    cast(file_sha256 as varchar) as file_sha256,
    cast(row_number as integer) as row_number
from reasoned
order by dataset, measure, area_code, breakdown, category
