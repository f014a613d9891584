-- What did the report say, and what do we say? Its claims on the key barometers.
select
    r.claim_id,
    r.barometer_id,
    r.area_name,
    r.statistic,
    r.claimed_value as report,
    r.our_value as ours,
    r.verdict
from marts.report_reconciliation as r
inner join meta.indicator_roles as i
    on r.barometer_id = i.barometer_id and i.is_report and i.role = 'key'
where r.area_name in ('WMCA', 'England')
order by r.claim_id;
