-- Which rule gives a row its standard error.
with cases as (
    select *
    from (
        values
        ('authority', 83.0, 87.0, 85.0, 550, 'interval'),
        ('England, no width', 25.0, 25.0, 25.0, 171748, 'interval_floor'),
        ('no width and no base', 25.0, 25.0, 25.0, cast(null as bigint), 'none'),
        ('narrow, no base', 25.1, 25.7, 25.3, cast(null as bigint), 'interval'),
        ('value outside', 88.0, 88.0, 89.0, 550, 'none'),
        ('no limits', cast(null as double), cast(null as double), 89.0, 550, 'none')
    ) as examples (example, lower_95, upper_95, value, base, expected)
),

computed as (
    select
        *,
        {{ se_method('lower_95', 'upper_95', 'value', 'base') }} as found
    from cases
)

select *
from computed
where found is distinct from expected
