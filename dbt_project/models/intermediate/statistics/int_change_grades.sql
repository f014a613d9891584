-- The grade of every pair of editions: the worst of the breaks that lie between the two. Without any
-- registered statement it is a caution: what is not known never forbids a comparison.

with breaks as (

    select * from {{ ref('int_series_breaks') }}

),

recoded as (

    select * from {{ ref('area_code_changes') }}
    where kind = 'boundary'

),

areas_with_breaks as (

    select distinct area_code from breaks

),

-- Pairs of the same indicator and editions have the same grade, save in areas with breaks of their
-- own, and where the boundary changed between the two.
pairs as (

    select
        pairs.change_id,
        pairs.area_code,
        pairs.series,
        pairs.barometer_id,
        pairs.from_edition,
        pairs.to_edition,
        pairs.from_order,
        pairs.to_order,
        coalesce(own_areas.area_code, '') as own_area,
        coalesce(recoded.year, 0) as recoded_in
    from {{ ref('int_change_pairs') }} as pairs
    left join areas_with_breaks as own_areas
        on pairs.area_code = own_areas.area_code
    left join recoded
        on
            pairs.from_published_area_code = recoded.old_code
            and pairs.to_published_area_code != recoded.old_code
    where pairs.from_edition != pairs.to_edition

),

spans as (

    select distinct * exclude (change_id, area_code)
    from pairs

),

between_the_two as (

    select
        spans.*,
        breaks.kind,
        breaks.grade,
        breaks.reason,
        breaks.said_by || ': ' || breaks.citation || ', ' || breaks.said_on as citation
    from spans
    inner join breaks
        on
            spans.series = breaks.series
            and coalesce(breaks.barometer_id, spans.barometer_id) = spans.barometer_id
            and coalesce(breaks.area_code, spans.own_area) = spans.own_area
            and (
                (
                    spans.from_edition = breaks.from_edition
                    and spans.to_edition = breaks.to_edition
                )
                -- A statement on the whole series names no editions.
                or (breaks.from_edition is null and breaks.to_edition is null)
                -- One end of a break may be an edition that is not listed: the other decides.
                or (
                    coalesce(breaks.from_order, breaks.to_order - 1) < spans.to_order
                    and coalesce(breaks.to_order, breaks.from_order + 1) > spans.from_order
                )
            )

    union all

    select
        *,
        'geography' as kind,
        'caution' as grade,
        'The boundary of the area changed in ' || recoded_in || ', and its code with it' as reason,
        'Office for National Statistics: lists of local authorities, ' || recoded_in as citation
    from spans
    where recoded_in > 0

),

worst as (

    select *
    from between_the_two
    qualify
        rank() over (
            partition by series, barometer_id, from_edition, to_edition, own_area, recoded_in
            order by case grade when 'block' then 1 when 'caution' then 2 else 3 end
        ) = 1

),

graded as (

    select
        series,
        barometer_id,
        from_edition,
        to_edition,
        own_area,
        recoded_in,
        min(grade) as grade,
        {{ joined_distinct('kind', ', ') }} as grade_kind,
        {{ joined_distinct('reason', '; ') }} as grade_reason,
        {{ joined_distinct('citation', '; ') }} as grade_citation
    from worst
    group by series, barometer_id, from_edition, to_edition, own_area, recoded_in

)

select
    pairs.change_id,
    pairs.area_code,
    coalesce(graded.grade, 'caution') as grade,
    graded.grade_kind,
    coalesce(
        graded.grade_reason,
        'No statement on whether these editions may be compared has been registered'
    ) as grade_reason,
    graded.grade_citation
from pairs
left join graded
    on
        pairs.series = graded.series
        and pairs.barometer_id = graded.barometer_id
        and pairs.from_edition = graded.from_edition
        and pairs.to_edition = graded.to_edition
        and pairs.own_area = graded.own_area
        and pairs.recoded_in = graded.recoded_in
