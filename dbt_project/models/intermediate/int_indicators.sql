-- Every indicator with its goal and role: those of the report's framework, or of the only framework
-- that uses it.
select
    indicators.indicator_id as barometer_id,
    parts.goal_id,
    parts.role,
    indicators.* exclude (indicator_id) -- noqa: RF02
from {{ ref('indicators') }} as indicators
inner join {{ ref('int_framework_indicators') }} as parts
    on indicators.indicator_id = parts.indicator_id
qualify
    row_number() over (
        partition by indicators.indicator_id
        order by parts.framework = '{{ var("framework") }}' desc, parts.framework, parts.goal_id
    ) = 1
