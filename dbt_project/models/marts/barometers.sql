{{ config(meta={'parts': {'by': 'area_code', 'of': 'int_barometer_cells'}}) }}
select
    {{ cell_columns() }}
from {{ ref('int_described_cells') }}
where role in ('key', 'supporting')
order by framework, area_code, barometer_id, edition, period_end
