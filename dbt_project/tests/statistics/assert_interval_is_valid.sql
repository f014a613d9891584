-- An interval holds its value; a missing or swapped limit makes it invalid, never null.
with cases as (
    select *
    from (
        values
        ('valid', 83.0, 87.0, 85.0, true),
        ('value outside, as in six regional rows', 88.0, 88.0, 89.0, false),
        ('swapped', 87.0, 83.0, 85.0, false),
        ('no width', 25.0, 25.0, 25.0, true),
        ('no lower limit', cast(null as double), 87.0, 85.0, false)
    ) as examples (example, lower_95, upper_95, value, expected)
),

computed as (
    select
        *,
        {{ interval_is_valid('lower_95', 'upper_95', 'value') }} as found
    from cases
)

select *
from computed
where found is distinct from expected
