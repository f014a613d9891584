{#- Fieldwork that lies halfway between two mid-years, give or take a week, takes the earlier. -#}
{%- set tie_days = 7 -%}
{%- set england = 'E92000001' -%}

with all_cells as (

    select * from {{ ref('int_barometer_cells') }}
    where area_level in ('nation', 'itl1', 'cauth', 'utla', 'lad', 'smc_area')

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where
        vintage = {{ var('membership_vintage') }}
        and kind in ('combined_authority', 'county', 'region', 'nation')

),

populations as (

    select * from {{ ref('int_populations_16_plus') }}

),

current_parents as (

    select distinct parent_code
    from memberships

),

-- An abolished combined authority overlaps those of today: it is neither compared nor a peer.
cells as (

    select
        all_cells.*,
        {{ cell_decimals('all_cells') }} as decimals
    from all_cells
    left join current_parents
        on all_cells.area_code = current_parents.parent_code
    where all_cells.area_level != 'cauth' or current_parents.parent_code is not null

),

-- Every area as the set of lower-tier authorities that it is made of.
made_of as (

    select
        parent_code as area_code,
        member_code
    from memberships

    union

    select
        member_code as area_code,
        member_code
    from memberships

),

made_of_sizes as (

    select
        area_code,
        count(*) as members
    from made_of
    group by area_code

),

-- Pairs in which the first area lies wholly inside the second.
containments as (

    select
        parts.area_code as part_code,
        wholes.area_code as whole_code
    from made_of as parts
    inner join made_of as wholes on parts.member_code = wholes.member_code
    inner join made_of_sizes as part_sizes on parts.area_code = part_sizes.area_code
    where parts.area_code != wholes.area_code
    group by parts.area_code, wholes.area_code, part_sizes.members
    having count(*) = part_sizes.members

),

area_populations as (

    select
        made_of.area_code,
        populations.vintage,
        sum(populations.population_16_plus) as population_16_plus,
        count(*) as members_counted
    from made_of
    inner join populations on made_of.member_code = populations.area_code
    group by made_of.area_code, populations.vintage

),

periods as (

    select distinct
        dataset,
        edition,
        period_start,
        period_end
    from cells
    where unit = 'percent' and period_start is not null

),

vintages as (

    select distinct vintage
    from populations

),

distances as (

    select
        periods.*,
        vintages.vintage,
        {{ population_vintage_distance(
            'periods.period_start', 'periods.period_end', 'vintages.vintage'
        ) }} as distance_days
    from periods
    cross join vintages

),

nearest as (

    select
        *,
        min(distance_days) over (partition by dataset, edition, period_start, period_end)
            as nearest_distance_days
    from distances

),

chosen_vintages as (

    select
        dataset,
        edition,
        period_start,
        period_end,
        min(vintage) as population_vintage
    from nearest
    where distance_days <= nearest_distance_days + {{ tie_days }}
    group by dataset, edition, period_start, period_end

),

-- The part's own members must all be counted; a whole that misses a few authorities of England
-- makes its part's share too large by as little.
shares as (

    select
        containments.part_code,
        containments.whole_code,
        parts.vintage as population_vintage,
        parts.population_16_plus / wholes.population_16_plus as share
    from containments
    inner join area_populations as parts on containments.part_code = parts.area_code
    inner join made_of_sizes
        on
            containments.part_code = made_of_sizes.area_code
            and parts.members_counted = made_of_sizes.members
    inner join area_populations as wholes
        on
            containments.whole_code = wholes.area_code
            and parts.vintage = wholes.vintage

),

authority_parents as (

    select
        member_code as area_code,
        min(parent_code) as combined_authority_code
    from memberships
    where kind = 'combined_authority'
    group by member_code

),

subjects as (

    select
        cells.*,
        authority_parents.combined_authority_code,
        -- The areas that stand on one page with this one.
        case
            when cells.area_level = 'cauth' then 'combined_authorities'
            when cells.area_level = 'itl1' then 'regions'
            else coalesce(
                authority_parents.combined_authority_code, cells.region_code, cells.area_level
            )
        end as peer_group,
        coalesce(
            case
                when cells.area_level = 'cauth' then 'combined_authorities'
                else authority_parents.combined_authority_code
            end,
            ''
        ) as peers,
        -- Outside every combined authority, what cannot be compared is said once, against England.
        cells.unit = 'percent' and cells.value is not null
        or cells.area_level != 'lad' and cells.unit = 'percent'
        or authority_parents.combined_authority_code is not null as is_told_in_full
    from cells
    left join authority_parents on cells.area_code = authority_parents.area_code
    where cells.area_level != 'nation'

),

fixed_pairs as (

    select
        subjects.*,
        'england' as comparator_kind,
        '{{ england }}' as comparator_code
    from subjects
    where subjects.region_code is not null or subjects.unit = 'percent'

    union all

    select
        subjects.*,
        'region' as comparator_kind,
        subjects.region_code as comparator_code
    from subjects
    where
        subjects.is_told_in_full
        and subjects.region_code is not null
        and subjects.area_level != 'itl1'

    union all

    select
        subjects.*,
        'lead_combined_authority' as comparator_kind,
        '{{ var("lead_area") }}' as comparator_code
    from subjects
    where
        subjects.is_told_in_full
        and subjects.area_code != '{{ var("lead_area") }}'
        and (subjects.region_code is not null or subjects.unit = 'percent')

    union all

    select
        subjects.*,
        'combined_authority' as comparator_kind,
        others.area_code as comparator_code
    from subjects
    inner join cells as others
        on
            subjects.barometer_id = others.barometer_id
            and subjects.dataset = others.dataset
            and subjects.edition = others.edition
            and subjects.period_end is not distinct from others.period_end
            and subjects.area_code != others.area_code
    where subjects.area_level = 'cauth' and others.area_level = 'cauth'

),

-- The best and the worst of the others, for every area at once: the two highest and two lowest
-- of each group are enough, because at most one of them is the area itself.
testable_peers as (

    select
        *,
        row_number() over (
            partition by peers, barometer_id, dataset, edition, period_end
            order by value desc, area_code asc
        ) as from_highest,
        row_number() over (
            partition by peers, barometer_id, dataset, edition, period_end
            order by value, area_code
        ) as from_lowest
    from subjects
    where
        peers != '' and value is not null and se is not null and unit = 'percent'
        and area_level in ('cauth', 'lad')

),

extremes as (

    select
        subjects.barometer_id,
        subjects.dataset,
        subjects.edition,
        subjects.period_end,
        subjects.area_code,
        coalesce(
            min(case when others.from_highest = 1 then others.area_code end),
            min(case when others.from_highest = 2 then others.area_code end)
        ) as highest_code,
        coalesce(
            min(case when others.from_lowest = 1 then others.area_code end),
            min(case when others.from_lowest = 2 then others.area_code end)
        ) as lowest_code
    from subjects
    inner join testable_peers as others
        on
            subjects.peers = others.peers
            and subjects.barometer_id = others.barometer_id
            and subjects.dataset = others.dataset
            and subjects.edition = others.edition
            and subjects.period_end = others.period_end
            and subjects.area_code != others.area_code
    where
        (others.from_highest <= 2 or others.from_lowest <= 2)
        and subjects.area_level in ('cauth', 'lad')
    group by
        subjects.barometer_id, subjects.dataset, subjects.edition, subjects.period_end,
        subjects.area_code

),

sides as (

    select 'best_peer' as comparator_kind
    union all
    select 'worst_peer' as comparator_kind

),

peer_pairs as (

    select
        subjects.*,
        sides.comparator_kind,
        case
            when
                (sides.comparator_kind = 'best_peer')
                = (coalesce(subjects.polarity, 'high_good') != 'low_good')
                then extremes.highest_code
            else extremes.lowest_code
        end as comparator_code
    from subjects
    cross join sides
    left join extremes
        on
            subjects.barometer_id = extremes.barometer_id
            and subjects.dataset = extremes.dataset
            and subjects.edition = extremes.edition
            and subjects.period_end = extremes.period_end
            and subjects.area_code = extremes.area_code
    where
        subjects.is_told_in_full
        and subjects.area_level in ('cauth', 'lad')
        and subjects.unit = 'percent'

),

pairs as (

    select * from fixed_pairs
    union all
    select * from peer_pairs

),

joined as (

    select
        pairs.barometer_id,
        pairs.goal_id,
        pairs.dataset,
        pairs.edition,
        pairs.period_start,
        pairs.period_end,
        pairs.area_code,
        pairs.area_name,
        pairs.area_level,
        pairs.unit,
        pairs.polarity,
        pairs.peer_group,
        pairs.peers,
        pairs.comparator_kind,
        pairs.comparator_code,
        comparators.area_name as comparator_name,
        pairs.value,
        pairs.se,
        pairs.base,
        pairs.decimals,
        pairs.provenance_id,
        comparators.value as comparator_value,
        comparators.se as comparator_se,
        comparators.base as comparator_base,
        comparators.decimals as comparator_decimals,
        comparators.provenance_id as comparator_provenance_id,
        inside.share as share_of_comparator,
        outside.share as share_in_area,
        chosen_vintages.population_vintage,
        coalesce(inside_pairs.part_code, outside_pairs.part_code) is not null as is_part_whole,
        inside_pairs.part_code is not null and outside_pairs.part_code is not null as is_same_area
    from pairs
    left join cells as comparators
        on
            pairs.barometer_id = comparators.barometer_id
            and pairs.dataset = comparators.dataset
            and pairs.edition = comparators.edition
            and pairs.period_end is not distinct from comparators.period_end
            and pairs.comparator_code = comparators.area_code
    left join chosen_vintages
        on
            pairs.dataset = chosen_vintages.dataset
            and pairs.edition = chosen_vintages.edition
            and pairs.period_start = chosen_vintages.period_start
            and pairs.period_end = chosen_vintages.period_end
    left join containments as inside_pairs
        on
            pairs.area_code = inside_pairs.part_code
            and pairs.comparator_code = inside_pairs.whole_code
    left join containments as outside_pairs
        on
            pairs.comparator_code = outside_pairs.part_code
            and pairs.area_code = outside_pairs.whole_code
    left join shares as inside
        on
            pairs.area_code = inside.part_code
            and pairs.comparator_code = inside.whole_code
            and chosen_vintages.population_vintage = inside.population_vintage
    left join shares as outside
        on
            pairs.comparator_code = outside.part_code
            and pairs.area_code = outside.whole_code
            and chosen_vintages.population_vintage = outside.population_vintage

),

differences as (

    select
        *,
        value - comparator_value as difference,
        case
            when share_in_area is not null
                then {{ part_whole_variance('comparator_se', 'se', 'share_in_area') }}
            else {{ part_whole_variance('se', 'comparator_se', 'share_of_comparator') }}
        end as sampling_variance,
        {{ rounding_variance('decimals', 'comparator_decimals') }} as rounding_variance
    from joined

),

reasoned as (

    select
        *,
        case
            when unit != 'percent' then 'no_standard_error_published'
            when comparator_kind in ('best_peer', 'worst_peer') and peers = '' then 'no_peers'
            when value is null then 'no_figure'
            when comparator_code is null then 'no_peer_figure'
            when comparator_value is null then 'no_comparator_figure'
            when se is null then 'no_standard_error'
            when comparator_se is null then 'no_comparator_standard_error'
            when base < {{ var('minimum_base', 30) }} then 'base_too_small'
            when comparator_base < {{ var('minimum_base', 30) }} then 'comparator_base_too_small'
            when is_same_area then 'same_area'
            when sampling_variance <= 0 then 'intervals_disagree'
            when rounding_variance > sampling_variance then 'printed_too_coarsely'
        end as reason_code,
        sampling_variance + rounding_variance as difference_variance
    from differences

),

tested as (

    select
        *,
        case when reason_code is null then {{ z_score('difference', 'difference_variance') }} end
            as z,
        case when reason_code is null then {{ z_score('difference', 'sampling_variance') }} end
            as sampling_z,
        case when reason_code is null then sqrt(difference_variance) end as difference_se
    from reasoned

),

with_p as (

    select
        *,
        {{ two_sided_p('z') }} as p_value,
        concat_ws(
            '|',
            goal_id,
            edition,
            comparator_kind,
            case when comparator_kind = 'combined_authority' then area_code else peer_group end
        ) as test_family
    from tested

),

flagged as (

    {{ benjamini_hochberg('with_p', 'p_value', 'test_family') }}

),

final as (

    select
        barometer_id,
        goal_id,
        dataset,
        edition,
        period_start,
        period_end,
        area_code,
        area_name,
        area_level,
        comparator_kind,
        comparator_code,
        comparator_name,
        unit,
        polarity,
        value,
        comparator_value,
        case when unit = 'percent' then difference end as difference,
        difference_se,
        difference - {{ confidence_z() }} * difference_se as difference_lower_95,
        difference + {{ confidence_z() }} * difference_se as difference_upper_95,
        z,
        sampling_z,
        p_value,
        {{ comparison_outcome('z', 'polarity') }} as outcome,
        ({{ close_call('z') }} or {{ close_call('sampling_z') }}) as close_call,
        reason_code,
        case reason_code
            when 'no_standard_error_published'
                then
                    'No standard error is published for this index, so no difference can be '
                    || 'tested: read the groups.'
            when 'no_peers' then 'The area belongs to no combined authority, so it has no peers here.'
            when 'no_figure' then 'There is no figure for ' || area_name || '.'
            when 'no_peer_figure' then 'There is no figure with an interval for any of its peers.'
            when 'no_comparator_figure'
                then 'There is no figure for ' || coalesce(comparator_name, 'the comparator') || '.'
            when 'no_standard_error'
                then 'No usable interval is published for ' || area_name || '.'
            when 'no_comparator_standard_error'
                then
                    'No usable interval is published for '
                    || coalesce(comparator_name, 'the comparator') || '.'
            when 'base_too_small'
                then 'Too few people answered in ' || area_name || ' (' || base || ').'
            when 'comparator_base_too_small'
                then
                    'Too few people answered in ' || comparator_name || ' ('
                    || comparator_base || ').'
            when 'same_area' then area_name || ' and ' || comparator_name || ' are one and the same.'
            when 'intervals_disagree'
                then
                    'The published intervals of ' || area_name || ' and ' || comparator_name
                    || ' cannot both hold for a part and its whole.'
            when 'printed_too_coarsely'
                then
                    'The figures are printed too coarsely for a difference as small as theirs: '
                    || 'rounding spreads it more than sampling.'
        end as reason,
        is_part_whole,
        coalesce(share_of_comparator, share_in_area) is not null as part_whole_applied,
        coalesce(share_of_comparator, share_in_area) as part_whole_share,
        case when coalesce(share_of_comparator, share_in_area) is not null then population_vintage end
            as population_vintage,
        comparator_kind in ('best_peer', 'worst_peer') as comparator_selected,
        test_family,
        cast(bh_tests as integer) as bh_tests,
        bh_adjusted_p,
        bh_significant,
        'z_two_sided_95_v2' as method,
        {{ var('membership_vintage') }} as membership_vintage,
        provenance_id,
        comparator_provenance_id
    from flagged

)

select * from final
