-- Which cell is Walsall's arts figure from? File and cell where a file was read, else the citation.
select
    b.value,
    b.lower_95,
    b.upper_95,
    p.origin,
    p.dataset,
    p.edition,
    p.file_name,
    coalesce(p.sheet || '!' || p.column_letter || p.row_number, 'no cell: transcribed') as cell,
    p.citation
from marts.barometers as b
inner join marts.provenance as p using (provenance_id)
where b.area_name = 'Walsall' and b.barometer_id = 'arts_engagement' and b.is_latest;
