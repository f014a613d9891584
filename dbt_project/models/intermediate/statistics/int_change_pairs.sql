{{ config(meta={'parts': {'by': 'area_code', 'of': 'int_barometer_cells'}}) }}
-- Two figures of one area: of one edition and the next that has a figure, of the baseline and the
-- latest, and for an index of the periods of one edition.

-- The cells are read at each end of a pair, and not in one common table: the engine keeps that whole.
-- An edition of several periods is represented by its latest.
with by_edition as (

    select
        cells.barometer_id,
        cells.area_code,
        cells.edition,
        cells.period_start,
        cells.period_end,
        cells.group_number is not null as is_index,
        editions.series,
        editions.edition_order,
        editions.is_baseline
    from {{ ref('int_barometer_cells') }} as cells
    inner join {{ ref('int_editions') }} as editions
        on cells.dataset = editions.dataset and cells.edition = editions.edition
    where cells.value is not null
    qualify
        row_number() over (
            partition by cells.barometer_id, cells.edition, cells.area_code
            order by cells.period_end desc
        ) = 1

),

places as (

    select
        'edition' as scope,
        barometer_id,
        area_code,
        edition,
        period_start,
        period_end,
        is_index,
        series,
        edition_order,
        coalesce(is_baseline, false) as is_start,
        row_number() over (partition by barometer_id, area_code order by edition_order) as place,
        count(*) over (partition by barometer_id, area_code) as places
    from by_edition

    union all

    select
        'period' as scope,
        barometer_id,
        area_code,
        edition,
        period_start,
        period_end,
        true as is_index,
        null as series,
        null as edition_order,
        min(period_end) over (partition by barometer_id, edition, area_code) = period_end as is_start,
        row_number() over (partition by barometer_id, edition, area_code order by period_end) as place,
        count(*) over (partition by barometer_id, edition, area_code) as places
    from {{ ref('int_barometer_cells') }}
    where value is not null and group_number is not null

),

kinds as (

    select listed.*
    from (
        values
        ('edition', 'consecutive', true),
        ('edition', 'baseline_to_latest', false),
        ('period', 'within_edition', true),
        ('period', 'within_edition_first_to_last', false)
    ) as listed (scope, change_kind, is_next)

),

pairs as (

    select
        kinds.change_kind,
        later.barometer_id,
        later.area_code,
        later.series,
        earlier.edition as from_edition,
        earlier.period_end as from_period_end,
        earlier.edition_order as from_order,
        later.edition as to_edition,
        later.period_end as to_period_end,
        later.edition_order as to_order
    from places as later
    inner join kinds on later.scope = kinds.scope
    inner join places as earlier
        on
            later.scope = earlier.scope
            and later.barometer_id = earlier.barometer_id
            and later.area_code = earlier.area_code
            and (later.scope = 'edition' or later.edition = earlier.edition)
            -- Rolling periods are compared where they do not overlap; an index is not tested.
            and later.place > earlier.place
            and (later.is_index or later.period_start > earlier.period_end)
            and (later.place <= earlier.place + 4 or not kinds.is_next)
            and (kinds.is_next or (earlier.is_start and later.place = later.places))
    qualify
        not kinds.is_next or row_number() over (
            partition by
                kinds.change_kind, later.barometer_id, later.area_code, later.edition,
                later.period_end
            order by earlier.place desc
        ) = 1

)

select
    left(md5(concat_ws(
        '|', pairs.barometer_id, pairs.change_kind, pairs.area_code, pairs.from_edition,
        pairs.to_edition, pairs.from_period_end, pairs.to_period_end
    )), 16) as change_id,
    pairs.*,
    {% for side, edition in [('earlier', 'from'), ('later', 'to')] %}{% for column in [
            'period_start', 'value', 'se', 'decimals', 'test_value', 'test_se', 'test_rounding',
            'base', 'origin', 'status', 'group_number', 'group_label', 'provenance_id', 'dataset',
            'published_area_code',
        ] %}{{ side }}.{{ column }} as {{ edition }}_{{ column }}, {% endfor %}{% endfor %}
    later.goal_id,
    later.area_name,
    later.area_level,
    later.region_code,
    later.unit,
    later.polarity
from pairs
{% for side, edition in [('earlier', 'from'), ('later', 'to')] %}
    inner join ( -- noqa: ST05
        select
            figures.*,
            {{ test_columns('figures') }}
        from {{ figures_with_decimals() }} as figures
    ) as {{ side }}
        on
            pairs.barometer_id = {{ side }}.barometer_id
            and pairs.area_code = {{ side }}.area_code
            and pairs.{{ edition }}_edition = {{ side }}.edition
            and pairs.{{ edition }}_period_end = {{ side }}.period_end
{% endfor %}
