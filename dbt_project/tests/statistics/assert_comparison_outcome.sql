-- Verdicts by direction, and at the threshold.
with cases as (
    select *
    from (
        values
        ('below, high is good', -4.96, 'high_good', 'worse'),
        ('above, high is good', 2.5, 'high_good', 'better'),
        ('above, low is good', 2.5, 'low_good', 'worse'),
        ('below, low is good', -2.5, 'low_good', 'better'),
        ('above, no direction', 2.5, 'none', 'higher'),
        ('below, no direction', -2.5, cast(null as varchar), 'lower'),
        ('at the threshold', 1.959963984540054, 'high_good', 'similar'),
        ('near', -1.29, 'high_good', 'similar'),
        ('missing', cast(null as double), 'high_good', 'cannot_say')
    ) as examples (example, z, polarity, expected)
),

computed as (
    select
        *,
        {{ comparison_outcome('z', 'polarity') }} as found
    from cases
)

select *
from computed
where found is distinct from expected
