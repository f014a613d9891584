-- What is the lead area's arts engagement beside every other combined authority's?
select
    areas.area_name,
    round(ca.value, 1) as value,
    round(ca.lower_95, 1) as lower_95,
    round(ca.upper_95, 1) as upper_95,
    ca.origin,
    r.rank,
    r.rank_best || ' to ' || r.rank_worst as places_the_intervals_allow,
    coalesce(c.outcome, '(itself)') as lead_area_against_it
from marts.combined_authorities as ca
inner join reference.areas using (area_code)
left join marts.ranks as r
    on
        ca.area_code = r.area_code
        and ca.barometer_id = r.barometer_id
        and ca.edition = r.edition
        and r.rank_group = 'combined_authorities'
left join marts.comparisons as c
    on
        ca.area_code = c.comparator_code
        and ca.barometer_id = c.barometer_id
        and ca.edition = c.edition
        and c.area_code = (select min(area_code) from marts.pulse)
        and c.comparator_kind = 'combined_authority'
where
    ca.barometer_id = 'arts_engagement'
    and ca.is_latest
    and ca.value is not null
    and areas.valid_to is null
order by r.rank, areas.area_name;
