with cells as (

    select
        *,
        {{ area_in_words('area_name', 'area_level') }} as area_words,
        max(group_number) over (partition by barometer_id, edition) as groups
    from {{ ref('int_barometer_cells') }}

),

england as (

    select
        *,
        {{ area_in_words('area_name', 'area_level') }} as england_words
    from {{ ref('int_barometer_cells') }}
    where area_code = '{{ var("england") }}'

),

verdicts as (

    select * from {{ ref('int_comparisons') }}
    where comparator_kind = 'england'

),

joined as (

    select
        cells.*,
        barometers.role,
        barometers.title,
        barometers.statement,
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
        case when cells.area_level != 'nation' then england.england_words end as comparator_words,
        case when cells.area_level != 'nation' then england.value end as comparator_value,
        case
            when cells.area_level != 'nation'
                then {{ figure_mark('england.origin', 'england.status') }}
        end as comparator_mark,
        verdicts.difference,
        verdicts.difference_lower_95,
        verdicts.difference_upper_95,
        verdicts.z,
        verdicts.p_value,
        verdicts.close_call,
        verdicts.survives_family,
        verdicts.gap_exceeds_any_sample,
        case when cells.area_level != 'nation' then coalesce(verdicts.outcome, 'cannot_say') end
            as outcome,
        case
            when cells.area_level = 'nation' then null
            when verdicts.barometer_id is not null then verdicts.reason
            when cells.value is null
                then 'There is no figure for ' || cells.area_words || '.'
            when cells.unit = 'z_score'
                then
                    'No standard error is published for this index, so it is read by group and '
                    || 'not tested.'
            else cells.area_words || ' is not one of the current areas that are compared.'
        end as reason,
        coalesce(
            {{ figure_mark('cells.origin', 'cells.status') }}, status_codes.symbol
        ) as mark
    from cells
    inner join {{ ref('barometer_definitions') }} as barometers
        on cells.barometer_id = barometers.barometer_id
    inner join {{ ref('areas') }} as areas on cells.area_code = areas.area_code
    inner join {{ ref('int_editions') }} as editions
        on
            cells.dataset = editions.dataset
            and cells.edition = editions.edition
    left join {{ ref('status_codes') }} as status_codes on cells.status = status_codes.status
    left join england
        on
            cells.barometer_id = england.barometer_id
            and cells.edition = england.edition
            and cells.unit != 'z_score'
    left join verdicts on cells.barometer_id = verdicts.barometer_id
        and cells.dataset = verdicts.dataset
        and cells.edition = verdicts.edition
        and cells.period_end = verdicts.period_end
        and cells.area_code = verdicts.area_code

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
    cast(mark as varchar) as mark,
    cast(comparator_value as double) as comparator_value,
    cast(difference as double) as difference,
    cast(difference_lower_95 as double) as difference_lower_95,
    cast(difference_upper_95 as double) as difference_upper_95,
    cast(z as double) as z,
    cast(p_value as double) as p_value,
    cast(outcome as varchar) as outcome,
    cast(reason as varchar) as outcome_reason,
    cast(close_call as boolean) as close_call,
    cast(survives_family as boolean) as survives_family,
    cast({{ minimum_detectable_change('2 * se * se') }} as double) as minimum_detectable_change,
    cast({{ barometer_sentence() }} as varchar) as sentence,
    cast(origin as varchar) as origin,
    cast(method as varchar) as method,
    cast(source_dataset as varchar) as source_dataset,
    cast(published_area_code as varchar) as published_area_code,
    cast(provenance_id as varchar) as provenance_id
from joined
order by barometer_id, area_code, edition, period_end
