with cells as (

    select * from {{ ref('barometers') }}
    where
        is_latest
        and area_level in ('cauth', 'lad')
        and framework = '{{ var("framework") }}'

),

areas as (

    select * from {{ ref('areas') }}

),

populations as (

    select * from {{ ref('int_populations_16_plus') }}
    qualify row_number() over (partition by area_code order by vintage desc) = 1

),

counted as (

    select
        cells.area_code,
        min(cells.area_name) as area_name,
        min(cells.area_level) as area_level,
        min(cells.region_code) as region_code,
        count(*) as barometers,
        count(cells.value) as barometers_with_figure,
        count(*) filter (where cells.outcome in ('better', 'higher')) as better_than_england,
        count(*) filter (where cells.outcome = 'similar') as similar_to_england,
        count(*) filter (where cells.outcome in ('worse', 'lower')) as worse_than_england,
        count(*) filter (where coalesce(cells.close_call, false)) as close_calls,
        count(*) filter (
            where cells.unit = 'z_score' and cells.group_number is not null
        ) as index_groups_held,
        count(*) filter (
            where cells.unit = 'percent' and cells.outcome = 'cannot_say'
        ) as cannot_say
    from cells
    group by cells.area_code

)

select
    cast(counted.area_code as varchar) as area_code,
    cast(counted.area_name as varchar) as area_name,
    cast(counted.area_level as varchar) as area_level,
    cast(counted.region_code as varchar) as region_code,
    cast(regions.area_name as varchar) as region_name,
    cast(parents.combined_authority_code as varchar) as combined_authority_code,
    cast(combined.area_name as varchar) as combined_authority_name,
    cast(populations.population_16_plus as bigint) as population_16_plus,
    cast(populations.vintage as integer) as population_vintage,
    cast(counted.barometers as integer) as barometers,
    cast(counted.barometers_with_figure as integer) as barometers_with_figure,
    cast(counted.better_than_england as integer) as better_than_england,
    cast(counted.similar_to_england as integer) as similar_to_england,
    cast(counted.worse_than_england as integer) as worse_than_england,
    cast(counted.close_calls as integer) as close_calls,
    cast(counted.cannot_say as integer) as cannot_say,
    cast(counted.index_groups_held as integer) as index_groups_held
from counted
left join areas as regions on counted.region_code = regions.area_code
left join {{ ref('int_area_parents') }} as parents on counted.area_code = parents.area_code
left join areas as combined on parents.combined_authority_code = combined.area_code
left join populations on counted.area_code = populations.area_code
order by counted.area_code
