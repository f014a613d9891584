with editions as (

    select
        *,
        row_number() over (partition by dataset order by period_end desc, edition desc) = 1
            as is_newest
    from {{ source('raw', 'editions') }}

),

inputs as (

    select * from {{ source('raw', 'inputs') }}

),

catalogue as (

    select * from {{ source('raw', 'catalogue') }}

)

select
    cast(editions.dataset as varchar) as dataset,
    cast(catalogue.title as varchar) as dataset_title,
    cast(catalogue.publisher as varchar) as publisher,
    cast(editions.edition as varchar) as edition,
    cast(editions.edition_title as varchar) as edition_title,
    cast(editions.period_start as date) as period_start,
    cast(editions.period_end as date) as period_end,
    cast(editions.published_on as date) as published_on,
    cast(editions.is_baseline as boolean) as is_baseline,
    cast(editions.is_newest as boolean) as is_newest,
    cast(editions.page as varchar) as page,
    cast(inputs.state as varchar) as state,
    cast(inputs.origin as varchar) as origin,
    cast(inputs.revision as varchar) as revision,
    cast(inputs.file_name as varchar) as file_name,
    cast(inputs.file_sha256 as varchar) as file_sha256,
    cast(inputs.source_url as varchar) as source_url,
    cast(inputs.retrieved_at as timestamp) as retrieved_at,
    cast(inputs.figures as bigint) as figures,
    cast(inputs.notes as varchar) as notes,
    cast(inputs.refused as integer) as files_refused,
    cast(inputs.refusals as varchar) as refusals,
    cast(inputs.publisher_state as varchar) as publisher_state,
    cast(inputs.publisher_message as varchar) as publisher_message,
    cast(catalogue.licence as varchar) as licence,
    cast(editions.attribution as varchar) as attribution,
    cast(catalogue.landing_page as varchar) as landing_page,
    cast(catalogue.succeeded_by as varchar) as succeeded_by,
    cast(editions.how_to_obtain as varchar) as how_to_obtain
from editions
left join inputs
    on
        editions.dataset = inputs.dataset
        and editions.edition = inputs.edition
left join catalogue on editions.dataset = catalogue.dataset
order by editions.dataset, editions.edition
