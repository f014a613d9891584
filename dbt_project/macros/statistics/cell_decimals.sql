{#
  Decimals in which a column's figures are stored: the most that any has. An aggregate over the
  figures of one barometer, edition, source, origin and method, which the method is grouped by. Null
  where the column is not rounded (three decimals or more), and for figures of our own, of which only
  the members are rounded, and that all but cancels out.
#}
{% macro cell_decimals(value, method) -%}
    case
        when coalesce({{ method }}, '') != 'population_weighted_v1'
            then nullif(max({{ decimals_stored(value) }}), 3)
    end
{%- endmacro %}
