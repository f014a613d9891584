-- Which authorities of England lie furthest above and below it on library visits, and does the
-- difference survive among the other tests of its family?
with ordered as (

    select
        c.area_name,
        a.region_name,
        c.value,
        c.comparator_value as england,
        round(c.difference, 1) as points,
        round(c.z, 1) as z,
        c.survives_family,
        c.tests_in_family as tests,
        row_number() over (order by c.z desc, c.area_code) as from_top,
        row_number() over (order by c.z, c.area_code) as from_bottom
    from marts.comparisons as c
    inner join marts.authority_profiles as a using (area_code)
    where
        c.barometer_id = 'library_engagement'
        and c.comparator_kind = 'england'
        and c.area_level = 'lad'
        and c.z is not null

)

select * exclude (from_top, from_bottom)
from ordered
where from_top <= 5 or from_bottom <= 5
order by z desc, area_name;
