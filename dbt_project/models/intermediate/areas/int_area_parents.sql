-- The combined authority and the county that a lower-tier authority belongs to.
with memberships as (

    select * from {{ ref('int_area_memberships') }}
    where vintage = {{ var('membership_vintage') }} and kind in ('combined_authority', 'county')

)

select
    member_code as area_code,
    min(case when kind = 'combined_authority' then parent_code end) as combined_authority_code,
    min(case when kind = 'county' then parent_code end) as county_code
from memberships
group by member_code
