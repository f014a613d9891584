-- WMCA, arts, Participation Survey 2023/24 with mid-2020 weights: [84.32, 86.63] about 85.48.
with members as (
    select *
    from (
        values
        (0.382333, 85.0, 83.0, 87.0),
        (0.132610, 84.0, 81.0, 88.0),
        (0.112579, 88.0, 85.0, 91.0),
        (0.110008, 85.0, 82.0, 88.0),
        (0.075615, 91.0, 87.0, 93.0),
        (0.097118, 85.0, 81.0, 88.0),
        (0.089739, 83.0, 79.0, 87.0)
    ) as examples (weight, value, lower_95, upper_95)
),

computed as (
    select
        {{ mover_limit('weight', 'value', 'lower_95', 'lower') }} as lower_95,
        {{ mover_limit('weight', 'value', 'upper_95', 'upper') }} as upper_95
    from members
)

select *
from computed
where abs(lower_95 - 84.32) > 0.005 or abs(upper_95 - 86.63) > 0.005
