-- Limits stay inside 0 to 100, and a missing value stays missing.
with cases as (
    select *
    from (
        values
        ('inside', 85.48, 85.48),
        ('above', 100.4, 100.0),
        ('below', -0.2, 0.0),
        ('missing', cast(null as double), cast(null as double))
    ) as examples (example, value, expected)
),

computed as (
    select
        *,
        {{ clip('value') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
