-- Every figure beside each of its comparators: the same measure, edition and period of another
-- area. A comparator that has no figure keeps its pair, which then says so.
with figures as (

    select * from {{ ref('int_comparable_figures') }}

),

subjects as (

    select * from figures
    where area_level != 'nation'

),

fixed as (

    select
        subjects.*,
        'england' as comparator_kind,
        '{{ var("england") }}' as comparator_code,
        1 as comparator_ties
    from subjects

    union all

    select
        subjects.*,
        'region' as comparator_kind,
        subjects.region_code as comparator_code,
        1 as comparator_ties
    from subjects
    where subjects.region_code is not null and subjects.area_level != 'itl1'

    union all

    select
        subjects.*,
        'lead_combined_authority' as comparator_kind,
        '{{ var("lead_area") }}' as comparator_code,
        1 as comparator_ties
    from subjects
    where subjects.area_code != '{{ var("lead_area") }}'

    union all

    select
        subjects.*,
        'own_combined_authority' as comparator_kind,
        subjects.combined_authority_code as comparator_code,
        1 as comparator_ties
    from subjects
    where subjects.combined_authority_code != '{{ var("lead_area") }}'

),

combined_authorities as (

    select
        subjects.*,
        'combined_authority' as comparator_kind,
        others.area_code as comparator_code,
        1 as comparator_ties
    from subjects
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
    areas.area_name as comparator_name,
    {{ area_in_words('areas.area_name', 'areas.area_level') }} as comparator_words,
    comparators.value as comparator_value,
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
