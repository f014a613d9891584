{#
  Which rule se_from_interval follows for a row: 'interval', 'interval_floor' or 'none'.
  An interval narrower than one point that has no base keeps its own width; one of no width
  and no base has no standard error.
#}
{% macro se_method(lower, upper, value, base) -%}
    case
        when not {{ interval_is_valid(lower, upper, value) }} then 'none'
        when {{ upper }} - {{ lower }} >= 1 then 'interval'
        when coalesce({{ base }}, 0) > 0 then 'interval_floor'
        when {{ upper }} - {{ lower }} > 0 then 'interval'
        else 'none'
    end
{%- endmacro %}
