-- Whole percentages have 0.41 points of rounding in their difference: more than 0.27, less than 0.50.
with cases as (
    select *
    from (
        values
        ('West Midlands v its region, libraries', 0.0743, 0, 0, true),
        ('West Midlands v England, libraries', 0.2516, 0, 0, false),
        ('one of them computed', 0.0743, 0, cast(null as integer), true),
        ('one decimal each', 0.0743, 1, 1, false),
        ('no variance', cast(null as double), 0, 0, false)
    ) as examples (example, variance, decimals, other_decimals, expected)
),

computed as (
    select
        *,
        {{ rounding_is_larger('variance', 'decimals', 'other_decimals') }} as found
    from cases
)

select *
from computed
where found is distinct from expected
