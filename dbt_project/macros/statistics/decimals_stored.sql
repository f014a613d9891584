{# Decimals of a stored percentage, 0 to 2, and 3 for any more; take the maximum over a column. #}
{% macro decimals_stored(value) -%}
    case
        when {{ value }} is null or {{ value }} = round({{ value }}) then 0
        when abs({{ value }} * 10 - round({{ value }} * 10)) < 0.000000001 then 1
        when abs({{ value }} * 100 - round({{ value }} * 100)) < 0.00000001 then 2
        else 3
    end
{%- endmacro %}
