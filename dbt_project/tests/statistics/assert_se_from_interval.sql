-- Standard errors of the worked example, Participation Survey 2023/24, and the floor.
with cases as (
    select *
    from (
        values
        ('Birmingham, arts', 83.0, 87.0, 85.0, cast(null as bigint), 1.0204),
        ('Coventry, arts', 81.0, 88.0, 84.0, cast(null as bigint), 1.7857),
        ('Dudley, arts', 85.0, 91.0, 88.0, cast(null as bigint), 1.5306),
        ('Wolverhampton, arts', 79.0, 87.0, 83.0, cast(null as bigint), 2.0409),
        ('Birmingham, libraries', 24.0, 29.0, 27.0, cast(null as bigint), 1.2755),
        ('Walsall, libraries', 17.0, 26.0, 21.0, cast(null as bigint), 2.296),
        ('England, libraries, no width', 25.0, 25.0, 25.0, 171748, 0.1322),
        ('England, arts, a width of one', 90.0, 91.0, 90.0, 171748, 0.2551),
        ('narrow, wider than the floor', 90.0, 90.9, 90.4, 171748, 0.2296),
        ('no width and no base', 25.0, 25.0, 25.0, cast(null as bigint), cast(null as double)),
        ('value outside its interval', 88.0, 88.0, 89.0, 550, cast(null as double))
    ) as examples (example, lower_95, upper_95, value, base, expected)
),

computed as (
    select
        *,
        {{ se_from_interval('lower_95', 'upper_95', 'value', 'base') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
