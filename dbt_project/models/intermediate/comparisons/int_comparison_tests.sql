-- The test of each difference, or the code of why there is none.
with joined as (

    select
        pairs.*,
        -- Shares of the population 16 and over say nothing of a share of pupils or a median.
        case when pairs.of_adults then inside.share end as share_of_comparator,
        case when pairs.of_adults then outside.share end as share_in_area,
        vintages.population_vintage,
        coalesce(inside_pairs.part_code, outside_pairs.part_code) is not null as is_part_whole,
        inside_pairs.part_code is not null and outside_pairs.part_code is not null as is_same_area
    from {{ ref('int_comparison_pairs') }} as pairs
    left join {{ ref('int_area_population_vintages') }} as vintages
        on
            pairs.dataset = vintages.dataset
            and pairs.edition = vintages.edition
            and pairs.period_start = vintages.period_start
            and pairs.period_end = vintages.period_end
    left join {{ ref('int_area_containments') }} as inside_pairs
        on
            pairs.area_code = inside_pairs.part_code
            and pairs.comparator_code = inside_pairs.whole_code
    left join {{ ref('int_area_containments') }} as outside_pairs
        on
            pairs.comparator_code = outside_pairs.part_code
            and pairs.area_code = outside_pairs.whole_code
    left join {{ ref('int_area_shares') }} as inside
        on
            pairs.area_code = inside.part_code
            and pairs.comparator_code = inside.whole_code
            and vintages.population_vintage = inside.population_vintage
    left join {{ ref('int_area_shares') }} as outside
        on
            pairs.comparator_code = outside.part_code
            and pairs.area_code = outside.whole_code
            and vintages.population_vintage = outside.population_vintage

),

tested as (

    {{ compared('joined') }}

),

reasoned as (

    select
        *,
        case
            when comparator_kind = 'similar_areas' then 'middle_of_several'
            when comparator_value is null then 'no_comparator_figure'
            when is_same_area then 'same_area'
            when origin = 'reported' then 'quoted'
            when comparator_origin = 'reported' then 'comparator_quoted'
            when se is null and comparator_se is null then 'no_standard_errors'
            when se is null then 'no_standard_error'
            when comparator_se is null then 'no_comparator_standard_error'
            when base < {{ var('minimum_base', 30) }} then 'base_too_small'
            when comparator_base < {{ var('minimum_base', 30) }} then 'comparator_base_too_small'
            when sampling_variance is null then 'intervals_disagree'
            when rounding_variance > sampling_variance then 'printed_too_coarsely'
        end as reason_code
    from tested

)

select
    * exclude (difference_se, z, sampling_z),
    case when reason_code is null then difference_se end as difference_se,
    case when reason_code is null then z end as z,
    case when reason_code is null then sampling_z end as sampling_z
from reasoned
