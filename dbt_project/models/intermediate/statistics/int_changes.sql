with cells as (

    select
        *,
        {{ cell_decimals('all_cells') }} as decimals
    from {{ ref('int_barometer_cells') }} as all_cells

),

editions as (

    select * from {{ ref('int_editions') }}

),

breaks as (

    select * from {{ ref('series_breaks') }}

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where kind = 'combined_authority' and vintage = {{ var('membership_vintage') }}

),

authority_parents as (

    select
        member_code as area_code,
        min(parent_code) as combined_authority_code
    from memberships
    group by member_code

),

-- An edition of several periods stands for itself with its latest.
latest_periods as (

    select
        *,
        row_number() over (
            partition by barometer_id, dataset, edition, area_code
            order by period_end desc
        ) as from_latest
    from cells

),

edition_cells as (

    select * from latest_periods
    where from_latest = 1

),

newest as (

    select
        dataset,
        max(edition_order) as edition_order
    from editions
    group by dataset

),

edition_pairs as (

    select
        later.dataset,
        'consecutive' as change_kind,
        earlier.edition as from_edition,
        later.edition as to_edition,
        earlier.edition_order as from_order,
        later.edition_order as to_order
    from editions as later
    inner join editions as earlier
        on later.dataset = earlier.dataset and later.previous_edition = earlier.edition

    union all

    select
        baseline.dataset,
        'baseline_to_latest' as change_kind,
        baseline.edition as from_edition,
        latest.edition as to_edition,
        baseline.edition_order as from_order,
        latest.edition_order as to_order
    from editions as baseline
    inner join editions as latest
        on
            baseline.dataset = latest.dataset
            and baseline.edition_order < latest.edition_order
    inner join newest
        on
            latest.dataset = newest.dataset
            and latest.edition_order = newest.edition_order
    where baseline.is_baseline

),

-- A break stands in the way of every pair of editions between which it lies.
break_spans as (

    select
        breaks.*,
        break_from.edition_order as from_order,
        break_to.edition_order as to_order
    from breaks
    left join editions as break_from
        on breaks.dataset = break_from.dataset and breaks.from_edition = break_from.edition
    left join editions as break_to
        on breaks.dataset = break_to.dataset and breaks.to_edition = break_to.edition

),

pair_breaks as (

    select
        edition_pairs.dataset,
        edition_pairs.from_edition,
        edition_pairs.to_edition,
        break_spans.barometer_id,
        break_spans.area_code,
        break_spans.kind,
        break_spans.reason
    from edition_pairs
    inner join break_spans
        on
            edition_pairs.dataset = break_spans.dataset
            and (
                (
                    edition_pairs.from_edition = break_spans.from_edition
                    and edition_pairs.to_edition = break_spans.to_edition
                )
                -- One end of a break may be an edition that is not held: the other decides.
                or (
                    coalesce(break_spans.from_order, break_spans.to_order - 1)
                    < edition_pairs.to_order
                    and coalesce(break_spans.to_order, break_spans.from_order + 1)
                    > edition_pairs.from_order
                )
            )
    where edition_pairs.change_kind in ('consecutive', 'baseline_to_latest')

),

subjects as (

    select distinct
        edition_pairs.dataset,
        edition_pairs.change_kind,
        edition_pairs.from_edition,
        edition_pairs.to_edition,
        edition_cells.barometer_id,
        edition_cells.area_code
    from edition_pairs
    inner join edition_cells
        on
            edition_pairs.dataset = edition_cells.dataset
            and (
                edition_pairs.from_edition = edition_cells.edition
                or edition_pairs.to_edition = edition_cells.edition
            )

),

subject_breaks as (

    select
        subjects.dataset,
        subjects.change_kind,
        subjects.from_edition,
        subjects.to_edition,
        subjects.barometer_id,
        subjects.area_code,
        string_agg(distinct pair_breaks.kind, ', ' order by pair_breaks.kind) as break_kinds,
        string_agg(distinct pair_breaks.reason, '; ' order by pair_breaks.reason) as break_reason
    from subjects
    inner join pair_breaks
        on
            subjects.dataset = pair_breaks.dataset
            and subjects.from_edition = pair_breaks.from_edition
            and subjects.to_edition = pair_breaks.to_edition
            and coalesce(pair_breaks.barometer_id, subjects.barometer_id) = subjects.barometer_id
            and coalesce(pair_breaks.area_code, subjects.area_code) = subjects.area_code
    group by
        subjects.dataset, subjects.change_kind, subjects.from_edition, subjects.to_edition,
        subjects.barometer_id, subjects.area_code

),

between_editions as (

    select
        subjects.barometer_id,
        coalesce(later.goal_id, earlier.goal_id) as goal_id,
        subjects.dataset,
        subjects.change_kind,
        subjects.from_edition,
        subjects.to_edition,
        earlier.period_start as from_period_start,
        earlier.period_end as from_period_end,
        later.period_start as to_period_start,
        later.period_end as to_period_end,
        subjects.area_code,
        coalesce(later.area_name, earlier.area_name) as area_name,
        coalesce(later.area_level, earlier.area_level) as area_level,
        coalesce(later.region_code, earlier.region_code) as region_code,
        coalesce(later.unit, earlier.unit) as unit,
        coalesce(later.polarity, earlier.polarity) as polarity,
        earlier.value as from_value,
        later.value as to_value,
        earlier.se as from_se,
        later.se as to_se,
        earlier.decimals as from_decimals,
        later.decimals as to_decimals,
        earlier.base as from_base,
        later.base as to_base,
        earlier.group_number as from_group_number,
        earlier.group_label as from_group_label,
        later.group_number as to_group_number,
        later.group_label as to_group_label,
        earlier.provenance_id as from_provenance_id,
        later.provenance_id as to_provenance_id,
        subject_breaks.break_kinds,
        subject_breaks.break_reason
    from subjects
    left join edition_cells as earlier
        on
            subjects.barometer_id = earlier.barometer_id
            and subjects.dataset = earlier.dataset
            and subjects.from_edition = earlier.edition
            and subjects.area_code = earlier.area_code
    left join edition_cells as later
        on
            subjects.barometer_id = later.barometer_id
            and subjects.dataset = later.dataset
            and subjects.to_edition = later.edition
            and subjects.area_code = later.area_code
    left join subject_breaks
        on
            subjects.barometer_id = subject_breaks.barometer_id
            and subjects.dataset = subject_breaks.dataset
            and subjects.change_kind = subject_breaks.change_kind
            and subjects.from_edition = subject_breaks.from_edition
            and subjects.to_edition = subject_breaks.to_edition
            and subjects.area_code = subject_breaks.area_code

),

index_periods as (

    select
        *,
        row_number() over (
            partition by barometer_id, dataset, edition, area_code
            order by period_end
        ) as place,
        count(*) over (partition by barometer_id, dataset, edition, area_code) as periods
    from cells
    where group_number is not null

),

kinds as (

    select 'within_edition' as change_kind
    union all
    select 'within_edition_first_to_last' as change_kind

),

within_edition as (

    select
        later.barometer_id,
        later.goal_id,
        later.dataset,
        kinds.change_kind,
        later.edition as from_edition,
        later.edition as to_edition,
        earlier.period_start as from_period_start,
        earlier.period_end as from_period_end,
        later.period_start as to_period_start,
        later.period_end as to_period_end,
        later.area_code,
        later.area_name,
        later.area_level,
        later.region_code,
        later.unit,
        later.polarity,
        earlier.value as from_value,
        later.value as to_value,
        earlier.se as from_se,
        later.se as to_se,
        earlier.decimals as from_decimals,
        later.decimals as to_decimals,
        earlier.base as from_base,
        later.base as to_base,
        earlier.group_number as from_group_number,
        earlier.group_label as from_group_label,
        later.group_number as to_group_number,
        later.group_label as to_group_label,
        earlier.provenance_id as from_provenance_id,
        later.provenance_id as to_provenance_id,
        cast(null as varchar) as break_kinds,
        cast(null as varchar) as break_reason
    from index_periods as later
    cross join kinds
    inner join index_periods as earlier
        on
            later.barometer_id = earlier.barometer_id
            and later.dataset = earlier.dataset
            and later.edition = earlier.edition
            and later.area_code = earlier.area_code
            and (
                (kinds.change_kind = 'within_edition' and earlier.place = later.place - 1)
                or (
                    kinds.change_kind = 'within_edition_first_to_last'
                    and earlier.place = 1
                    and later.place = later.periods
                    and later.periods > 1
                )
            )

),

all_pairs as (

    select * from between_editions
    union all
    select * from within_edition

),

pairs as (

    select
        *,
        from_se * from_se + to_se * to_se as sampling_variance,
        {{ rounding_variance('from_decimals', 'to_decimals') }} as rounding_variance
    from all_pairs

),

reasoned as (

    select
        pairs.*,
        coalesce(
            case pairs.area_level
                when 'cauth' then 'combined_authorities'
                when 'itl1' then 'regions'
                when 'nation' then 'nation'
                else authority_parents.combined_authority_code
            end,
            pairs.region_code,
            pairs.area_level
        ) as peer_group,
        case
            when pairs.break_reason is not null then 'break_in_series'
            when pairs.unit != 'percent' and pairs.from_edition != pairs.to_edition
                then 'restandardised'
            when pairs.unit != 'percent' then null
            when pairs.from_value is null then 'no_earlier_figure'
            when pairs.to_value is null then 'no_later_figure'
            when pairs.from_se is null or pairs.to_se is null then 'no_standard_error'
            when
                pairs.from_base < {{ var('minimum_base', 30) }}
                or pairs.to_base < {{ var('minimum_base', 30) }}
                then 'base_too_small'
            when pairs.rounding_variance > pairs.sampling_variance then 'printed_too_coarsely'
        end as reason_code
    from pairs
    left join authority_parents on pairs.area_code = authority_parents.area_code

),

tested as (

    select
        *,
        unit = 'percent' and reason_code is null as is_testable,
        unit != 'percent' and from_edition = to_edition as is_movement,
        case when unit = 'percent' and reason_code is null then to_value - from_value end as change,
        case
            when unit = 'percent' and reason_code is null
                then sampling_variance + rounding_variance
        end as change_variance
    from reasoned

),

with_z as (

    select
        *,
        sqrt(change_variance) as change_se,
        {{ z_score('change', 'change_variance') }} as z,
        case when is_testable then {{ z_score('change', 'sampling_variance') }} end as sampling_z,
        {{ minimum_detectable_change('change_variance') }} as minimum_detectable_change
    from tested

),

with_p as (

    select
        *,
        {{ two_sided_p('z') }} as p_value,
        concat_ws('|', goal_id, change_kind, from_edition, to_edition, peer_group) as test_family
    from with_z

),

flagged as (

    {{ benjamini_hochberg('with_p', 'p_value', 'test_family') }}

),

final as (

    select
        barometer_id,
        goal_id,
        dataset,
        change_kind,
        from_edition,
        to_edition,
        from_period_start,
        from_period_end,
        to_period_start,
        to_period_end,
        area_code,
        area_name,
        area_level,
        unit,
        polarity,
        from_value,
        to_value,
        change,
        change_se,
        change - {{ confidence_z() }} * change_se as change_lower_95,
        change + {{ confidence_z() }} * change_se as change_upper_95,
        z,
        sampling_z,
        p_value,
        minimum_detectable_change,
        case
            when is_movement then 'relative_position'
            else {{ comparison_outcome('z', 'polarity') }}
        end as outcome,
        ({{ close_call('z') }} or {{ close_call('sampling_z') }}) as close_call,
        reason_code,
        case reason_code
            when 'break_in_series' then break_reason || '.'
            when 'restandardised'
                then
                    'The index is built anew in every edition, from other components on another '
                    || 'scale: positions in two editions are not a change.'
            when 'no_earlier_figure' then 'There is no figure for ' || from_edition || '.'
            when 'no_later_figure' then 'There is no figure for ' || to_edition || '.'
            when 'no_standard_error' then 'No usable interval is published for one of the editions.'
            when 'base_too_small' then 'Too few people answered in one of the editions.'
            when 'printed_too_coarsely'
                then
                    'The figures are printed too coarsely for a change as small as theirs: '
                    || 'rounding spreads it more than sampling.'
        end as reason,
        break_reason is not null as is_break,
        break_kinds,
        from_group_number,
        from_group_label,
        to_group_number,
        to_group_label,
        case when is_movement then to_group_number - from_group_number end as group_movement,
        case
            when not is_movement then null
            when to_group_number > from_group_number
                then
                    'Moved up from group ' || from_group_number || ' to ' || to_group_number
                    || ' of the areas of the United Kingdom: a change of relative position.'
            when to_group_number < from_group_number
                then
                    'Moved down from group ' || from_group_number || ' to ' || to_group_number
                    || ' of the areas of the United Kingdom: a change of relative position.'
            when to_group_number = from_group_number
                then
                    'Stayed in group ' || to_group_number
                    || ' of the areas of the United Kingdom: relative position unchanged.'
        end as movement_in_words,
        test_family,
        cast(bh_tests as integer) as bh_tests,
        bh_adjusted_p,
        bh_significant,
        case when is_movement then 'group_movement_v1' else 'change_z_two_sided_95_v2' end as method,
        from_provenance_id,
        to_provenance_id
    from flagged

)

select * from final
