{#
  Standard error in points from published 95% limits: width / (2 z0), with the floor of
  se_floor where the limits are less than a point apart. Null where se_method says 'none'.
#}
{% macro se_from_interval(lower, upper, value, base, design_effect=1.6) -%}
    case {{ se_method(lower, upper, value, base) }}
        when 'interval'
            then ({{ upper }} - {{ lower }}) / (2 * {{ confidence_z() }})
        when 'interval_floor'
            then greatest(
                ({{ upper }} - {{ lower }}) / (2 * {{ confidence_z() }}),
                {{ se_floor(value, base, design_effect) }}
            )
    end
{%- endmacro %}
