{#
  Variance in points squared that the rounding of two printed figures adds to their difference: a
  figure printed in d decimals is off by a uniform error, of variance 10^-2d / 12. Null decimals
  stand for a figure that is not rounded.
#}
{% macro rounding_variance(decimals, other_decimals) -%}
    (
        (coalesce(power(0.01, {{ decimals }}), 0) + coalesce(power(0.01, {{ other_decimals }}), 0))
        / 12
    )
{%- endmacro %}
