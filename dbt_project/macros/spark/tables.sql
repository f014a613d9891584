{# Spark has no varchar without a length, and another word for `exclude`. #}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- set sql = modules.re.sub('\\bvarchar\\b', 'string', compiled_code) -%}
    create table {{ relation }} using parquet as
    {{ modules.re.sub('\\bexclude\\s*\\(', 'except (', sql) }}
{%- endmacro %}

{# Spark computes a view anew for each of its readers, and puts its expressions in theirs. #}
{% materialization view, adapter='spark' -%}
    {{ return(materialization_table_spark()) }}
{%- endmaterialization %}

{# Spark keeps no constraints on Parquet: contracts are DuckDB's, and the marts are compared with its. #}
{% macro spark__persist_constraints(relation, model) %}{% endmacro %}
