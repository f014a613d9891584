select
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(from_revision as varchar) as from_revision,
    cast(to_revision as varchar) as to_revision,
    cast(measure as varchar) as measure,
    cast(area_code as varchar) as area_code,
    cast(period_end as date) as period_end,
    cast(kind as varchar) as kind,
    cast(old_value as double) as old_value,
    cast(new_value as double) as new_value
from {{ source('raw', 'revised_figures') }}
order by all
