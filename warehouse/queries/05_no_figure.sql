-- Which members of the lead combined authority have no figure for the latest edition of
-- the four key barometers, and how do I get it?
select
    b.barometer_id,
    b.edition,
    b.status,
    count(*) as authorities,
    string_agg(b.area_name, ', ' order by b.area_name) as without_a_figure,
    any_value(e.how_to_obtain) as how_to_obtain
from marts.barometers as b
inner join marts.authority_profiles as a using (area_code)
inner join meta.editions as e on b.dataset = e.dataset and b.edition = e.edition
where
    a.combined_authority_code = (select min(area_code) from marts.pulse)
    and b.role = 'key'
    and b.is_latest
    and b.value is null
group by b.barometer_id, b.edition, b.status
order by b.barometer_id;
