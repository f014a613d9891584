with outcomes as (

    select
        *,
        concat_ws('.', goal_id, kind, cast(outcome_order as varchar)) as outcome_id
    from {{ ref('resident_outcomes') }}

),

items as (

    select distinct
        evidence_id,
        title,
        {{ row_per_item('outcomes', '; ') }} as outcome_id
    from {{ ref('evidence') }}
    where not is_fictional

),

counted as (

    select
        outcome_id,
        count(*) as items,
        {{ joined('evidence_id', '; ') }} as evidence_ids,
        {{ joined('title', '; ', 'evidence_id') }} as titles
    from items
    group by outcome_id

)

select
    cast(outcomes.outcome_id as varchar) as outcome_id,
    cast(outcomes.goal_id as varchar) as goal_id,
    cast(outcomes.kind as varchar) as kind,
    cast(outcomes.outcome_order as integer) as outcome_order,
    cast(outcomes.outcome as varchar) as outcome,
    cast(coalesce(counted.items, 0) as bigint) as items,
    cast(counted.evidence_ids as varchar) as evidence_ids,
    cast(coalesce(counted.titles, 'none yet') as varchar) as sentence
from outcomes
left join counted on outcomes.outcome_id = counted.outcome_id
order by outcomes.goal_id, outcomes.kind, outcomes.outcome_order
