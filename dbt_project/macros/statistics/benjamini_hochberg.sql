{#
  Benjamini and Hochberg's step-up rule as columns on a relation that holds one row per test:
  bh_tests (tests in the family), bh_adjusted_p and bh_significant. Rows without a p value are
  not tests and get null. Equal p values share the highest rank among them. `key` names the columns
  that tell the rows of a family apart, null or not, and `family` those that make a family, of which
  the first is never null: only they and the p value are sorted.
#}
{% macro benjamini_hochberg(relation, key, p_value, family, level=0.05) -%}
    select
        tests.*,
        adjusted.bh_tests,
        adjusted.bh_adjusted_p,
        coalesce(adjusted.bh_adjusted_p <= {{ level }}, false) as bh_significant
    from {{ relation }} as tests
    inner join (
        select
            *,
            case
                when {{ p_value }} is not null
                    then least(
                        1.0,
                        min({{ p_value }} * bh_tests / nullif(bh_rank, 0))
                            over (partition by {{ family | join(', ') }} order by {{ p_value }} desc)
                    )
            end as bh_adjusted_p
        from (
            select
                {% for column in family + key %}{{ column }}, {% endfor %}
                {{ p_value }},
                count({{ p_value }}) over (partition by {{ family | join(', ') }}) as bh_tests,
                count({{ p_value }}) over (
                    partition by {{ family | join(', ') }}
                    order by {{ p_value }}
                ) as bh_rank
            from {{ relation }}
        ) as ranked
    ) as adjusted
        on
            tests.{{ family[0] }} = adjusted.{{ family[0] }}
            {%- for column in key %}
                and tests.{{ column }} is not distinct from adjusted.{{ column }}
            {%- endfor %}
{%- endmacro %}
