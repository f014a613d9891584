"""Parsers: the bytes of one publisher file in, tidy rows out.

Here belong what every parser shares in its signature (``ParseContext``, ``Note``, ``Parsed``) and
the register ``PARSERS``, keyed by the ``parser`` name of a catalogue entry. A parser is a pure
function: no clock, no network, no writes. It returns rows in the shape of
``sources.observation.OBSERVATION_COLUMNS`` (or ``MEMBERSHIP_COLUMNS``), each with the cell that
its value was read from, and raises ``sources.errors.ParseError`` and nothing else.

What does not belong here: fetching and storing files (``sources.landing``), and judging rows that
could be read (``sources.contract``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

    from sources.areas import AreaBook
    from sources.catalogue import Dataset, Edition
    from sources.contract import Finding


@dataclass(frozen=True)
class ParseContext:
    """What a parser knows about the file it is given.

    ``file_name`` is used in messages and to compare the file's form with its name; nothing about
    the figures is inferred from it.
    """

    dataset: Dataset
    edition: Edition
    areas: AreaBook
    file_name: str


@dataclass(frozen=True)
class Note:
    """Something that was accepted and deserves a word, e.g. ``percent_as_fraction``."""

    code: str
    message: str


QUESTION: Final = "question:"
"""Beginning of the code of a note that carries the wording of a measure's question and response."""


@dataclass(frozen=True)
class Parsed:
    """The rows of one file, and what a reader of the run should know about how it was read.

    ``findings`` are warnings; a fault is raised.
    """

    rows: pd.DataFrame
    notes: tuple[Note, ...]
    findings: tuple[Finding, ...] = ()


Parser = Callable[[bytes, ParseContext], Parsed]


def _parser(name: str) -> Parser:
    """The parser of a module, which is imported when it first reads a file."""

    def parse(content: bytes, context: ParseContext) -> Parsed:
        parsed: Parsed = import_module(f"sources.parsers.{name}").parse(content, context)
        return parsed

    return parse


PARSERS: Final[Mapping[str, Parser]] = {
    name: _parser(name)
    for name in (
        *("dcms_tables", "smc_index", "ons_local_statistics", "ons_combined_authorities"),
        "population",
    )
}
