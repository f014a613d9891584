"""The demonstration: the whole platform on made-up publisher files, in a folder of its own.

Belongs here: the writers of made-up files, which the tests use too, and the command that lands them.
Nothing of ``sources``, ``warehouse`` and ``orchestration`` imports this package.
"""
