{#
  A pair of figures in one or two sentences: what both are, what the test says and how small a change
  it could find. Columns are those of int_changes.
#}
{% macro change_sentence() -%}
    case
        when is_movement
            then
                case
                    when group_movement > 0
                        then 'Up from group ' || from_group_number || ' to group ' || to_group_number
                    when group_movement < 0
                        then 'Down from group ' || from_group_number || ' to group ' || to_group_number
                    else 'Same group (' || to_group_number || ', ' || to_group_label || ')'
                end
                || ' in ' || {{ years_in_words('to') }} || ' as against '
                || {{ years_in_words('from') }} || '; its score moved from '
                || {{ score_in_words('from_value') }} || ' to ' || {{ score_in_words('to_value') }}
                || '. Position among the areas of the United Kingdom, not a level.'
        when unit != 'z_score'
            then
                'In ' || {{ area_in_words('area_name', 'area_level') }} || ', '
                || case when of_adults then '' else statement || ' was ' end
                || {{ figure_in_words(
                    'to_value', figure_mark('to_origin', 'to_status'), 'unit', 'decimals'
                ) }}
                || ' in ' || to_title || ', after '
                || {{ figure_in_words(
                    'from_value', figure_mark('from_origin', 'from_status'), 'unit', 'decimals'
                ) }}
                || ' in ' || from_title
                || case
                    when z is null then '. No test of the change: ' || reason
                    when abs(z) <= {{ confidence_z() }}
                        then
                            ': no change shown'
                            || case when close_call then ', though the call is close' else '' end
                            || '.'
                    else
                        case when change > 0 then ': an increase' else ': a decrease' end
                        || ' of about ' || {{ difference_in_words('change', 'unit', 'decimals') }}
                        || case when close_call then ', though the call is close' else '' end
                        || '.'
                end
                || coalesce(
                    ' A true change of about '
                    || {{ difference_in_words('minimum_detectable_change', 'unit', 'decimals') }}
                    || ' would be found with a probability of 80%.', ''
                )
                || case
                    when grade = 'caution' then ' Caution: ' || grade_reason || '.'
                    else ''
                end
        else 'No change is computed: ' || reason
    end
{%- endmacro %}

{# A standard score with two decimals. #}
{% macro score_in_words(value) -%}
{{ rounded_text(value, 2) }}
{%- endmacro %}

{# The years of a period, of columns with the given prefix. #}
{% macro years_in_words(prefix) -%}
year({{ prefix }}_period_start)
|| case
    when year({{ prefix }}_period_start) != year({{ prefix }}_period_end)
        then ' to ' || year({{ prefix }}_period_end)
    else ''
end
{%- endmacro %}
