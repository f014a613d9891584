-- The folded cube root runs from -1 to 1 and is 0 at a half; another unit stays as it is.
with cases as (
    select *
    from (
        values
        ('nobody', 'percent', 0.0, -1.0),
        ('half', 'percent', 50.0, 0.0),
        ('everybody', 'percent', 100.0, 1.0),
        ('near the ceiling', 'percent', 99.9, 0.8996666),
        ('beyond the ceiling', 'percent', 100.4, 1.0),
        ('a score', 'score', 7.4, 7.4),
        ('missing', 'percent', cast(null as double), cast(null as double))
    ) as examples (example, unit, value, expected)
),

computed as (
    select
        *,
        {{ test_scale('value', 'unit') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0000001
