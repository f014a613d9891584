-- The difference over its z; where both are 0, or z is but for the last digits, the error on the
-- test's scale over the slope there.
with cases as (
    select *
    from (
        values
        ('a difference', -3.0, -1.5, 0.0001, 40.0, 2.0),
        ('none', 0.0, 0.0, 0.0004, 50.0, 1.8898816),
        ('none but for the last digits', 0.0, 0.000000000000005, 0.0004, 50.0, 1.8898816),
        ('no test', 2.0, cast(null as double), 0.0004, 50.0, cast(null as double))
    ) as examples (example, difference, z, variance, value, expected)
),

computed as (
    select
        *,
        {{ difference_se('difference', 'z', 'variance', 'value', "'percent'") }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0000001
