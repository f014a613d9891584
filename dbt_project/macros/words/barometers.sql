{# A title inside a sentence: only its first letter loses its capital. #}
{% macro title_in_words(title) -%}
lower(substr({{ title }}, 1, 1)) || substr({{ title }}, 2)
{%- endmacro %}

{#
  The sentence of a cell of `barometers`: a share beside England's, a group of an index, or why
  there is no figure. Reads the columns of comparison_sentence, and title, unit, group_number,
  group_label, groups, period_start, period_end, status, status_reason and england_value.
#}
{% macro barometer_sentence() -%}
case
    when unit = 'z_score' and group_label is not null
        then
            'On the ' || {{ title_in_words('title') }} || ', ' || area_words || ' is in group '
            || group_number || ' of ' || groups || ', ' || group_label || ' (' || edition_title
            || ', years ' || year(period_start) || ' to ' || year(period_end) || ').'
    when unit = 'z_score'
        then
            'There is no figure on the ' || {{ title_in_words('title') }} || ' for ' || area_words
            || ' (' || edition_title || '). ' || coalesce(status_reason, '')
    when value is not null then {{ comparison_sentence() }}
    else
        case
            when of_adults
                then
                    'There is no figure for the share of adults in ' || area_words || ' who '
                    || statement
            else 'There is no figure for ' || statement || ' in ' || area_words
        end
        || ' (' || edition_title || '): '
        || case status
            when 'not_held' then 'the publisher''s tables are not held here.'
            when 'suppressed' then 'the publisher holds it back.'
            else 'none is published for this area.'
        end
        || case
            when comparator_value is null then ''
            else
                ' For ' || comparator_words || ' it is '
                || {{ figure_in_words(
                    'comparator_value', 'comparator_mark', 'unit', 'decimals_shown'
                ) }} || '.'
        end
end
{%- endmacro %}
