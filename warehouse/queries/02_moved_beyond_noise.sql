-- What moved since the baseline beyond noise, in the lead combined authority and its members?
-- Where nothing can be said, the reason is the answer.
select
    changes.outcome,
    changes.reason_code,
    changes.grade,
    count(distinct changes.barometer_id) as barometers,
    count(distinct changes.area_code) as areas,
    count(*) as changes,
    count(*) filter (changes.outcome in ('better', 'worse') and changes.survives_family) as beyond_noise
from marts.changes
inner join marts.authority_profiles using (area_code)
where
    changes.change_kind = 'baseline_to_latest'
    and (
        authority_profiles.combined_authority_code = (select distinct area_code from marts.pulse)
        or changes.area_code = (select distinct area_code from marts.pulse)
    )
group by all
order by all;
