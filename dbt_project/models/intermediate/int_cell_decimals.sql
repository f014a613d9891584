-- In how many decimals each column of figures is stored: one row per barometer, edition, source,
-- origin and method.
select
    barometer_id,
    edition,
    source_dataset,
    origin,
    method,
    {{ cell_decimals('value', 'method') }} as decimals
from {{ ref('int_barometer_cells') }}
where value is not null
group by barometer_id, edition, source_dataset, origin, method
