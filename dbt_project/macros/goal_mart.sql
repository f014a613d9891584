{# A goal's four barometers across, an area a row: the latest cell of each, as marts.barometers has it. #}
{% macro goal_mart(goal, barometers) -%}
with cells as (

    select * from {{ ref('barometers') }}
    where
        goal_id = '{{ goal }}'
        and is_latest
        and area_level in ('nation', 'itl1', 'cauth', 'utla', 'lad')

),

against_england as (

    select
        barometer_id,
        area_code,
        edition,
        outcome,
        close_call
    from {{ ref('comparisons') }}
    where comparator_kind = 'england'

),

joined as (

    select
        cells.*,
        against_england.outcome as against_england,
        against_england.close_call as close_call
    from cells
    left join against_england
        on
            cells.barometer_id = against_england.barometer_id
            and cells.area_code = against_england.area_code
            and cells.edition = against_england.edition
            and cells.unit = 'percent'

)

select
    cast(area_code as varchar) as area_code,
    cast(min(area_name) as varchar) as area_name,
    cast(min(area_level) as varchar) as area_level
    {%- for barometer in barometers %}
        {%- for column, type in [
            ('edition', 'varchar'), ('value', 'double'), ('lower_95', 'double'),
            ('upper_95', 'double'), ('group_label', 'varchar'), ('status', 'varchar'),
            ('status_reason', 'varchar'), ('origin', 'varchar'), ('against_england', 'varchar'),
            ('close_call', 'boolean'), ('provenance_id', 'varchar'),
        ] %},
    cast(
        any_value({{ column }}) filter (barometer_id = '{{ barometer }}') as {{ type }}
    ) as {{ barometer }}_{{ column }}
        {%- endfor %}
    {%- endfor %}
from joined
group by area_code
order by area_code
{%- endmacro %}
