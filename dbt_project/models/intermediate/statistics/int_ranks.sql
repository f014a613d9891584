{#-
  A rank is told with the places that its interval allows: one more than the areas significantly
  ahead, to all but the areas significantly behind.
-#}
with cells as (

    select
        all_cells.*,
        {{ test_columns('all_cells') }}
    from {{ ref('int_barometer_cells') }} as all_cells
    -- Not where: the decimals are those of the whole column, England's figure included.
    qualify all_cells.unit = 'percent' and all_cells.area_level in ('cauth', 'lad')

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where vintage = {{ var('membership_vintage') }}

),

rank_groups as (

    select distinct
        'combined_authorities' as rank_group,
        cast(null as varchar) as rank_group_code,
        parent_code as area_code
    from memberships
    where kind = 'combined_authority'

    union all

    select distinct
        'members_of_combined_authority' as rank_group,
        parent_code as rank_group_code,
        member_code as area_code
    from memberships
    where kind = 'combined_authority'

    union all

    select distinct
        'local_authorities_of_england' as rank_group,
        'E92000001' as rank_group_code,
        member_code as area_code
    from memberships
    where kind = 'nation'

),

group_sizes as (

    select
        rank_group,
        rank_group_code,
        count(*) as areas_in_group
    from rank_groups
    group by rank_group, rank_group_code

),

entries as (

    select
        rank_groups.rank_group,
        rank_groups.rank_group_code,
        cells.barometer_id,
        cells.goal_id,
        cells.dataset,
        cells.edition,
        cells.period_start,
        cells.period_end,
        cells.area_code,
        cells.area_name,
        cells.polarity,
        cells.value,
        cells.se,
        cells.test_se,
        cells.test_rounding,
        cells.value is not null
        and cells.se is not null
        and coalesce(cells.base, {{ var('minimum_base', 30) }}) >= {{ var('minimum_base', 30) }}
            as is_ranked,
        case when cells.polarity = 'low_good' then -cells.test_value else cells.test_value end
            as score
    from rank_groups
    inner join cells on rank_groups.area_code = cells.area_code

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
        count(*) as areas_ranked,
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
        group_sizes.areas_in_group,
        pairwise.ahead,
        pairwise.significantly_ahead,
        pairwise.significantly_behind,
        sum(case when entries.is_ranked then 1 else 0 end) over (
            partition by
                entries.rank_group, entries.rank_group_code, entries.barometer_id,
                entries.dataset, entries.edition, entries.period_end
        ) as areas_ranked
    from entries
    inner join group_sizes
        on
            entries.rank_group = group_sizes.rank_group
            and entries.rank_group_code is not distinct from group_sizes.rank_group_code
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
            when value is null then 'no_figure'
            when not is_ranked then 'no_standard_error'
            when areas_ranked < {{ var('rank_minimum_coverage', 0.9) }} * areas_in_group
                then 'too_few_areas'
        end as reason_code
    from joined

),

final as (

    select
        rank_group,
        rank_group_code,
        barometer_id,
        goal_id,
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
            when 'no_figure' then 'There is no figure for ' || area_name || '.'
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

)

select * from final
