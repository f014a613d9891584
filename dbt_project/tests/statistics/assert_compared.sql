-- Turning a pair round turns the sign; a score is tested in its own unit; the interval of the
-- difference has the error that its z implies.
with cases as (
    select *
    from (
        values
        ('separate', 'percent', 95.0, 90.0, cast(null as double), cast(null as double), 2.2622),
        ('turned round', 'percent', 90.0, 95.0, null, null, -2.2622),
        ('inside', 'percent', 95.0, 90.0, 0.2, null, 2.5982),
        ('around', 'percent', 90.0, 95.0, null, 0.2, -2.5982),
        ('a score', 'score', 95.0, 90.0, null, null, 2.5)
    ) as examples (example, unit, value, comparator_value, share_of_comparator, share_in_area, expected)
),

figures as (
    select
        *,
        sqrt(2.0) as se,
        sqrt(2.0) as comparator_se,
        value - 2.8 as lower_95,
        value + 2.8 as upper_95,
        comparator_value - 2.8 as comparator_lower_95,
        comparator_value + 2.8 as comparator_upper_95,
        cast(null as integer) as decimals,
        cast(null as integer) as comparator_decimals
    from cases
),

tested as (
    {{ compared('figures') }}
)

select *
from tested
where
    z is null
    or abs(z - expected) > 0.0001
    or abs(difference_se - difference / z) > 0.0000001
