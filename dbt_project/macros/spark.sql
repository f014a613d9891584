{#
  The models are written for DuckDB. This is what Spark calls the same things, and the only place that
  knows it: names of types and functions, and the order of what an aggregate joins.
#}
{% macro spark__in_dialect(sql) -%}
    {%- set re = modules.re -%}
    {%- set sql = re.sub('\\bvarchar\\b', 'string', sql) -%}
    {%- set sql = re.sub('\\bexclude\\s*\\(', 'except (', sql) -%}
    {#- A filter has the word where. -#}
    {%- set sql = re.sub('\\bfilter \\((?!\\s*where\\b)', 'filter (where ', sql) -%}
    {#- The order of joined texts follows the call, and more than one distinct list fails. -#}
    {%- set sql = re.sub(
        "string_agg\\(distinct (.+?), ('[^']*') order by .+?\\)(?=\\s*as\\b)",
        "nullif(array_join(array_sort(collect_set(\\1)), \\2), '')", sql
    ) -%}
    {%- set sql = re.sub(
        "string_agg\\((.+?), ('[^']*') order by (.+?)\\)(?=\\s*(?:filter|as)\\b)",
        'string_agg(\\1, \\2) within group (order by \\3)', sql
    ) -%}
    {#- Spark splits at a pattern, in which a bar has a meaning. -#}
    {%- set sql = sql | replace("'|')", "'[|]')") | replace('string_split(', 'split(') -%}
    {%- set sql = sql | replace('list_contains(', 'array_contains(') | replace('unnest(', 'explode(') -%}
    {%- set sql = re.sub("\\bformat\\('\\{:,\\.(\\d)f\\}', ", "printf('%,.\\1f', ", sql) -%}
    {#- Dates subtracted are an interval. -#}
    {%- set sql = re.sub(
        '\\((make_date\\([^()]+\\)) - (cast\\(\\S+ as date\\))\\)', 'datediff(\\1, \\2)', sql
    ) -%}
    {%- set sql = re.sub(
        "date_diff\\('day', ([\\w.]+), ([\\w.]+)\\)", 'datediff(\\2, \\1)', sql
    ) -%}
    {{- return(sql) -}}
{%- endmacro %}

{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    create table {{ relation }} using parquet as
    {{ spark__in_dialect(compiled_code) }}
{%- endmacro %}

{# Spark keeps no constraints on Parquet: contracts are DuckDB's, and the marts are compared with its. #}
{% macro spark__persist_constraints(relation, model) %}{% endmacro %}
