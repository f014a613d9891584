with comparisons as (

    select * from {{ ref('int_comparisons') }}
    -- A cell without a figure says so itself, and an index is compared with nothing: one row each
    -- against England carries the reason, the other comparators would only repeat it.
    where comparator_kind = 'england' or (value is not null and unit = 'percent')

)

select
    md5(concat_ws(
        '|', barometer_id, edition, cast(period_end as varchar), area_code, comparator_kind,
        coalesce(comparator_code, '')
    )) as comparison_id,
    cast(barometer_id as varchar) as barometer_id,
    cast(goal_id as varchar) as goal_id,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(comparator_kind as varchar) as comparator_kind,
    cast(comparator_code as varchar) as comparator_code,
    cast(comparator_name as varchar) as comparator_name,
    cast(comparator_selected as boolean) as comparator_selected,
    cast(unit as varchar) as unit,
    cast(polarity as varchar) as polarity,
    cast(value as double) as value,
    cast(comparator_value as double) as comparator_value,
    cast(difference as double) as difference,
    cast(difference_lower_95 as double) as difference_lower_95,
    cast(difference_upper_95 as double) as difference_upper_95,
    cast(difference_se as double) as difference_standard_error,
    cast(z as double) as z,
    cast(sampling_z as double) as sampling_z,
    cast(p_value as double) as p_value,
    cast(outcome as varchar) as outcome,
    cast(close_call as boolean) as close_call,
    cast(reason_code as varchar) as reason_code,
    cast(reason as varchar) as reason,
    cast(is_part_whole as boolean) as is_part_whole,
    cast(part_whole_applied as boolean) as part_whole_applied,
    cast(part_whole_share as double) as part_whole_share,
    cast(test_family as varchar) as test_family,
    cast(bh_tests as integer) as bh_tests,
    cast(bh_adjusted_p as double) as bh_adjusted_p,
    cast(bh_significant as boolean) as bh_significant,
    cast(method as varchar) as method,
    cast(membership_vintage as integer) as membership_vintage,
    cast(population_vintage as integer) as population_vintage,
    cast(provenance_id as varchar) as provenance_id,
    cast(comparator_provenance_id as varchar) as comparator_provenance_id
from comparisons
order by comparison_id
