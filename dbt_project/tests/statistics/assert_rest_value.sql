-- Birmingham's libraries (27, 38% of its adults) out of the West Midlands' (24): the rest has 22.14.
with cases as (
    select *
    from (
        values
        ('the rest', 'percent', 27.0, 24.0, 0.3823, 22.1433),
        ('separate areas', 'percent', 27.0, 24.0, cast(null as double), 24.0),
        ('never beyond the ceiling', 'percent', 90.0, 99.0, 0.5, 100.0),
        ('unless it is no percentage', 'score', 90.0, 99.0, 0.5, 108.0)
    ) as examples (example, unit, part, whole, share, expected)
),

computed as (
    select
        *,
        {{ rest_value('part', 'whole', 'share', 'unit') }} as found
    from cases
)

select *
from computed
where found is null or abs(found - expected) > 0.0001
