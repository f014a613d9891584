select
    cast(cells.framework as varchar) as framework,
    cast(cells.goal_id as varchar) as goal_id,
    cast(goals.title as varchar) as goal_title,
    cast(cells.role as varchar) as role,
    cast(cells.barometer_id as varchar) as barometer_id,
    cast(cells.title as varchar) as title,
    cast(cells.area_code as varchar) as area_code,
    cast(cells.area_name as varchar) as area_name,
    cast(cells.area_level as varchar) as area_level,
    cast(cells.edition as varchar) as edition,
    cast(cells.period_end as date) as period_end,
    cast(cells.unit as varchar) as unit,
    cast(cells.value as double) as value,
    cast(cells.lower_95 as double) as lower_95,
    cast(cells.upper_95 as double) as upper_95,
    cast(cells.group_label as varchar) as group_label,
    cast(cells.status as varchar) as status,
    cast(cells.origin as varchar) as origin,
    cast(cells.mark as varchar) as mark,
    cast(cells.outcome as varchar) as outcome,
    cast(cells.close_call as boolean) as close_call,
    cast(cells.sentence as varchar) as sentence,
    cast(cells.provenance_id as varchar) as provenance_id
from {{ ref('barometers') }} as cells
inner join {{ ref('goals') }} as goals
    on cells.framework = goals.framework and cells.goal_id = goals.goal_id
where cells.is_latest
order by cells.framework, cells.goal_id, cells.area_code, cells.barometer_id
