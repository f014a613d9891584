{#
  What a test needs of each figure, as columns on a relation with those of int_barometer_cells and
  decimals: on the test's scale test_value, test_se and test_rounding (a variance).
#}
{% macro test_columns(relation) -%}
    {%- set columns = ['value', 'lower_95', 'upper_95', 'unit'] -%}
    {%- set names = [] -%}
    {%- for column in columns %}{% do names.append(relation ~ '.' ~ column) %}{% endfor -%}
    {%- set slope = test_slope(*names) -%}
    {{ test_scale(names[0], names[3]) }} as test_value,
    {{ slope }} * {{ relation }}.se as test_se,
    power({{ slope }}, 2) * {{ rounding_variance(relation ~ '.decimals', 'null') }} as test_rounding
{%- endmacro %}
