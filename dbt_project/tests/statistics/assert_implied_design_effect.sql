-- A standard error of 2 points on 50% of 1,000 people is 1.6 times simple random sampling.
with cases as (
    select *
    from (
        values
        ('worked', 50.0, 2.0, 1000, 1.6),
        ('at the ceiling', 100.0, 0.4, 550, cast(null as double))
    ) as examples (example, value, se, base, expected)
),

computed as (
    select
        *,
        {{ implied_design_effect('value', 'se', 'base') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
