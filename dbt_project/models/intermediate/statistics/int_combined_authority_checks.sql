with estimates as (

    select * from {{ ref('int_combined_authority_estimates') }}
    where value is not null

),

published as (

    select * from {{ ref('int_standard_errors') }}
    where of_adults and value is not null

),

compared as (

    select
        estimates.barometer_id,
        estimates.goal_id,
        estimates.dataset,
        estimates.edition,
        estimates.period_start,
        estimates.period_end,
        estimates.area_code,
        estimates.area_name,
        estimates.members,
        estimates.membership_vintage,
        estimates.population_vintage,
        estimates.method,
        published.value as published_value,
        published.lower_95 as published_lower_95,
        published.upper_95 as published_upper_95,
        estimates.value as estimated_value,
        estimates.lower_95 as estimated_lower_95,
        estimates.upper_95 as estimated_upper_95,
        estimates.unweighted_mean,
        published.provenance_id as published_provenance_id,
        estimates.provenance_id as estimated_provenance_id,
        estimates.value - published.value as difference,
        estimates.unweighted_mean - published.value as unweighted_difference
    from estimates
    inner join published
        on
            estimates.barometer_id = published.barometer_id
            and estimates.dataset = published.dataset
            and estimates.edition = published.edition
            and estimates.period_start = published.period_start
            and estimates.period_end = published.period_end
            and estimates.area_code = published.area_code

),

final as (

    select
        *,
        {{ round_half_up('estimated_value') }} = {{ round_half_up('published_value') }}
            as rounds_to_published,
        abs({{ round_half_up('estimated_lower_95') }} - {{ round_half_up('published_lower_95') }}) <= 1
            as lower_within_one,
        abs({{ round_half_up('estimated_upper_95') }} - {{ round_half_up('published_upper_95') }}) <= 1
            as upper_within_one,
        abs(difference) > {{ var('check_alert_points', 1.0) }} as alert
    from compared

)

select * from final
