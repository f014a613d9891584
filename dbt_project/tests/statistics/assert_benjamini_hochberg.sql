-- The 15 p values of Benjamini and Hochberg (1995, section 4.1): the first four are rejected at 5%.
-- A row without a p value is no test; a second family is judged by itself.
with tests as (
    select
        *,
        row_number() over (order by family, p) as test,
        case when p > 0.01 then family end as code
    from (
        values
        ('1995', 0.0001, true), ('1995', 0.0004, true), ('1995', 0.0019, true),
        ('1995', 0.0095, true), ('1995', 0.0201, false), ('1995', 0.0278, false),
        ('1995', 0.0298, false), ('1995', 0.0344, false), ('1995', 0.0459, false),
        ('1995', 0.3240, false), ('1995', 0.4262, false), ('1995', 0.5719, false),
        ('1995', 0.6528, false), ('1995', 0.7590, false), ('1995', 1.0000, false),
        ('1995', null, false), ('other', 0.0459, true)
    ) as examples (family, p, expected)
),

flagged as (
    {{ benjamini_hochberg('tests', ['test', 'code'], 'p', ['family']) }}
)

select *
from flagged
where
    bh_significant != expected
    or (family = '1995' and bh_tests != 15)
    or (p is null and bh_adjusted_p is not null)
    -- A row whose key has a null is not lost.
    or (select count(*) from flagged) != (select count(*) from tests)
