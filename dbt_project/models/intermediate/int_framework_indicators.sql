-- Each indicator once in each framework that uses it. One that serves several goals has the goal
-- "all": its figures are the same whichever goal a reader comes from.
select
    framework,
    indicator_id,
    case when count(distinct goal_id) = 1 then min(goal_id) else 'all' end as goal_id,
    min(role) as role,
    min(indicator_order) as indicator_order
from {{ ref('framework_indicators') }}
group by framework, indicator_id
