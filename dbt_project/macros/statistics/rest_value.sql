{# The figure of a whole area without one of its parts; the whole's own where the share is null. #}
{% macro rest_value(part, whole, share, unit) -%}
    {%- set rest = "((" ~ whole ~ " - coalesce(" ~ share ~ ", 0) * " ~ part ~ ") / (1 - coalesce("
        ~ share ~ ", 0)))" -%}
    case when {{ unit }} = 'percent' then {{ clip(rest) }} else {{ rest }} end
{%- endmacro %}
