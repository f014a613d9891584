"""Modules that are imported when a test first uses them.

Each worker imports every test module to collect it, and Dagster, dbt, SciPy and Altair take seconds
each. What is imported here costs only the worker that runs such a test.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class _Lazy:
    __slots__ = ("_name",)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return vars(import_module(self._name))

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __getattr__(self, attribute: str) -> Any:
        # What pytest asks of every object that it finds in a test module.
        if attribute.startswith("__") or attribute == "_mock_name":
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)

    def __setattr__(self, attribute: str, value: object) -> None:
        setattr(import_module(self._name), attribute, value)


def lazy(name: str) -> Any:
    """The module of this name; its attributes can be read and, by monkeypatch, replaced."""
    return _Lazy(name)
