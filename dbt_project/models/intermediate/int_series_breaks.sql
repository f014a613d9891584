-- The registered breaks with the grade that holds. Where a publisher states that two editions may be
-- compared if the question is kept, the landed texts decide: equal is open, anything else a caution.

with breaks as (

    select * from {{ ref('series_breaks') }}

),

editions as (

    select * from {{ ref('int_editions') }}

),

questions as (

    select
        measures.indicator_id as barometer_id,
        questions.edition,
        {{ joined_distinct('questions.wording', ' / ') }} as wording
    from {{ source('raw', 'questions') }} as questions
    inner join {{ ref('indicator_measures') }} as measures
        on
            questions.dataset = measures.dataset
            and questions.measure = measures.measure
    group by measures.indicator_id, questions.edition

),

compared as (

    select
        breaks.*,
        break_from.edition_order as from_order,
        break_to.edition_order as to_order,
        earlier.wording as from_wording,
        later.wording as to_wording,
        breaks.kind = 'question_text' as rests_on_wording
    from breaks
    left join editions as break_from
        on breaks.dataset = break_from.series and breaks.from_edition = break_from.edition
    left join editions as break_to
        on breaks.dataset = break_to.series and breaks.to_edition = break_to.edition
    left join questions as earlier
        on breaks.barometer_id = earlier.barometer_id and breaks.from_edition = earlier.edition
    left join questions as later
        on breaks.barometer_id = later.barometer_id and breaks.to_edition = later.edition

),

final as (

    select
        dataset as series,
        barometer_id,
        area_code,
        from_edition,
        to_edition,
        from_order,
        to_order,
        kind,
        case
            when not rests_on_wording then grade
            when from_wording = to_wording then 'open'
            else 'caution'
        end as grade,
        case
            when not rests_on_wording then reason
            when from_wording = to_wording
                then reason || '; question and response have the same text in both editions'
            when from_wording is not null and to_wording is not null
                then 'The text of the question or response differs between the two editions'
            else 'The question and response texts of the two editions have not been compared'
        end as reason,
        said_by,
        citation,
        said_on
    from compared

)

select * from final
