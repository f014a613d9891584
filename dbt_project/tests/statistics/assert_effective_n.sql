-- Birmingham, arts: 85% with a standard error of 1.0204 is worth 1,224 simple random interviews.
with cases as (
    select *
    from (
        values
        ('Birmingham, arts', 85.0, 1.0204, 1224.53),
        ('no standard error', 85.0, cast(null as double), cast(null as double)),
        ('zero standard error', 85.0, 0.0, cast(null as double))
    ) as examples (example, value, se, expected)
),

computed as (
    select
        *,
        {{ effective_n('value', 'se') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.01
