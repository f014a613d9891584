{# A raw table named without its file: the staging views must still work where an analyst renames the
   warehouse or attaches it under another name. #}
{% macro held(table) -%}
{{ source('raw', table).include(database=false) }}
{%- endmacro %}

{# One staging view a dataset: rename and cast only, so that a reader can set it beside the file. #}
{% macro stage_observations(dataset) -%}
select
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(revision as varchar) as revision,
    cast(measure as varchar) as measure,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    cast(unit as varchar) as unit,
    cast(value as double) as value,
    cast(lower_95 as double) as lower_95,
    cast(upper_95 as double) as upper_95,
    cast(base as bigint) as base,
    cast(group_number as integer) as group_number,
    cast(group_label as varchar) as group_label,
    cast(status as varchar) as status,
    cast(status_symbol as varchar) as status_symbol,
    cast(origin as varchar) as origin,
    cast(file_sha256 as varchar) as file_sha256,
    cast(sheet as varchar) as sheet,
    cast(row_number as integer) as row_number,
    cast(column_letter as varchar) as column_letter,
    cast(citation as varchar) as citation
from {{ held(dataset) }}
{%- endmacro %}
