-- The middle and the range of the areas most like each authority that have a figure, of the twenty
-- (of combined authorities five) that the Office for National Statistics names by its own overall
-- distance. None is computed here.
with neighbours as (

    select
        lists.area_code,
        {{ row_per_item('lists.overall', ' ') }} as printed_code
    from {{ ref('similar_areas') }} as lists

),

likeness as (

    select distinct
        own.current_code as area_code,
        others.current_code as similar_code
    from neighbours
    inner join {{ ref('areas') }} as own on neighbours.area_code = own.area_code
    inner join {{ ref('areas') }} as others on neighbours.printed_code = others.area_code

),

figures as (

    select * from {{ ref('int_comparable_figures') }}
    where has_all_comparators

)

select
    figures.barometer_id,
    figures.dataset,
    figures.edition,
    figures.period_end,
    figures.area_code,
    'similar_areas' as comparator_kind,
    median(others.value) as comparator_value,
    min(others.value) as comparator_lowest,
    max(others.value) as comparator_highest,
    cast(count(*) as integer) as comparator_areas
from figures
inner join likeness on figures.area_code = likeness.area_code
inner join figures as others
    on
        likeness.similar_code = others.area_code
        and figures.barometer_id = others.barometer_id
        and figures.dataset = others.dataset
        and figures.edition = others.edition
        and figures.period_end = others.period_end
group by
    figures.barometer_id, figures.dataset, figures.edition, figures.period_end, figures.area_code
