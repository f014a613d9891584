with counts as (

    select * from {{ ref('int_group_counts') }}

)

select
    md5(concat_ws(
        '|', barometer_id, edition, cast(period_end as varchar), parent_kind, parent_code,
        cast(group_number as varchar)
    )) as group_count_id,
    cast(barometer_id as varchar) as barometer_id,
    cast(goal_id as varchar) as goal_id,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(parent_kind as varchar) as area_kind,
    cast(parent_code as varchar) as area_code,
    cast(parent_name as varchar) as area_name,
    cast(group_number as integer) as group_number,
    cast(group_label as varchar) as group_label,
    cast(groups_in_edition as integer) as groups_in_edition,
    cast(areas as integer) as areas,
    cast(areas_in_group_or_below as integer) as areas_in_group_or_below,
    cast(areas_with_figure as integer) as areas_with_group,
    cast(area_names as varchar) as names_of_areas,
    cast(is_complete as boolean) as is_complete,
    cast(method as varchar) as method,
    cast(membership_vintage as integer) as membership_vintage
from counts
order by group_count_id
