-- The rest is what the whole's variance has beyond the part's share of it.
with cases as (
    select *
    from (
        values
        ('the rest', 2.0, 1.25, 0.5, 1.5),
        ('separate areas', 2.0, 1.25, cast(null as double), 1.25),
        ('impossible', 2.0, 0.9, 0.5, cast(null as double))
    ) as examples (example, se_part, se_whole, share, expected)
),

computed as (
    select
        *,
        {{ rest_se('se_part', 'se_whole', 'share') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0000001
