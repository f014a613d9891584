-- The trend of the five newest yearly figures of an area: a straight line by weighted least squares,
-- weights 1 / SE^2. docs/methods.md#trends
with figures as (

    select
        cells.*,
        indicators.role,
        indicators.trend,
        indicators.statement,
        indicators.decimals,
        year(cells.period_start) as year,
        row_number() over (
            partition by cells.barometer_id, cells.area_code order by cells.period_start desc
        ) as newest
    from {{ ref('int_barometer_cells') }} as cells
    inner join {{ ref('int_indicators') }} as indicators
        on cells.barometer_id = indicators.barometer_id
    inner join {{ ref('areas') }} as areas on cells.area_code = areas.area_code
    where
        indicators.trend is not null
        and cells.value is not null
        and areas.valid_to is null

),

points as (

    select
        *,
        1 / (se * se) as weight,
        year - max(year) over (partition by barometer_id, area_code) as x
    from figures
    where newest <= 5

),

sums as (

    select
        barometer_id,
        area_code,
        min(goal_id) as goal_id,
        min(role) as role,
        min(trend) as trend_kind,
        min(statement) as statement,
        min(decimals) as decimals,
        min(area_name) as area_name,
        min(area_level) as area_level,
        min(unit) as unit,
        min(polarity) as polarity,
        min(edition) as first_edition,
        max(edition) as last_edition,
        cast(count(*) as integer) as points,
        count(se) as points_with_se,
        max(year) - min(year) = count(*) - 1 as is_yearly,
        sum(weight) as w,
        sum(weight * x) as wx,
        sum(weight * value) as wy,
        sum(weight * x * x) as wxx,
        sum(weight * x * value) as wxy
    from points
    group by barometer_id, area_code

),

lines as (

    select
        *,
        (w * wxy - wx * wy) / nullif(w * wxx - wx * wx, 0) as slope,
        sqrt(w / nullif(w * wxx - wx * wx, 0)) as slope_se
    from sums
    where points = 5 and points_with_se = 5 and is_yearly

),

-- The direction must survive without any one of the points.
without_one as (

    select
        points.barometer_id,
        points.area_code,
        bool_and(
            sign(
                (lines.w - points.weight) * (lines.wxy - points.weight * points.x * points.value)
                - (lines.wx - points.weight * points.x)
                * (lines.wy - points.weight * points.value)
            ) = sign(lines.slope)
        ) as keeps_direction
    from points
    inner join lines
        on points.barometer_id = lines.barometer_id and points.area_code = lines.area_code
    group by points.barometer_id, points.area_code

)

select
    sums.* exclude (w, wx, wy, wxx, wxy), -- noqa: RF02
    lines.slope,
    lines.slope_se,
    power(lines.slope / lines.slope_se, 2) as chi_squared,
    without_one.keeps_direction,
    case
        when lines.slope is null then 'cannot_be_calculated'
        when
            power(lines.slope / lines.slope_se, 2) > {{ var('trend_chi_squared', 9.5495) }}
            and without_one.keeps_direction
            then case when lines.slope > 0 then 'increasing' else 'decreasing' end
        else 'no_change'
    end as trend,
    case
        when sums.points < 5
            then 'A trend needs five yearly figures; there are ' || sums.points || '.'
        when not sums.is_yearly then 'The five newest figures are not those of five years in a row.'
        when sums.points_with_se < 5
            then 'No usable interval is published for one of the five years.'
    end as reason
from sums
left join lines on sums.barometer_id = lines.barometer_id and sums.area_code = lines.area_code
left join without_one
    on sums.barometer_id = without_one.barometer_id and sums.area_code = without_one.area_code
