-- One row per cell: the published figure where there is one, else ours, else the reason why there
-- is none.
with published as (

    select
        published.* exclude (measure, status_symbol, citation, source_rank), -- noqa: RF02
        case
            when published.status not in ('published', 'low_reliability')
                then coalesce(published.citation, status_codes.meaning)
        end as status_reason,
        case when published.value is not null then 'published' end as method,
        -- The publisher's figure and a copy of it go before ours, ours before a reported one.
        case
            when published.value is null then 4
            when published.origin = 'reported' then 3
            else 1
        end as preference
    from {{ ref('int_standard_errors') }} as published
    left join {{ ref('status_codes') }} as status_codes on published.status = status_codes.status

),

derived as (

    select
        *,
        dataset as source_dataset,
        case when value is null then 5 else 2 end as preference
    from {{ ref('int_combined_authority_estimates') }}

),

gaps as (

    select
        grid.* exclude (status_reason),
        concat_ws(' ', derived.status_reason, grid.status_reason) as status_reason,
        6 as preference
    from {{ ref('int_barometer_grid') }} as grid
    left join derived
        on
            grid.status = 'not_held'
            and derived.value is null
            and grid.barometer_id = derived.barometer_id
            and grid.edition = derived.edition
            and grid.area_code = derived.area_code

),

candidates as (

    select * from published
    union all by name
    select * from derived
    -- Without a value ours is given only where a suppressed member forbids one; else the grid says
    -- what is missing and how to get it.
    where value is not null or status = 'suppressed'
    union all by name
    select * from gaps

)

select
    barometer_id,
    goal_id,
    dataset,
    source_dataset,
    edition,
    period_start,
    period_end,
    area_code,
    area_name,
    area_level,
    region_code,
    published_area_code,
    unit,
    polarity,
    value,
    lower_95,
    upper_95,
    se,
    se_method,
    base,
    group_number,
    group_label,
    status,
    status_reason,
    origin,
    method,
    provenance_id
from candidates
-- An index has a row per period; a survey one per edition, whatever nominal period a copy gives it.
qualify
    row_number() over (
        partition by
            barometer_id, area_code, edition, case when unit = 'z_score' then period_end end
        order by preference, provenance_id
    ) = 1
