"""Whether the figures of one row can belong together: value, limits, respondents and base.

Pure functions of numbers, used by the parsers (which see the number of respondents, that the tidy
shape does not keep) and by the contract. Percentages are 0 to 100.

Implied design effect: Kish, Survey Sampling (1965); a published interval of width w at 95 % has a
standard error of w / 3.92, and a simple random sample of n one of sqrt(p (100 - p) / n).
"""

import math
from collections.abc import Iterable
from typing import Final, Literal

Fit = Literal["fits", "odd", "contradicts"]

Z95: Final = 1.959964
# Rows of real tables with their own base lie between about 0.8 and 4.
_DESIGN_EFFECTS: Final[tuple[tuple[tuple[float, float], Fit], ...]] = (
    ((0.2, 12.0), "contradicts"),
    ((0.6, 4.5), "odd"),
)


def stored_decimals(values: Iterable[float | None]) -> int:
    """The most decimals that any of the numbers is stored with, at most 9."""
    most = 0
    for value in values:
        if value is not None and math.isfinite(value):
            text = f"{value:.9f}".rstrip("0")
            most = max(most, len(text) - text.index(".") - 1)
    return most


def half_unit(decimals: int) -> float:
    """By how much a number printed with so many decimals may differ from the one it stands for."""
    return float(0.5 * 10.0**-decimals) if decimals < 9 else 1e-9


def design_effect(value: float, lower: float, upper: float, base: float) -> float:
    """The variance that the interval implies over that of a simple random sample of ``base``."""
    inside = min(max(value, 0.5), 99.5)
    return ((upper - lower) / (2 * Z95)) ** 2 * base / (inside * (100 - inside))


def design_effect_fit(
    value: float, lower: float, upper: float, base: float, rounding: float = 0.0
) -> Fit:
    """Whether the interval is one that a sample of ``base`` people can give.

    ``rounding``: by how much each limit may differ from the unrounded one, in percentage points.
    """
    most = design_effect(value, lower - rounding, upper + rounding, base)
    least = design_effect(value, min(lower + rounding, value), max(upper - rounding, value), base)
    for (low, high), fit in _DESIGN_EFFECTS:
        if most < low or least > high:
            return fit
    return "fits"


def log_odds(percent: float) -> float:
    """The log-odds of a percentage, which is taken to be 1 at least and 99 at most."""
    inside = min(max(percent, 1.0), 99.0)
    return math.log(inside / (100 - inside))


def respondents_fit(value: float, respondents: float, base: float) -> Fit:
    """Whether so many of the base can have given the answer of ``value`` percent.

    Respondents are unweighted and the percentage is weighted, so they agree only roughly: 61 percent
    of respondents were 58 percent after weighting in a published table. The comparison is of
    log-odds, which treats a fraction among percentages and a value ten times too small alike.
    """
    printed = min(max(value, 0.05), 99.95)
    counted = 100 * (respondents + 0.5) / (base + 1)
    apart = abs(math.log(printed / (100 - printed)) - math.log(counted / (100 - counted)))
    noise = 2 / math.sqrt(max(base * counted * (100 - counted) / 10_000, 0.25))
    if apart > 1.0 + noise:
        return "contradicts"
    return "odd" if apart > 0.5 + noise else "fits"
