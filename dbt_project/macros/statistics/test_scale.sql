{#
  The scale of every test: the cube root of a percentage's share less that of its complement, a
  folded root (Mosteller and Tukey 1977). Any other unit is tested as it is.
#}
{% macro test_scale(value, unit) -%}
    case
        when {{ unit }} = 'percent'
            then cbrt({{ clip(value) }} / 100) - cbrt(1 - {{ clip(value) }} / 100)
        else {{ value }}
    end
{%- endmacro %}
