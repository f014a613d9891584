-- Each tested pair with its verdict, its family of tests and, where there is no verdict, the
-- reason. A family is one area, comparator, role and edition: what is read together.
with tests as (

    select
        *,
        {{ two_sided_p('z') }} as p_value,
        concat_ws(
            '|',
            area_code,
            comparator_kind,
            case when comparator_kind = 'combined_authority' then comparator_code end,
            role,
            edition
        ) as test_family
    from {{ ref('int_comparison_tests') }}

),

flagged as (

    {{ benjamini_hochberg(
        'tests',
        [
            'barometer_id', 'edition', 'period_end', 'area_code', 'comparator_kind',
            'comparator_code',
        ],
        'p_value', ['test_family']
    ) }}

)

select
    barometer_id,
    goal_id,
    role,
    dataset,
    edition,
    period_start,
    period_end,
    area_code,
    area_name,
    area_level,
    area_words,
    comparator_kind,
    comparator_code,
    comparator_name,
    comparator_words,
    comparator_ties,
    has_all_comparators,
    unit,
    polarity,
    value,
    lower_95,
    upper_95,
    mark,
    comparator_value,
    comparator_lowest,
    comparator_highest,
    comparator_areas,
    comparator_mark,
    difference,
    difference_se,
    difference - {{ confidence_z() }} * difference_se as difference_lower_95,
    difference + {{ confidence_z() }} * difference_se as difference_upper_95,
    z,
    sampling_z,
    p_value,
    {{ comparison_outcome('z', 'polarity') }} as outcome,
    {{ close_call('z') }} or {{ close_call('sampling_z') }} as close_call,
    reason_code,
    {{ comparison_reason() }} as reason,
    {{ gap_is_implausible() }} as gap_exceeds_any_sample,
    is_part_whole,
    coalesce(share_of_comparator, share_in_area) is not null as part_whole_applied,
    coalesce(share_of_comparator, share_in_area) as part_whole_share,
    case
        when coalesce(share_of_comparator, share_in_area) is not null then population_vintage
    end as population_vintage,
    comparator_kind in ('best_peer', 'worst_peer') as comparator_selected,
    test_family,
    cast(bh_tests as integer) as tests_in_family,
    bh_adjusted_p as family_adjusted_p,
    case when z is not null then bh_significant end as survives_family,
    'z_two_sided_95_v3' as method,
    {{ var('membership_vintage') }} as membership_vintage,
    provenance_id,
    comparator_provenance_id
from flagged
