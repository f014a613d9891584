-- Where to look closer: what is worse than England or has got worse, close calls aside. It says what,
-- never what to do.
with cells as (

    select
        *,
        outcome = 'worse' and not coalesce(close_call, false) as is_worse
    from {{ ref('barometers') }}
    where is_latest and value is not null

),

fallen as (

    select
        barometer_id,
        area_code,
        to_edition,
        to_period_end,
        min_by(sentence, from_period_end) as sentence
    from {{ ref('changes') }}
    where
        outcome = 'worse'
        and not coalesce(close_call, false)
        and change_kind in ('baseline_to_latest', 'consecutive')
    group by barometer_id, area_code, to_edition, to_period_end

),

-- An area with itself, with what it lies in, and with what lies in it.
related as (

    select
        area_code,
        area_code as related_code
    from {{ ref('areas') }}
    union all
    select
        part_code as area_code,
        whole_code as related_code
    from {{ ref('int_area_containments') }}
    union all
    select
        whole_code as area_code,
        part_code as related_code
    from {{ ref('int_area_containments') }}

),

registered as (

    select
        related.area_code,
        served.goal_id,
        count(distinct served.initiative_id) as initiatives,
        {{ joined_distinct('served.initiative_id', '; ') }}
            as initiative_ids
    from (
        select
            initiative_id,
            area_code,
            {{ row_per_item('goals', '; ') }} as goal_id
        from {{ ref('initiatives') }}
    ) as served
    inner join related on served.area_code = related.related_code
    group by related.area_code, served.goal_id

)

select
    md5(concat_ws('|', cells.framework, cells.barometer_id, cells.area_code)) as pathway_row_id,
    cast(cells.framework as varchar) as framework,
    cast(cells.goal_id as varchar) as goal_id,
    cast(cells.barometer_id as varchar) as barometer_id,
    cast(cells.title as varchar) as title,
    cast(cells.area_code as varchar) as area_code,
    cast(cells.area_name as varchar) as area_name,
    cast(cells.area_level as varchar) as area_level,
    cast(cells.edition as varchar) as edition,
    cast(coalesce(cells.is_worse, false) as boolean) as is_worse_than_england,
    cast(fallen.sentence is not null as boolean) as has_got_worse,
    cast(case when cells.is_worse then cells.sentence end as varchar) as sentence,
    cast(fallen.sentence as varchar) as change_sentence,
    cast(coalesce(registered.initiatives, 0) as bigint) as initiatives,
    cast(registered.initiative_ids as varchar) as initiative_ids
from cells
left join fallen
    on
        cells.barometer_id = fallen.barometer_id
        and cells.area_code = fallen.area_code
        and cells.edition = fallen.to_edition
        and cells.period_end = fallen.to_period_end
left join registered
    on cells.area_code = registered.area_code and cells.goal_id = registered.goal_id
where cells.is_worse or fallen.sentence is not null
order by cells.framework, cells.area_code, cells.goal_id, cells.barometer_id
