-- What is held for each claim: the figure of its area and edition, the extremes of the members, the
-- groups of an index. A reported figure confirms no claim, so none is used.

with claims as (

    select * from {{ ref('int_claims') }}

),

cells as (

    select * from {{ ref('barometers') }}
    where framework = '{{ var("framework") }}'

),

confirming as (

    select * from cells
    where value is not null and origin != 'reported'
    -- An edition of an index counts with its newest period.
    qualify period_end = max(period_end) over (partition by barometer_id, edition, area_code)

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where kind = 'combined_authority' and vintage = {{ var('membership_vintage') }}

),

members as (

    select
        claims.claim_id,
        count(*) as members_held,
        min(confirming.value) as lowest,
        max(confirming.value) as highest,
        count(*) filter (
            where {{ has_item('claims.groups', '|', 'confirming.group_label') }}
        ) as members_in_groups,
        count(*) filter (
            where confirming.group_label = claims.claimed_value
        ) as members_in_claimed_group,
        max(confirming.group_number) as highest_group,
        min(confirming.group_number) as lowest_group,
        any_value(confirming.origin) as origin,
        any_value(confirming.source_dataset) as source_dataset
    from claims
    inner join memberships on claims.combined_authority_code = memberships.parent_code
    inner join confirming
        on
            claims.barometer_id = confirming.barometer_id
            and claims.edition_code = confirming.edition
            and memberships.member_code = confirming.area_code
    group by claims.claim_id

),

whole_lists as (

    select
        claims.claim_id,
        count(*) as areas,
        count(*) filter (where confirming.group_label = claims.claimed_value) as areas_in_claimed_group,
        max(confirming.group_number) as groups_in_list
    from claims
    inner join confirming
        on
            claims.barometer_id = confirming.barometer_id
            and claims.edition_code = confirming.edition
    where confirming.group_label is not null
    group by claims.claim_id

),

final as (

    select
        claims.*,
        figures.value as figure,
        figures.edition_title,
        figures.group_label,
        coalesce(figures.origin, members.origin) as origin,
        coalesce(figures.source_dataset, members.source_dataset) as source_dataset,
        figures.provenance_id,
        coalesce(members.members_held, 0) as members_held,
        members.lowest,
        members.highest,
        members.members_in_groups,
        members.members_in_claimed_group,
        members.lowest_group,
        members.highest_group,
        whole_lists.areas,
        whole_lists.areas_in_claimed_group,
        whole_lists.groups_in_list,
        own_cells.status_reason,
        coalesce(own_cells.origin = 'reported', false) as only_reported,
        england.value as england_value
    from claims
    left join confirming as figures
        on
            claims.barometer_id = figures.barometer_id
            and claims.edition_code = figures.edition
            and claims.area_code = figures.area_code
    left join members on claims.claim_id = members.claim_id
    left join whole_lists on claims.claim_id = whole_lists.claim_id
    left join cells as own_cells
        on
            claims.unit in ('percent', 'none')
            and own_cells.unit = 'percent'
            and claims.barometer_id = own_cells.barometer_id
            and claims.edition_code = own_cells.edition
            and claims.area_code = own_cells.area_code
    left join cells as england
        on
            england.unit = 'percent'
            and claims.barometer_id = england.barometer_id
            and claims.edition_code = england.edition
            and england.area_level = 'nation'

)

select * from final
