-- A combined authority of the same authorities as an ITL2 area or a county has that area's figure,
-- unless one is printed for it.
with footprints as (

    select
        inside.part_code as printed_code,
        inside.whole_code as area_code
    from {{ ref('int_area_containments') }} as inside
    inner join {{ ref('int_area_containments') }} as around
        on inside.part_code = around.whole_code and inside.whole_code = around.part_code
    inner join {{ ref('areas') }} as printed on inside.part_code = printed.area_code
    inner join {{ ref('areas') }} as wanted on inside.whole_code = wanted.area_code
    where
        printed.area_level in ('itl2', 'utla')
        and wanted.area_level = 'cauth'
        and wanted.valid_to is null

),

-- A barometer is of everybody; groups of people have a mart of their own.
observations as (

    select
        * exclude (area_code),
        area_code,
        false as is_same_footprint
    from {{ ref('int_observations') }}
    where breakdown = 'all'

    union all

    select
        printed.* exclude (area_code), -- noqa: RF02
        footprints.area_code,
        true as is_same_footprint
    from {{ ref('int_observations') }} as printed
    inner join footprints on printed.area_code = footprints.printed_code
    where printed.breakdown = 'all'

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

    select * from {{ ref('int_areas') }}

),

editions as (

    select * from {{ ref('int_editions') }}

),

candidates as (

    select
        barometers.barometer_id,
        barometers.goal_id,
        observations.measure,
        editions.dataset,
        observations.dataset as source_dataset,
        observations.edition,
        -- A survey edition has one fieldwork period, whatever nominal year a copy of it prints.
        case
            when observations.unit = 'z_score' or catalogue.periods_in_file
                then observations.period_start
            else editions.period_start
        end as period_start,
        case
            when observations.unit = 'z_score' or catalogue.periods_in_file
                then observations.period_end
            else editions.period_end
        end as period_end,
        observations.area_code,
        areas.area_name,
        areas.area_level,
        areas.region_code,
        observations.published_area_code,
        observations.unit,
        barometers.polarity,
        barometers.of_adults,
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
        catalogue.precedence as source_rank,
        observations.is_same_footprint
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
            barometers.dataset = editions.series
            and observations.edition = editions.edition

),

-- Several sources may carry one cell. The publisher's own table decides, also where it suppresses the
-- figure; then a copy of it; then what somebody else reports. Otherwise any figure beats none.
final as (

    select * exclude (is_same_footprint)
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
                is_same_footprint asc,
                source_rank asc,
                provenance_id asc
        ) = 1

)

select * from final
