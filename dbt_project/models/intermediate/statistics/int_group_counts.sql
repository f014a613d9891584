{#- Indices of relative position have no mean and no total: areas are counted by group instead. -#}
with figures as (

    select * from {{ ref('int_published_figures') }}
    where group_number is not null and status = 'published'

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where vintage = {{ var('membership_vintage') }}

),

areas as (

    select * from {{ ref('areas') }}

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

parents as (

    select distinct
        kind as parent_kind,
        parent_code
    from memberships
    where kind in ('combined_authority', 'region')

),

parent_members as (

    select
        parents.parent_kind,
        parents.parent_code,
        memberships.member_code
    from parents
    inner join memberships
        on
            parents.parent_kind = memberships.kind
            and parents.parent_code = memberships.parent_code

),

-- An index area may be a whole county or another union of authorities: it counts once, and only
-- where all of it lies inside the parent.
unions as (

    select
        parent_code as index_area_code,
        member_code,
        count(*) over (partition by kind, parent_code) as union_size
    from memberships
    where kind in ('county', 'smc_area')

),

index_areas as (

    select
        parent_kind,
        parent_code,
        member_code as index_area_code,
        1 as members_inside
    from parent_members

    union all

    select
        parent_members.parent_kind,
        parent_members.parent_code,
        unions.index_area_code,
        count(*) as members_inside
    from parent_members
    inner join unions on parent_members.member_code = unions.member_code
    group by
        parent_members.parent_kind, parent_members.parent_code, unions.index_area_code,
        unions.union_size
    having count(*) = unions.union_size

),

placed as (

    select
        index_areas.parent_kind,
        index_areas.parent_code,
        index_areas.members_inside,
        figures.barometer_id,
        figures.edition,
        figures.period_start,
        figures.period_end,
        figures.area_code,
        figures.area_name,
        figures.group_number
    from index_areas
    inner join figures on index_areas.index_area_code = figures.area_code

    union all

    select
        'nation' as parent_kind,
        'K02000001' as parent_code,
        1 as members_inside,
        barometer_id,
        edition,
        period_start,
        period_end,
        area_code,
        area_name,
        group_number
    from figures

),

sizes as (

    select
        parent_kind,
        parent_code,
        cast(count(*) as integer) as members
    from parent_members
    group by parent_kind, parent_code

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
        cast(sum(members_inside) as integer) as members_covered
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
        string_agg(area_name, ', ' order by area_name) as area_names
    from placed
    group by
        parent_kind, parent_code, barometer_id, edition, period_start, period_end, group_number

),

final as (

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
        sizes.members,
        case when coverage.parent_kind != 'nation' then coverage.members_covered end
            as members_covered,
        coalesce(coverage.members_covered = sizes.members, coverage.parent_kind = 'nation')
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
    left join sizes
        on
            coverage.parent_kind = sizes.parent_kind
            and coverage.parent_code = sizes.parent_code
    left join areas on coverage.parent_code = areas.area_code

)

select * from final
