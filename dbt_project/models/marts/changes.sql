{{ config(meta={'parts': {'by': 'area_code', 'of': 'int_change_pairs'}}) }}
with changes as (

    select
        *,
        {{ change_sentence() }} as sentence
    from {{ ref('int_changes') }}

)

select
    cast(change_id as varchar) as change_id,
    cast(barometer_id as varchar) as barometer_id,
    cast(goal_id as varchar) as goal_id,
    cast(role as varchar) as role,
    cast(from_dataset as varchar) as from_dataset,
    cast(to_dataset as varchar) as dataset,
    cast(change_kind as varchar) as change_kind,
    cast(from_edition as varchar) as from_edition,
    cast(to_edition as varchar) as to_edition,
    cast(from_period_start as date) as from_period_start,
    cast(from_period_end as date) as from_period_end,
    cast(to_period_start as date) as to_period_start,
    cast(to_period_end as date) as to_period_end,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(unit as varchar) as unit,
    cast(polarity as varchar) as polarity,
    cast(from_value as double) as from_value,
    cast(to_value as double) as to_value,
    cast(from_origin as varchar) as from_origin,
    cast(to_origin as varchar) as to_origin,
    cast(grade as varchar) as grade,
    cast(grade_kind as varchar) as grade_kind,
    cast(grade_reason as varchar) as grade_reason,
    cast(grade_citation as varchar) as grade_citation,
    cast(change as double) as difference,
    cast(change_lower_95 as double) as difference_lower_95,
    cast(change_upper_95 as double) as difference_upper_95,
    cast(z as double) as z,
    cast(sampling_z as double) as sampling_z,
    cast(p_value as double) as p_value,
    cast(minimum_detectable_change as double) as minimum_detectable_change,
    cast(outcome as varchar) as outcome,
    cast(close_call as boolean) as close_call,
    cast(reason_code as varchar) as reason_code,
    cast(reason as varchar) as reason,
    cast(from_group_number as integer) as from_group_number,
    cast(from_group_label as varchar) as from_group_label,
    cast(to_group_number as integer) as to_group_number,
    cast(to_group_label as varchar) as to_group_label,
    cast(group_movement as integer) as group_movement,
    cast(sentence as varchar) as sentence,
    cast(bh_tests as integer) as tests_in_family,
    cast(bh_significant as boolean) as survives_family,
    cast(method as varchar) as method,
    cast(from_provenance_id as varchar) as from_provenance_id,
    cast(to_provenance_id as varchar) as to_provenance_id
from changes
order by area_code, barometer_id, to_edition, to_period_end, change_kind, change_id
