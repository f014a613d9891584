select
    {{ cell_columns() }}
from {{ ref('int_described_cells') }}
where role = 'context'
order by framework, barometer_id, area_code, edition, period_end
