{#
  The entries of a table of the register, one row per entry and area: the area under its current code,
  and the titles of the groups of people, as group_titles. `printed_code` is the code as handed in.
#}
{% macro entries_by_area(table) -%}
(
    select
        entries.*,
        current_areas.area_code,
        current_areas.area_name,
        current_areas.area_level,
        titles.group_titles
    from (
        select
            *,
            {{ row_per_item('areas', '; ') }} as printed_code
        from {{ source('raw', table) }}
    ) as entries
    left join {{ ref('areas') }} as printed on entries.printed_code = printed.area_code
    left join {{ ref('areas') }} as current_areas on printed.current_code = current_areas.area_code
    left join (
        select
            listed.id,
            {{ joined_distinct('target_groups.title', '; ') }}
                as group_titles
        from {{ source('raw', table) }} as listed
        inner join {{ ref('target_groups') }} as target_groups
            on {{ has_item('listed.groups', '; ', 'target_groups.group_id') }}
        group by listed.id
    ) as titles on entries.id = titles.id
)
{%- endmacro %}
