{# The size of a simple random sample with this standard error: p (100 - p) / SE^2. #}
{% macro effective_n(value, se) -%}
    ({{ value }} * (100 - {{ value }}) / nullif({{ se }} * {{ se }}, 0))
{%- endmacro %}
