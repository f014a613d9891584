with aggregated as (

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
        count(se) = members as has_se,
        count(*) filter (where status = 'suppressed') as members_suppressed,
        count(*) filter (where status = 'low_reliability' or small_base) as members_low_reliability,
        count(*) filter (where value is null and has_row and status = 'not_held')
            as members_not_held,
        min(population_vintage) as population_vintage,
        min(population_distance_days) as population_distance_days,
        sum(population_16_plus) as population_16_plus,
        {{ joined('member_name', ', ') }} filter (where value is null)
            as missing_members,
        {{ joined('member_name', ', ') }} filter (where status = 'suppressed')
            as suppressed_members,
        {{ joined('member_name', ', ') }} filter (
            where status = 'low_reliability' or small_base
        ) as low_reliability_members,
        {{ joined('member_name', ', ') }} filter (where se is null)
            as members_without_se,
        case when count(base) = members then sum(base) end as base,
        sum(weight * value) as value,
        coalesce(bool_or(figure_origin = 'synthetic'), false) as made_up,
        sqrt(sum(weight * weight * se * se)) as se,
        avg(value) as unweighted_mean,
        case
            when count(census_residents + weight + value) = members
                then sum(census_residents * value) / sum(census_residents)
        end as value_at_census_shares,
        {{ mover_limit('weight', 'value', 'lower_95', 'lower') }} as mover_lower,
        {{ mover_limit('weight', 'value', 'upper_95', 'upper') }} as mover_upper
    from {{ ref('int_combined_authority_parts') }}
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

-- A total is computed only when it is whole: one missing member means no value.
kept as (

    select
        * exclude (value, base, unweighted_mean, se),
        case when status in ('published', 'low_reliability') then value end as value,
        case when status in ('published', 'low_reliability') then base end as base,
        case when status in ('published', 'low_reliability') then unweighted_mean end
            as unweighted_mean,
        case when status in ('published', 'low_reliability') and has_se then se end as se,
        status in ('published', 'low_reliability') as is_whole
    from judged

),

-- The symmetrical interval misleads near 0 and 100, and a single member keeps its own limits.
with_limits as (

    select
        * exclude (mover_lower, mover_upper),
        case when se is not null then {{ clip('mover_lower') }} end as mover_lower,
        case when se is not null then {{ clip('mover_upper') }} end as mover_upper,
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
        {{ clip('value + ' ~ confidence_z() ~ ' * se') }} as normal_upper
    from kept

)

select
    estimates.* exclude (
        parent_code, has_se, made_up, is_whole, members_with_population, -- noqa: RF02
        members_suppressed, members_low_reliability, members_not_held, -- noqa: RF02
        low_reliability_members, members_without_se -- noqa: RF02
    ),
    estimates.parent_code as area_code,
    areas.area_name,
    areas.area_level,
    areas.region_code,
    case estimates.interval_method
        when 'mover' then estimates.mover_lower
        when 'normal' then estimates.normal_lower
    end as lower_95,
    case estimates.interval_method
        when 'mover' then estimates.mover_upper
        when 'normal' then estimates.normal_upper
    end as upper_95,
    case when estimates.se is null then 'none' else 'population_weighted' end as se_method,
    case
        when estimates.status = 'suppressed'
            then
                'Suppressed by the publisher for ' || estimates.suppressed_members
                || ', so no total is shown that would reveal it.'
        when estimates.members_with_figure < estimates.members
            then
                'Figures are held for ' || estimates.members_with_figure || ' of ' || estimates.members
                || ' members; missing: ' || estimates.missing_members || '.'
        when not estimates.is_whole
            then 'No mid-year population is held that counts all ' || estimates.members || ' members.'
        when estimates.se is null
            then 'No interval: none can be used for ' || estimates.members_without_se || '.'
        when estimates.status = 'low_reliability'
            then 'Of low reliability, as are the figures for ' || estimates.low_reliability_members || '.'
    end as status_reason,
    -- A total of made-up figures is made up.
    case when estimates.made_up then 'synthetic' else 'derived' end as origin,
    'population_weighted_v1' as method
from with_limits as estimates
left join {{ ref('areas') }} as areas on estimates.parent_code = areas.area_code
