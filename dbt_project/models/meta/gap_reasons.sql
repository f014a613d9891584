-- Why there is no figure, by dataset and edition; the reasons of single areas are in meta.gaps.
with gaps as (

    select * from {{ ref('gaps') }}

),

editions as (

    select * from {{ ref('int_editions') }}

),

final as (

    select
        gaps.dataset,
        gaps.edition,
        gaps.status,
        gaps.area_level,
        case
            when gaps.status = 'not_held'
                then
                    editions.edition_title || ', ' || {{ level_in_words('gaps.area_level') }}
                    || ': not held. ' || coalesce(editions.how_to_obtain, '')
            when gaps.status = 'not_applicable'
                then
                    editions.edition_title || ', ' || {{ level_in_words('gaps.area_level') }}
                    || ': the index has no value of its own there and is never averaged.'
            else
                editions.edition_title || ', ' || {{ level_in_words('gaps.area_level') }}
                || ': the publisher has no figures there.'
        end as reason,
        count(*) as cells
    from gaps
    inner join editions
        on
            gaps.dataset = editions.dataset
            and gaps.edition = editions.edition
    group by all

)

select
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(area_level as varchar) as area_level,
    cast(status as varchar) as status,
    cast(reason as varchar) as reason,
    cast(cells as bigint) as cells
from final
order by all
