{# Why a claim has its verdict, in a sentence; columns are those of int_claim_verdicts. #}
{% macro claim_explanation() -%}
    case
        when verdict = 'contradicted_within_report'
            then
                'The report prints ' || printed || ' for this figure. '
                || case
                    when range_low is not null then 'Both fit what it prints of the '
                        || 'members, which allows ' || {{ claim_range() }} || '. '
                    else ''
                end
                || 'The publisher''s table is not held, so neither can be confirmed.'
        when verdict in ('possible', 'impossible') and outcome is null
            then
                'The lowest and the highest member that the report prints, with the members'' '
                || 'weights, allow ' || {{ claim_range() }} || ' for this area'
                || case
                    when question = 'comparison' and england_value is not null
                        then ', England having ' || cast({{ round_half_up('england_value') }} as integer) || '%'
                    else ''
                end
                || '. That is the report''s own print and confirms nothing.'
        when question = 'regions'
            then
                'The index has no regional values: it places local areas, not regions. This can '
                || 'never be computed.'
        when verdict = 'cannot_be_computed' and against = 'region'
            then
                'The appendix says that this comparison is regional only and from ' || claimed_edition
                || '; no figures with an interval are held for the region in that edition.'
        when verdict = 'cannot_be_computed' and question = 'percent' and figure is not null
            then
                'Our figure is ' || our_value || '%, but figures for all ' || members
                || ' authorities are needed to say which is the extreme; ' || members_held
                || ' are held.'
        when verdict = 'cannot_be_computed' and only_reported
            then
                'The only figure held is the report''s own, which cannot confirm itself. The '
                || 'publisher''s table is needed.'
        when verdict = 'cannot_be_computed'
            then coalesce(status_reason, 'No figure with an interval is held for this claim.')
        when question = 'percent'
            then
                'Ours is ' || our_value || '%, from ' || edition_title
                || coalesce('; the report prints ' || printed, '') || '.'
        when question = 'areas' then 'The file has ' || areas || ' areas.'
        when question = 'count_in_groups'
            then
                members_in_groups || ' of the ' || members || ' authorities are in: '
                || replace(groups, '|', ', ') || '.'
        when question = 'most_areas'
            then
                areas_in_claimed_group || ' of ' || areas || ' areas are in the ' || claimed_value
                || '; of the ' || members || ' authorities of the report ' || members_in_claimed_group
                || ' are.'
        when question = 'group' then area_name || ' is in the group ' || group_label || '.'
        when question = 'groups'
            then
                'The index has no value for the combined authority. Its ' || members
                || ' members are ' || our_value || ' of ' || groups_in_list || '; the middle is group '
                || cast(floor((groups_in_list + 1) / 2) as integer) || '.'
        when question = 'comparison'
            then
                'By a two-sided test at 95%: '
                || case
                    when outcome in ('worse', 'lower') then 'lower than England'
                    when outcome = 'similar' then 'similar to England'
                    else 'higher than England'
                end
                || ' (difference ' || {{ rounded_text('difference', 1) }} || ' points, z '
                || {{ rounded_text('z', 2) }} || ')'
                || case when close_call then '; too close to call' else '' end
                || case
                    when others > 0
                        then
                            '; of ' || others || ' other combined authorities lower than '
                            || lower_than_others || ' and similar to ' || similar_to_others
                            || ' (the report does not name those that it shows)'
                    else ''
                end
                || '.'
    end
{%- endmacro %}

{# The range that the printed extremes allow. #}
{% macro claim_range() -%}
{{ rounded_text('range_low', 1) }} || '% to ' || {{ rounded_text('range_high', 1) }} || '%'
{%- endmacro %}
