with comparisons as (

    select
        comparisons.* exclude (comparator_words), -- noqa: RF02
        case
            when comparisons.comparator_kind not in ('best_peer', 'worst_peer')
                then comparisons.comparator_words
            when comparisons.comparator_ties = 1
                then
                    comparisons.comparator_words || ', '
                    || {{ peer_in_words('comparisons') }}
            else
                {{ peer_in_words('comparisons') }} || ', which '
                || {{ count_in_words('comparisons.comparator_ties') }} || ' areas share'
        end as comparator_words,
        barometers.statement,
        barometers.of_adults,
        barometers.decimals as decimals_shown,
        case
            when catalogue.periods_in_file
                then {{ period_in_words('comparisons.period_start', 'comparisons.period_end') }}
            else editions.edition_title
        end as edition_title
    from {{ ref('int_comparisons') }} as comparisons
    inner join {{ ref('int_indicators') }} as barometers
        on comparisons.barometer_id = barometers.barometer_id
    inner join {{ source('raw', 'catalogue') }} as catalogue
        on comparisons.dataset = catalogue.dataset
    inner join {{ ref('int_editions') }} as editions
        on
            comparisons.dataset = editions.dataset
            and comparisons.edition = editions.edition
    -- An older period of context has its verdict against England in its own row of context.
    where comparisons.has_all_comparators

)

select
    left(md5(concat_ws(
        '|', barometer_id, edition, cast(period_end as varchar), area_code, comparator_kind,
        coalesce(comparator_code, '')
    )), 16) as comparison_id,
    cast(barometer_id as varchar) as barometer_id,
    cast(goal_id as varchar) as goal_id,
    cast(role as varchar) as role,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(comparator_kind as varchar) as comparator_kind,
    cast(nullif(comparator_code, '') as varchar) as comparator_code,
    cast(comparator_name as varchar) as comparator_name,
    cast(comparator_selected as boolean) as comparator_selected,
    cast(comparator_ties as integer) as comparator_ties,
    cast(unit as varchar) as unit,
    cast(polarity as varchar) as polarity,
    cast(value as double) as value,
    cast(comparator_value as double) as comparator_value,
    cast(comparator_lowest as double) as comparator_lowest,
    cast(comparator_highest as double) as comparator_highest,
    cast(comparator_areas as integer) as comparator_areas,
    cast(difference as double) as difference,
    cast(difference_lower_95 as double) as difference_lower_95,
    cast(difference_upper_95 as double) as difference_upper_95,
    cast(difference_se as double) as difference_standard_error,
    cast(z as double) as z,
    cast(sampling_z as double) as sampling_z,
    cast(p_value as double) as p_value,
    cast(outcome as varchar) as outcome,
    cast(close_call as boolean) as close_call,
    cast(reason_code as varchar) as reason_code,
    cast(reason as varchar) as reason,
    cast(gap_exceeds_any_sample as boolean) as gap_exceeds_any_sample,
    cast(mark as varchar) as mark,
    cast(comparator_mark as varchar) as comparator_mark,
    cast({{ comparison_sentence() }} as varchar) as sentence,
    cast(is_part_whole as boolean) as is_part_whole,
    cast(part_whole_applied as boolean) as part_whole_applied,
    cast(part_whole_share as double) as part_whole_share,
    cast(test_family as varchar) as test_family,
    cast(tests_in_family as integer) as tests_in_family,
    cast(family_adjusted_p as double) as family_adjusted_p,
    cast(survives_family as boolean) as survives_family,
    cast(method as varchar) as method,
    cast(membership_vintage as integer) as membership_vintage,
    cast(population_vintage as integer) as population_vintage,
    cast(provenance_id as varchar) as provenance_id,
    cast(comparator_provenance_id as varchar) as comparator_provenance_id
from comparisons
order by area_code, barometer_id, edition, period_end, comparator_kind, comparison_id
