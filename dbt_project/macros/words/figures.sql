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

{# A percent with its mark: `89% [e]`. #}
{% macro figure_in_words(value, mark) -%}
concat_ws(' ', {{ percent_in_words(value) }}, {{ mark }})
{%- endmacro %}

{# The 95% interval in brackets with a space before it, or an empty text. #}
{% macro interval_in_words(lower, upper) -%}
case
    when {{ lower }} is not null and {{ upper }} is not null
        then
            ' (95% interval ' || {{ percent_in_words(lower) }} || ' to '
            || {{ percent_in_words(upper) }} || ')'
    else ''
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
