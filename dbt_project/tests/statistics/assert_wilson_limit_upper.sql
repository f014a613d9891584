-- Wilson 1927, upper: 85 of 100, and all of 20 (100), worked by hand.
with cases as (
    select *
    from (
        values
        ('85 of 100', 85.0, 100.0, 90.694),
        ('none of 20', 0.0, 20.0, 16.1125),
        ('all of 20', 100.0, 20.0, 100.0)
    ) as examples (example, value, n, expected)
),

computed as (
    select
        *,
        {{ wilson_limit('value', 'n', 'upper') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
