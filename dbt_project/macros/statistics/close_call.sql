{# True where |z| is near enough to the threshold that rounding could turn the verdict. #}
{% macro close_call(z) -%}
    coalesce(
        abs({{ z }}) > {{ var('close_call_from', 1.64) }}
        and abs({{ z }}) < {{ var('close_call_to', 2.33) }},
        false
    )
{%- endmacro %}
