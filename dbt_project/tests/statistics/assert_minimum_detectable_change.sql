-- Two editions of an authority (2.2 each): 8.7 points; of a combined authority (0.95 each): 3.8.
with cases as (
    select *
    from (
        values
        ('authority', 2.2 * 2.2 + 2.2 * 2.2, 8.7164),
        ('combined authority', 0.95 * 0.95 + 0.95 * 0.95, 3.7639)
    ) as examples (example, variance, expected)
),

computed as (
    select
        *,
        {{ minimum_detectable_change('variance') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
