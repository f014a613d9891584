-- Between 1.64 and 2.33 either way; a missing z is no close call.
with cases as (
    select *
    from (
        values
        ('library, WMCA v England', -1.96, true),
        ('clear', -4.96, false),
        ('Walsall, libraries', -1.74, true),
        ('similar', -0.5, false),
        ('edge', 2.33, false),
        ('missing', cast(null as double), false)
    ) as examples (example, z, expected)
),

computed as (
    select
        *,
        {{ close_call('z') }} as found
    from cases
)

select *
from computed
where found is distinct from expected
