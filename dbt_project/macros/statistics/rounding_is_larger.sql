{#
  True where the rounding of two printed figures spreads their difference more than sampling does:
  a figure printed in d decimals is off by a uniform error of standard deviation 10^-d / sqrt(12).
  Null decimals stand for a figure that is not rounded.
#}
{% macro rounding_is_larger(variance, decimals, other_decimals) -%}
    coalesce(
        (
            coalesce(power(0.01, {{ decimals }}), 0) + coalesce(power(0.01, {{ other_decimals }}), 0)
        ) / 12 > {{ variance }},
        false
    )
{%- endmacro %}
