-- The most decimals in the column, whichever the cell has; none for a column that is not rounded,
-- nor for our own figures.
with cases as (
    select *
    from (
        values
        ('whole beside a decimal', 'b1', 'publisher', 'published', 24.0, 1),
        ('the decimal', 'b1', 'publisher', 'published', 23.5, 1),
        ('ours', 'b1', 'derived', 'population_weighted_v1', 24.31, cast(null as integer)),
        ('whole numbers only', 'b2', 'publisher', 'published', 90.0, 0),
        ('a whole number of a column that is not rounded', 'b3', 'publisher', 'published', 41.0, null),
        ('another number of that column', 'b3', 'publisher', 'published', 40.73787438, null),
        ('a quoted figure of the same barometer', 'b3', 'reported', 'published', 41.0, 0)
    ) as examples (example, barometer_id, origin, method, value, expected)
),

stored as (
    select
        barometer_id,
        origin,
        method,
        {{ cell_decimals('value', 'method') }} as found
    from cases
    group by barometer_id, origin, method
),

computed as (
    select
        cases.*,
        stored.found
    from cases
    inner join stored
        on
            cases.barometer_id = stored.barometer_id
            and cases.origin = stored.origin
            and cases.method = stored.method
)

select *
from computed
where found is distinct from expected
