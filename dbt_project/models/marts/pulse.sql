with goals as (

    select * from {{ ref('goals') }}

),

barometers as (

    select * from {{ ref('barometer_definitions') }}

),

cells as (

    select * from {{ ref('barometers') }}

),

lead_area as (

    select
        area_code,
        {{ area_in_words('area_name', 'area_level') }} as area_words
    from {{ ref('areas') }}
    where area_code = '{{ var("lead_area") }}'

),

lead_cells as (

    select
        cells.*,
        lead_area.area_words
    from cells
    inner join lead_area on cells.area_code = lead_area.area_code
    where cells.is_latest

),

-- England in the edition that the lead area's figure is of; else its own latest.
england_cells as (

    select cells.*
    from cells
    inner join lead_cells on cells.barometer_id = lead_cells.barometer_id
    where
        cells.area_code = 'E92000001'
        and (
            (lead_cells.value is not null and cells.edition = lead_cells.edition)
            or (lead_cells.value is null and cells.is_latest)
        )

),

comparisons as (

    select * from {{ ref('comparisons') }}
    where comparator_kind = 'england'

),

since_baseline as (

    select *
    from {{ ref('changes') }}
    where change_kind = 'baseline_to_latest'
    qualify
        row_number() over (
            partition by barometer_id, area_code order by to_period_end desc, to_edition desc
        ) = 1

),

group_counts as (

    select
        barometer_id,
        edition,
        period_end,
        parent_code,
        string_agg(areas || ' in ' || group_label, ', ' order by group_number) filter (areas > 0)
            as groups_in_words,
        sum(areas) as areas
    from {{ ref('int_group_counts') }}
    where parent_code = '{{ var("lead_area") }}'
    group by barometer_id, edition, period_end, parent_code
    qualify
        row_number() over (partition by barometer_id order by edition desc, period_end desc) = 1

),

joined as (

    select
        goals.goal_id,
        goals.goal_order,
        goals.title as goal_title,
        goals.key_barometer_id as barometer_id,
        barometers.title as barometer_title,
        barometers.statement,
        lead_cells.area_code,
        lead_cells.area_name,
        lead_cells.area_words,
        lead_cells.unit,
        lead_cells.edition,
        lead_cells.edition_title,
        lead_cells.value,
        lead_cells.lower_95,
        lead_cells.upper_95,
        lead_cells.status,
        lead_cells.status_reason,
        lead_cells.origin,
        lead_cells.method,
        lead_cells.provenance_id,
        england_cells.value as england_value,
        england_cells.edition_title as england_edition_title,
        england_cells.provenance_id as england_provenance_id,
        comparisons.difference,
        comparisons.difference_lower_95,
        comparisons.difference_upper_95,
        comparisons.close_call,
        case
            when lead_cells.unit = 'z_score' then 'cannot_say'
            else coalesce(comparisons.outcome, 'cannot_say')
        end as outcome,
        comparisons.reason as comparison_reason,
        coalesce(since_baseline.outcome, 'cannot_say') as since_baseline,
        coalesce(since_baseline.reason, 'There is no figure for a later edition than the baseline.')
            as since_baseline_reason,
        group_counts.groups_in_words,
        group_counts.areas as areas_counted,
        group_counts.edition as groups_edition
    from goals
    inner join barometers on goals.key_barometer_id = barometers.barometer_id
    left join lead_cells on goals.key_barometer_id = lead_cells.barometer_id
    left join england_cells on goals.key_barometer_id = england_cells.barometer_id
    left join comparisons
        on
            lead_cells.barometer_id = comparisons.barometer_id
            and lead_cells.area_code = comparisons.area_code
            and lead_cells.edition = comparisons.edition
            and lead_cells.unit = 'percent'
    left join since_baseline
        on
            lead_cells.barometer_id = since_baseline.barometer_id
            and lead_cells.area_code = since_baseline.area_code
    left join group_counts on goals.key_barometer_id = group_counts.barometer_id

),

final as (

    select
        *,
        case
            when unit = 'z_score' and groups_in_words is not null
                then
                    'On the ' || lower(barometer_title) || ' (' || groups_edition
                    || ' edition), the member authorities stand: ' || groups_in_words
                    || '. The index places areas of the United Kingdom against one another and is '
                    || 'never averaged.'
            when value is null
                then
                    'No figure can be given for the share of adults in ' || area_words || ' who '
                    || statement || ': '
                    || case status
                        when 'not_held' then 'the publisher''s tables are not held here yet.'
                        when 'suppressed' then 'the publisher holds it back.'
                        else 'the publisher has none for this area.'
                    end
                    || case
                        when england_value is not null
                            then
                                ' For England it is '
                                || cast({{ round_half_up('england_value') }} as integer) || '% ('
                                || england_edition_title || ').'
                        else ''
                    end
            else
                'In ' || area_words || ', ' || cast({{ round_half_up('value') }} as integer)
                || '% of adults ' || statement
                || case
                    when lower_95 is not null
                        then
                            ' (95% interval ' || cast({{ round_half_up('lower_95') }} as integer)
                            || '% to ' || cast({{ round_half_up('upper_95') }} as integer) || '%)'
                    else ''
                end
                || case
                    when outcome in ('worse', 'lower') and close_call
                        then ', lower than England''s '
                    when outcome in ('better', 'higher') and close_call
                        then ', higher than England''s '
                    when close_call then ', too close to call against England''s '
                    when outcome in ('worse', 'lower') then ', lower than England''s '
                    when outcome in ('better', 'higher') then ', higher than England''s '
                    when outcome = 'similar' then ', similar to England''s '
                    when england_value is not null then '; England''s figure is '
                    else ''
                end
                || coalesce(cast({{ round_half_up('england_value') }} as integer) || '%', '')
                || case
                    when outcome = 'cannot_say' and england_value is not null
                        then
                            ', and the two cannot be compared because '
                            || lower(comparison_reason[1]) || rtrim(comparison_reason[2:], '.')
                    when outcome in ('worse', 'better', 'lower', 'higher') and close_call
                        then ', though the call is close'
                    else ''
                end
                || ' (' || edition_title || ').'
        end as sentence
    from joined

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
    cast(england_value as double) as england_value,
    cast(difference as double) as difference,
    cast(difference_lower_95 as double) as difference_lower_95,
    cast(difference_upper_95 as double) as difference_upper_95,
    cast(outcome as varchar) as outcome,
    cast(close_call as boolean) as close_call,
    cast(since_baseline as varchar) as since_baseline,
    cast(since_baseline_reason as varchar) as since_baseline_reason,
    cast(groups_in_words as varchar) as groups_in_words,
    cast(sentence as varchar) as sentence,
    cast(provenance_id as varchar) as provenance_id,
    cast(england_provenance_id as varchar) as england_provenance_id
from final
order by goal_order
