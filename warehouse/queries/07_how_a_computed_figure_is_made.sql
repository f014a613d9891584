-- A figure is marked as computed here. What was it made of?
with computed as (

    select
        area_name as combined_authority,
        barometer_id,
        value,
        provenance_id
    from marts.barometers
    where origin = 'derived' and area_level = 'cauth' and barometer_id = 'library_engagement'
    order by area_name, edition
    limit 1

)

select
    computed.combined_authority,
    round(computed.value, 2) as computed_value,
    p.part,
    areas.area_name,
    p.value,
    p.dataset,
    p.edition
from computed
inner join marts.provenance as p using (provenance_id)
left join reference.areas using (area_code)
order by areas.area_name, p.part;
