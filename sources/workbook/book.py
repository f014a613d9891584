"""What a file is once it has been opened: a book of sheets of cells, and the place errors name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from sources.errors import ParseError

CellValue = str | float | int | bool | dt.date | dt.time | dt.timedelta | None
Form = Literal["xlsx", "ods", "csv"]
Rows = tuple[tuple[CellValue, ...], ...]

CSV_SHEET: Final = "csv"
"""The sheet name that cells of a CSV file are cited under."""


@dataclass(frozen=True)
class Where:
    """The dataset, edition, file and sheet being read, for error messages."""

    dataset: str | None = None
    edition: str | None = None
    file: str | None = None
    sheet: str | None = None

    def at(self, sheet: str) -> Where:
        """The same file, on one of its sheets."""
        return Where(self.dataset, self.edition, self.file, sheet)

    def error(self, code: str, message: str, **more: Any) -> ParseError:
        """A ``ParseError`` that names this place; ``more``: sheet, cell, expected, found, todo."""
        return ParseError(message, code=code, **{**vars(self), **more})


@dataclass(frozen=True)
class Limits:
    """What a publisher's table may be at most: bytes, archive entries, expansion, cells.

    The largest real file known (Community Life Survey, 2024/25) has about 3 MB; the limits leave
    room for ten times that and stop an archive made to exhaust memory. ``cells`` bounds each sheet
    that is read, counting every row up to its last cell that holds something.
    """

    file_bytes: int = 100_000_000
    entries: int = 2_000
    expanded_bytes: int = 400_000_000
    ratio: int = 300
    ratio_from_bytes: int = 20_000_000
    rows: int = 1_048_576
    cells: int = 5_000_000
    csv_field_characters: int = 100_000


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Unreadable:
    """A cell whose value the file does not hold: an error value, a formula without a result, …"""

    row_number: int
    column: int
    what: str

    @property
    def address(self) -> str:
        """The cell as a spreadsheet names it."""
        return f"{column_letter(self.column)}{self.row_number}"


class Sheet:
    """One sheet; ``rows[0]`` is row 1 and ``rows[0][0]`` is cell A1, whatever is empty.

    ``hidden``: a spreadsheet program does not show it. Rows end at their last filled cell. A sheet of a
    workbook is read when its rows are first asked for, so a fault of a sheet that nobody reads
    (``ParseError`` with code ``too_many_cells`` or ``damaged_workbook``) refuses nothing. Unreadable
    cells are empty in ``rows``.
    """

    def __init__(
        self,
        name: str,
        rows: Rows | Callable[[], tuple[Rows, tuple[Unreadable, ...]]],
        *,
        hidden: bool = False,
    ) -> None:
        self.name = name
        self.hidden = hidden
        self._source = rows

    @cached_property
    def _read(self) -> tuple[Rows, tuple[Unreadable, ...]]:
        return self._source() if callable(self._source) else (self._source, ())

    @property
    def rows(self) -> Rows:
        """Every row, from row 1 to the last that holds something."""
        return self._read[0]

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The cells whose value the file does not hold."""
        return self._read[1]


@dataclass(frozen=True)
class Book:
    """A file's sheets, what form it really has, and remarks as ``(code, message)`` pairs."""

    form: Form
    sheets: tuple[Sheet, ...]
    remarks: tuple[tuple[str, str], ...] = ()


def column_letter(index: int) -> str:
    """Column number, counted from 0, as a spreadsheet writes it: 0 -> A, 26 -> AA."""
    if index < 0:
        raise ValueError(f"column index {index} is negative")
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letter: str) -> int:
    """The inverse of ``column_letter``: A -> 0, AA -> 26."""
    if not re.fullmatch(r"[A-Z]{1,7}", letter):
        raise ValueError(f"{letter!r} is not a column letter")
    index = 0
    for character in letter:
        index = index * 26 + ord(character) - 64
    return index - 1
