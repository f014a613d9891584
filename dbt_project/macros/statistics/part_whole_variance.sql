{#
  Variance of (part - whole) where the part is a share of the whole's population:
  V_part (1 - 2 share) + V_whole. Share 0 or null is two separate areas: V_part + V_whole.
#}
{% macro part_whole_variance(se_part, se_whole, share) -%}
    (
        {{ se_part }} * {{ se_part }} * (1 - 2 * coalesce({{ share }}, 0))
        + {{ se_whole }} * {{ se_whole }}
    )
{%- endmacro %}
