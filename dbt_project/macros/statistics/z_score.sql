{# Difference over the root of its variance; null where the variance is missing or not positive. #}
{% macro z_score(difference, variance) -%}
    case
        when {{ variance }} > 0 then ({{ difference }}) / sqrt({{ variance }})
    end
{%- endmacro %}
