"""The models at the size of England's small areas: made-up figures, sizes and measures.

Run as ``python -m tests.scale``. What is made up here is never landed, built or released anywhere.
"""
