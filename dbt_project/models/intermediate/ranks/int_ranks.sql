-- A rank comes with the places that its interval allows: one more than the areas significantly
-- ahead, to all but the areas significantly behind.
with entries as (

    select
        *,
        sum(case when is_ranked then 1 else 0 end) over (
            partition by
                rank_group, rank_group_code, barometer_id, dataset, edition, period_end
        ) as areas_ranked
    from {{ ref('int_rank_entries') }}

),

ranked as (

    select * from entries
    where is_ranked

),

pairwise as (

    select
        areas.rank_group,
        areas.rank_group_code,
        areas.barometer_id,
        areas.dataset,
        areas.edition,
        areas.period_end,
        areas.area_code,
        sum(case when others.score > areas.score then 1 else 0 end) as ahead,
        sum(
            case
                when
                    others.score - areas.score
                    > {{ confidence_z() }} * sqrt(
                        areas.test_se * areas.test_se + others.test_se * others.test_se
                        + areas.test_rounding + others.test_rounding
                    )
                    then 1
                else 0
            end
        ) as significantly_ahead,
        sum(
            case
                when
                    areas.score - others.score
                    > {{ confidence_z() }} * sqrt(
                        areas.test_se * areas.test_se + others.test_se * others.test_se
                        + areas.test_rounding + others.test_rounding
                    )
                    then 1
                else 0
            end
        ) as significantly_behind
    from ranked as areas
    inner join ranked as others
        on
            areas.rank_group = others.rank_group
            and areas.rank_group_code is not distinct from others.rank_group_code
            and areas.barometer_id = others.barometer_id
            and areas.dataset = others.dataset
            and areas.edition = others.edition
            and areas.period_end = others.period_end
    group by
        areas.rank_group, areas.rank_group_code, areas.barometer_id, areas.dataset, areas.edition,
        areas.period_end, areas.area_code

),

joined as (

    select
        entries.*,
        pairwise.ahead,
        pairwise.significantly_ahead,
        pairwise.significantly_behind
    from entries
    left join pairwise
        on
            entries.rank_group = pairwise.rank_group
            and entries.rank_group_code is not distinct from pairwise.rank_group_code
            and entries.barometer_id = pairwise.barometer_id
            and entries.dataset = pairwise.dataset
            and entries.edition = pairwise.edition
            and entries.period_end = pairwise.period_end
            and entries.area_code = pairwise.area_code

),

-- A place among a few of many is not a place among the many.
reasoned as (

    select
        *,
        case
            when not is_ranked then 'no_standard_error'
            when areas_ranked < {{ var('rank_minimum_coverage', 0.9) }} * areas_in_group
                then 'too_few_areas'
        end as reason_code
    from joined

)

select
    rank_group,
    rank_group_code,
    barometer_id,
    goal_id,
    role,
    dataset,
    edition,
    period_start,
    period_end,
    area_code,
    area_name,
    polarity,
    value,
    cast(areas_ranked as integer) as areas_ranked,
    cast(areas_in_group as integer) as areas_in_group,
    reason_code,
    'rank_range_pairwise_z_95_v3' as method,
    case when reason_code is null then cast(1 + ahead as integer) end as rank,
    case when reason_code is null then cast(1 + significantly_ahead as integer) end
        as rank_best,
    case
        when reason_code is null then cast(areas_ranked - significantly_behind as integer)
    end as rank_worst,
    case when polarity = 'low_good' then 'lowest first' else 'highest first' end as rank_order,
    case reason_code
        when 'no_standard_error'
            then
                'No usable interval is published for ' || area_name
                || ', so the places it may hold are not known.'
        when 'too_few_areas'
            then
                'Figures with an interval are held for ' || cast(areas_ranked as integer)
                || ' of ' || areas_in_group || ' areas, too few for a place among them.'
    end as reason
from reasoned
