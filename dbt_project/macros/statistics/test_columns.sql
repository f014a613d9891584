{#
  What a test needs of each figure, as columns on a relation with those of int_barometer_cells:
  decimals, and on the test's scale test_value, test_se and test_rounding (a variance).
#}
{% macro test_columns(relation) -%}
    {%- set columns = ['value', 'lower_95', 'upper_95', 'unit'] -%}
    {%- set names = [] -%}
    {%- for column in columns %}{% do names.append(relation ~ '.' ~ column) %}{% endfor -%}
    {%- set slope = test_slope(*names) -%}
    {{ cell_decimals(relation) }} as decimals,
    {{ test_scale(names[0], names[3]) }} as test_value,
    {{ slope }} * {{ relation }}.se as test_se,
    power({{ slope }}, 2) * {{ rounding_variance(cell_decimals(relation), 'null') }} as test_rounding
{%- endmacro %}
