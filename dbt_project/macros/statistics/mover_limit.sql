{#
  Limit of a weighted sum of independent estimates, recovered from each estimate's own limits
  ("method of variance estimates recovery"). An aggregate expression: use it under group by,
  one input row a member. `limits` is the members' lower limit for side 'lower', upper for 'upper'.
#}
{% macro mover_limit(weight, value, limits, side) -%}
    sum({{ weight }} * {{ value }}) {{ '-' if side == 'lower' else '+' }} sqrt(
        sum(
            {{ weight }} * {{ weight }}
            * ({{ value }} - {{ limits }}) * ({{ value }} - {{ limits }})
        )
    )
{%- endmacro %}
