{#
  Each claim of the report, answered from figures that do not come from the report. `our` figures
  leave out the dataset young_foundation_report: a claim is not confirmed by its own transcription.
#}
with claims as (

    select
        claim_id,
        section,
        barometer_id,
        area_code,
        area_name,
        statistic,
        value as claimed_value,
        try_cast(value as double) as claimed_number,
        unit,
        edition as claimed_edition,
        dataset,
        edition_code,
        groups,
        note
    from {{ ref('report_claims') }}

),

cells as (

    select * from {{ ref('barometers') }}

),

independent as (

    select * from cells
    where value is not null and source_dataset != 'young_foundation_report'

),

comparisons as (

    select * from {{ ref('comparisons') }}

),

lead_members as (

    select member_code
    from {{ ref('int_area_memberships') }}
    where
        kind = 'combined_authority'
        and vintage = {{ var('membership_vintage') }}
        and parent_code = 'E47000007'

),

-- Two printed values for one statistic of one area: the report contradicts itself.
contradictions as (

    select
        barometer_id,
        area_code,
        string_agg(distinct claimed_value || '%', ' and ' order by claimed_value || '%') as printed
    from claims
    where statistic = 'value' and unit = 'percent'
    group by barometer_id, area_code
    having count(distinct claimed_value) > 1

),

-- The extreme of the seven authorities, told only when all seven are held.
extremes as (

    select
        independent.barometer_id,
        independent.edition,
        count(*) as authorities_held,
        min(independent.value) as lowest,
        max(independent.value) as highest
    from independent
    inner join lead_members on independent.area_code = lead_members.member_code
    where independent.unit = 'percent'
    group by independent.barometer_id, independent.edition

),

-- Index groups: the newest period of the edition that the claim names.
groups as (

    select
        cells.barometer_id,
        cells.edition,
        cells.area_code,
        cells.group_label,
        cells.provenance_id,
        cells.origin,
        cells.source_dataset,
        lead_members.member_code is not null as is_lead_member
    from cells
    left join lead_members on cells.area_code = lead_members.member_code
    where cells.group_label is not null
    qualify
        cells.period_end
        = max(cells.period_end) over (partition by cells.barometer_id, cells.edition)

),

group_sizes as (

    select
        claims.claim_id,
        count(distinct groups.area_code) as areas,
        count(distinct groups.area_code) filter (
            groups.is_lead_member and list_contains(string_split(claims.groups, '|'), groups.group_label)
        ) as members_in_groups,
        count(distinct groups.area_code) filter (groups.is_lead_member) as members_held,
        count(distinct groups.area_code) filter (
            groups.group_label = claims.claimed_value
        ) as areas_in_claimed_group,
        count(distinct groups.area_code) filter (
            groups.is_lead_member and groups.group_label = claims.claimed_value
        ) as members_in_claimed_group,
        any_value(groups.origin) as origin,
        any_value(groups.source_dataset) as source_dataset
    from claims
    inner join groups
        on
            claims.barometer_id = groups.barometer_id
            and claims.edition_code = groups.edition
    group by claims.claim_id

),

-- The figure for the claim's area in its edition; for a comparison the claim may name an edition
-- without figures for the area, and then the nearest one with figures answers, and says so.
figures as (

    select
        claims.claim_id,
        independent.edition,
        independent.edition_title,
        independent.value,
        independent.group_label,
        independent.origin,
        independent.source_dataset,
        independent.provenance_id
    from claims
    inner join independent
        on
            claims.barometer_id = independent.barometer_id
            and claims.area_code = independent.area_code
            and (claims.edition_code = independent.edition or claims.statistic = 'comparison')
    qualify
        row_number() over (
            partition by claims.claim_id
            order by
                claims.edition_code = independent.edition desc,
                independent.is_baseline desc,
                independent.period_end desc
        ) = 1

),

held_elsewhere as (

    select
        claims.claim_id,
        any_value(cells.status_reason) as status_reason,
        bool_or(cells.source_dataset = 'young_foundation_report' and cells.value is not null)
            as only_in_report
    from claims
    inner join cells
        on
            claims.barometer_id = cells.barometer_id
            and claims.area_code = cells.area_code
            and claims.edition_code = cells.edition
    group by claims.claim_id

),

joined as (

    select
        claims.*,
        contradictions.printed,
        figures.value as figure,
        figures.edition as figure_edition,
        figures.edition_title,
        figures.group_label,
        figures.origin as figure_origin,
        figures.source_dataset as figure_source,
        figures.provenance_id,
        extremes.authorities_held,
        extremes.lowest,
        extremes.highest,
        comparisons.outcome,
        comparisons.close_call,
        comparisons.difference,
        comparisons.z,
        group_sizes.areas,
        group_sizes.members_in_groups,
        group_sizes.members_held,
        group_sizes.areas_in_claimed_group,
        group_sizes.members_in_claimed_group,
        group_sizes.origin as groups_origin,
        group_sizes.source_dataset as groups_source,
        held_elsewhere.status_reason,
        coalesce(held_elsewhere.only_in_report, false) as only_in_report
    from claims
    left join contradictions
        on
            claims.barometer_id = contradictions.barometer_id
            and claims.area_code = contradictions.area_code
            and claims.statistic = 'value'
    left join figures on claims.claim_id = figures.claim_id
    left join extremes
        on
            claims.barometer_id = extremes.barometer_id
            and claims.edition_code = extremes.edition
    left join comparisons
        on
            claims.barometer_id = comparisons.barometer_id
            and claims.area_code = comparisons.area_code
            and figures.edition = comparisons.edition
            and claims.unit = 'none'
            and comparisons.unit = 'percent'
            and comparisons.comparator_kind = 'england'
    left join group_sizes on claims.claim_id = group_sizes.claim_id
    left join held_elsewhere on claims.claim_id = held_elsewhere.claim_id

),

answered as (

    select
        *,
        case
            when statistic in ('value', 'min', 'max') and unit = 'percent' then 'percent'
            when statistic = 'value' and unit = 'areas' then 'areas'
            when statistic = 'count_in_groups' then 'count_in_groups'
            when statistic = 'group' and area_code = 'K02000001' then 'most_areas'
            when statistic = 'group' then 'group'
            when statistic = 'comparison' then 'comparison'
        end as question
    from joined

),

judged as (

    select
        *,
        case question
            when 'percent' then cast(cast({{ round_half_up('figure') }} as integer) as varchar)
            when 'areas' then cast(areas as varchar)
            when 'count_in_groups' then cast(members_in_groups as varchar)
            when 'most_areas' then areas_in_claimed_group || ' of ' || areas
            when 'group' then group_label
            when 'comparison' then case when outcome != 'cannot_say' then outcome end
        end as our_value,
        case question
            when 'percent'
                then
                    case
                        when figure is null and printed is not null then 'contradicted_within_report'
                        when figure is null then 'cannot_be_computed'
                        when statistic in ('min', 'max') and coalesce(authorities_held, 0) < 7
                            then 'cannot_be_computed'
                        when {{ round_half_up('figure') }} != claimed_number then 'differs'
                        when statistic = 'min' and figure > lowest then 'differs'
                        when statistic = 'max' and figure < highest then 'differs'
                        else 'agrees'
                    end
            when 'areas'
                then
                    case
                        when areas is null then 'cannot_be_computed'
                        when areas = claimed_number then 'agrees'
                        else 'differs'
                    end
            when 'count_in_groups'
                then
                    case
                        when coalesce(members_held, 0) < 7 then 'cannot_be_computed'
                        when members_in_groups = claimed_number then 'agrees'
                        else 'differs'
                    end
            when 'most_areas'
                then
                    case
                        when areas is null then 'cannot_be_computed'
                        when areas_in_claimed_group * 2 > areas then 'agrees'
                        else 'differs'
                    end
            when 'group'
                then
                    case
                        when group_label is null then 'cannot_be_computed'
                        when group_label = claimed_value then 'agrees'
                        else 'differs'
                    end
            when 'comparison'
                then
                    case
                        when coalesce(outcome, 'cannot_say') = 'cannot_say' then 'cannot_be_computed'
                        -- Whichever side it fell: such a test neither bears a claim out nor refutes it.
                        when close_call and claimed_value in ('lower', 'comparable')
                            then 'too_close_to_call'
                        when claimed_value = 'lower' and outcome = 'worse' then 'agrees'
                        when claimed_value = 'comparable' and outcome = 'similar' then 'agrees'
                        when
                            claimed_value = 'close_or_less_favourable'
                            and outcome in ('similar', 'worse') then 'agrees'
                        else 'differs'
                    end
            else 'cannot_be_computed'
        end as verdict
    from answered

),

final as (

    select
        *,
        case
            when verdict = 'contradicted_within_report'
                then
                    'The report prints ' || printed || ' for this figure. The publisher''s table is '
                    || 'not held, so neither can be confirmed. ' || coalesce(status_reason, '')
            when
                verdict = 'cannot_be_computed' and barometer_id = 'promising_prospects'
                and area_code is null
                then 'The index has no regional values: it places local areas, not regions.'
            when verdict = 'cannot_be_computed' and question = 'comparison' and dataset like 'smc%'
                then
                    'The index has no value for the combined authority and no standard error, so '
                    || 'it is neither averaged nor tested.'
            when
                verdict = 'cannot_be_computed' and question in ('percent', 'comparison')
                and figure is not null and question = 'percent'
                then
                    'Our figure is ' || our_value || '%, but figures for all seven authorities are '
                    || 'needed to say which is the extreme; '
                    || coalesce(authorities_held, 0) || ' are held.'
            when verdict = 'cannot_be_computed' and only_in_report
                then
                    'The only figure held is the report''s own, which cannot confirm itself. The '
                    || 'publisher''s table is needed.'
            when verdict = 'cannot_be_computed'
                then coalesce(status_reason, 'No figure with an interval is held for this claim.')
            when question = 'percent' and printed is not null
                then
                    'Ours is ' || our_value || '%, from ' || edition_title || '; the report prints '
                    || printed || '.'
            when question = 'percent'
                then 'Ours is ' || our_value || '%, from ' || edition_title || '.'
            when question = 'areas' then 'The file has ' || areas || ' areas.'
            when question = 'count_in_groups'
                then
                    members_in_groups || ' of the seven authorities are in: '
                    || replace(groups, '|', ', ') || '.'
            when question = 'most_areas'
                then
                    areas_in_claimed_group || ' of ' || areas || ' areas are in the ' || claimed_value
                    || '; of the seven authorities ' || members_in_claimed_group || ' are.'
            when question = 'group' then area_name || ' is in the group ' || group_label || '.'
            when question = 'comparison'
                then
                    'By a two-sided test at 95% on ' || edition_title || ', '
                    || case outcome
                        when 'worse' then 'lower than England'
                        when 'better' then 'higher than England'
                        else 'similar to England'
                    end
                    || ' (difference ' || printf('%.1f', difference) || ' points, z '
                    || printf('%.2f', z) || ')'
                    || case when close_call then '; too close to call' else '' end
                    || case
                        when figure_edition != edition_code
                            then
                                '. The report names ' || claimed_edition
                                || ', for which no figure of this area is held'
                        else ''
                    end || '.'
        end as explanation
    from judged

)

select
    cast(claim_id as varchar) as claim_id,
    cast(section as varchar) as section,
    cast(barometer_id as varchar) as barometer_id,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(statistic as varchar) as statistic,
    cast(claimed_edition as varchar) as claimed_edition,
    cast(claimed_value as varchar) as claimed_value,
    cast(our_value as varchar) as our_value,
    cast(coalesce(figure_origin, groups_origin) as varchar) as our_origin,
    cast(coalesce(figure_source, groups_source) as varchar) as our_source_dataset,
    cast(coalesce(figure_edition, case when groups_origin is not null then edition_code end) as varchar)
        as our_edition,
    cast(verdict as varchar) as verdict,
    cast(explanation as varchar) as explanation,
    cast(note as varchar) as note,
    cast(provenance_id as varchar) as provenance_id
from final
order by claim_id
