-- The claims of the report, each with the combined authority whose members it is about: its own area,
-- the one that its area belongs to, otherwise the one that the report is about.

with claims as (

    select * from {{ ref('report_claims') }}

),

areas as (

    select * from {{ ref('areas') }}

),

parents as (

    select * from {{ ref('int_area_parents') }}
    where combined_authority_code is not null

),

member_counts as (

    select
        combined_authority_code as parent_code,
        count(*) as members
    from parents
    group by combined_authority_code

),

report_area as (

    select min(claims.area_code) as area_code
    from claims
    inner join areas on claims.area_code = areas.area_code
    where areas.area_level = 'cauth'

),

with_authority as (

    select
        claims.*,
        areas.area_level,
        coalesce(own.parent_code, parents.combined_authority_code, report_area.area_code)
            as combined_authority_code
    from claims
    cross join report_area
    left join areas on claims.area_code = areas.area_code
    left join member_counts as own on claims.area_code = own.parent_code
    left join parents on claims.area_code = parents.area_code

),

final as (

    select
        with_authority.claim_id,
        with_authority.section,
        with_authority.barometer_id,
        with_authority.area_code,
        with_authority.area_name,
        with_authority.area_level,
        with_authority.statistic,
        with_authority.value as claimed_value,
        try_cast(with_authority.value as double) as claimed_number,
        with_authority.unit,
        with_authority.edition as claimed_edition,
        with_authority.dataset,
        with_authority.edition_code,
        with_authority.groups,
        with_authority.against,
        with_authority.note,
        with_authority.combined_authority_code,
        member_counts.members,
        case
            when with_authority.unit = 'percent' then 'percent'
            when with_authority.unit = 'areas' and with_authority.statistic = 'value' then 'areas'
            when with_authority.statistic = 'group' and with_authority.area_level = 'nation'
                then 'most_areas'
            when with_authority.against in ('regions', 'groups') then with_authority.against
            else with_authority.statistic
        end as question
    from with_authority
    left join member_counts
        on with_authority.combined_authority_code = member_counts.parent_code

)

select * from final
