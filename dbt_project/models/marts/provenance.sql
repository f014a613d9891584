{{ config(meta={'parts': {'by': 'provenance_id', 'of': 'int_observations'}}) }}
{%- set columns -%}
    observations.dataset,
        observations.edition,
        observations.revision,
        observations.origin,
        observations.area_code,
        observations.measure,
        observations.value,
        observations.file_sha256,
        -- What ships with the project is no publisher's file: its rows are cited instead.
        case when observations.origin not in ('transcribed', 'reported') then inputs.file_name end
            as file_name,
        case when observations.origin not in ('transcribed', 'reported') then inputs.source_url end
            as source_url,
        observations.sheet,
        observations.row_number,
        observations.column_letter,
        observations.citation
{%- endset %}
-- A derived figure has a row for each figure and each population that it was made of.
with made_of as (

    select
        provenance_id,
        'member figure' as part,
        figure_provenance_id as made_of
    from {{ ref('int_combined_authority_parts') }}

    union all

    select
        provenance_id,
        'weight: population aged 16 and over' as part,
        population_provenance_id as made_of
    from {{ ref('int_combined_authority_parts') }}

),

inputs as (

    select * from {{ source('raw', 'inputs') }}

),

final as (

    select
        observations.provenance_id,
        'figure' as part,
        cast(null as varchar) as made_of,
        {{ columns }}
    from {{ ref('int_observations') }} as observations
    left join inputs
        on
            observations.dataset = inputs.dataset
            and observations.edition = inputs.edition

    union all

    select
        made_of.provenance_id,
        made_of.part,
        made_of.made_of,
        {{ columns }}
    from made_of
    inner join {{ ref('int_observations') }} as observations
        on made_of.made_of = observations.provenance_id
    left join inputs
        on
            observations.dataset = inputs.dataset
            and observations.edition = inputs.edition

)

select
    cast(provenance_id as varchar) as provenance_id,
    cast(part as varchar) as part,
    cast(made_of as varchar) as made_of,
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(revision as varchar) as revision,
    cast(origin as varchar) as origin,
    cast(area_code as varchar) as area_code,
    cast(measure as varchar) as measure,
    cast(value as double) as value,
    cast(file_sha256 as varchar) as file_sha256,
    cast(file_name as varchar) as file_name,
    cast(source_url as varchar) as source_url,
    cast(sheet as varchar) as sheet,
    cast(row_number as integer) as row_number,
    cast(column_letter as varchar) as column_letter,
    cast(citation as varchar) as citation
from final
order by provenance_id, part, made_of, dataset, edition, area_code
