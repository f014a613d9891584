select
    {{ cell_columns() }}
from {{ ref('int_described_cells') }}
where role = 'context'
order by framework, area_code, barometer_id, edition, period_end
