-- Which barometers is Walsall worse than England on, and how sure are we?
select
    c.barometer_id,
    c.edition,
    round(c.value, 1) as walsall,
    round(c.comparator_value, 1) as england,
    round(c.difference, 1) as points,
    round(c.difference_lower_95, 1) as from_95,
    round(c.difference_upper_95, 1) as to_95,
    c.outcome,
    c.close_call,
    c.survives_family
from marts.comparisons as c
inner join marts.barometers as b
    on c.provenance_id = b.provenance_id and c.barometer_id = b.barometer_id and b.is_latest
where
    c.area_name = 'Walsall'
    and c.comparator_kind = 'england'
    and c.outcome <> 'cannot_say'
order by c.z;
