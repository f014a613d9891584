-- Whole numbers, one decimal, and more than one.
with cases as (
    select *
    from (
        values
        ('whole', 85.0, 0),
        ('one', 85.3, 1),
        ('one, not exact in binary', 0.3, 1),
        ('computed', 85.4764, 2),
        ('missing', cast(null as double), 0)
    ) as examples (example, value, expected)
),

computed as (
    select
        *,
        {{ decimals_printed('value') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
