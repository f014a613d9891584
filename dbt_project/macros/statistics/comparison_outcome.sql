{#
  The declared rule: two-sided z at 95%. 'better', 'similar' or 'worse' where the barometer has a
  direction (polarity 'high_good' or 'low_good'), 'higher', 'similar' or 'lower' where it has none,
  'cannot_say' where there is no z. Exactly at the threshold is 'similar'.
#}
{% macro comparison_outcome(z, polarity) -%}
    case
        when {{ z }} is null then 'cannot_say'
        when abs({{ z }}) <= {{ confidence_z() }} then 'similar'
        when {{ polarity }} = 'high_good'
            then case when {{ z }} > 0 then 'better' else 'worse' end
        when {{ polarity }} = 'low_good'
            then case when {{ z }} > 0 then 'worse' else 'better' end
        when {{ z }} > 0 then 'higher'
        else 'lower'
    end
{%- endmacro %}
