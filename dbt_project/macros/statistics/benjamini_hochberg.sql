{#
  Benjamini and Hochberg's step-up rule as columns on a relation that holds one row per test:
  bh_tests (tests in the family), bh_adjusted_p and bh_significant. Rows without a p value are
  not tests and get null. Equal p values share the highest rank among them. `key` names the columns
  that tell the rows apart, null or not: only they, the family and the p value are sorted.
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
                {% for column in key %}{{ column }}, {% endfor %}
                {{ p_value }},
                {{ family }},
                count({{ p_value }}) over (partition by {{ family }}) as bh_tests,
                count({{ p_value }}) over (
                    partition by {{ family }}
                    order by {{ p_value }}
                ) as bh_rank
            from {{ relation }}
        ) as ranked
    ) as adjusted
        on
            {%- for column in key %}
                tests.{{ column }} is not distinct from adjusted.{{ column }}{{ ' and' if not loop.last }}
            {%- endfor %}
{%- endmacro %}
