-- Every figure beside each of its comparators: the same measure, edition and period of another
-- area. A comparator that has no figure keeps its pair, which then says so. Similar areas are several
-- at once, so no one of them is the comparator.
with figures as (

    select * from {{ ref('int_comparable_figures') }}

),

subjects as (

    select * from figures
    where area_level != 'nation'

),

fully_compared as (

    select * from subjects
    where has_all_comparators

),

fixed as (

    select
        *,
        'england' as comparator_kind,
        '{{ var("england") }}' as comparator_code,
        1 as comparator_ties
    from subjects
    {% for kind, code, condition in [
        ('region', 'region_code', "region_code is not null and area_level != 'itl1'"),
        ('lead_combined_authority', "'" ~ var('lead_area') ~ "'",
            "area_code != '" ~ var('lead_area') ~ "'"),
        ('own_combined_authority', 'combined_authority_code',
            "combined_authority_code != '" ~ var('lead_area') ~ "'"),
        ('similar_areas', "''", "area_level in ('cauth', 'lad', 'utla')"),
    ] %}
        union all
        select
            *,
            '{{ kind }}' as comparator_kind,
            {{ code }} as comparator_code,
            1 as comparator_ties
        from fully_compared
        where {{ condition }}
    {% endfor %}

),

combined_authorities as (

    select
        subjects.*,
        'combined_authority' as comparator_kind,
        others.area_code as comparator_code,
        1 as comparator_ties
    from fully_compared as subjects
    inner join figures as others
        on
            subjects.barometer_id = others.barometer_id
            and subjects.dataset = others.dataset
            and subjects.edition = others.edition
            and subjects.period_end = others.period_end
            and subjects.area_code != others.area_code
    where
        subjects.area_level = 'cauth'
        and others.area_level = 'cauth'
        and others.area_code != '{{ var("lead_area") }}'

),

peers as (

    select
        subjects.*,
        peers.comparator_kind,
        peers.comparator_code,
        peers.comparator_ties
    from subjects
    inner join {{ ref('int_comparison_peers') }} as peers
        on
            subjects.barometer_id = peers.barometer_id
            and subjects.dataset = peers.dataset
            and subjects.edition = peers.edition
            and subjects.period_end = peers.period_end
            and subjects.area_code = peers.area_code

),

pairs as (

    select * from fixed
    union all
    select * from combined_authorities
    union all
    select * from peers

)

select
    pairs.*,
    coalesce(areas.area_name, likeness.comparator_areas || ' similar areas') as comparator_name,
    coalesce(
        {{ area_in_words('areas.area_name', 'areas.area_level') }},
        'the middle of ' || likeness.comparator_areas || ' similar areas'
    ) as comparator_words,
    coalesce(comparators.value, likeness.comparator_value) as comparator_value,
    likeness.comparator_lowest,
    likeness.comparator_highest,
    likeness.comparator_areas,
    comparators.lower_95 as comparator_lower_95,
    comparators.upper_95 as comparator_upper_95,
    comparators.se as comparator_se,
    comparators.base as comparator_base,
    comparators.decimals as comparator_decimals,
    comparators.origin as comparator_origin,
    comparators.mark as comparator_mark,
    comparators.provenance_id as comparator_provenance_id
from pairs
left join {{ ref('areas') }} as areas on pairs.comparator_code = areas.area_code
left join figures as comparators
    on
        pairs.barometer_id = comparators.barometer_id
        and pairs.dataset = comparators.dataset
        and pairs.edition = comparators.edition
        and pairs.period_end = comparators.period_end
        and pairs.comparator_code = comparators.area_code
left join {{ ref('int_comparison_similar') }} as likeness
    on
        pairs.comparator_kind = likeness.comparator_kind
        and pairs.barometer_id = likeness.barometer_id
        and pairs.dataset = likeness.dataset
        and pairs.edition = likeness.edition
        and pairs.period_end = likeness.period_end
        and pairs.area_code = likeness.area_code
where pairs.comparator_kind != 'similar_areas' or likeness.area_code is not null
