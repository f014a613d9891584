-- The editions of each series, in order: those of its own survey and, once one is published or held,
-- those of a survey that continues it. `dataset` is the survey whose edition it is.
with editions as (

    select
        editions.*,
        catalogue.series,
        catalogue.precedence
    from {{ source('raw', 'editions') }} as editions
    inner join {{ source('raw', 'catalogue') }} as catalogue
        on editions.dataset = catalogue.dataset
    left join {{ source('raw', 'inputs') }} as inputs
        on
            editions.dataset = inputs.dataset
            and editions.edition = inputs.edition
    where
        editions.dataset = catalogue.series
        or editions.published_on is not null
        or inputs.state = 'accepted'

),

-- A copy has the edition of the survey that it copies.
own as (

    select *
    from editions
    qualify
        row_number() over (
            partition by series, edition
            order by dataset = series desc, precedence asc, dataset asc
        ) = 1

)

select
    series,
    dataset,
    edition,
    edition_title,
    row_number() over (partition by series order by period_end, edition) as edition_order,
    period_start,
    period_end,
    is_baseline,
    is_history,
    how_to_obtain
from own
