select
    cast(parts.framework as varchar) as framework,
    parts.framework = '{{ var("framework") }}' as is_report,
    cast(parts.goal_id as varchar) as goal_id,
    cast(indicators.indicator_id as varchar) as barometer_id,
    cast(parts.role as varchar) as role,
    cast(parts.indicator_order as integer) as barometer_order,
    cast(indicators.title as varchar) as title,
    cast(indicators.short_title as varchar) as short_title,
    cast(indicators.statement as varchar) as statement,
    cast(indicators.unit as varchar) as unit,
    cast(indicators.polarity as varchar) as polarity,
    cast(indicators.dataset as varchar) as dataset,
    cast(indicators.table_code as varchar) as table_code,
    cast(indicators.question as varchar) as question,
    cast(indicators.question_source as varchar) as question_source,
    cast(indicators.response as varchar) as response,
    cast(indicators.definition as varchar) as definition,
    cast(indicators.caution as varchar) as caution,
    cast(indicators.comparator as varchar) as comparator
from {{ ref('framework_indicators') }} as parts
inner join {{ ref('indicators') }} as indicators on parts.indicator_id = indicators.indicator_id
order by framework, goal_id, barometer_order
