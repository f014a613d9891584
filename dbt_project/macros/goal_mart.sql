{# A goal's four barometers across, one row per area: the latest cell of each, as in marts.barometers. #}
{% macro goal_mart(goal, barometers) -%}
with cells as (

    select * from {{ ref('barometers') }}
    where
        framework = '{{ var("framework") }}'
        and goal_id = '{{ goal }}'
        and is_latest
        and area_level in ('nation', 'itl1', 'cauth', 'utla', 'lad')

)

select
    cast(area_code as varchar) as area_code,
    cast(min(area_name) as varchar) as area_name,
    cast(min(area_level) as varchar) as area_level
    {%- for barometer in barometers %}
        {%- for column, source, type in [
            ('edition', 'edition', 'varchar'), ('value', 'value', 'double'),
            ('lower_95', 'lower_95', 'double'), ('upper_95', 'upper_95', 'double'),
            ('group_label', 'group_label', 'varchar'), ('status', 'status', 'varchar'),
            ('status_reason', 'status_reason', 'varchar'), ('origin', 'origin', 'varchar'),
            ('against_england', 'outcome', 'varchar'), ('close_call', 'close_call', 'boolean'),
            ('provenance_id', 'provenance_id', 'varchar'),
        ] %},
    cast(
        any_value({{ source }}) filter (where barometer_id = '{{ barometer }}') as {{ type }}
    ) as {{ barometer }}_{{ column }}
        {%- endfor %}
    {%- endfor %}
from cells
group by area_code
order by area_code
{%- endmacro %}
