select
    cast(dataset as varchar) as dataset,
    cast(edition as varchar) as edition,
    cast(revision as varchar) as revision,
    cast(member_code as varchar) as member_code,
    cast(member_name as varchar) as member_name,
    cast(parent_code as varchar) as parent_code,
    cast(parent_name as varchar) as parent_name,
    cast(origin as varchar) as origin,
    cast(file_sha256 as varchar) as file_sha256,
    cast(sheet as varchar) as sheet,
    cast(row_number as integer) as row_number,
    cast(column_letter as varchar) as column_letter,
    cast(citation as varchar) as citation
from {{ held('ons_combined_authorities') }}
