with trends as (

    select
        *,
        slope - {{ confidence_z() }} * slope_se as slope_lower_95,
        slope + {{ confidence_z() }} * slope_se as slope_upper_95,
        'weighted_least_squares_' || trend_kind || '_v1' as method
    from {{ ref('int_trends') }}

)

select
    cast(barometer_id as varchar) as barometer_id,
    cast(goal_id as varchar) as goal_id,
    cast(role as varchar) as role,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(area_level as varchar) as area_level,
    cast(unit as varchar) as unit,
    cast(polarity as varchar) as polarity,
    cast(first_edition as varchar) as first_edition,
    cast(last_edition as varchar) as last_edition,
    cast(points as integer) as points,
    cast(slope as double) as slope,
    cast(slope_lower_95 as double) as slope_lower_95,
    cast(slope_upper_95 as double) as slope_upper_95,
    cast(chi_squared as double) as chi_squared,
    cast(keeps_direction as boolean) as keeps_direction,
    cast(trend as varchar) as trend,
    cast(
        case
            when trend in ('increasing', 'decreasing')
                then {{ comparison_outcome('slope / slope_se', 'polarity') }}
            when trend = 'no_change' then 'similar'
            else 'cannot_say'
        end as varchar
    ) as outcome,
    cast(reason as varchar) as reason,
    cast(
        'In ' || {{ area_in_words('area_name', 'area_level') }} || ', ' || statement
        || case trend
            when 'cannot_be_calculated' then ' has no trend that can be calculated. ' || reason
            when 'no_change'
                then
                    ' shows no steady trend from ' || first_edition || ' to ' || last_edition || '.'
            else
                case trend when 'increasing' then ' rose' else ' fell' end || ' by about '
                || {{ difference_in_words('slope', 'unit', 'decimals + 1') }}
                || ' a year from ' || first_edition || ' to ' || last_edition
                || ' (a straight line through five yearly figures, by weighted least squares).'
        end as varchar
    ) as sentence,
    cast(method as varchar) as method
from trends
order by barometer_id, area_code
