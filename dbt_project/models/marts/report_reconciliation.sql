-- Each claim of the report with what the figures held say. docs/methods.md#the-reports-claims
with verdicts as (

    select * from {{ ref('int_claim_verdicts') }}

),

with_our_value as (

    select
        *,
        case question
            when 'percent' then cast(cast(shown_figure as integer) as varchar)
            when 'areas' then cast(areas as varchar)
            when 'count_in_groups' then cast(members_in_groups as varchar)
            when 'most_areas' then areas_in_claimed_group || ' of ' || areas
            when 'group' then group_label
            when 'groups' then group_numbers
            when 'comparison' then outcome
        end as our_value
    from (
        select
            *,
            case
                when lowest_group = highest_group then 'all in group ' || lowest_group
                else 'in groups ' || lowest_group || ' to ' || highest_group
            end as group_numbers
        from verdicts
    ) as numbered

),

final as (

    select
        *,
        {{ claim_explanation() }} as explanation
    from with_our_value

)

select
    cast(claim_id as varchar) as claim_id,
    cast(section as varchar) as section,
    cast(barometer_id as varchar) as barometer_id,
    cast(area_code as varchar) as area_code,
    cast(area_name as varchar) as area_name,
    cast(statistic as varchar) as statistic,
    cast(unit as varchar) as unit,
    cast(claimed_edition as varchar) as claimed_edition,
    cast(claimed_value as varchar) as claimed_value,
    cast(our_value as varchar) as our_value,
    cast(case when our_value is not null then origin end as varchar) as our_origin,
    cast(case when our_value is not null then source_dataset end as varchar) as our_source_dataset,
    cast(case when our_value is not null then edition_code end as varchar) as our_edition,
    cast(verdict as varchar) as verdict,
    cast(explanation as varchar) as explanation,
    cast(note as varchar) as note,
    cast(provenance_id as varchar) as provenance_id
from final
order by claim_id
