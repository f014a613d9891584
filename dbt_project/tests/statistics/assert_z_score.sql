-- Difference over its standard error; no verdict from a variance of zero.
with cases as (
    select *
    from (
        values
        ('Birmingham v WMCA, libraries', 2.69, 0.8753, 2.8752),
        ('no variance', 2.69, 0.0, cast(null as double)),
        ('missing', 2.69, cast(null as double), cast(null as double))
    ) as examples (example, difference, variance, expected)
),

computed as (
    select
        *,
        {{ z_score('difference', 'variance') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.001
