{# The expression, kept inside [lowest, highest]. Null stays null. #}
{% macro clip(expression, lowest=0, highest=100) -%}
    case
        when {{ expression }} is not null
            then least(greatest({{ expression }}, {{ lowest }}), {{ highest }})
    end
{%- endmacro %}
