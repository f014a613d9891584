"""The proof of the statistics: `python -m tests.proof`.

What a sceptical statistician would run once. Every estimate and test goes through the macros and
models that dbt builds (`tests.proof.dbt_sql`); nothing of it is part of the product.
"""
