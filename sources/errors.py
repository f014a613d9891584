"""The errors of the project: each says what was wrong, where, and what to do next.

Belongs here: exception classes and how they render. Does not belong here: anything that decides
whether something is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_Kind = TypeVar("_Kind", bound="PulseError")


class PulseError(Exception):
    """A fault that a person can act on from its message alone.

    The message names every part of the place that is known (dataset, edition, file, sheet, cell),
    what was expected, what was found and what to do next. All of them stay readable as attributes;
    ``code`` is the short snake_case name of the fault, for tables and checks.
    """

    default_code = "fault"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        dataset: str | None = None,
        edition: str | None = None,
        file: str | None = None,
        sheet: str | None = None,
        cell: str | None = None,
        expected: object = None,
        found: object = None,
        todo: str | None = None,
    ) -> None:
        self.message = message
        self.code = code or self.default_code
        self.dataset = dataset
        self.edition = edition
        self.file = file
        self.sheet = sheet
        self.cell = cell
        self.expected = None if expected is None else str(expected)
        self.found = None if found is None else str(found)
        self.todo = todo
        super().__init__(self.render())

    @property
    def place(self) -> str:
        """The place of the fault in words, e.g. ``smc_youth_labour_market 2025, file x.csv``."""
        head = " ".join(part for part in (self.dataset, self.edition) if part)
        named = (("file", self.file), ("sheet", self.sheet), ("cell", self.cell))
        parts = [head, *(f"{label} {value}" for label, value in named if value)]
        return ", ".join(part for part in parts if part)

    def render(self) -> str:
        """The whole message on one line."""
        text = f"{self.place}: {self.message}" if self.place else self.message
        sentences = [text.rstrip().rstrip(".")]
        if self.expected is not None:
            sentences.append(f"Expected: {self.expected.rstrip('.')}")
        if self.found is not None:
            sentences.append(f"Found: {self.found.rstrip('.')}")
        if self.todo:
            sentences.append(f"What to do: {self.todo.rstrip('.')}")
        return ". ".join(sentences) + "."

    def __reduce__(self) -> tuple[object, ...]:
        """Keep every attribute when the error crosses a process boundary."""
        return (_rebuild, (type(self), self.message, self._keywords()))

    def _keywords(self) -> dict[str, str | None]:
        return {
            "code": self.code,
            "dataset": self.dataset,
            "edition": self.edition,
            "file": self.file,
            "sheet": self.sheet,
            "cell": self.cell,
            "expected": self.expected,
            "found": self.found,
            "todo": self.todo,
        }


def _rebuild(kind: type[_Kind], message: str, keywords: dict[str, str | None]) -> _Kind:
    return kind(message, **keywords)


class CatalogueError(PulseError):
    """The catalogue contradicts itself, or was asked for something it does not list."""

    default_code = "catalogue"


class LandingError(PulseError):
    """The store of publisher files could not keep, or no longer holds, the bytes it was given."""

    default_code = "landing"


class ParseError(PulseError):
    """A publisher file could not be read into rows without guessing."""

    default_code = "parse"


def _some(items: Sequence[str], shown: int = 8, between: str = ", ") -> str | None:
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return between.join(items[:shown]) + more if items else None


def combined(errors: Sequence[ParseError]) -> ParseError:
    """One error that lists every fault of a file; alike faults are one entry.

    ``code``, ``sheet`` and ``cell`` are those of the first.
    """
    alike: dict[tuple[str, str], list[ParseError]] = {}
    for error in errors:
        alike.setdefault((error.code, error.message), []).append(error)
    entries = []
    for group in alike.values():
        first = group[0]
        sheets = list(dict.fromkeys(error.sheet for error in group if error.sheet))
        cells = list(
            dict.fromkeys(
                error.cell if len(sheets) < 2 else f"{error.sheet}!{error.cell}"
                for error in group
                if error.cell
            )
        )
        entries.append(
            ParseError(
                first.message,
                code=first.code,
                sheet=_some(sheets),
                cell=_some(cells),
                expected=first.expected,
                found=_some(list(dict.fromkeys(e.found for e in group if e.found)), 4, "; "),
                todo=first.todo,
            )
        )
    first = errors[0]
    place = {"dataset": first.dataset, "edition": first.edition, "file": first.file}
    if len(entries) == 1:
        return _rebuild(ParseError, first.message, {**entries[0]._keywords(), **place})
    advice = list(dict.fromkeys(entry.todo for entry in entries if entry.todo))
    for entry in entries:
        entry.todo = None
    return ParseError(
        f"{len(entries)} kinds of fault. "
        + " ".join(f"({number}) {entry.render()}" for number, entry in enumerate(entries, 1)),
        code=first.code,
        sheet=first.sheet,
        cell=first.cell,
        todo=" ".join(advice),
        **place,
    )


class ContractError(PulseError):
    """Rows were read, but break the rules that their dataset must meet."""

    default_code = "contract"


class FetchError(PulseError):
    """A publisher did not answer, or answered with something other than the file asked for."""

    default_code = "fetch"
