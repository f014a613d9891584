-- Two whole percentages: 1/6, a standard deviation of 0.41 points; one decimal is a hundredth of that.
with cases as (
    select *
    from (
        values
        ('whole and whole', 0, 0, 0.1666666667),
        ('one of them computed', 0, cast(null as integer), 0.0833333333),
        ('one decimal each', 1, 1, 0.0016666667),
        ('both computed', cast(null as integer), cast(null as integer), 0.0)
    ) as examples (example, decimals, other_decimals, expected)
),

computed as (
    select
        *,
        {{ rounding_variance('decimals', 'other_decimals') }} as found
    from cases
)

select *
from computed
where abs(found - expected) > 0.0000000001 or found is null
