"""Lines of the proof and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Line:
    """One line of the proof: what was found, what must hold, and whether it does.

    Attributes:
        holds: None where the line only informs.
    """

    section: str
    what: str
    found: str
    wanted: str = ""
    holds: bool | None = None


def within(
    section: str, what: str, found: float, lowest: float, highest: float, *, places: int = 2
) -> Line:
    return Line(
        section,
        what,
        f"{found:.{places}f}",
        f"{lowest:.{places}f} to {highest:.{places}f}",
        bool(lowest <= found <= highest),
    )


def near(section: str, what: str, found: float, wanted: float, tolerance: float = 0.005) -> Line:
    places = max(2, round(-np.log10(tolerance)))
    return Line(
        section,
        what,
        f"{found:.{places}f}",
        f"{wanted:.{places}f}",
        bool(abs(found - wanted) <= tolerance),
    )


def as_text(lines: Sequence[Line]) -> str:
    """The proof as a table for a terminal."""
    rows: list[str] = []
    section = ""
    for line in lines:
        if line.section != section:
            section = line.section
            rows += ["", section]
        mark = {True: "holds", False: "FAILS", None: ""}[line.holds]
        rows.append(f"  {line.what:<78} {line.found:>12}  {line.wanted:<20} {mark}".rstrip())
    asked = [line for line in lines if line.holds is not None]
    kept = sum(1 for line in asked if line.holds)
    return "\n".join([*rows, "", f"{kept} of {len(asked)} hold"])
