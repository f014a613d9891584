{#
  The true change in points that would be found significant four times out of five, from the
  variance of the change: (z0 + z at 80%) sqrt(V), 2.80 sqrt(V).
#}
{% macro minimum_detectable_change(variance) -%}
    (({{ confidence_z() }} + 0.8416212335729143) * sqrt({{ variance }}))
{%- endmacro %}
