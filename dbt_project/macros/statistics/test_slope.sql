{#
  How much of the test's scale one point covers: over a figure's own 95% limits, or at the figure
  where the limits meet. There it is taken no nearer than half a point to 0 or 100, as in se_floor.
#}
{% macro test_slope(value, lower, upper, unit) -%}
    case
        when {{ unit }} != 'percent' then 1.0
        when {{ upper }} > {{ lower }}
            then
                ({{ test_scale(upper, "'percent'") }} - {{ test_scale(lower, "'percent'") }})
                / ({{ upper }} - {{ lower }})
        else
            (
                power({{ clip(value, 0.5, 99.5) }} / 100, -2 / 3)
                + power(1 - {{ clip(value, 0.5, 99.5) }} / 100, -2 / 3)
            ) / 300
    end
{%- endmacro %}
