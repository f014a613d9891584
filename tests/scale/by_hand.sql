-- What an analyst would write for the figures of small areas and their changes, straight from the
-- observations: no row of another area, no reasons, no words.
create table figures as
with measured as (
    select
        edition,
        measure as barometer_id,
        area_code,
        status,
        value,
        lower_95,
        upper_95,
        (upper_95 - lower_95) / (2 * 1.959963984540054) as standard_error
    from pulse.raw.observations
    where dataset = 'made_up_survey' and area_level = 'lsoa'
)

select
    *,
    (1.959963984540054 + 0.8416212335729143) * sqrt(2) * standard_error as minimum_detectable_change
from measured
order by area_code, barometer_id, edition;

create table changes as
with decimals as (
    select
        measure as barometer_id,
        edition,
        max(case when value = round(value) then 0 else 1 end) as decimals
    from pulse.raw.observations
    where dataset = 'made_up_survey'
    group by measure, edition
),

scaled as (
    select
        figures.*,
        cbrt(value / 100) - cbrt(1 - value / 100) as test_value,
        (
            cbrt(upper_95 / 100) - cbrt(1 - upper_95 / 100)
            - cbrt(lower_95 / 100) + cbrt(1 - lower_95 / 100)
        ) / (upper_95 - lower_95) as slope,
        power(0.01, decimals) / 12 as rounding
    from figures
    inner join decimals using (barometer_id, edition)
    where value is not null
),

placed as (
    select
        *,
        lag(edition) over series as previous,
        last_value(edition) over whole as newest,
        first_value(edition) over whole as oldest
    from scaled
    window
        series as (partition by barometer_id, area_code order by edition),
        whole as (
            partition by barometer_id, area_code order by edition
            rows between unbounded preceding and unbounded following
        )
),

pairs as (
    select *, 'consecutive' as change_kind, previous as from_edition
    from placed where previous is not null
    union all
    select *, 'baseline_to_latest' as change_kind, '2015' as from_edition
    from placed where edition = newest and oldest = '2015' and edition != '2015'
),

differences as (
    select
        later.barometer_id,
        later.area_code,
        later.change_kind,
        later.from_edition,
        later.edition as to_edition,
        later.value - earlier.value as difference,
        later.value as to_value,
        later.test_value - earlier.test_value as test_difference,
        power(later.slope * later.standard_error, 2)
        + power(earlier.slope * earlier.standard_error, 2) as sampling,
        power(later.slope, 2) * later.rounding + power(earlier.slope, 2) * earlier.rounding as rounding,
        sqrt(
            power(later.standard_error, 2) + power(earlier.standard_error, 2)
            + later.rounding + earlier.rounding
        ) as error_in_points
    from pairs as later
    inner join scaled as earlier
        on
            later.barometer_id = earlier.barometer_id
            and later.area_code = earlier.area_code
            and later.from_edition = earlier.edition
),

tested as (
    select
        *,
        test_difference / sqrt(sampling + rounding) as z,
        test_difference / sqrt(sampling) as sampling_z,
        case
            when abs(test_difference / sqrt(sampling + rounding)) < 0.000000001
                then
                    300 * sqrt(sampling + rounding)
                    / (power(to_value / 100, -2 / 3) + power(1 - to_value / 100, -2 / 3))
            else difference * sqrt(sampling + rounding) / test_difference
        end as error
    from differences
),

judged as (
    select *, {{ two_sided_p('z') }} as p_value
    from tested
),

ranked as (
    select
        *,
        count(*) over family as tests,
        rank() over (family order by p_value desc) as from_the_end
    from judged
    window family as (partition by area_code, change_kind, from_edition, to_edition)
)

select
    barometer_id,
    area_code,
    change_kind,
    from_edition,
    to_edition,
    difference,
    difference - 1.959963984540054 * error as difference_lower_95,
    difference + 1.959963984540054 * error as difference_upper_95,
    z,
    sampling_z,
    p_value,
    (1.959963984540054 + 0.8416212335729143) * error_in_points as minimum_detectable_change,
    case
        when abs(z) <= 1.959963984540054 then 'similar'
        when z > 0 then 'better'
        else 'worse'
    end as outcome,
    abs(z) > 1.64 and abs(z) < 2.33 or abs(sampling_z) > 1.64 and abs(sampling_z) < 2.33 as close_call,
    min(p_value * tests / (tests - from_the_end + 1)) over (
        partition by area_code, change_kind, from_edition, to_edition order by p_value desc
    ) <= 0.05 as survives_family
from ranked
order by area_code, barometer_id, to_edition;
