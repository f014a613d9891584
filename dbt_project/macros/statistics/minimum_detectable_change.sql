{# The smallest change in points that two estimates could show at 95%, from its variance. #}
{% macro minimum_detectable_change(variance) -%}
    ({{ confidence_z() }} * sqrt({{ variance }}))
{%- endmacro %}
