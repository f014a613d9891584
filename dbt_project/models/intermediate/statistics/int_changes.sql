-- Every pair of figures with its grade and its test. docs/methods.md#change-between-editions

with pairs as (

    select
        pairs.*,
        indicators.role,
        indicators.statement,
        indicators.of_adults,
        indicators.decimals,
        {% for side in ['from', 'to'] %}
            case
                when catalogue.periods_in_file
                    then {{ period_in_words(
                        'pairs.' ~ side ~ '_period_start', 'pairs.' ~ side ~ '_period_end'
                    ) }}
                else replace(pairs.{{ side }}_edition, '-', '/')
            end as {{ side }}_title,
        {% endfor %}
        pairs.to_test_value - pairs.from_test_value as test_difference,
        power(pairs.from_test_se, 2) + power(pairs.to_test_se, 2) as sampling_variance,
        pairs.from_test_rounding + pairs.to_test_rounding as rounding_variance,
        power(pairs.from_se, 2) + power(pairs.to_se, 2)
        + {{ rounding_variance('pairs.from_decimals', 'pairs.to_decimals') }} as points_variance
    from {{ ref('int_change_pairs') }} as pairs
    left join {{ ref('int_indicators') }} as indicators
        on pairs.barometer_id = indicators.barometer_id
    left join {{ source('raw', 'catalogue') }} as catalogue on pairs.to_dataset = catalogue.dataset

),

grades as (

    select * from {{ ref('int_change_grades') }}

),

reasoned as (

    select
        pairs.*,
        coalesce(grades.grade, 'open') as grade,
        grades.grade_kind,
        grades.grade_reason,
        grades.grade_citation,
        pairs.unit = 'z_score' and pairs.from_edition = pairs.to_edition as is_movement,
        case
            when grades.grade = 'block' then 'break_in_series'
            when pairs.unit = 'z_score' and pairs.from_edition != pairs.to_edition
                then 'restandardised'
            when pairs.unit = 'z_score' then null
            when 'reported' in (pairs.from_origin, pairs.to_origin) then 'quoted'
            when pairs.from_se is null or pairs.to_se is null then 'no_standard_error'
            when
                pairs.from_base < {{ var('minimum_base', 30) }}
                or pairs.to_base < {{ var('minimum_base', 30) }}
                then 'base_too_small'
            when pairs.rounding_variance > pairs.sampling_variance then 'printed_too_coarsely'
        end as reason_code
    from pairs
    left join grades
        on pairs.area_code = grades.area_code and pairs.change_id = grades.change_id

),

tested as (

    select
        *,
        case when unit != 'z_score' and reason_code is null then to_value - from_value end as change,
        case
            when unit != 'z_score' and reason_code is null
                then sampling_variance + rounding_variance
        end as change_variance
    from reasoned

),

with_z as (

    select
        *,
        {{ z_score('test_difference', 'change_variance') }} as z,
        {{ z_score('test_difference', 'case when change is not null then sampling_variance end') }}
            as sampling_z,
        {{ minimum_detectable_change('case when change is not null then points_variance end') }}
            as minimum_detectable_change,
        {{ difference_se('change', 'z', 'change_variance', 'to_value', 'unit') }} as change_se
    from tested

),

with_p as (

    select
        *,
        {{ two_sided_p('z') }} as p_value
    from with_z

),

flagged as (

    {{ benjamini_hochberg(
        'with_p', ['change_id'], 'p_value',
        ['area_code', 'change_kind', 'series', 'from_edition', 'to_edition']
    ) }}

),

final as (

    select
        *,
        change - {{ confidence_z() }} * change_se as change_lower_95,
        change + {{ confidence_z() }} * change_se as change_upper_95,
        case
            when is_movement then 'relative_position'
            else {{ comparison_outcome('z', 'polarity') }}
        end as outcome,
        ({{ close_call('z') }} or {{ close_call('sampling_z') }}) as close_call,
        case reason_code
            when 'break_in_series' then grade_reason || '.'
            when 'restandardised'
                then
                    'The index is built anew in every edition, from other components on another '
                    || 'scale: positions in two editions are not a change.'
            when 'quoted'
                then 'One of the two figures is quoted by somebody else, so it is not tested.'
            when 'no_standard_error' then 'No usable interval is published for one of the editions.'
            when 'base_too_small' then 'Too few people answered in one of the editions.'
            when 'printed_too_coarsely'
                then
                    'The figures are printed too coarsely for a change as small as theirs: '
                    || 'rounding spreads it more than sampling.'
        end as reason,
        case when is_movement then to_group_number - from_group_number end as group_movement,
        case when is_movement then 'group_movement_v1' else 'change_z_two_sided_95_v3' end as method
    from flagged

)

select * from final
