-- Every figure in each group of areas among which it may have a place.
with cells as (

    select
        figures.*,
        indicators.role,
        {{ test_columns('figures') }}
    from {{ figures_with_decimals() }} as figures
    inner join {{ ref('int_indicators') }} as indicators
        on figures.barometer_id = indicators.barometer_id
    where figures.unit != 'z_score' and figures.area_level in ('cauth', 'lad')
    -- Of context, the newest period that authorities have.
    qualify
        indicators.role != 'context' or figures.edition = max(figures.edition) over (
            partition by figures.barometer_id, figures.area_level
        )

),

memberships as (

    select * from {{ ref('int_area_memberships') }}
    where vintage = {{ var('membership_vintage') }}

),

rank_groups as (

    select distinct
        'combined_authorities' as rank_group,
        cast(null as varchar) as rank_group_code,
        parent_code as area_code
    from memberships
    where kind = 'combined_authority'

    union all

    select distinct
        'members_of_combined_authority' as rank_group,
        parent_code as rank_group_code,
        member_code as area_code
    from memberships
    where kind = 'combined_authority'

    union all

    select distinct
        'local_authorities_of_england' as rank_group,
        '{{ var("england") }}' as rank_group_code,
        member_code as area_code
    from memberships
    where kind = 'nation'

),

group_sizes as (

    select
        rank_group,
        rank_group_code,
        count(*) as areas_in_group
    from rank_groups
    group by rank_group, rank_group_code

),

entries as (

    select
        rank_groups.rank_group,
        rank_groups.rank_group_code,
        cells.barometer_id,
        cells.goal_id,
        cells.role,
        cells.dataset,
        cells.edition,
        cells.period_start,
        cells.period_end,
        cells.area_code,
        cells.area_name,
        cells.polarity,
        cells.value,
        cells.se,
        cells.test_se,
        cells.test_rounding,
        cells.se is not null
        and coalesce(cells.base, {{ var('minimum_base', 30) }}) >= {{ var('minimum_base', 30) }}
            as is_ranked,
        case when cells.polarity = 'low_good' then -cells.test_value else cells.test_value end
            as score
    from rank_groups
    inner join cells on rank_groups.area_code = cells.area_code

)

select
    entries.*,
    group_sizes.areas_in_group
from entries
inner join group_sizes
    on
        entries.rank_group = group_sizes.rank_group
        and entries.rank_group_code is not distinct from group_sizes.rank_group_code
