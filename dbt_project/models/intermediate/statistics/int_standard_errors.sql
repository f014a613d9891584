{{ config(meta={'parts': {'by': 'area_code', 'of': 'int_observations'}}) }}
with figures as (

    select * from {{ ref('int_published_figures') }}

),

designs as (

    select * from {{ ref('survey_designs') }}

),

-- England's base is often missing from a copy of its figure: the survey's own total takes its place.
with_base as (

    select
        figures.*,
        case
            when figures.base is not null then figures.base
            when figures.area_level = 'nation' then designs.england_base
        end as floor_base,
        coalesce(designs.design_effect, {{ var('design_effect', 1.6) }}) as assumed_design_effect,
        -- A figure that somebody else reports is tested against nothing.
        (
            figures.unit not in ('z_score', 'count')
            and figures.value is not null
            and coalesce(figures.origin, '') != 'reported'
        ) as may_have_se,
        -- No authority's sample is large enough for limits that meet.
        (
            figures.area_level in ('lad', 'utla', 'cauth')
            and figures.upper_95 = figures.lower_95
        ) as zero_width_authority
    from figures
    left join designs
        on
            figures.dataset = designs.dataset
            and figures.edition = designs.edition
            and coalesce(designs.measure, figures.measure) = figures.measure

),

with_method as (

    select
        *,
        case
            when may_have_se and not coalesce(zero_width_authority, false)
                then {{ se_method('lower_95', 'upper_95', 'value', 'floor_base') }}
            else 'none'
        end as se_method
    from with_base

),

with_se as (

    select
        *,
        case
            when se_method != 'none'
                then
                    {{ se_from_interval(
                        'lower_95', 'upper_95', 'value', 'floor_base', 'assumed_design_effect'
                    ) }}
        end as se
    from with_method

),

final as (

    select
        * exclude (may_have_se, zero_width_authority),
        case
            when unit = 'z_score' then 'not_a_percentage'
            when value is null then 'no_value'
            when origin = 'reported' then 'reported_by_others'
            when lower_95 is null or upper_95 is null then 'no_interval'
            when not {{ interval_is_valid('lower_95', 'upper_95', 'value') }} then 'invalid_interval'
            when se_method = 'none' then 'zero_width'
        end as se_missing_because,
        {{ implied_design_effect('value', 'se', 'base') }} as design_effect_implied,
        coalesce(
            {{ implied_design_effect('value', 'se', 'base') }} not between 0.8 and 4,
            false
        ) as design_effect_unusual,
        coalesce(base < {{ var('minimum_base', 30) }}, false) as small_base
    from with_se

)

select * from final
