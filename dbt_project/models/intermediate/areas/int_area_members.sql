-- Every area as the set of lower-tier authorities that it is made of; an authority is made of
-- itself. One membership vintage for every edition, so that comparators stay comparable.
with memberships as (

    select * from {{ ref('int_area_memberships') }}
    where
        vintage = {{ var('membership_vintage') }}
        and kind in ('combined_authority', 'county', 'region', 'nation', 'itl2')

),

pairs as (

    select
        parent_code as area_code,
        member_code
    from memberships

    union

    select
        member_code as area_code,
        member_code
    from memberships

)

select
    area_code,
    member_code,
    cast(count(*) over (partition by area_code) as integer) as members
from pairs
