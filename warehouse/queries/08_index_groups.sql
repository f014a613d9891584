-- In which groups of the four indices do the members stand? An index is never averaged.
select
    b.area_name,
    max(b.group_label) filter (b.barometer_id = 'promising_prospects') as promising_prospects,
    max(b.group_label) filter (b.barometer_id = 'conditions_of_childhood') as conditions_of_childhood,
    max(b.group_label) filter (b.barometer_id = 'youth_labour_market') as youth_labour_market,
    max(b.group_label) filter (b.barometer_id = 'innovation_and_growth') as innovation_and_growth
from marts.barometers as b
inner join marts.authority_profiles as a using (area_code)
where a.combined_authority_code = (select min(area_code) from marts.pulse) and b.unit = 'z_score' and b.is_latest
group by b.area_name
order by b.area_name;
