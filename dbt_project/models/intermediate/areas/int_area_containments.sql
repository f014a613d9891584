-- Pairs of areas of which the first lies wholly inside the second; two areas of the same members
-- lie inside each other.
with members as (

    select * from {{ ref('int_area_members') }}

)

select
    parts.area_code as part_code,
    wholes.area_code as whole_code
from members as parts
inner join members as wholes on parts.member_code = wholes.member_code
where parts.area_code != wholes.area_code
group by parts.area_code, wholes.area_code, parts.members
having count(*) = parts.members
