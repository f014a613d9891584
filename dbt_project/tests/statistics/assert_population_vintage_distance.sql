-- The middle of a survey year in days from 30 June.
with cases as (
    select *
    from (
        values
        ('Participation Survey to mid-2023', date '2023-05-01', date '2024-03-31', 2023, 107.5),
        ('Community Life Survey to mid-2023', date '2023-10-01', date '2024-03-31', 2023, 184.0),
        ('Community Life Survey to mid-2024', date '2023-10-01', date '2024-03-31', 2024, 182.0)
    ) as examples (example, period_start, period_end, vintage, expected)
),

computed as (
    select
        *,
        {{ population_vintage_distance('period_start', 'period_end', 'vintage') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
