"""When, in what order and under which checks: the Dagster code location of Pulse."""
