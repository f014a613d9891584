-- Birmingham inside WMCA: libraries, share 0.3823; and two separate areas.
with cases as (
    select *
    from (
        values
        ('Birmingham in WMCA', 1.2755, 0.7017, 0.3823, 0.8753),
        ('two areas', 1.2755, 0.7017, 0.0, 2.1193),
        ('share unknown', 1.2755, 0.7017, cast(null as double), 2.1193)
    ) as examples (example, se_part, se_whole, share, expected)
),

computed as (
    select
        *,
        {{ part_whole_variance('se_part', 'se_whole', 'share') }} as found
    from cases
)

select *
from computed
where
    (found is null) != (expected is null)
    or abs(found - expected) > 0.0001
