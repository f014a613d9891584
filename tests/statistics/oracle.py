"""The statistics a second time, in numpy, written from docs/methods.md and not from the SQL.

Only tests may import it: what is published is computed by dbt, and this says whether that is right.
Percentages are 0 to 100, standard errors and differences are in points.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt
from scipy import stats

Numbers = npt.NDArray[np.float64]

Z = float(stats.norm.ppf(0.975))


def standard_error(
    value: float,
    lower: float | None,
    upper: float | None,
    base: float | None,
    design_effect: float = 1.6,
) -> float | None:
    """From printed limits, with the floor for limits less than a point apart."""
    if lower is None or upper is None or not lower <= value <= upper:
        return None
    from_width = (upper - lower) / (2 * Z)
    if upper - lower >= 1:
        return from_width
    if base is None or base <= 0:
        return from_width if upper > lower else None
    kept = min(max(value, 0.5), 99.5)
    return max(from_width, float(np.sqrt(design_effect * kept * (100 - kept) / base)))


def combined(weights: Numbers, values: Numbers, errors: Numbers) -> tuple[float, float]:
    """Value and standard error of independent estimates under fixed weights."""
    covariance = np.diag(errors**2)
    return float(weights @ values), float(np.sqrt(weights @ covariance @ weights))


def mover(weights: Numbers, values: Numbers, lower: Numbers, upper: Numbers) -> tuple[float, float]:
    """Zou and Donner's limits of a weighted sum, unclipped."""
    centre = float(weights @ values)
    down = np.linalg.norm(weights * (values - lower))
    up = np.linalg.norm(weights * (upper - values))
    return centre - float(down), centre + float(up)


def least_change(*errors: float) -> float:
    """The true change that is found significant with 80% power, from independent errors."""
    return float((Z + stats.norm.ppf(0.8)) * np.linalg.norm(errors))


def rounding(*decimals: int | None) -> float:
    """Variance of the sum of uniform rounding errors, one a printed figure; None is unrounded."""
    widths = np.array([10.0**-places for places in decimals if places is not None])
    return float(np.sum(widths**2)) / 12


def part_whole_z(
    part: float,
    part_error: float,
    whole: float,
    whole_error: float,
    share: float,
    rounded: float = 0.0,
) -> float | None:
    """z of a part less the whole that holds it, from the two-by-two covariance matrix.

    `rounded` is the variance that rounding adds. None where the covariance matrix alone, which is
    what the two intervals say, leaves no variance.
    """
    covariance = np.array(
        [
            [part_error**2, share * part_error**2],
            [share * part_error**2, whole_error**2],
        ]
    )
    contrast = np.array([1.0, -1.0])
    variance = float(contrast @ covariance @ contrast)
    return (part - whole) / float(np.sqrt(variance + rounded)) if variance > 0 else None


def close(*scores: float | None) -> bool:
    """Whether any of the z scores lies near the threshold."""
    return any(score is not None and 1.64 < abs(score) < 2.33 for score in scores)


def decimals_of(values: Numbers) -> int | None:
    """Decimals of a stored column of percentages; None where it is not rounded."""
    for places in (0, 1, 2):
        if np.allclose(values, np.round(values, places), rtol=0, atol=1e-10):
            return places
    return None


def two_sided_p(z: float) -> float:
    """Area of both tails beyond |z|."""
    return float(2 * stats.norm.sf(abs(z)))


def outcome(z: float | None, polarity: str | None) -> str:
    """The declared rule's word."""
    if z is None:
        return "cannot_say"
    if abs(z) <= Z:
        return "similar"
    above = z > 0
    if polarity in ("high_good", "low_good"):
        return "better" if above == (polarity == "high_good") else "worse"
    return "higher" if above else "lower"


def benjamini_hochberg(p_values: Numbers) -> Numbers:
    """Adjusted p values in the order given."""
    return np.asarray(stats.false_discovery_control(p_values, method="bh"))


def rank_range(
    scores: Numbers, errors: Numbers, index: int, rounded: float = 0.0
) -> tuple[int, int, int]:
    """Place, best and worst place of one area, by looking at every other.

    `rounded` is the variance that rounding adds to each difference.
    """
    place = best = 1
    worst = len(scores)
    for other in range(len(scores)):
        if other == index:
            continue
        lead = scores[other] - scores[index]
        error = float(np.sqrt(errors[other] ** 2 + errors[index] ** 2 + rounded))
        place += bool(lead > 0)
        best += bool(lead > Z * error)
        worst -= bool(-lead > Z * error)
    return place, best, worst


def half_up(value: float, decimals: int = 0) -> float:
    """Halves away from zero, after nine places of decimals."""
    exact = Decimal(value).quantize(Decimal("1e-9"), rounding=ROUND_HALF_UP)
    return float(exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))
