{# True where both limits are present and hold the value between them. Never null. #}
{% macro interval_is_valid(lower, upper, value) -%}
    coalesce({{ lower }} <= {{ value }} and {{ value }} <= {{ upper }}, false)
{%- endmacro %}
