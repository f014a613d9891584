-- `agrees` and `differs` rest on a figure held; `possible` and `impossible` on what the report itself
-- prints, which confirms nothing. docs/methods.md#the-reports-claims

with contradictions as (

    select
        barometer_id,
        area_code,
        {{ joined_distinct("claimed_value || '%'", ' and ') }} as printed
    from {{ ref('int_claim_figures') }}
    where statistic = 'value' and unit = 'percent'
    group by barometer_id, area_code
    having count(distinct claimed_value) > 1

),

joined as (

    select
        figures.* exclude (origin, source_dataset, provenance_id),
        coalesce(tests.origin, figures.origin) as origin,
        coalesce(tests.source_dataset, figures.source_dataset) as source_dataset,
        coalesce(tests.provenance_id, figures.provenance_id) as provenance_id,
        contradictions.printed,
        ranges.range_low,
        ranges.range_high,
        tests.outcome,
        tests.close_call,
        tests.difference,
        tests.z,
        tests.lower_than_others,
        tests.similar_to_others,
        coalesce(tests.others, 0) as others,
        case figures.claimed_value
            when 'lower' then tests.lower_than_others
            when 'comparable' then tests.similar_to_others
        end as others_as_claimed,
        {{ round_half_up('figures.figure') }} as shown_figure
    from {{ ref('int_claim_figures') }} as figures
    left join contradictions
        on
            figures.barometer_id = contradictions.barometer_id
            and figures.area_code = contradictions.area_code
            and figures.statistic = 'value'
    left join {{ ref('int_claim_ranges') }} as ranges
        on
            figures.barometer_id = ranges.barometer_id
            and figures.edition_code = ranges.edition_code
            and figures.area_code = ranges.combined_authority_code
    left join {{ ref('int_claim_tests') }} as tests on figures.claim_id = tests.claim_id

),

-- What the printed extremes of the members leave open; printed whole percents are off by up to half.
ranged as (

    select
        *,
        case
            when range_low is null then null
            when question = 'percent' and claimed_number between range_low - 1 and range_high + 1
                then 'possible'
            when question = 'percent' then 'impossible'
            when against = 'region' then null
            when claimed_value in ('lower', 'close_or_less_favourable')
                then if(range_low - 0.5 < england_value + 0.5, 'possible', 'impossible')
            when
                claimed_value = 'comparable'
                and england_value between range_low - 1 and range_high + 1
                then 'possible'
        end as by_range
    from joined

),

final as (

    select
        *,
        case question
            when 'percent'
                then
                    case
                        when figure is null and printed is not null then 'contradicted_within_report'
                        when figure is null then coalesce(by_range, 'cannot_be_computed')
                        when shown_figure != claimed_number then 'differs'
                        when statistic in ('min', 'max') and members_held < members
                            then 'cannot_be_computed'
                        when statistic = 'min' and figure > lowest then 'differs'
                        when statistic = 'max' and figure < highest then 'differs'
                        else 'agrees'
                    end
            when 'areas'
                then
                    case
                        when areas is null then 'cannot_be_computed'
                        when areas = claimed_number then 'agrees'
                        else 'differs'
                    end
            when 'count_in_groups'
                then
                    case
                        when members_held < members then 'cannot_be_computed'
                        when members_in_groups = claimed_number then 'agrees'
                        else 'differs'
                    end
            when 'most_areas'
                then
                    case
                        when areas is null then 'cannot_be_computed'
                        when areas_in_claimed_group * 2 > areas then 'agrees'
                        else 'differs'
                    end
            when 'group'
                then
                    case
                        when group_label is null then 'cannot_be_computed'
                        when group_label = claimed_value then 'agrees'
                        else 'differs'
                    end
            -- No member above the middle group: none can be said to be favoured.
            when 'groups'
                then
                    case
                        when members_held < members then 'cannot_be_computed'
                        when highest_group * 2 <= groups_in_list + 1 then 'agrees'
                        else 'differs'
                    end
            when 'comparison'
                then
                    case
                        when outcome is null then coalesce(by_range, 'cannot_be_computed')
                        -- Such a test neither bears a claim out nor refutes it.
                        when close_call and claimed_value in ('lower', 'comparable')
                            then 'too_close_to_call'
                        when claimed_value = 'lower' and outcome not in ('worse', 'lower') then 'differs'
                        when claimed_value = 'comparable' and outcome != 'similar' then 'differs'
                        when outcome not in ('similar', 'worse', 'lower') then 'differs'
                        when others = 0 or others_as_claimed = others then 'agrees'
                        -- The report does not name those that it shows.
                        when others_as_claimed > 0 then 'possible'
                        else 'differs'
                    end
            else 'cannot_be_computed'
        end as verdict
    from ranged

)

select * from final
