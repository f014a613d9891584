with parts as (

    select * from {{ ref('int_population_parts') }}

),

final as (

    select
        vintage,
        area_code,
        cast(sum(value) as bigint) as population_16_plus,
        min(provenance_id) as provenance_id,
        case when count(*) > 1 then 'derived' else min(origin) end as origin,
        cast(count(*) as integer) as parts
    from parts
    group by vintage, area_code

)

select * from final
