{#
  Decimals in which a cell's figure is stored: the most that any figure of its column has, a column
  being one barometer, edition, source and origin. Null where the column is not rounded (three
  decimals or more), and for figures of our own, of which only the members are rounded, and that
  all but cancels out.
#}
{% macro cell_decimals(relation) -%}
    case
        when coalesce({{ relation }}.method, '') != 'population_weighted_v1'
            then nullif(
                max({{ decimals_stored(relation ~ '.value') }}) over (
                    partition by
                        {{ relation }}.barometer_id, {{ relation }}.edition,
                        {{ relation }}.source_dataset, {{ relation }}.origin, {{ relation }}.method
                ),
                3
            )
    end
{%- endmacro %}
