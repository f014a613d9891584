"""What is published where, and how to read it.

Belongs here: the catalogue of datasets, the store of publisher files, the parsers, the contract that
an edition's rows must meet, and the figures that ship with the project. Does not belong here: order,
schedules and checks (``orchestration``), anything at rest in DuckDB (``warehouse``), or the SQL of the
marts (``dbt_project``). Nothing here imports dagster, dbt or duckdb.
"""
