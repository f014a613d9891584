-- Wards and LSOAs, only those that have figures, each with the authority that it lies in by the
-- newest lookup that has it.
with figures as (

    select
        area_code,
        max(area_name) as area_name,
        max(area_level) as area_level
    from {{ source('raw', 'observations') }}
    where area_level in ('ward', 'lsoa')
    group by area_code

),

lookups as (

    select
        memberships.member_code,
        coalesce(areas.current_code, memberships.parent_code) as authority_code,
        row_number() over (
            partition by memberships.member_code
            order by memberships.edition desc, memberships.parent_code asc
        ) as place
    from {{ source('raw', 'memberships') }} as memberships
    inner join {{ ref('areas') }} as areas
        on memberships.parent_code = areas.area_code and areas.area_level = 'lad'

)

select
    cast(figures.area_code as varchar) as area_code,
    cast(figures.area_name as varchar) as area_name,
    cast(figures.area_level as varchar) as area_level,
    cast(lookups.authority_code as varchar) as authority_code,
    cast(authorities.region_code as varchar) as region_code,
    cast(authorities.county_code as varchar) as county_code
from figures
left join lookups on figures.area_code = lookups.member_code and lookups.place = 1
left join {{ ref('areas') }} as authorities on lookups.authority_code = authorities.area_code
order by figures.area_code
