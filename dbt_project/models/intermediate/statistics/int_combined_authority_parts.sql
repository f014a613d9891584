-- Each member's figure beside its weight, for every barometer that has figures for authorities.
with figures as (

    select * from {{ ref('int_standard_errors') }}
    where of_adults

),

weights as (

    select * from {{ ref('int_combined_authority_weights') }}

),

barometers as (

    select distinct
        barometer_id,
        goal_id,
        dataset,
        edition,
        period_start,
        period_end,
        unit,
        polarity
    from figures
    where area_code in (select weights.member_code from weights)

),

-- Counts of the authorities of 2021, added up by current code.
census as (

    select
        areas.current_code as area_code,
        cast(sum(counts.usual_residents) as bigint) as usual_residents
    from {{ ref('census_residents') }} as counts
    inner join {{ ref('areas') }} as areas on counts.area_code = areas.area_code
    group by areas.current_code

)

select
    barometers.*,
    weights.parent_kind,
    weights.parent_code,
    weights.membership_vintage,
    weights.members,
    weights.member_code,
    coalesce(areas.area_name, weights.member_code) as member_name,
    weights.population_vintage,
    weights.population_distance_days,
    weights.population_16_plus,
    weights.weight,
    census.usual_residents as census_residents,
    figures.value,
    figures.lower_95,
    figures.upper_95,
    figures.se,
    figures.base,
    coalesce(figures.small_base, false) as small_base,
    -- No row at all is one more way of not being available.
    coalesce(figures.status, 'not_available') as status,
    figures.area_code is not null as has_row,
    figures.provenance_id as figure_provenance_id,
    figures.origin as figure_origin,
    weights.population_provenance_id,
    'd-' || substr(
        md5(
            concat_ws(
                '|', 'population_weighted_v1', barometers.barometer_id, weights.parent_code,
                barometers.edition, cast(barometers.period_start as varchar)
            )
        ),
        1,
        16
    ) as provenance_id
from barometers
inner join weights
    on
        barometers.dataset = weights.dataset
        and barometers.edition = weights.edition
        and barometers.period_start = weights.period_start
        and barometers.period_end = weights.period_end
left join figures
    on
        barometers.barometer_id = figures.barometer_id
        and barometers.dataset = figures.dataset
        and barometers.edition = figures.edition
        and barometers.period_start = figures.period_start
        and barometers.period_end = figures.period_end
        and weights.member_code = figures.area_code
left join {{ ref('areas') }} as areas on weights.member_code = areas.area_code
left join census on weights.member_code = census.area_code
