with observations as (

    select * from {{ ref('int_observations') }}

),

barometers as (

    select * from {{ ref('int_indicators') }}

),

measures as (

    select * from {{ ref('indicator_measures') }}

),

catalogue as (

    select * from {{ source('raw', 'catalogue') }}

),

areas as (

    select * from {{ ref('areas') }}

),

editions as (

    select * from {{ ref('int_editions') }}

),

candidates as (

    select
        barometers.barometer_id,
        barometers.goal_id,
        observations.measure,
        barometers.dataset,
        observations.dataset as source_dataset,
        observations.edition,
        -- A survey edition has one fieldwork period, whatever nominal year a copy of it prints.
        case
            when observations.unit = 'z_score' then observations.period_start
            else editions.period_start
        end as period_start,
        case
            when observations.unit = 'z_score' then observations.period_end
            else editions.period_end
        end as period_end,
        observations.area_code,
        areas.area_name,
        areas.area_level,
        areas.region_code,
        observations.published_area_code,
        observations.unit,
        barometers.polarity,
        observations.value,
        observations.lower_95,
        observations.upper_95,
        observations.base,
        observations.group_number,
        observations.group_label,
        observations.status,
        observations.status_symbol,
        observations.citation,
        observations.origin,
        observations.provenance_id,
        catalogue.precedence as source_rank
    from observations
    inner join measures
        on
            observations.dataset = measures.dataset
            and observations.measure = measures.measure
    inner join barometers on measures.indicator_id = barometers.barometer_id
    inner join catalogue on observations.dataset = catalogue.dataset
    inner join areas on observations.area_code = areas.area_code
    inner join editions
        on
            barometers.dataset = editions.dataset
            and observations.edition = editions.edition

),

-- Several sources may carry one cell. The publisher's own table decides, also where it suppresses the
-- figure; then a copy of it; then what somebody else reports. Otherwise any figure beats none.
final as (

    select *
    from candidates
    qualify
        row_number() over (
            partition by barometer_id, area_code, edition, period_start, period_end
            order by
                case
                    when status = 'suppressed' and origin in ('publisher', 'synthetic') then 0
                    when value is null then 3
                    when origin = 'reported' then 2
                    when origin = 'transcribed' then 1
                    else 0
                end asc,
                source_rank asc,
                provenance_id asc
        ) = 1

)

select * from final
