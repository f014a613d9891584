{#
  Decimals in which a cell's figure was printed: the most that any figure of its barometer, edition
  and source shows. Null for figures of our own, of which only the members are rounded, and that all
  but cancels out.
#}
{% macro cell_decimals(relation) -%}
    case
        when coalesce({{ relation }}.method, '') != 'population_weighted_v1'
            then max({{ decimals_printed(relation ~ '.value') }}) over (
                partition by
                    {{ relation }}.barometer_id, {{ relation }}.edition,
                    {{ relation }}.source_dataset, {{ relation }}.method
            )
    end
{%- endmacro %}
