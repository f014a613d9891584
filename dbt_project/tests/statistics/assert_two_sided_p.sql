-- Tail areas of the normal distribution, to ten places, and far beyond the table.
with cases as (
    select *
    from (
        values
        ('none', 0.0, 1.0),
        ('one', 1.0, 0.3173105079),
        ('five per cent', 1.959963984540054, 0.05),
        ('below', -2.5758293035489004, 0.01),
        ('far', 8.0, 0.0),
        ('farther', 40.0, 0.0),
        ('missing', cast(null as double), cast(null as double))
    ) as examples (example, z, expected)
),

computed as (
    select
        *,
        {{ two_sided_p('z') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0000000001
