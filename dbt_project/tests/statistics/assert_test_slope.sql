-- The interval's own slope; the curve's where the limits meet, and never endless at the ceiling.
with cases as (
    select *
    from (
        values
        ('from half to everybody', 'percent', 75.0, 50.0, 100.0, 0.02),
        ('limits that meet', 'percent', 50.0, 50.0, 50.0, 0.0105827),
        ('limits that meet at the ceiling', 'percent', 100.0, 100.0, 100.0, 0.1173429),
        ('a score', 'score', 7.4, 7.2, 7.6, 1.0)
    ) as examples (example, unit, value, lower_95, upper_95, expected)
),

computed as (
    select
        *,
        {{ test_slope('value', 'lower_95', 'upper_95', 'unit') }} as found
    from cases
)

select *
from computed
where found is null or abs(found - expected) > 0.0000001
