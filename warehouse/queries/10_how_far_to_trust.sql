-- How far may I trust what is here: for each edition with a figure, where from, and which checks
-- spoke about it?
select
    e.dataset,
    e.edition,
    e.origin,
    e.figures,
    e.published_on,
    count(c.check_name) as checks,
    count(c.check_name) filter (c.outcome = 'red') as red,
    count(c.check_name) filter (c.outcome = 'warning') as warnings,
    count(c.check_name) filter (c.outcome = 'note') as notes
from meta.editions as e
left join meta.checks as c on c.subject = e.dataset || ' ' || e.edition
where e.state = 'accepted'
group by all
order by e.dataset, e.edition;
