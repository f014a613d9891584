"""The errors of the project: each says what was wrong, where, and what to do next.

Belongs here: exception classes and how they render. Does not belong here: anything that decides
whether something is wrong.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy

_LONGEST = 2_000
SHOWN_FAULTS = 4
"""How many kinds of fault a message names; the record of the refused file has all."""


def shortened(text: str, most: int) -> str:
    """The text, cut where it is longer than so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


class PulseError(Exception):
    """A fault that a person can act on from its message alone.

    The message names every part of the place that is known (dataset, edition, file, sheet, cell),
    what was expected, what was found and what to do next. All of them stay readable as attributes;
    ``code`` is the short snake_case name of the fault, for tables and checks, and ``details`` lists
    in full what the message shortens, for the record.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "fault",
        dataset: str | None = None,
        edition: str | None = None,
        file: str | None = None,
        sheet: str | None = None,
        cell: str | None = None,
        expected: object = None,
        found: object = None,
        todo: str | None = None,
        details: Sequence[str] = (),
    ) -> None:
        self.message = message
        self.details = tuple(details)
        self.code = code
        self.dataset = dataset
        self.edition = edition
        self.file = file
        self.sheet = sheet
        self.cell = cell
        self.expected = None if expected is None else str(expected)
        # An area's name or a page in place of a file may be of any length.
        self.found = None if found is None else shortened(str(found), _LONGEST) or "nothing"
        self.todo = todo
        super().__init__(message)

    def __str__(self) -> str:
        return self.render()

    @property
    def reasons(self) -> list[str]:
        """The fault in full, for the record of a refused file."""
        return [f"{self.code}: {self}", *self.details]

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


@contextmanager
def about(**place: str | None) -> Iterator[None]:
    """Have an error of ours that is raised within name a place that it does not name itself."""
    try:
        yield
    except PulseError as error:
        vars(error).update({name: vars(error)[name] or value for name, value in place.items()})
        raise


class CatalogueError(PulseError):
    """The catalogue contradicts itself, or was asked for something it does not list."""


class LandingError(PulseError):
    """The store of publisher files could not keep, or no longer holds, the bytes it was given."""


class ParseError(PulseError):
    """A publisher file could not be read into rows without guessing."""


def listed(
    items: Sequence[str], shown: int = 8, between: str = ", ", total: int | None = None
) -> str | None:
    """The first few items, and how many more of ``total`` there are; None where there are none."""
    first = items[:shown]
    left = (len(items) if total is None else total) - len(first)
    return between.join(first) + (f" and {left} more" if left > 0 else "") if items else None


def counted(number: int, one: str, many: str) -> str:
    """A number with the words that go with it: ``1 row has``, ``3 rows have``."""
    return f"{number} {one if number == 1 else many}"


def _alike(group: Sequence[ParseError], shown: int, found: int) -> ParseError:
    """One error for faults of one kind, with so many of their places and so much of what was found."""
    first = group[0]
    sheets = list(dict.fromkeys(error.sheet for error in group if error.sheet))
    cells = dict.fromkeys(
        error.cell if len(sheets) < 2 else f"{error.sheet}!{error.cell}"
        for error in group
        if error.cell
    )
    different = listed(list(dict.fromkeys(e.found for e in group if e.found)), found, "; ")
    return _like(
        first,
        **dict.fromkeys(("dataset", "edition", "file")),
        sheet=listed(sheets, shown),
        cell=listed(list(cells), shown),
        found=different and shortened(different, _LONGEST),
    )


def _like(error: ParseError, **changes: object) -> ParseError:
    """A copy of an error in which some parts are others."""
    made = copy(error)
    vars(made).update(changes)
    return made


def combined(errors: Sequence[ParseError]) -> ParseError:
    """One error that lists every fault of a file; alike faults are one entry.

    ``code``, ``sheet`` and ``cell`` are those of the first; ``details`` have every cell.
    """
    alike: dict[tuple[str, str], list[ParseError]] = {}
    for error in errors:
        alike.setdefault((error.code, error.message), []).append(error)
    entries = [_alike(group, 8 if len(alike) == 1 else 4, 4) for group in alike.values()]
    first = errors[0]
    whole = entries[0]
    if len(entries) > 1:
        advice = list(dict.fromkeys(entry.todo for entry in entries if entry.todo))
        for entry in entries:
            entry.todo = None
        numbered = [f"({number}) {entry.render()}" for number, entry in enumerate(entries, 1)]
        whole = ParseError(
            f"{len(entries)} kinds of fault. {listed(numbered, SHOWN_FAULTS, ' ')}",
            code=first.code,
            sheet=first.sheet,
            cell=first.cell,
            todo=listed(advice, 2, " "),
        )
    details = [_alike(g, len(errors), len(errors)).render() for g in alike.values()]
    place = {name: vars(first)[name] for name in ("dataset", "edition", "file")}
    return _like(whole, **place, details=tuple(details))


class ContractError(PulseError):
    """Rows were read, but break the rules that their dataset must meet."""


class FetchError(PulseError):
    """A publisher did not answer, or answered with something other than the file asked for."""
