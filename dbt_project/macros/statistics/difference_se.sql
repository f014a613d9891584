{#
  Standard error in points of a difference that has the z given, so that the 95% interval of the
  difference excludes 0 exactly where the test finds one (test-based limits, Miettinen 1976). Where
  the difference is 0 it is the standard error on the test's scale over the slope at the figure: z
  is 0 there but for the last digits, which an area and the rest of a whole may leave.
#}
{% macro difference_se(difference, z, variance, value, unit) -%}
    case
        when {{ is_zero(z) }}
            then sqrt({{ variance }}) / {{ test_slope(value, value, value, unit) }}
        else ({{ difference }}) / {{ z }}
    end
{%- endmacro %}

{# Whether a z is 0 but for the last digits. #}
{% macro is_zero(z) -%}
abs({{ z }}) < 1e-9
{%- endmacro %}
