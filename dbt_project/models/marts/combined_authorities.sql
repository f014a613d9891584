with cells as (

    select * from {{ ref('barometers') }}
    where area_level = 'cauth' and framework = '{{ var("framework") }}'

),

estimates as (

    select * from {{ ref('int_combined_authority_estimates') }}

),

group_counts as (

    select
        barometer_id,
        edition,
        period_end,
        parent_code,
        {{ joined("areas || ' in ' || group_label", ', ', 'group_number') }} filter (where areas > 0)
            as groups_in_words,
        any_value(period_start) as period_start,
        sum(areas) as areas_with_group
    from {{ ref('int_group_counts') }}
    where parent_kind = 'combined_authority'
    group by barometer_id, edition, period_end, parent_code

),

-- An index has no value for a combined authority but counts by group, in each period.
final as (

    select
        cells.goal_id,
        cells.barometer_id,
        cells.role,
        cells.title,
        cells.area_code,
        cells.area_name,
        cells.dataset,
        cells.edition,
        cells.is_latest
        and coalesce(
            group_counts.period_end = max(group_counts.period_end) over (
                partition by cells.barometer_id, cells.area_code, cells.edition
            ),
            true
        ) as is_latest,
        coalesce(group_counts.period_end, cells.period_end) as period_end,
        cells.unit,
        cells.value,
        cells.lower_95,
        cells.upper_95,
        cells.status,
        cells.status_reason,
        cells.origin,
        cells.method,
        estimates.value as our_estimate,
        estimates.lower_95 as our_lower_95,
        estimates.upper_95 as our_upper_95,
        estimates.unweighted_mean,
        estimates.value_at_census_shares as our_estimate_at_census_shares,
        case when cells.method = 'published' then estimates.value - cells.value end
            as our_estimate_less_published,
        coalesce(
            cells.method = 'published' and abs(estimates.value - cells.value) > 1, false
        ) as check_alert,
        estimates.members,
        estimates.members_with_figure,
        estimates.missing_members,
        estimates.membership_vintage,
        estimates.population_vintage,
        group_counts.groups_in_words,
        group_counts.areas_with_group,
        case
            when group_counts.groups_in_words is null then cells.sentence
            else
                'On the ' || {{ title_in_words('cells.title') }} || ', the areas of '
                || {{ area_in_words('cells.area_name', 'cells.area_level') }}
                || ' that have a value are placed: ' || group_counts.groups_in_words || ' ('
                || cells.edition_title || ', years ' || year(group_counts.period_start) || ' to '
                || year(group_counts.period_end) || ').'
        end as sentence,
        ranges.members_sentence,
        cells.provenance_id
    from cells
    left join estimates
        on
            cells.barometer_id = estimates.barometer_id
            and cells.edition = estimates.edition
            and cells.area_code = estimates.area_code
    left join group_counts
        on
            cells.unit = 'z_score'
            and cells.barometer_id = group_counts.barometer_id
            and cells.edition = group_counts.edition
            and cells.area_code = group_counts.parent_code
    left join {{ ref('int_member_ranges') }} as ranges
        on
            cells.barometer_id = ranges.barometer_id
            and cells.edition = ranges.edition
            and cells.period_end = ranges.period_end
            and cells.area_code = ranges.combined_authority_code

)

select
    cast(goal_id as varchar) as goal_id,
    cast(barometer_id as varchar) as barometer_id,
    cast(role as varchar) as role,
    cast(title as varchar) as title,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(is_latest as boolean) as is_latest,
    cast(period_end as date) as period_end,
    cast(unit as varchar) as unit,
    cast(value as double) as value,
    cast(lower_95 as double) as lower_95,
    cast(upper_95 as double) as upper_95,
    cast(status as varchar) as status,
    cast(status_reason as varchar) as status_reason,
    cast(origin as varchar) as origin,
    cast(method as varchar) as method,
    cast(our_estimate as double) as our_estimate,
    cast(our_lower_95 as double) as our_lower_95,
    cast(our_upper_95 as double) as our_upper_95,
    cast(unweighted_mean as double) as unweighted_mean,
    cast(our_estimate_at_census_shares as double) as our_estimate_at_census_shares,
    cast(our_estimate_less_published as double) as our_estimate_less_published,
    cast(check_alert as boolean) as check_alert,
    cast(members as integer) as members,
    cast(members_with_figure as integer) as members_with_figure,
    cast(missing_members as varchar) as missing_members,
    cast(membership_vintage as integer) as membership_vintage,
    cast(population_vintage as integer) as population_vintage,
    cast(groups_in_words as varchar) as groups_in_words,
    cast(areas_with_group as integer) as areas_with_group,
    cast(sentence as varchar) as sentence,
    cast(members_sentence as varchar) as members_sentence,
    cast(provenance_id as varchar) as provenance_id
from final
order by barometer_id, area_code, edition, period_end
