-- What share of the larger area's population 16+ lives in the smaller. The part's own members must
-- all be counted; a whole that lacks a few authorities of England makes its part's share too large
-- by as little.
with members as (

    select * from {{ ref('int_area_members') }}

),

populations as (

    select
        members.area_code,
        population.vintage,
        sum(population.population_16_plus) as population_16_plus,
        count(*) = any_value(members.members) as is_complete
    from members
    inner join {{ ref('int_populations_16_plus') }} as population
        on members.member_code = population.area_code
    group by members.area_code, population.vintage

)

select
    containments.part_code,
    containments.whole_code,
    parts.vintage as population_vintage,
    parts.population_16_plus / wholes.population_16_plus as share
from {{ ref('int_area_containments') }} as containments
inner join populations as parts on containments.part_code = parts.area_code and parts.is_complete
inner join populations as wholes
    on containments.whole_code = wholes.area_code and parts.vintage = wholes.vintage
