select
    {{ cell_columns() }}
from {{ ref('int_described_cells') }}
where role in ('key', 'supporting')
order by framework, barometer_id, area_code, edition, period_end
