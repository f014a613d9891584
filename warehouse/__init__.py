"""Everything at rest, and the only code that opens DuckDB.

Here belong the folders of a workspace, the connection helper, the loader of accepted rows, the
contracts of the marts and the gate that applies them, releases, and what is written for readers.
What does not belong here: when things run and in what order (``orchestration``), and how a
publisher's file is read (``sources``).
"""
