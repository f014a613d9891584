-- The lowest and the highest figure among the members of each combined authority, with how many
-- members share it.
with members as (

    select
        parents.combined_authority_code,
        count(*) over (
            partition by
                parents.combined_authority_code, cells.barometer_id, cells.edition, cells.period_end
        ) as members_with_figure,
        cells.barometer_id,
        cells.edition,
        cells.period_end,
        cells.area_name,
        cells.lower_95,
        cells.upper_95,
        {{ round_half_up('cells.value') }} as shown,
        {{ figure_in_words('cells.value', figure_mark('cells.origin', 'cells.status')) }} as figure,
        {{ interval_in_words('cells.lower_95', 'cells.upper_95') }} as interval_words
    from {{ ref('int_barometer_cells') }} as cells
    inner join {{ ref('int_area_parents') }} as parents on cells.area_code = parents.area_code
    where
        cells.unit = 'percent'
        and cells.value is not null
        and parents.combined_authority_code is not null

),

bounds as (

    select
        *,
        min(shown) over (area) as lowest,
        max(shown) over (area) as highest
    from members
    window area as (partition by combined_authority_code, barometer_id, edition, period_end)

),

ends as (

    {% for side in ('lowest', 'highest') %}
        select
            combined_authority_code,
            barometer_id,
            edition,
            period_end,
            '{{ side }}' as side,
            any_value(members_with_figure) as members_with_figure,
            any_value({{ side }}) as shown,
            case
                when count(*) = 1
                    then any_value(figure || ' in ' || area_name || interval_words)
                else min(figure) || ' in ' || {{ count_in_words('count(*)') }} || ' authorities'
            end as words
        from bounds
        where shown = {{ side }}
        group by combined_authority_code, barometer_id, edition, period_end
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

sizes as (

    select distinct
        area_code,
        members
    from {{ ref('int_area_members') }}

),

ranges as (

    select
        combined_authority_code,
        barometer_id,
        edition,
        period_end,
        cast(any_value(members_with_figure) as integer) as members_with_figure,
        max(case when side = 'lowest' then shown end) as lowest,
        max(case when side = 'highest' then shown end) as highest,
        max(case when side = 'lowest' then words end) as lowest_in_words,
        max(case when side = 'highest' then words end) as highest_in_words
    from ends
    group by combined_authority_code, barometer_id, edition, period_end

)

select
    ranges.*,
    case
        when ranges.members_with_figure = 1
            then
                'Of its ' || {{ count_in_words('sizes.members') }}
                || ' member authorities one has a figure: ' || ranges.lowest_in_words || '.'
        else
            case
                when ranges.members_with_figure < sizes.members
                    then
                        'Of its ' || {{ count_in_words('sizes.members') }}
                        || ' member authorities '
                        || {{ count_in_words('ranges.members_with_figure') }}
                        || ' have a figure: '
                else
                    'Among its ' || {{ count_in_words('sizes.members') }}
                    || ' member authorities: '
            end
            || case
                when ranges.lowest = ranges.highest then ranges.lowest_in_words || '.'
                else
                    'from ' || ranges.lowest_in_words || ' to ' || ranges.highest_in_words || '.'
            end
    end as members_sentence
from ranges
left join sizes on ranges.combined_authority_code = sizes.area_code
