with keys as (

    select
        goals.goal_id,
        goals.goal_order,
        goals.title as goal_title,
        parts.indicator_id as barometer_id
    from {{ ref('goals') }} as goals
    inner join {{ ref('framework_indicators') }} as parts
        on
            goals.framework = parts.framework
            and goals.goal_id = parts.goal_id
            and parts.role = 'key'
    where goals.framework = '{{ var("framework") }}'

),

cells as (

    select * from {{ ref('barometers') }}
    where framework = '{{ var("framework") }}'

),

editions_with_figure as (

    select
        barometer_id,
        count(value) as editions,
        max(case when value is not null then edition_title end) as edition_title
    from cells
    where area_code = '{{ var("lead_area") }}'
    group by barometer_id

),

since_baseline as (

    select * from {{ ref('changes') }}
    where change_kind = 'baseline_to_latest' and area_code = '{{ var("lead_area") }}'
    qualify
        row_number() over (partition by barometer_id order by to_period_end desc, to_edition desc) = 1

),

joined as (

    select
        keys.*,
        cells.*
        exclude (
            framework, goal_id, barometer_id, role, title, dataset, sentence, comparator_value -- noqa: RF02
        ),
        cells.title as barometer_title,
        lead_cells.sentence,
        lead_cells.groups_in_words,
        -- England in the edition of the figure; its own latest where there is no figure.
        case
            when cells.value is null then england_cells.value else cells.comparator_value
        end as england_value,
        case
            when cells.value is null then england_cells.edition_title
            when cells.comparator_value is not null then cells.edition_title
        end as england_edition_title,
        england.provenance_id as england_provenance_id,
        england.mark as england_mark,
        since_baseline.outcome as since_baseline,
        coalesce(
            since_baseline.reason,
            case
                when since_baseline.outcome is not null then null
                when cells.unit = 'z_score'
                    then
                        'An index has no value for a combined authority, and every edition is built '
                        || 'anew: read how its members moved between groups within one edition.'
                when editions.editions = 0 then 'No edition has a figure for this area.'
                else 'Only one edition, ' || editions.edition_title || ', has a figure for this area.'
            end
        ) as since_baseline_reason
    from keys
    inner join cells
        on
            keys.barometer_id = cells.barometer_id
            and cells.area_code = '{{ var("lead_area") }}'
            and cells.is_latest
    left join {{ ref('combined_authorities') }} as lead_cells
        on
            keys.barometer_id = lead_cells.barometer_id
            and lead_cells.area_code = '{{ var("lead_area") }}'
            and lead_cells.is_latest
    left join cells as england_cells
        on
            keys.barometer_id = england_cells.barometer_id
            and england_cells.area_code = '{{ var("england") }}'
            and england_cells.is_latest
            and england_cells.value is not null
    left join cells as england
        on
            keys.barometer_id = england.barometer_id
            and england.area_code = '{{ var("england") }}'
            and england.edition
            = case when cells.value is null then england_cells.edition else cells.edition end
    left join editions_with_figure as editions on keys.barometer_id = editions.barometer_id
    left join since_baseline on keys.barometer_id = since_baseline.barometer_id

)

select
    cast(goal_id as varchar) as goal_id,
    cast(goal_order as integer) as goal_order,
    cast(goal_title as varchar) as goal_title,
    cast(barometer_id as varchar) as barometer_id,
    cast(barometer_title as varchar) as barometer_title,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(edition as varchar) as edition,
    cast(unit as varchar) as unit,
    cast(value as double) as value,
    cast(lower_95 as double) as lower_95,
    cast(upper_95 as double) as upper_95,
    cast(status as varchar) as status,
    cast(status_reason as varchar) as status_reason,
    cast(origin as varchar) as origin,
    cast(method as varchar) as method,
    cast(mark as varchar) as mark,
    cast(england_value as double) as england_value,
    cast(england_edition_title as varchar) as england_edition_title,
    cast(difference as double) as difference,
    cast(difference_lower_95 as double) as difference_lower_95,
    cast(difference_upper_95 as double) as difference_upper_95,
    cast(outcome as varchar) as outcome,
    cast(close_call as boolean) as close_call,
    cast(coalesce(since_baseline, 'cannot_say') as varchar) as since_baseline,
    cast(since_baseline_reason as varchar) as since_baseline_reason,
    cast(groups_in_words as varchar) as groups_in_words,
    cast(
        sentence
        || case
            when value is null and unit = 'percent' and england_edition_title != edition_title
                then
                    ' The latest figure for England is '
                    || {{ figure_in_words('england_value', 'england_mark') }}
                    || ' (' || england_edition_title || ').'
            else ''
        end as varchar
    ) as sentence,
    cast(provenance_id as varchar) as provenance_id,
    cast(england_provenance_id as varchar) as england_provenance_id
from joined
order by goal_order
