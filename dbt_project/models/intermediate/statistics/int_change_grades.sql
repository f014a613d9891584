-- The grade of every pair of editions: the worst of the breaks that lie between the two. Without any
-- registered statement it is a caution: what is not known never forbids a comparison.

with pairs as (

    select
        change_id,
        barometer_id,
        series,
        area_code,
        from_edition,
        to_edition,
        from_order,
        to_order
    from {{ ref('int_change_pairs') }}
    where from_edition != to_edition

),

breaks as (

    select * from {{ ref('int_series_breaks') }}

),

between_the_two as (

    select
        pairs.change_id,
        breaks.kind,
        breaks.grade,
        breaks.reason,
        breaks.said_by || ': ' || breaks.citation || ', ' || breaks.said_on as citation,
        case breaks.grade when 'block' then 3 when 'caution' then 2 else 1 end as severity
    from pairs
    inner join breaks
        on
            pairs.series = breaks.series
            and coalesce(breaks.barometer_id, pairs.barometer_id) = pairs.barometer_id
            and coalesce(breaks.area_code, pairs.area_code) = pairs.area_code
            and (
                (
                    pairs.from_edition = breaks.from_edition
                    and pairs.to_edition = breaks.to_edition
                )
                -- One end of a break may be an edition that is not listed: the other decides.
                or (
                    coalesce(breaks.from_order, breaks.to_order - 1) < pairs.to_order
                    and coalesce(breaks.to_order, breaks.from_order + 1) > pairs.from_order
                )
            )

),

worst as (

    select *
    from between_the_two
    qualify severity = max(severity) over (partition by change_id)

),

graded as (

    select
        change_id,
        min(grade) as grade,
        string_agg(distinct kind, ', ' order by kind) as grade_kind,
        string_agg(distinct reason, '; ' order by reason) as grade_reason,
        string_agg(distinct citation, '; ' order by citation) as grade_citation
    from worst
    group by change_id

),

final as (

    select
        pairs.change_id,
        coalesce(graded.grade, 'caution') as grade,
        graded.grade_kind,
        coalesce(
            graded.grade_reason,
            'No statement on whether these editions may be compared has been registered'
        ) as grade_reason,
        graded.grade_citation
    from pairs
    left join graded on pairs.change_id = graded.change_id

)

select * from final
