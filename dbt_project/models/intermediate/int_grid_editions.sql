-- The editions of which a reader may look for every cell, by indicator: all that are not history;
-- where rows print their own periods, the newest in which the indicator has a figure.
with catalogue as (

    select * from {{ source('raw', 'catalogue') }}

),

newest as (

    select
        barometer_id,
        dataset,
        edition,
        min(period_start) as period_start,
        max(period_end) as period_end
    from {{ ref('int_standard_errors') }}
    where value is not null
    group by barometer_id, dataset, edition
    qualify edition = max(edition) over (partition by barometer_id)

)

select
    indicators.barometer_id,
    editions.dataset,
    editions.edition,
    editions.how_to_obtain,
    catalogue.periods_in_file,
    case
        when catalogue.periods_in_file
            then {{ period_in_words('newest.period_start', 'newest.period_end') }}
        else editions.edition_title
    end as edition_title,
    case when catalogue.periods_in_file then newest.period_start else editions.period_start end
        as period_start,
    case when catalogue.periods_in_file then newest.period_end else editions.period_end end
        as period_end
from {{ ref('int_indicators') }} as indicators
inner join {{ ref('int_editions') }} as editions on indicators.dataset = editions.series
inner join catalogue on editions.dataset = catalogue.dataset
left join newest
    on
        indicators.barometer_id = newest.barometer_id
        and editions.dataset = newest.dataset
        and editions.edition = newest.edition
where
    not editions.is_history
    and (not catalogue.periods_in_file or newest.barometer_id is not null)
