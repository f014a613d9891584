{#
  The true change in points that a two-sided test at 95% finds with a probability of 80%:
  (z0 + z_80) sqrt(V) = 2.80 sqrt(V). For a figure before its next edition V is 2 SE^2, which takes
  the next edition to be as precise as this one.
#}
{% macro minimum_detectable_change(variance) -%}
    (({{ confidence_z() }} + 0.8416212335729143) * sqrt({{ variance }}))
{%- endmacro %}
