{#
  Rounding for display, a half always away from zero: 28.5 shows as 29 and -28.5 as -29. By way
  of a decimal of nine places, so that a half that binary arithmetic holds as 0.49999999999 is one.
#}
{% macro round_half_up(expression, decimals=0) -%}
    cast(round(cast({{ expression }} as decimal(18, 9)), {{ decimals }}) as double)
{%- endmacro %}
