-- Figures of groups of people: what the surveys print by demographics, and indicators of the context
-- that are each of one group. No group is tested against another.
with printed as (

    select
        indicators.barometer_id,
        indicators.barometer_id as subject,
        indicators.title,
        observations.area_code,
        areas.area_name,
        areas.area_level,
        editions.dataset,
        observations.edition,
        editions.edition_title,
        editions.period_start,
        editions.period_end,
        observations.breakdown,
        observations.category,
        observations.row_number as category_order,
        observations.unit,
        observations.value,
        observations.lower_95,
        observations.upper_95,
        observations.base,
        observations.status,
        case when observations.value is null then coalesce(observations.citation, statuses.meaning) end
            as status_reason,
        observations.origin,
        observations.provenance_id
    from {{ ref('int_observations') }} as observations
    inner join {{ ref('indicator_measures') }} as measures
        on
            observations.dataset = measures.dataset
            and observations.measure = measures.measure
    inner join {{ ref('int_indicators') }} as indicators
        on measures.indicator_id = indicators.barometer_id
    inner join {{ ref('int_editions') }} as editions
        on
            indicators.dataset = editions.series
            and observations.edition = editions.edition
    inner join {{ ref('int_areas') }} as areas on observations.area_code = areas.area_code
    left join {{ ref('status_codes') }} as statuses on observations.status = statuses.status
    where observations.breakdown != 'all'
    qualify
        row_number() over (
            partition by
                indicators.barometer_id, observations.area_code, observations.edition,
                observations.breakdown, observations.category
            order by
                observations.value is null asc,
                measures.precedence asc,
                observations.provenance_id asc
        ) = 1

),

groups as (

    select
        context.barometer_id,
        groups.subject,
        groups.title,
        context.area_code,
        context.area_name,
        context.area_level,
        context.dataset,
        context.edition,
        context.edition_title,
        context.period_start,
        context.period_end,
        groups.breakdown,
        groups.category,
        groups.category_order,
        context.unit,
        context.value,
        context.lower_95,
        context.upper_95,
        context.base,
        context.status,
        context.status_reason,
        context.origin,
        context.provenance_id
    from {{ ref('context') }} as context
    inner join {{ ref('indicator_groups') }} as groups on context.barometer_id = groups.indicator_id
    where context.framework = '{{ var("framework") }}'

),

final as (

    select * from printed
    union all
    select * from groups

)

select
    md5(concat_ws('|', subject, area_code, edition, period_end, breakdown, category))
        as breakdown_id,
    cast(barometer_id as varchar) as barometer_id,
    cast(subject as varchar) as subject,
    cast(title as varchar) as title,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(edition_title as varchar) as edition_title,
    cast(coalesce(period_end = max(case when value is not null then period_end end) over (
        partition by subject, area_code, breakdown
    ), false) as boolean) as is_latest,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(breakdown as varchar) as breakdown,
    cast(category as varchar) as category,
    cast(row_number() over (
        partition by subject, area_code, edition, period_end, breakdown
        order by category_order, category
    ) as integer) as category_order,
    cast(unit as varchar) as unit,
    cast(value as double) as value,
    cast(lower_95 as double) as lower_95,
    cast(upper_95 as double) as upper_95,
    cast(base as bigint) as base,
    cast(status as varchar) as status,
    cast(status_reason as varchar) as status_reason,
    cast(origin as varchar) as origin,
    cast(provenance_id as varchar) as provenance_id
from final
order by subject, area_code, period_end, edition, breakdown, category_order
