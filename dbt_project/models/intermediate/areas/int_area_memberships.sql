with lookups as (

    select * from {{ source('raw', 'memberships') }}

),

area_groups as (

    select * from {{ ref('area_groups') }}

),

areas as (

    select * from {{ ref('areas') }}

),

combined_authorities as (

    select
        cast(lookups.edition as integer) as vintage,
        'combined_authority' as kind,
        lookups.parent_code,
        lookups.member_code
    from lookups
    -- A lookup of wards or LSOAs places them in authorities: reference.small_areas.
    inner join areas
        on lookups.parent_code = areas.area_code and areas.area_level = 'cauth'

),

vintages as (

    select distinct vintage from combined_authorities

),

-- A combined authority under a project code gives way to the lookup that places its members.
replaced as (

    select distinct
        combined_authorities.vintage,
        area_groups.parent_code
    from area_groups
    inner join combined_authorities on area_groups.member_code = combined_authorities.member_code
    where area_groups.kind = 'combined_authority'

),

other_groups as (

    select distinct
        vintages.vintage,
        area_groups.kind,
        area_groups.parent_code,
        area_groups.member_code
    from area_groups
    cross join vintages
    left join replaced
        on vintages.vintage = replaced.vintage and area_groups.parent_code = replaced.parent_code
    where replaced.parent_code is null

),

memberships as (

    select * from combined_authorities
    union all
    select * from other_groups

),

final as (

    select distinct
        memberships.vintage,
        memberships.kind,
        memberships.parent_code,
        coalesce(areas.current_code, memberships.member_code) as member_code
    from memberships
    left join areas on memberships.member_code = areas.area_code

)

select * from final
