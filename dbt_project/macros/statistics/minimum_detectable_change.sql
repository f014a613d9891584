{# The smallest change in points that two independent estimates could show at 95%. #}
{% macro minimum_detectable_change(se_from, se_to) -%}
    ({{ confidence_z() }} * sqrt({{ se_from }} * {{ se_from }} + {{ se_to }} * {{ se_to }}))
{%- endmacro %}
