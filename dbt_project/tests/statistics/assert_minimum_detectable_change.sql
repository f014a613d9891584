-- Two editions of an authority (2.2 each): about 6 points; of WMCA (0.95 each): between 2 and 3.
with cases as (
    select *
    from (
        values
        ('authority', 2.2 * 2.2 + 2.2 * 2.2, 6.098),
        ('WMCA', 0.95 * 0.95 + 0.95 * 0.95, 2.6332)
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
