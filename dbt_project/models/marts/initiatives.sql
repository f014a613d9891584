with initiatives as (

    select
        *,
        unnest(string_split(areas, '; ')) as area_code
    from {{ source('raw', 'initiatives') }}

),

titles as (

    select
        initiatives.id,
        string_agg(distinct target_groups.title, '; ' order by target_groups.title) as titles
    from initiatives
    inner join {{ ref('target_groups') }} as target_groups
        on list_contains(string_split(initiatives.groups, '; '), target_groups.group_id)
    group by initiatives.id

)

select
    md5(concat_ws('|', initiatives.id, initiatives.area_code)) as initiative_area_id,
    cast(initiatives.id as varchar) as initiative_id,
    cast(initiatives.name as varchar) as name,
    cast(areas.area_code as varchar) as area_code,
    cast(areas.area_name as varchar) as area_name,
    cast(areas.area_level as varchar) as area_level,
    cast(initiatives.goals as varchar) as goals,
    cast(nullif(initiatives.groups, '') as varchar) as target_groups,
    cast(titles.titles as varchar) as target_group_titles,
    cast(nullif(initiatives.pathways, '') as varchar) as pathways,
    cast(initiatives.partners as varchar) as partners,
    cast(initiatives.period as varchar) as period,
    cast(initiatives.starts as varchar) as starts,
    cast(initiatives.ends as varchar) as ends,
    cast(initiatives.aims as varchar) as aims,
    cast(initiatives.activities as varchar) as activities,
    cast(initiatives.open_referral_service as varchar) as open_referral_service,
    cast(initiatives.open_referral_organisation as varchar) as open_referral_organisation,
    cast(initiatives.source as varchar) as source,
    cast(initiatives.source_url as varchar) as source_url,
    cast(initiatives.register as varchar) as register,
    cast(initiatives.origin as varchar) as origin
from initiatives
left join {{ ref('areas') }} as printed on initiatives.area_code = printed.area_code
left join {{ ref('areas') }} as areas on printed.current_code = areas.area_code
left join titles on initiatives.id = titles.id
order by initiatives.id, areas.area_code
