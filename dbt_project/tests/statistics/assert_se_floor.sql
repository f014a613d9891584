-- The floor for England 2023/24 (0.09 for the arts, 0.13 for libraries), and never zero at 100.
with cases as (
    select *
    from (
        values
        ('England, arts', 90.0, 171748, 0.0916),
        ('England, libraries', 25.0, 171748, 0.1322),
        ('at the ceiling', 100.0, 550, 0.3804),
        ('no base', 25.0, cast(null as bigint), cast(null as double))
    ) as examples (example, value, base, expected)
),

computed as (
    select
        *,
        {{ se_floor('value', 'base') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
