{#
  Benjamini and Hochberg's step-up rule as columns on a relation that holds one row per test:
  bh_tests (tests in the family), bh_adjusted_p and bh_significant. Rows without a p value are
  not tests and get null. Equal p values share the highest rank among them.
#}
{% macro benjamini_hochberg(relation, p_value, family, level=0.05) -%}
    select
        adjusted.*,
        coalesce(adjusted.bh_adjusted_p <= {{ level }}, false) as bh_significant
    from (
        select
            ranked.*,
            case
                when ranked.{{ p_value }} is not null
                    then least(
                        1.0,
                        min(ranked.{{ p_value }} * ranked.bh_tests / nullif(ranked.bh_rank, 0))
                            over (
                                partition by ranked.{{ family }}
                                order by ranked.{{ p_value }} desc
                            )
                    )
            end as bh_adjusted_p
        from (
            select
                tests.*,
                count(tests.{{ p_value }}) over (partition by tests.{{ family }}) as bh_tests,
                count(tests.{{ p_value }}) over (
                    partition by tests.{{ family }}
                    order by tests.{{ p_value }}
                ) as bh_rank
            from {{ relation }} as tests
        ) as ranked
    ) as adjusted
{%- endmacro %}
