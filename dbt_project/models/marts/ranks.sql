with ranks as (

    select * from {{ ref('int_ranks') }}
    where value is not null

)

select
    left(md5(concat_ws(
        '|', barometer_id, edition, cast(period_end as varchar), rank_group, rank_group_code, area_code
    )), 16) as rank_id,
    cast(rank_group as varchar) as rank_group,
    cast(rank_group_code as varchar) as rank_group_code,
    cast(barometer_id as varchar) as barometer_id,
    cast(goal_id as varchar) as goal_id,
    cast(role as varchar) as role,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(value as double) as value,
    cast(rank as integer) as rank,
    cast(rank_best as integer) as rank_best,
    cast(rank_worst as integer) as rank_worst,
    cast(areas_ranked as integer) as areas_ranked,
    cast(areas_in_group as integer) as areas_in_group,
    cast(rank_order as varchar) as rank_order,
    cast(reason_code as varchar) as reason_code,
    cast(reason as varchar) as reason,
    cast(method as varchar) as method
from ranks
order by area_code, barometer_id, rank_id
