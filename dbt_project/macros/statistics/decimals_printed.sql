{# Decimals that a printed percentage shows, 0 to 2; take the maximum over a column. #}
{% macro decimals_printed(value) -%}
    case
        when {{ value }} is null or {{ value }} = round({{ value }}) then 0
        when abs({{ value }} * 10 - round({{ value }} * 10)) < 0.000000001 then 1
        else 2
    end
{%- endmacro %}
