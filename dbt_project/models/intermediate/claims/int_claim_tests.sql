-- The tests that a comparison claim asks for: its area against England, and against each other combined
-- authority. A claim that the report rests on regional figures is about the region.

with claims as (

    select * from {{ ref('int_claims') }}
    where question = 'comparison'

),

regions as (

    select
        memberships.parent_code,
        min(areas.region_code) as region_code
    from {{ ref('int_area_memberships') }} as memberships
    inner join {{ ref('areas') }} as areas on memberships.member_code = areas.area_code
    where memberships.kind = 'combined_authority'
    group by memberships.parent_code

),

subjects as (

    select
        claims.claim_id,
        claims.barometer_id,
        claims.edition_code,
        claims.against,
        case
            when claims.against = 'region' then regions.region_code
            else claims.area_code
        end as area_code
    from claims
    left join regions on claims.combined_authority_code = regions.parent_code

),

tests as (

    select
        subjects.claim_id,
        comparisons.comparator_kind,
        comparisons.outcome,
        comparisons.close_call,
        comparisons.difference,
        comparisons.z,
        cells.origin,
        cells.source_dataset,
        cells.provenance_id
    from subjects
    inner join {{ ref('comparisons') }} as comparisons
        on
            subjects.barometer_id = comparisons.barometer_id
            and subjects.edition_code = comparisons.edition
            and subjects.area_code = comparisons.area_code
    inner join {{ ref('int_barometer_cells') }} as cells
        on
            comparisons.barometer_id = cells.barometer_id
            and comparisons.provenance_id = cells.provenance_id
            and comparisons.area_code = cells.area_code
    left join {{ ref('areas') }} as comparators on comparisons.comparator_code = comparators.area_code
    where
        comparisons.outcome != 'cannot_say'
        -- Of the combined authorities, those that the report can have meant.
        and coalesce(comparators.valid_from, 0) <= {{ var('membership_vintage') }}
        and (
            comparisons.comparator_kind = 'england'
            or (
                comparisons.comparator_kind = 'combined_authority'
                and subjects.against like '%combined_authorities%'
            )
        )

),

final as (

    select
        claim_id,
        max(outcome) filter (where comparator_kind = 'england') as outcome,
        bool_or(close_call) filter (where comparator_kind = 'england') as close_call,
        max(difference) filter (where comparator_kind = 'england') as difference,
        max(z) filter (where comparator_kind = 'england') as z,
        -- Of the figure that is tested, which may be the region's where the claim names another area.
        any_value(origin) as origin,
        any_value(source_dataset) as source_dataset,
        any_value(provenance_id) as provenance_id,
        count(*) filter (where comparator_kind = 'combined_authority') as others,
        count(*) filter (
            where comparator_kind = 'combined_authority' and outcome in ('worse', 'lower')
        ) as lower_than_others,
        count(*) filter (
            where comparator_kind = 'combined_authority' and outcome = 'similar'
        ) as similar_to_others
    from tests
    group by claim_id

)

select * from final
