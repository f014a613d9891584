select
    cast(barometer_id as varchar) as barometer_id,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(status as varchar) as status,
    cast(status_reason as varchar) as status_reason
from {{ ref('barometers') }}
where value is null and framework = '{{ var("framework") }}'
order by barometer_id, edition, area_code
