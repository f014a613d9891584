-- Halves go away from zero, and a half lost to binary arithmetic is found again.
with cases as (
    select *
    from (
        values
        ('half', 28.5, 29.0),
        ('half below zero', -28.5, -29.0),
        ('binary half', cast(0.285 as double) * 100, 29.0),
        ('down', 28.4999, 28.0),
        ('missing', cast(null as double), cast(null as double))
    ) as examples (example, value, expected)
),

computed as (
    select
        *,
        {{ round_half_up('value') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
