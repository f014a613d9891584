{# Standard error in points of a percentage from the smallest sample thought plausible for an area. #}
{% macro plausible_se(value) -%}
sqrt(
    {{ var('plausible_design_effect') }} * {{ clip(value) }} * (100 - {{ clip(value) }})
    / {{ var('plausible_interviews') }}
)
{%- endmacro %}

{#
  True where a pair has no test for want of an interval, and its gap is larger than sampling could
  explain even if each side without one rested on the smallest plausible sample.
#}
{% macro gap_is_implausible() -%}
coalesce(
    of_adults
    and reason_code in (
        'quoted', 'comparator_quoted', 'no_standard_errors', 'no_standard_error',
        'no_comparator_standard_error'
    )
    and abs(difference) > {{ confidence_z() }} * sqrt(
        power(coalesce(se, {{ plausible_se('value') }}), 2)
        + power(coalesce(comparator_se, {{ plausible_se('comparator_value') }}), 2)
        + {{ rounding_variance('decimals', 'comparator_decimals') }}
    ),
    false
)
{%- endmacro %}

{# Why a pair has no verdict, as a sentence; null where it has one. #}
{% macro comparison_reason() -%}
case reason_code
    when 'middle_of_several'
        then
            'The middle of several areas has no interval; theirs run from '
            || {{ value_in_words('comparator_lowest', 'unit', 'decimals_shown') }} || ' to '
            || {{ value_in_words('comparator_highest', 'unit', 'decimals_shown') }} || '.'
    when 'no_comparator_figure' then 'There is no figure for ' || comparator_words || '.'
    when 'same_area' then
            'There is nothing to compare: ' || area_words || ' and ' || comparator_words
            || ' are the same area.'
    when 'quoted'
        then
            'The figure for ' || area_words || ' is quoted from another publication, and no '
            || 'interval is published for it.'
    when 'comparator_quoted'
        then
            'The figure for ' || comparator_words || ' is quoted from another publication, and no '
            || 'interval is published for it.'
    when 'no_standard_errors'
        then
            'No interval is published for ' || area_words || ' or for ' || comparator_words || '.'
    when 'no_standard_error' then 'No interval is published for ' || area_words || '.'
    when 'no_comparator_standard_error'
        then 'No interval is published for ' || comparator_words || '.'
    when 'base_too_small'
        then 'Too few people answered in ' || area_words || ' (' || base || ').'
    when 'comparator_base_too_small'
        then 'Too few people answered in ' || comparator_words || ' (' || comparator_base || ').'
    when 'intervals_disagree'
        then
            'The published intervals of ' || area_words || ' and ' || comparator_words
            || ' cannot both hold for a part and its whole.'
    when 'printed_too_coarsely'
        then
            'The figures are printed too coarsely for a difference as small as theirs: rounding '
            || 'spreads it more than sampling.'
end
{%- endmacro %}

{#
  The verdict as it follows the figure, with a comma before it; empty where there is none. A close
  call reads the same whichever side of the threshold it lies on.
#}
{% macro verdict_in_words(outcome, close_call, difference, other) -%}
case
    when {{ outcome }} is null or {{ outcome }} = 'cannot_say' then ''
    when {{ close_call }} then ', too close to call against ' || {{ other }}
    when {{ outcome }} = 'similar' then ', similar to ' || {{ other }}
    when {{ difference }} > 0 then ', higher than ' || {{ other }}
    else ', lower than ' || {{ other }}
end
{%- endmacro %}

{#
  The sentence of a figure beside its comparator. Reads the columns area_words, statement, of_adults,
  unit, decimals_shown, value, lower_95, upper_95, mark, edition_title, comparator_words,
  comparator_value, comparator_mark, difference, outcome, close_call, reason and
  gap_exceeds_any_sample; without a comparator the sentence gives the figure alone.
#}
{% macro comparison_sentence() -%}
{%- set figure = figure_in_words('value', 'mark', 'unit', 'decimals_shown') -%}
{%- set other = figure_in_words('comparator_value', 'comparator_mark', 'unit', 'decimals_shown') -%}
'In ' || area_words || ', '
|| case
    when of_adults then {{ figure }} || ' of adults ' || statement
    else statement || ' was ' || {{ figure }}
end
|| {{ interval_in_words('lower_95', 'upper_95', 'unit', 'decimals_shown') }}
|| case
    when comparator_value is null then ''
    else {{ verdict_in_words(
        'outcome', 'close_call', 'difference',
        "comparator_words || ' (' || " ~ other ~ " || ')'"
    ) }}
end
|| ' (' || edition_title || ').'
|| case
    when outcome is null or outcome != 'cannot_say' then ''
    when comparator_value is null then ' ' || reason
    else
        ' For ' || comparator_words || ' the figure is '
        || {{ other }}
        || '; the difference cannot be tested. ' || reason
end
|| case
    when gap_exceeds_any_sample
        then
            ' The gap of ' || {{ points_in_words('difference') }} || ' is more than sampling alone '
            || 'would explain, even if a figure without an interval rested on only '
            || '{{ var('plausible_interviews') }} interviews with a design effect of '
            || '{{ var('plausible_design_effect') }}.'
    else ''
end
{%- endmacro %}

{# What a comparator is that was picked for its value: `the highest figure among its peers`. #}
{% macro peer_in_words(relation) -%}
case
    when
        ({{ relation }}.comparator_kind = 'best_peer')
        = (coalesce({{ relation }}.polarity, 'high_good') != 'low_good')
        then 'the highest figure among its peers'
    else 'the lowest figure among its peers'
end
{%- endmacro %}
