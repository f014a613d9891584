-- What a combined authority's figure can be, given the lowest and the highest of its members as the
-- report prints them and the members' weights: all others as low, or as high, as they may be.

with claims as (

    select * from {{ ref('int_claims') }}

),

extremes as (

    select
        barometer_id,
        dataset,
        edition_code,
        combined_authority_code,
        members,
        min(claimed_number) filter (where statistic = 'min') as lowest,
        min(area_code) filter (where statistic = 'min') as lowest_code,
        max(claimed_number) filter (where statistic = 'max') as highest,
        max(area_code) filter (where statistic = 'max') as highest_code
    from claims
    where unit = 'percent' and statistic in ('min', 'max')
    group by barometer_id, dataset, edition_code, combined_authority_code, members
    having count(distinct statistic) = 2

),

shares as (

    select
        populations.vintage,
        memberships.parent_code,
        memberships.member_code,
        populations.population_16_plus
        / sum(populations.population_16_plus) over (
            partition by populations.vintage, memberships.parent_code
        ) as share,
        count(*) over (partition by populations.vintage, memberships.parent_code) as members
    from {{ ref('int_area_memberships') }} as memberships
    inner join {{ ref('int_populations_16_plus') }} as populations
        on memberships.member_code = populations.area_code
    where
        memberships.kind = 'combined_authority'
        and memberships.vintage = {{ var('membership_vintage') }}

),

final as (

    select
        extremes.barometer_id,
        extremes.edition_code,
        extremes.combined_authority_code,
        extremes.highest * top.share + extremes.lowest * (1 - top.share) as range_low,
        extremes.lowest * bottom.share + extremes.highest * (1 - bottom.share) as range_high
    from extremes
    inner join {{ ref('int_editions') }} as editions
        on
            extremes.dataset = editions.series
            and extremes.edition_code = editions.edition
    inner join shares as bottom
        on
            extremes.combined_authority_code = bottom.parent_code
            and extremes.lowest_code = bottom.member_code
            and extremes.members = bottom.members
    inner join shares as top
        on
            bottom.vintage = top.vintage
            and bottom.parent_code = top.parent_code
            and extremes.highest_code = top.member_code
    -- Of the mid-years that count every member, the one nearest the fieldwork.
    qualify
        row_number() over (
            partition by
                extremes.barometer_id, extremes.edition_code, extremes.combined_authority_code
            order by
                {{ population_vintage_distance(
                    'editions.period_start', 'editions.period_end', 'bottom.vintage'
                ) }}
        ) = 1

)

select * from final
