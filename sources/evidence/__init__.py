"""The community's own evidence: initiatives and evidence items, with the contract that they keep.

``model`` says what an entry may hold and what is refused; ``register`` reads entries from YAML and
from a filled-in form; ``form`` writes the blank form. The YAML files here ship with the project.
"""
