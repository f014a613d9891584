-- Every cell in each framework that uses its indicator, with its title, its mark and its verdict
-- against England.
with cells as (

    select
        *,
        {{ area_in_words('area_name', 'area_level') }} as area_words
    from {{ ref('int_barometer_cells') }}

),

index_groups as (

    select
        barometer_id,
        edition,
        max(group_number) as groups
    from {{ ref('int_barometer_cells') }}
    where group_number is not null
    group by barometer_id, edition

),

-- The newest cell with a figure; where no edition has one for an area, the newest cell.
latest as (

    select
        cells.barometer_id,
        cells.area_code,
        cells.edition,
        cells.period_end
    from {{ ref('int_barometer_cells') }} as cells
    inner join {{ ref('int_editions') }} as editions
        on cells.dataset = editions.dataset and cells.edition = editions.edition
    qualify
        row_number() over (
            partition by cells.barometer_id, cells.area_code
            order by
                cells.value is not null desc, editions.edition_order desc, cells.period_end desc
        ) = 1

),

england as (

    select
        *,
        {{ area_in_words('area_name', 'area_level') }} as england_words
    from {{ ref('int_barometer_cells') }}
    -- Here and not where it is joined: a condition on the other side makes a join of every pair.
    where area_code = '{{ var("england") }}' and unit not in ('z_score', 'pounds_million')

),

verdicts as (

    select * from {{ ref('int_comparisons') }}
    where comparator_kind = 'england'

)

select
    cells.* exclude (goal_id), -- noqa: RF02
    parts.framework,
    parts.goal_id,
    parts.role,
    barometers.title,
    barometers.statement,
    barometers.of_adults,
    barometers.decimals as decimals_shown,
    case
        when catalogue.periods_in_file
            then {{ period_in_words('cells.period_start', 'cells.period_end') }}
        else editions.edition_title
    end as edition_title,
    editions.is_baseline,
    index_groups.groups,
    -- An abolished area has no latest cell.
    areas.valid_to is null and latest.barometer_id is not null as is_latest,
    case when cells.area_level != 'nation' then england.england_words end as comparator_words,
    case when cells.area_level != 'nation' then england.value end as comparator_value,
    case
        when cells.area_level != 'nation'
            then {{ figure_mark('england.origin', 'england.status') }}
    end as comparator_mark,
    verdicts.difference,
    verdicts.difference_lower_95,
    verdicts.difference_upper_95,
    verdicts.z,
    verdicts.p_value,
    verdicts.close_call,
    verdicts.survives_family,
    verdicts.gap_exceeds_any_sample,
    case when cells.area_level != 'nation' then coalesce(verdicts.outcome, 'cannot_say') end
        as outcome,
    case
        when cells.area_level = 'nation' then null
        when verdicts.barometer_id is not null then verdicts.reason
        when cells.value is null
            then 'There is no figure for ' || cells.area_words || '.'
        when cells.unit = 'z_score'
            then
                'No standard error is published for this index, so it is read by group and '
                || 'not tested.'
        when cells.unit = 'pounds_million'
            then 'A total follows the size of its area, so it is not compared.'
        when cells.area_level in ('ward', 'lsoa')
            then 'An area smaller than an authority is shown and not tested.'
        else cells.area_words || ' is not one of the current areas that are compared.'
    end as reason,
    coalesce(
        {{ figure_mark('cells.origin', 'cells.status') }}, status_codes.symbol
    ) as mark
from cells
inner join {{ ref('int_framework_indicators') }} as parts
    on cells.barometer_id = parts.indicator_id
inner join {{ ref('int_indicators') }} as barometers
    on cells.barometer_id = barometers.barometer_id
left join {{ ref('areas') }} as areas on cells.area_code = areas.area_code
inner join {{ ref('int_editions') }} as editions
    on
        cells.dataset = editions.dataset
        and cells.edition = editions.edition
inner join {{ source('raw', 'catalogue') }} as catalogue on cells.dataset = catalogue.dataset
left join {{ ref('status_codes') }} as status_codes on cells.status = status_codes.status
left join index_groups
    on
        cells.barometer_id = index_groups.barometer_id
        and cells.edition = index_groups.edition
left join latest
    on
        cells.barometer_id = latest.barometer_id
        and cells.area_code = latest.area_code
        and cells.edition = latest.edition
        and cells.period_end = latest.period_end
left join england
    on
        cells.barometer_id = england.barometer_id
        and cells.edition = england.edition
left join verdicts
    on
        cells.barometer_id = verdicts.barometer_id
        and cells.dataset = verdicts.dataset
        and cells.edition = verdicts.edition
        and cells.period_end = verdicts.period_end
        and cells.area_code = verdicts.area_code
