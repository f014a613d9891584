with parts as (

    select * from {{ ref('int_combined_authority_parts') }}

),

areas as (

    select * from {{ ref('areas') }}

),

aggregated as (

    select
        provenance_id,
        barometer_id,
        goal_id,
        dataset,
        edition,
        period_start,
        period_end,
        unit,
        polarity,
        parent_kind,
        parent_code,
        membership_vintage,
        members,
        cast(count(value) as integer) as members_with_figure,
        cast(count(weight) as integer) as members_with_population,
        cast(count(se) as integer) as members_with_se,
        cast(sum(case when status = 'suppressed' then 1 else 0 end) as integer)
            as members_suppressed,
        cast(
            sum(case when status = 'low_reliability' or small_base then 1 else 0 end) as integer
        ) as members_low_reliability,
        cast(
            sum(case when value is null and has_row and status = 'not_held' then 1 else 0 end)
            as integer
        ) as members_not_held,
        min(population_vintage) as population_vintage,
        min(population_distance_days) as population_distance_days,
        sum(population_16_plus) as population_16_plus,
        string_agg(case when value is null then member_name end, ', ' order by member_name)
            as missing_members,
        string_agg(
            case when status = 'suppressed' then member_name end, ', ' order by member_name
        ) as suppressed_members,
        string_agg(
            case when status = 'low_reliability' or small_base then member_name end,
            ', ' order by member_name
        ) as low_reliability_members,
        string_agg(case when se is null then member_name end, ', ' order by member_name)
            as members_without_se,
        case when count(base) = members then sum(base) end as base,
        sum(weight * value) as value,
        bool_or(coalesce(figure_origin = 'synthetic', false)) as made_up,
        sqrt(sum(weight * weight * se * se)) as se,
        avg(value) as unweighted_mean,
        min(published_decimals) as published_decimals,
        {{ mover_limit('weight', 'value', 'lower_95', 'lower') }} as mover_lower,
        {{ mover_limit('weight', 'value', 'upper_95', 'upper') }} as mover_upper
    from parts
    group by
        provenance_id, barometer_id, goal_id, dataset, edition, period_start, period_end, unit,
        polarity, parent_kind, parent_code, membership_vintage, members

),

judged as (

    select
        *,
        case
            when members_suppressed > 0 then 'suppressed'
            when
                members_with_figure < members
                and members_not_held = members - members_with_figure then 'not_held'
            when members_with_figure < members then 'not_available'
            when members_with_population < members then 'not_available'
            when members_low_reliability > 0 then 'low_reliability'
            else 'published'
        end as status
    from aggregated

),

-- A total is told only when it is whole: one member missing means no value.
kept as (

    select
        * exclude (value, se, unweighted_mean, mover_lower, mover_upper, base),
        status in ('published', 'low_reliability') as is_whole,
        case when status in ('published', 'low_reliability') then base end as base,
        case when status in ('published', 'low_reliability') then value end as value,
        case when status in ('published', 'low_reliability') then unweighted_mean end
            as unweighted_mean,
        case
            when status in ('published', 'low_reliability') and members_with_se = members then se
        end as se,
        case
            when status in ('published', 'low_reliability') and members_with_se = members
                then {{ clip('mover_lower') }}
        end as mover_lower,
        case
            when status in ('published', 'low_reliability') and members_with_se = members
                then {{ clip('mover_upper') }}
        end as mover_upper
    from judged

),

-- The symmetrical interval misleads near 0 and 100, and for one member its own limits stand.
with_limits as (

    select
        *,
        case
            when se is null then null
            when
                members = 1
                or value < {{ var('mover_below', 15) }}
                or value > {{ var('mover_above', 85) }}
                then 'mover'
            else 'normal'
        end as interval_method,
        {{ clip('value - ' ~ confidence_z() ~ ' * se') }} as normal_lower,
        {{ clip('value + ' ~ confidence_z() ~ ' * se') }} as normal_upper,
        {{ effective_n('value', 'se') }} as effective_n
    from kept

),

final as (

    select
        with_limits.barometer_id,
        with_limits.goal_id,
        with_limits.dataset,
        with_limits.edition,
        with_limits.period_start,
        with_limits.period_end,
        with_limits.parent_kind,
        with_limits.parent_code as area_code,
        areas.area_name,
        areas.area_level,
        areas.region_code,
        with_limits.unit,
        with_limits.polarity,
        with_limits.value,
        case with_limits.interval_method
            when 'mover' then with_limits.mover_lower
            when 'normal' then with_limits.normal_lower
        end as lower_95,
        case with_limits.interval_method
            when 'mover' then with_limits.mover_upper
            when 'normal' then with_limits.normal_upper
        end as upper_95,
        with_limits.se,
        case when with_limits.se is null then 'none' else 'population_weighted' end as se_method,
        with_limits.interval_method,
        with_limits.normal_lower,
        with_limits.normal_upper,
        with_limits.mover_lower,
        with_limits.mover_upper,
        {{ wilson_limit('with_limits.value', 'with_limits.effective_n', 'lower') }} as wilson_lower,
        {{ wilson_limit('with_limits.value', 'with_limits.effective_n', 'upper') }} as wilson_upper,
        with_limits.effective_n,
        with_limits.published_decimals,
        with_limits.unweighted_mean,
        with_limits.base,
        with_limits.members,
        with_limits.members_with_figure,
        with_limits.missing_members,
        with_limits.suppressed_members,
        with_limits.status,
        case
            when with_limits.status = 'suppressed'
                then
                    'Suppressed by the publisher for ' || with_limits.suppressed_members
                    || ', so no total is told that would give it away.'
            when not with_limits.is_whole and with_limits.members_with_figure < with_limits.members
                then
                    'Figures are held for ' || with_limits.members_with_figure || ' of '
                    || with_limits.members || ' members; missing: '
                    || with_limits.missing_members || '.'
            when not with_limits.is_whole
                then
                    'No mid-year population is held that counts all '
                    || with_limits.members || ' members.'
            when with_limits.se is null
                then 'No interval: none can be used for ' || with_limits.members_without_se || '.'
            when with_limits.status = 'low_reliability'
                then
                    'Of low reliability: so are the figures for '
                    || with_limits.low_reliability_members || '.'
        end as status_reason,
        -- What is made of made-up figures is made up.
        case when with_limits.made_up then 'synthetic' else 'derived' end as origin,
        'population_weighted_v1' as method,
        'v1' as method_version,
        with_limits.membership_vintage,
        with_limits.population_vintage,
        with_limits.population_distance_days,
        with_limits.population_16_plus,
        with_limits.provenance_id
    from with_limits
    left join areas on with_limits.parent_code = areas.area_code

)

select * from final
