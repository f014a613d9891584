-- The column shows one decimal because one of its figures does; ours is not rounded.
with cases as (
    select *
    from (
        values
        ('whole beside a decimal', 'b1', 'published', 24.0, 1),
        ('the decimal', 'b1', 'published', 23.5, 1),
        ('ours in the same column', 'b1', 'population_weighted_v1', 24.31, cast(null as integer)),
        ('whole numbers only', 'b2', 'published', 90.0, 0)
    ) as examples (example, barometer_id, method, value, expected)
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
