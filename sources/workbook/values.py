"""One cell: a label as it is compared, or a value as a number or as the shorthand in its place.

Shorthand follows the Government Statistical Service's guidance on symbols, and the older signs
(``..``, ``*``, ``-``, ``:``) that some publishers still print.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from sources.errors import ParseError, shortened
from sources.workbook.book import CellValue, Where
from sources.workbook.reader import ERROR_VALUE, NUMBER

_NOTE_MARK: Final = re.compile(
    r"[\[(]\s*(?:foot)?notes?\s*[0-9]+(?:\s*(?:,|and|&|to|-)\s*(?:notes?\s*)?[0-9]+)*\s*[\])]", re.I
)
_SHORTHAND_MARK: Final = re.compile(r"\[\s*[a-z]{1,4}\s*\]", re.I)
_SUPERSCRIPTS: Final = re.compile("[\u00b9\u00b2\u00b3\u2070-\u2079]+")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")


def normalise_label(cell: CellValue) -> str:
    """A label as it is compared: lower case, single spaces, no note marks or shorthand."""
    if cell is None:
        return ""
    text = _SUPERSCRIPTS.sub("", str(cell))
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = _SHORTHAND_MARK.sub(" ", _NOTE_MARK.sub(" ", text))
    return " ".join(text.casefold().split())


def tidy_text(cell: CellValue) -> str:
    """A name as printed, without its note marks and needless space; case is kept."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    text = _INVISIBLE.sub("", _SUPERSCRIPTS.sub("", str(cell)))
    text = _SHORTHAND_MARK.sub(" ", _NOTE_MARK.sub(" ", text))
    return " ".join(text.split())


# --- Values ---------------------------------------------------------------------------------------

Status = Literal["published", "suppressed", "low_reliability", "not_available", "not_applicable"]

_PRINTED: Final[Status] = "published"
_NONE: Final[Status] = "not_available"
_BRACKETED: Final[Mapping[str, Status]] = {
    "c": "suppressed",
    "x": "not_available",
    "z": "not_applicable",
    "u": "low_reliability",
    # These qualify a figure that is printed; where they stand alone there is no figure.
    "low": "published",
    "k": "published",
    "w": "not_available",
    **dict.fromkeys(("a", "b", "d", "e", "f", "p", "r", "t", "ns", "s", "ss", "sss"), _PRINTED),
}
_BARE: Final[Mapping[str, Status]] = {
    **dict.fromkeys(("..", "…", ":", "-", "–", "—", "na", "n/a"), _NONE),
    "*": "suppressed",
}
# The first of these that is printed decides.
_STRENGTH: Final[tuple[Status, ...]] = (
    *("suppressed", "not_applicable", "not_available", "low_reliability"),
)
_THOUSANDS: Final = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?: [0-9]{3})+)(?:\.[0-9]+)?"
)
_WITH_COMMA: Final = re.compile(r"[+-]?[0-9.]*,[0-9][0-9.,]*")
_SYMBOLS: Final = re.compile(r"\[\s*([A-Za-z]{1,4})\s*\]")


_Fault = Callable[..., ParseError]
"""Makes an error about the cell that is read."""


@dataclass(frozen=True)
class Reading:
    """One cell: a number, or the reason there is none.

    ``value`` is as printed (a ``%`` sign does not scale it); ``symbol`` is the shorthand as
    printed, ``None`` where there is none; ``note`` is a short code where a number was not stored
    as one: ``number_as_text``, ``thousands_separator``, ``percent_sign`` or ``note_mark``.
    """

    value: float | None
    status: Status
    symbol: str | None
    note: str | None = None


def parse_value(
    cell: CellValue, where: Where | None = None, *, at: str | None = None, thousands: bool = True
) -> Reading:
    """Read one cell as a number or as shorthand.

    ``thousands``: whether commas or spaces may divide thousands, as in a column of counts. In a column
    of percentages or scores they may not, so that ``45,3`` and ``1,234`` are refused there alike.

    Raises ``ParseError``: ``unknown_symbol``, ``decimal_comma``, ``not_a_number`` or
    ``unreadable_cells``.
    """
    if cell is None:
        return Reading(None, "not_available", None)
    fault = partial((where or Where()).error, cell=at)
    if isinstance(cell, bool) or not isinstance(cell, (int, float, str)):
        raise fault(
            "not_a_number",
            "The cell holds a date or a truth value where a number or a symbol was expected.",
            found=repr(cell),
            todo="Open the cell in the publisher's file.",
        )
    if isinstance(cell, (int, float)):
        try:
            number = float(cell)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _not_finite(fault, str(cell))
        return Reading(number, "published", None)

    text = " ".join(_INVISIBLE.sub("", cell).replace("\u2212", "-").split())
    note: str | None = None
    bare = _SUPERSCRIPTS.sub("", _NOTE_MARK.sub(" ", text)).strip()
    if bare != text:
        note, text = "note_mark", bare
    symbols = _SYMBOLS.findall(text)
    if any(symbol.casefold() not in _BRACKETED for symbol in symbols):
        raise _unknown_symbol(fault, cell)
    rest = _SYMBOLS.sub(" ", text).strip()
    printed = "".join(f"[{symbol}]" for symbol in symbols) or None
    statuses = [_BRACKETED[symbol.casefold()] for symbol in symbols]

    if rest == "" or rest.casefold() in _BARE:
        statuses += [_BARE[rest.casefold()]] if rest else []
        return Reading(None, _strongest(statuses, alone=True), rest + (printed or "") or None, note)
    if ERROR_VALUE.fullmatch(rest):
        raise fault(
            "unreadable_cells",
            "The cell holds an error value of a spreadsheet, not a figure.",
            expected="a number or a symbol",
            found=rest,
            todo="Ask the publisher for a corrected file.",
        )
    number, number_note = _number(rest, cell, fault, thousands=thousands)
    status = _strongest(statuses, alone=False)
    if status in ("suppressed", "not_available", "not_applicable"):
        raise fault(
            "unknown_symbol",
            "The cell holds both a number and a symbol that says there is none.",
            found=repr(cell),
            todo="Open the cell in the publisher's file and ask the publisher which is meant.",
        )
    return Reading(number, status, printed, note or number_note)


def _strongest(statuses: Sequence[Status], *, alone: bool) -> Status:
    for status in _STRENGTH:
        if status in statuses:
            return status
    return "not_available" if alone else "published"


def _number(rest: str, cell: str, fault: _Fault, *, thousands: bool) -> tuple[float, str]:
    note = "number_as_text"
    digits = rest
    if digits.endswith("%"):
        digits, note = digits[:-1].rstrip(), "percent_sign"
    if NUMBER.fullmatch(digits) and not (thousands and "e" in digits.casefold()):
        pass
    elif NUMBER.fullmatch(digits):
        raise fault(
            "not_a_number",
            "The count is written with a power of ten, and its last digits may be lost.",
            expected="every digit, such as 12345",
            found=repr(cell),
            todo="Show the column as whole numbers and save the file again, or download it again.",
        )
    elif thousands and _THOUSANDS.fullmatch(digits):
        digits, note = re.sub("[ ,]", "", digits), "thousands_separator"
    elif _WITH_COMMA.fullmatch(digits):
        raise fault(
            "decimal_comma",
            "The number has a comma, which could mean a decimal point or thousands.",
            expected="a decimal point" + (", or commas between thousands" if thousands else ""),
            found=repr(cell),
            todo="Save the file with decimal points, or ask the publisher for such a file.",
        )
    else:
        raise _unknown_symbol(fault, cell)
    value = float(digits)
    if not math.isfinite(value):
        raise _not_finite(fault, repr(cell))
    return value, note


def _not_finite(fault: _Fault, found: str) -> ParseError:
    return fault(
        "not_a_number",
        "The number is not finite.",
        found=found,
        todo="Open the cell in the publisher's file, or ask the publisher for a corrected one.",
    )


def _unknown_symbol(fault: _Fault, cell: str) -> ParseError:
    return fault(
        "unknown_symbol",
        "The cell holds neither a number nor a symbol that is known.",
        expected="a number, or one of "
        + " ".join(f"[{symbol}]" for symbol in _BRACKETED)
        + " .. : - * NA, or nothing",
        found=repr(shortened(cell, 60)),
        todo="Look the symbol up in the file's notes; add it to the status codes if it is meant.",
    )
