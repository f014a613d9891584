{# The cells that have a value, with the decimals in which their column is stored. #}
{% macro figures_with_decimals() -%}
(
    select
        cells.*,
        stored.decimals
    from {{ ref('int_barometer_cells') }} as cells
    inner join {{ ref('int_cell_decimals') }} as stored
        on
            cells.barometer_id = stored.barometer_id
            and cells.edition = stored.edition
            and cells.source_dataset is not distinct from stored.source_dataset
            and cells.origin is not distinct from stored.origin
            and cells.method is not distinct from stored.method
    where cells.value is not null
)
{%- endmacro %}
