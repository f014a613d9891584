{# The variance as a multiple of that of a simple random sample of the row's own base. #}
{% macro implied_design_effect(value, se, base) -%}
    ({{ se }} * {{ se }} * {{ base }} / nullif({{ value }} * (100 - {{ value }}), 0))
{%- endmacro %}
