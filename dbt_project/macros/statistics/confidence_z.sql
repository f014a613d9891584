{# The standard normal quantile of every 95% limit and test; see docs/methods.md#notation. #}
{% macro confidence_z() -%}
    {{ var('z_95', 1.959963984540054) }}
{%- endmacro %}
