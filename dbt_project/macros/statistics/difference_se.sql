{#
  Standard error in points of a difference that has the z given, so that the 95% interval of the
  difference excludes 0 exactly where the test finds one (test-based limits, Miettinen 1976). Where
  the difference is 0 it is the standard error on the test's scale over the slope at the figure.
#}
{% macro difference_se(difference, z, variance, value, unit) -%}
    case
        when {{ z }} != 0 then ({{ difference }}) / {{ z }}
        when {{ z }} = 0
            then sqrt({{ variance }}) / {{ test_slope(value, value, value, unit) }}
    end
{%- endmacro %}
