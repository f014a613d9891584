{#
  A table of many rows is written in parts, so that what sorting and joining hold in memory is a part
  and not the whole: a million rows of 46 columns fill a gigabyte. A model names the column by which it
  is divided, and the intermediate table whose rows are counted, in its meta: `parts: {by: area_code, of: a_model}`.
  Filters on that column must reach the tables below the model: joins and windows are by it too.
#}
{% macro duckdb__create_table_as(
    temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none
) -%}
    {%- set parts = config.get('meta', {}).get('parts') -%}
    {%- set bounds = first_of_each_part(parts) if parts and not temporary else [] -%}
    {%- for bound in bounds or [none] -%}
        {%- set conditions = [] -%}
        {%- if not loop.first %}{% do conditions.append(parts.by ~ " >= '" ~ bound ~ "'") %}{% endif -%}
        {%- if not loop.last %}{% do conditions.append(parts.by ~ " < '" ~ loop.nextitem ~ "'") %}{% endif -%}
        {%- set part -%}
            {%- if conditions -%}
                select * from (
                {{ compiled_code }}
                ) as whole where {{ conditions | join(' and ') }}
            {%- else -%}
                {{ compiled_code }}
            {%- endif -%}
        {%- endset -%}
        {%- if loop.first -%}
            {{ dbt.duckdb__create_table_as(temporary, relation, part, language) }};
        {%- else -%}
            insert into {{ relation }} by name {{ part }};
        {%- endif %}
    {% endfor -%}
{%- endmacro %}

{# The first value of each part, parts having about as many rows as `rows_of_a_part`. #}
{% macro first_of_each_part(parts) -%}
    {%- set found = run_query(
        "select min(" ~ parts.by ~ ") from (select " ~ parts.by ~ ", (sum(count(*)) over (order by "
        ~ parts.by ~ ") - 1) // " ~ var('rows_of_a_part') ~ " as part from intermediate."
        ~ parts.of ~ " group by 1) group by part order by part"
    ) -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}
