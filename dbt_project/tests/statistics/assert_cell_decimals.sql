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

columns_added as (
    select
        *,
        '2023-24' as edition,
        'dcms_participation' as source_dataset
    from cases
),

computed as (
    select
        *,
        {{ cell_decimals('columns_added') }} as found
    from columns_added
)

select *
from computed
where found is distinct from expected
