-- The best and the worst of each area's peers, among those with a standard error. Where several
-- share the figure, the most precise is tested and their number is kept.
with figures as (

    select
        *,
        case when polarity = 'low_good' then -value else value end as score
    from {{ ref('int_comparable_figures') }}
    where peer_group is not null and has_all_comparators

),

pairs as (

    select
        figures.barometer_id,
        figures.dataset,
        figures.edition,
        figures.period_end,
        figures.area_code,
        peers.area_code as peer_code,
        peers.score,
        peers.se,
        max(peers.score) over (figure) as best_score,
        min(peers.score) over (figure) as worst_score
    from figures
    inner join figures as peers
        on
            figures.peer_group = peers.peer_group
            and figures.barometer_id = peers.barometer_id
            and figures.dataset = peers.dataset
            and figures.edition = peers.edition
            and figures.period_end = peers.period_end
            and figures.area_code != peers.area_code
            and peers.se is not null
    window figure as (
        partition by
            figures.barometer_id, figures.dataset, figures.edition, figures.period_end,
            figures.area_code
    )

),

extremes as (

    select
        *,
        'best_peer' as comparator_kind
    from pairs
    where score = best_score

    union all

    select
        *,
        'worst_peer' as comparator_kind
    from pairs
    where score = worst_score

)

select
    barometer_id,
    dataset,
    edition,
    period_end,
    area_code,
    comparator_kind,
    peer_code as comparator_code,
    cast(count(*) over (
        partition by barometer_id, dataset, edition, period_end, area_code, comparator_kind
    ) as integer) as comparator_ties
from extremes
qualify
    row_number() over (
        partition by barometer_id, dataset, edition, period_end, area_code, comparator_kind
        order by se, peer_code
    ) = 1
