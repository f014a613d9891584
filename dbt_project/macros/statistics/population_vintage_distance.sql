{#
  Days between the middle of a period and 30 June of a mid-year population estimate: half the
  absolute sum of the distances from the period's two ends.
#}
{% macro population_vintage_distance(period_start, period_end, vintage) -%}
    {%- set estimated_for = 'make_date(' ~ vintage ~ ', 6, 30)' -%}
    abs(
        {{ days_between('cast(' ~ period_start ~ ' as date)', estimated_for) }}
        + {{ days_between('cast(' ~ period_end ~ ' as date)', estimated_for) }}
    ) / 2.0
{%- endmacro %}
