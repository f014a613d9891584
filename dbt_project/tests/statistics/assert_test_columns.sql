-- Whole percentages carry 1/12 point squared on the scale of the test; an unrounded column nothing.
with cases as (
    select *
    from (
        values
        ('whole', 75.0, 0, 0.012, 0.0000333333),
        ('not rounded', 75.1234, null, 0.012, 0.0)
    ) as examples (example, value, decimals, expected_se, expected_rounding)
),

columns_added as (
    select
        *,
        50.0 as lower_95,
        100.0 as upper_95,
        0.6 as se,
        'percent' as unit
    from cases
),

computed as (
    select
        *,
        {{ test_columns('columns_added') }}
    from columns_added
)

select *
from computed
where
    test_value is null
    or abs(test_se - expected_se) > 0.0000001
    or abs(test_rounding - expected_rounding) > 0.0000001
