{#
  Standard error in points of a percentage whose printed interval is too narrow to carry one.
  The percentage is taken no nearer than half a point to 0 or 100, because a figure printed as
  a whole percentage of 100 may be anything from 99.5: so the floor is never zero.
#}
{% macro se_floor(value, base, design_effect=1.6) -%}
    sqrt(
        {{ design_effect }} * ({{ clip(value, 0.5, 99.5) }})
        * (100 - ({{ clip(value, 0.5, 99.5) }})) / nullif({{ base }}, 0)
    )
{%- endmacro %}
