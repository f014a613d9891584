-- The printed counts behind each population: one row where the area is printed, a row a
-- predecessor where districts were merged into it since.

with observations as (

    select * from {{ ref('int_observations') }}
    where measure = 'population_16_plus' and value is not null

),

predecessors as (

    select
        old_code,
        new_code
    from {{ ref('area_code_changes') }}
    where kind = 'merge'

),

final as (

    select
        cast(regexp_extract(observations.edition, '[0-9]{4}', 0) as integer) as vintage,
        coalesce(predecessors.new_code, observations.area_code) as area_code,
        observations.published_area_code,
        observations.value,
        observations.origin,
        observations.provenance_id
    from observations
    left join predecessors on observations.published_area_code = predecessors.old_code

)

select * from final
