select
    cast(dataset as varchar) as dataset,
    cast(title as varchar) as title,
    cast(short_title as varchar) as short_title,
    cast(publisher as varchar) as publisher,
    cast(publisher_short as varchar) as publisher_short,
    cast(landing_page as varchar) as landing_page,
    cast(licence as varchar) as licence,
    cast(licence_url as varchar) as licence_url,
    cast(cadence as varchar) as cadence,
    cast(expected_month as integer) as expected_month,
    cast(succeeded_by as varchar) as succeeded_by,
    cast(series as varchar) as series,
    cast(precedence as integer) as precedence,
    cast(next_release_on as date) as next_release_on
from {{ source('raw', 'catalogue') }}
order by dataset
