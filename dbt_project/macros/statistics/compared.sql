{#
  The test of every pair, as columns on a relation that has both figures (value, se, lower_95,
  upper_95, decimals; the other's with the prefix comparator_), unit, and the share of either that
  the other is (share_of_comparator, share_in_area; null for separate areas). Adds difference,
  difference_se, z, sampling_z (without rounding), and sampling_variance and rounding_variance on
  the scale of the test. An area inside its comparator is tested against the rest of it.
#}
{% macro compared(relation) -%}
    select
        scored.*,
        {{ difference_se(
            'difference', 'z', '(sampling_variance + rounding_variance)', 'value', 'unit'
        ) }} * case when {{ is_zero("z") }} then 1 - coalesce(share, 0) else 1 end as difference_se
    from (
        select
            scaled.* exclude (first_scaled, second_scaled),
            {{ z_score('first_scaled - second_scaled', '(sampling_variance + rounding_variance)') }}
                as z,
            {{ z_score('first_scaled - second_scaled', 'sampling_variance') }} as sampling_z
        from (
            select
                sides.* exclude (
                    first_value, first_se, first_slope, second_value, second_se, second_slope
                ),
                value - comparator_value as difference,
                {{ test_scale('first_value', 'unit') }} as first_scaled,
                {{ test_scale('second_value', 'unit') }} as second_scaled,
                power(first_slope * first_se, 2) + power(second_slope * second_se, 2)
                    as sampling_variance,
                (
                    power(first_slope, 2) * {{ rounding_variance('decimals', 'null') }}
                    + power(second_slope, 2)
                    * {{ rounding_variance('comparator_decimals', 'null') }}
                ) / power(1 - coalesce(share, 0), 2) as rounding_variance
            from (
                select
                    rests.*,
                    coalesce(share_of_comparator, share_in_area) as share,
                    {% for side, prefix, share in [
                        ('first', '', 'share_in_area'),
                        ('second', 'comparator_', 'share_of_comparator'),
                    ] %}
                        {% set spread = confidence_z() ~ ' * ' ~ side ~ '_se' %}
                        case
                            when {{ share }} is null
                                then
                                    {{ test_slope(
                                        prefix ~ 'value', prefix ~ 'lower_95',
                                        prefix ~ 'upper_95', 'unit'
                                    ) }}
                            else
                                {{ test_slope(
                                    side ~ '_value', '(' ~ clip(side ~ '_value - ' ~ spread) ~ ')',
                                    '(' ~ clip(side ~ '_value + ' ~ spread) ~ ')', 'unit'
                                ) }}
                        end as {{ side }}_slope{{ ',' if not loop.last }}
                    {% endfor %}
                from (
                    select
                        pairs.*,
                        {{ rest_value('comparator_value', 'value', 'share_in_area', 'unit') }}
                            as first_value,
                        {{ rest_se('comparator_se', 'se', 'share_in_area') }} as first_se,
                        {{ rest_value('value', 'comparator_value', 'share_of_comparator', 'unit') }}
                            as second_value,
                        {{ rest_se('se', 'comparator_se', 'share_of_comparator') }} as second_se
                    from {{ relation }} as pairs
                ) as rests
            ) as sides
        ) as scaled
    ) as scored
{%- endmacro %}
