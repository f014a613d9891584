-- Wilson 1927, lower: 85 of 100, and none of 20 (0), worked by hand.
with cases as (
    select *
    from (
        values
        ('85 of 100', 85.0, 100.0, 76.7164),
        ('none of 20', 0.0, 20.0, 0.0),
        ('all of 20', 100.0, 20.0, 83.8875)
    ) as examples (example, value, n, expected)
),

computed as (
    select
        *,
        {{ wilson_limit('value', 'n', 'lower') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
