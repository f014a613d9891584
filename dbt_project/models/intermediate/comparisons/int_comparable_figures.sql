-- The figures that are compared with other areas: every cell with a value, save those of an index,
-- which has no standard error, and of abolished combined authorities, which overlap the current
-- ones.
with cells as (

    select * from {{ figures_with_decimals() }} as figures
    where
        -- A total follows the size of its area.
        unit not in ('z_score', 'pounds_million')
        and area_level in ('nation', 'itl1', 'cauth', 'utla', 'lad', 'smc_area')

),

current_combined_authorities as (

    select distinct combined_authority_code
    from {{ ref('int_area_parents') }}
    where combined_authority_code is not null

)

select
    cells.*,
    barometers.role,
    barometers.of_adults,
    barometers.decimals as decimals_shown,
    -- Context has many periods: the newest has every comparator, an older one England alone.
    barometers.role != 'context' or cells.edition = max(cells.edition) over (
        partition by cells.barometer_id, cells.area_level
    ) as has_all_comparators,
    parents.combined_authority_code,
    {{ area_in_words('cells.area_name', 'cells.area_level') }} as area_words,
    {{ figure_mark('cells.origin', 'cells.status') }} as mark,
    -- The areas among which the best and the worst are looked for.
    case
        when cells.area_level = 'cauth' then 'combined_authorities'
        when cells.area_level = 'lad' then parents.combined_authority_code
    end as peer_group
from cells
left join {{ ref('int_indicators') }} as barometers
    on cells.barometer_id = barometers.barometer_id
left join {{ ref('int_area_parents') }} as parents on cells.area_code = parents.area_code
left join current_combined_authorities
    on cells.area_code = current_combined_authorities.combined_authority_code
where
    cells.area_level != 'cauth'
    or current_combined_authorities.combined_authority_code is not null
