with editions as (

    select * from {{ source('raw', 'editions') }}

),

ordered as (

    select
        dataset,
        edition,
        edition_title,
        row_number() over (partition by dataset order by period_end, edition) as edition_order,
        period_start,
        period_end,
        published_on,
        is_baseline,
        page,
        how_to_obtain,
        code_vintage,
        is_history,
        attribution,
        lag(edition) over (partition by dataset order by period_end, edition) as previous_edition
    from editions

),

final as (

    select
        *,
        edition_order = max(edition_order) over (partition by dataset) as is_newest
    from ordered

)

select * from final
