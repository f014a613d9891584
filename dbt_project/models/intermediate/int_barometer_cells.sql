-- One row a cell: the published figure where there is one, else ours, else the reason why there is
-- none.

with published as (

    select * from {{ ref('int_standard_errors') }}

),

derived as (

    select * from {{ ref('int_combined_authority_estimates') }}

),

grid as (

    select * from {{ ref('int_barometer_grid') }}

),

status_codes as (

    select * from {{ ref('status_codes') }}

),

candidates as (

    select
        published.barometer_id,
        published.goal_id,
        published.dataset,
        published.source_dataset,
        published.edition,
        published.period_start,
        published.period_end,
        published.area_code,
        published.area_name,
        published.area_level,
        published.region_code,
        published.published_area_code,
        published.unit,
        published.polarity,
        published.value,
        published.lower_95,
        published.upper_95,
        published.se,
        published.se_method,
        published.base,
        published.group_number,
        published.group_label,
        published.status,
        case
            when published.status in ('published', 'low_reliability') then null
            else coalesce(published.citation, status_codes.meaning)
        end as status_reason,
        published.origin,
        case when published.value is not null then 'published' end as method,
        published.provenance_id,
        -- The publisher's figure and a copy of it go before ours, ours before a reported one.
        case
            when published.value is null then 4
            when published.origin = 'reported' then 3
            else 1
        end as preference
    from published
    left join status_codes on published.status = status_codes.status

    union all

    select
        barometer_id,
        goal_id,
        dataset,
        dataset as source_dataset,
        edition,
        period_start,
        period_end,
        area_code,
        area_name,
        area_level,
        region_code,
        null as published_area_code,
        unit,
        polarity,
        value,
        lower_95,
        upper_95,
        se,
        se_method,
        base,
        null as group_number,
        null as group_label,
        status,
        status_reason,
        origin,
        method,
        provenance_id,
        case when value is null then 5 else 2 end as preference
    from derived
    -- Without a value ours is told only where a suppressed member forbids one; else the grid says
    -- what is missing and how to get it.
    where value is not null or status = 'suppressed'

    union all

    select
        grid.barometer_id,
        grid.goal_id,
        grid.dataset,
        null as source_dataset,
        grid.edition,
        grid.period_start,
        grid.period_end,
        grid.area_code,
        grid.area_name,
        grid.area_level,
        grid.region_code,
        null as published_area_code,
        grid.unit,
        grid.polarity,
        null as value,
        null as lower_95,
        null as upper_95,
        null as se,
        null as se_method,
        null as base,
        null as group_number,
        null as group_label,
        grid.status,
        concat_ws(' ', derived.status_reason, grid.status_reason) as status_reason,
        null as origin,
        null as method,
        null as provenance_id,
        6 as preference
    from grid
    left join derived
        on
            grid.status = 'not_held'
            and derived.value is null
            and grid.barometer_id = derived.barometer_id
            and grid.edition = derived.edition
            and grid.area_code = derived.area_code

),

final as (

    select * exclude (preference)
    from candidates
    -- An index has a row a period; a survey one a edition, whatever nominal period a copy gives it.
    qualify
        row_number() over (
            partition by
                barometer_id, area_code, edition,
                case when unit = 'z_score' then period_end end
            order by preference, provenance_id
        ) = 1

)

select * from final
