-- Indices of relative position have no mean and no total: areas are counted by group instead.
with figures as (

    select * from {{ ref('int_standard_errors') }}
    where group_number is not null and status = 'published'

),

placed as (

    select * from {{ ref('int_group_areas') }}

),

editions as (

    select distinct
        barometer_id,
        goal_id,
        dataset,
        edition,
        period_start,
        period_end
    from figures

),

index_groups as (

    select
        barometer_id,
        edition,
        group_number,
        min(group_label) as group_label
    from figures
    group by barometer_id, edition, group_number

),

coverage as (

    select
        parent_kind,
        parent_code,
        barometer_id,
        edition,
        period_start,
        period_end,
        cast(count(*) as integer) as areas_with_figure,
        cast(sum(members_inside) as integer) as members_covered,
        any_value(members) as members
    from placed
    group by parent_kind, parent_code, barometer_id, edition, period_start, period_end

),

counts as (

    select
        parent_kind,
        parent_code,
        barometer_id,
        edition,
        period_start,
        period_end,
        group_number,
        cast(count(*) as integer) as areas,
        {{ joined('area_name', ', ') }} as area_names
    from placed
    group by
        parent_kind, parent_code, barometer_id, edition, period_start, period_end, group_number

)

select
    editions.barometer_id,
    editions.goal_id,
    editions.dataset,
    editions.edition,
    editions.period_start,
    editions.period_end,
    coverage.parent_kind,
    coverage.parent_code,
    areas.area_name as parent_name,
    index_groups.group_number,
    index_groups.group_label,
    max(index_groups.group_number) over (
        partition by editions.barometer_id, editions.edition
    ) as groups_in_edition,
    coalesce(counts.areas, 0) as areas,
    -- Where every area is listed, a list of names says nothing.
    case when coverage.parent_kind != 'nation' then counts.area_names end as area_names,
    cast(
        sum(coalesce(counts.areas, 0)) over (
            partition by
                coverage.parent_kind, coverage.parent_code, editions.barometer_id,
                editions.edition, editions.period_start, editions.period_end
            order by index_groups.group_number
        ) as integer
    ) as areas_in_group_or_below,
    coverage.areas_with_figure,
    coverage.members,
    case when coverage.parent_kind != 'nation' then coverage.members_covered end
        as members_covered,
    coalesce(coverage.members_covered = coverage.members, coverage.parent_kind = 'nation')
        as is_complete,
    'group_counts_v1' as method,
    {{ var('membership_vintage') }} as membership_vintage
from editions
inner join coverage
    on
        editions.barometer_id = coverage.barometer_id
        and editions.edition = coverage.edition
        and editions.period_start = coverage.period_start
        and editions.period_end = coverage.period_end
inner join index_groups
    on
        editions.barometer_id = index_groups.barometer_id
        and editions.edition = index_groups.edition
left join counts
    on
        coverage.parent_kind = counts.parent_kind
        and coverage.parent_code = counts.parent_code
        and coverage.barometer_id = counts.barometer_id
        and coverage.edition = counts.edition
        and coverage.period_start = counts.period_start
        and coverage.period_end = counts.period_end
        and index_groups.group_number = counts.group_number
left join {{ ref('areas') }} as areas on coverage.parent_code = areas.area_code
