with items as (

    select
        *,
        unnest(string_split(areas, '; ')) as area_code
    from {{ source('raw', 'evidence') }}

),

titles as (

    select
        items.id,
        string_agg(distinct target_groups.title, '; ' order by target_groups.title) as titles
    from items
    inner join {{ ref('target_groups') }} as target_groups
        on list_contains(string_split(items.groups, '; '), target_groups.group_id)
    group by items.id

)

select
    md5(concat_ws('|', items.id, items.area_code)) as evidence_area_id,
    cast(items.id as varchar) as evidence_id,
    cast(items.kind as varchar) as kind,
    cast(items.title as varchar) as title,
    cast(items.summary as varchar) as summary,
    cast(areas.area_code as varchar) as area_code,
    cast(areas.area_name as varchar) as area_name,
    cast(areas.area_level as varchar) as area_level,
    cast(items.goals as varchar) as goals,
    cast(nullif(items.outcomes, '') as varchar) as outcomes,
    cast(nullif(items.groups, '') as varchar) as target_groups,
    cast(titles.titles as varchar) as target_group_titles,
    cast(nullif(items.pathways, '') as varchar) as pathways,
    cast(items.initiative as varchar) as initiative_id,
    cast(items.capacity as varchar) as capacity,
    cast(items.organisation as varchar) as organisation,
    cast(items.dated as varchar) as dated,
    cast(items.figure as double) as figure,
    cast(items.figure_unit as varchar) as figure_unit,
    cast(items.source as varchar) as source,
    cast(items.source_place as varchar) as source_place,
    cast(items.source_url as varchar) as source_url,
    cast(items.consent as varchar) as consent,
    cast(items.kind = 'persona' as boolean) as is_fictional,
    cast(items.register as varchar) as register,
    cast(items.origin as varchar) as origin
from items
left join {{ ref('areas') }} as printed on items.area_code = printed.area_code
left join {{ ref('areas') }} as areas on printed.current_code = areas.area_code
left join titles on items.id = titles.id
order by items.id, areas.area_code
