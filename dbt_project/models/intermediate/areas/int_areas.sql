-- Every area that a figure may be about: those of the list, and the small ones that have figures.
select
    area_code,
    area_name,
    area_level,
    region_code
from {{ ref('areas') }}

union all

select
    area_code,
    area_name,
    area_level,
    region_code
from {{ ref('small_areas') }}
