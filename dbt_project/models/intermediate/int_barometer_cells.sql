{{ config(meta={'parts': {'by': 'area_code', 'of': 'int_standard_errors'}}) }}
{%- set columns = [
    'barometer_id', 'goal_id', 'dataset', 'source_dataset', 'edition', 'period_start', 'period_end',
    'area_code', 'area_name', 'area_level', 'region_code', 'published_area_code', 'unit', 'polarity',
    'value', 'lower_95', 'upper_95', 'se', 'se_method', 'base', 'group_number', 'group_label',
    'status', 'status_reason', 'origin', 'method', 'provenance_id',
] -%}
{#- What a cell of our own, and a cell without a figure, have not. -#}
{%- set absent = {
    'published': [],
    'derived': ['published_area_code', 'group_number', 'group_label'],
    'gaps': [
        'source_dataset', 'published_area_code', 'value', 'lower_95', 'upper_95', 'se', 'se_method',
        'base', 'group_number', 'group_label', 'origin', 'method', 'provenance_id',
    ],
} -%}
-- One row per cell: the published figure where there is one, else ours, else the reason why there
-- is none.
with published as (

    select
        published.*,
        case
            when published.status not in ('published', 'low_reliability')
                then coalesce(published.citation, status_codes.meaning)
        end as status_reason,
        case when published.value is not null then 'published' end as method,
        -- The publisher's figure and a copy of it go before ours, ours before a reported one.
        case
            when published.value is null then 4
            when published.origin = 'reported' then 3
            else 1
        end as preference
    from {{ ref('int_standard_errors') }} as published
    left join {{ ref('status_codes') }} as status_codes on published.status = status_codes.status

),

derived as (

    select
        *,
        dataset as source_dataset,
        case when value is null then 5 else 2 end as preference
    from {{ ref('int_combined_authority_estimates') }}

),

gaps as (

    select
        {% for column in columns if column not in absent.gaps and column != 'status_reason' %}
            grid.{{ column }},
        {% endfor %}
        concat_ws(
            ' ', case when grid.status = 'not_held' then derived.status_reason end,
            grid.status_reason
        ) as status_reason,
        6 as preference
    from {{ ref('int_barometer_grid') }} as grid
    left join derived
        on
            grid.barometer_id = derived.barometer_id
            and grid.edition = derived.edition
            and grid.area_code = derived.area_code
            and derived.value is null

),

candidates as (

    {% for source in ['published', 'derived', 'gaps'] %}
        select
            {% for column in columns %}
                {{ 'null as ' if column in absent[source] }}{{ column }},
            {% endfor %}
            preference
        from {{ source }}
        {% if source == 'derived' %}
            -- Without a value ours is given only where a suppressed member forbids one; else the
            -- grid says what is missing and how to get it.
            where value is not null or status = 'suppressed'
        {% endif %}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- An index has a row per period; a survey one per edition, whatever nominal period a copy gives it.
chosen as (

    select
        barometer_id,
        area_code,
        edition,
        period_end,
        preference,
        provenance_id
    from candidates
    qualify
        row_number() over (
            partition by
                barometer_id, area_code, edition, case when unit = 'z_score' then period_end end
            order by preference asc, provenance_id asc
        ) = 1

)

select
    {% for column in columns %}
        candidates.{{ column }},
    {% endfor %}
    candidates.preference
from candidates
inner join chosen
    on
        candidates.barometer_id = chosen.barometer_id
        and candidates.area_code = chosen.area_code
        and candidates.edition = chosen.edition
        and candidates.period_end = chosen.period_end
        and candidates.preference = chosen.preference
        and candidates.provenance_id is not distinct from chosen.provenance_id
