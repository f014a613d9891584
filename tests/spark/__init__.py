"""The same models on Spark, and every mart compared with DuckDB's: ``python -m tests.spark``."""
