select
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(old_revision as varchar) as from_revision,
    cast(new_revision as varchar) as to_revision,
    cast(measure as varchar) as measure,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(period_end as date) as period_end,
    cast(breakdown as varchar) as breakdown,
    cast(category as varchar) as category,
    cast(field as varchar) as field,
    cast(kind as varchar) as kind,
    cast(old_value as double) as old_value,
    cast(new_value as double) as new_value,
    cast(old_status as varchar) as old_status,
    cast(new_status as varchar) as new_status
from {{ source('raw', 'revised_figures') }}
order by all
