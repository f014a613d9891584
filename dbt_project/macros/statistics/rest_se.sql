{#
  Standard error of a whole area without one of its parts, the two being independent samples. Null
  where the whole's is too small to hold the part's: the two intervals cannot both be right.
#}
{% macro rest_se(se_part, se_whole, share) -%}
    case
        when {{ share }} is null then {{ se_whole }}
        when {{ se_whole }} > {{ share }} * {{ se_part }}
            then
                sqrt(power({{ se_whole }}, 2) - power({{ share }} * {{ se_part }}, 2))
                / (1 - {{ share }})
    end
{%- endmacro %}
