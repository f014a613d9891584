with observations as (

    select * from {{ source('raw', 'observations') }}

),

areas as (

    select * from {{ ref('areas') }}

),

mergers as (

    select old_code from {{ ref('area_code_changes') }}
    where kind = 'merge'

),

-- An area keeps one code through time: the current one. The code as printed stays beside it. What
-- was merged into a larger area is not the same area, and keeps its own; so does a ward or LSOA, which
-- the list does not have.
final as (

    select
        observations.dataset,
        observations.edition,
        observations.revision,
        observations.measure,
        observations.area_code as published_area_code,
        observations.area_name as published_area_name,
        coalesce(
            case when mergers.old_code is null then areas.current_code end, observations.area_code
        ) as area_code,
        observations.area_level,
        observations.period_start,
        observations.period_end,
        observations.unit,
        observations.value,
        observations.lower_95,
        observations.upper_95,
        observations.base,
        observations.breakdown,
        observations.category,
        observations.group_number,
        observations.group_label,
        observations.status,
        observations.status_symbol,
        observations.origin,
        observations.file_sha256,
        observations.sheet,
        observations.row_number,
        observations.column_letter,
        observations.citation,
        left(md5(concat_ws(
            '|', observations.dataset, observations.edition, observations.revision,
            observations.measure, observations.area_code,
            cast(observations.period_start as varchar), cast(observations.period_end as varchar),
            nullif(observations.breakdown, 'all'), nullif(observations.category, 'all')
        )), 16) as provenance_id
    from observations
    left join areas on observations.area_code = areas.area_code
    left join mergers on observations.area_code = mergers.old_code

)

select * from final
