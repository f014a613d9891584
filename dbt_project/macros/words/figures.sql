{# A share as a whole percent, half up; only 0 is written as 0% and only 100 as 100%. #}
{% macro percent_in_words(value) -%}
case
    when {{ value }} > 0 and {{ value }} < 0.5 then 'under 1%'
    when {{ value }} >= 99.5 and {{ value }} < 100 then 'over 99%'
    else cast(cast({{ round_half_up(value) }} as integer) as varchar) || '%'
end
{%- endmacro %}

{# The size of a difference in whole points, half up. #}
{% macro points_in_words(difference) -%}
case
    when abs({{ difference }}) < 0.5 then 'under 1 point'
    when {{ round_half_up('abs(' ~ difference ~ ')') }} = 1 then '1 point'
    else cast(cast({{ round_half_up('abs(' ~ difference ~ ')') }} as integer) as varchar) || ' points'
end
{%- endmacro %}

{#
  The mark that follows a number: [quoted] for a publisher's figure as somebody else printed it,
  [e] for a figure computed here, [u] for one of low reliability. Null for a plain figure.
#}
{% macro figure_mark(origin, status) -%}
nullif(
    concat_ws(
        ' ',
        case {{ origin }} when 'reported' then '[quoted]' when 'derived' then '[e]' end,
        case when {{ status }} = 'low_reliability' then '[u]' end
    ),
    ''
)
{%- endmacro %}

{# A number with commas between thousands, half up, in the decimals of its indicator. #}
{% macro number_in_words(value, decimals) -%}
case {{ decimals }}
    when 0 then {{ rounded_text(value, 0, commas=true) }}
    when 1 then {{ rounded_text(value, 1, commas=true) }}
    else {{ rounded_text(value, 2, commas=true) }}
end
{%- endmacro %}

{# A value with its unit: `89%`, `67.3%`, `£643`, `62.7 years`. #}
{% macro value_in_words(value, unit, decimals) -%}
case
    when {{ unit }} = 'percent' and {{ decimals }} = 0 then {{ percent_in_words(value) }}
    else
        case when {{ unit }} in ('pounds', 'pounds_million') then '£' else '' end
        || {{ number_in_words(value, decimals) }}
        || case {{ unit }}
            when 'percent' then '%'
            when 'pounds_million' then ' million'
            when 'years' then ' years'
            when 'minutes' then ' minutes'
            when 'score' then ' out of 10'
            else ''
        end
end
{%- endmacro %}

{# A figure with its mark: `89% [e]`; a whole percent where no unit is given. #}
{% macro figure_in_words(value, mark, unit=none, decimals=none) -%}
concat_ws(
    ' ',
    {{ value_in_words(value, unit, decimals) if unit else percent_in_words(value) }},
    {{ mark }}
)
{%- endmacro %}

{# The 95% interval in brackets with a space before it, or an empty text; a unit in words once. #}
{% macro interval_in_words(lower, upper, unit=none, decimals=none) -%}
case
    when {{ lower }} is not null and {{ upper }} is not null
        then
            ' (95% interval '
            {%- if unit %}
            || case
                when {{ unit }} in ('years', 'minutes', 'score')
                    then {{ number_in_words(lower, decimals) }}
                else {{ value_in_words(lower, unit, decimals) }}
            end
            || ' to ' || {{ value_in_words(upper, unit, decimals) }} || ')'
            {%- else %}
            || {{ percent_in_words(lower) }} || ' to ' || {{ percent_in_words(upper) }} || ')'
            {%- endif %}
    else ''
end
{%- endmacro %}

{# The size of a difference: in points of a percentage, else in the unit itself. #}
{% macro difference_in_words(difference, unit, decimals) -%}
case
    when {{ unit }} = 'percent' and {{ decimals }} = 0 then {{ points_in_words(difference) }}
    when {{ unit }} = 'percent'
        then {{ number_in_words('abs(' ~ difference ~ ')', decimals) }} || ' points'
    else replace({{ value_in_words('abs(' ~ difference ~ ')', unit, decimals) }}, ' out of 10', '')
end
{%- endmacro %}

{# A period that a file prints: a day, a year, a year that begins within one, or several years. #}
{% macro period_in_words(starts, ends) -%}
case
    when {{ starts }} = {{ ends }}
        then day({{ starts }}) || ' ' || {{ month_in_words(starts) }} || ' ' || year({{ starts }})
    when year({{ starts }}) = year({{ ends }}) then cast(year({{ starts }}) as varchar)
    when month({{ starts }}) = 1 then year({{ starts }}) || ' to ' || year({{ ends }})
    else year({{ starts }}) || '/' || right(cast(year({{ ends }}) as varchar), 2)
end
{%- endmacro %}

{# A small count as running text has it: words up to nine, digits beyond. #}
{% macro count_in_words(number) -%}
case {{ number }}
    {%- for word in ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'] %}
    when {{ loop.index0 }} then '{{ word }}'
    {%- endfor %}
    else cast({{ number }} as varchar)
end
{%- endmacro %}
