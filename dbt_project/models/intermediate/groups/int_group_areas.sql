-- The areas of an index that lie inside each combined authority, region and the United Kingdom.
with figures as (

    select * from {{ ref('int_standard_errors') }}
    where group_number is not null and status = 'published'

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where vintage = {{ var('membership_vintage') }}

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
        '{{ var("united_kingdom") }}' as parent_code,
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

)

select
    placed.*,
    sizes.members
from placed
left join sizes
    on placed.parent_kind = sizes.parent_kind and placed.parent_code = sizes.parent_code
