-- Whole numbers, one decimal, two, and a number that is not rounded.
with cases as (
    select *
    from (
        values
        ('whole', 85.0, 0),
        ('one', 85.3, 1),
        ('one, not exact in binary', 0.3, 1),
        ('two', 29.29, 2),
        ('computed', 85.4764, 3),
        ('missing', cast(null as double), 0)
    ) as examples (example, value, expected)
),

computed as (
    select
        *,
        {{ decimals_stored('value') }} as found
    from cases
)

select *
from computed
where found is distinct from expected
