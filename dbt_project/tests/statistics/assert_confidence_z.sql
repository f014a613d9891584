-- The constant to ten places: twice the normal tail beyond it is 5%.
with cases as (
    select *
    from (
        values
        ('quantile', 0, 1.9599639845)
    ) as examples (example, ignored, expected)
),

computed as (
    select
        *,
        {{ confidence_z() }} + 0 * ignored as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0000000001
