"""The statistics a second time, in numpy, written from docs/methods.md and not from the SQL.

Only tests may import it: what is published is computed by dbt, and this says whether that is right.
Percentages are 0 to 100, standard errors and differences are in points.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.lazy import lazy

stats = lazy("scipy.stats")

Numbers = npt.NDArray[np.float64]

Z = NormalDist().inv_cdf(0.975)


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
    """Variance of the sum of uniform rounding errors, one per rounded figure; None is unrounded."""
    widths = np.array([10.0**-places for places in decimals if places is not None])
    return float(np.sum(widths**2)) / 12


class Figure(NamedTuple):
    """A percentage with its standard error and limits; decimals None where it is not rounded."""

    value: float
    se: float
    lower: float | None = None
    upper: float | None = None
    decimals: int | None = None


class Test(NamedTuple):
    """Of a difference: variances on the scale of the test, z, and the error in points."""

    sampling: float
    rounding: float
    z: float
    sampling_z: float
    difference_se: float


def scale(value: float) -> float:
    """The folded cube root of a percentage."""
    share = min(max(value, 0.0), 100.0) / 100
    return float(np.cbrt(share) - np.cbrt(1 - share))


def slope(figure: Figure) -> float:
    """The scale over a figure's interval, per point."""
    if figure.lower is not None and figure.upper is not None and figure.upper > figure.lower:
        return (scale(figure.upper) - scale(figure.lower)) / (figure.upper - figure.lower)
    share = min(max(figure.value, 0.5), 99.5) / 100
    return float((share ** (-2 / 3) + (1 - share) ** (-2 / 3)) / 300)


def rest(part: Figure, whole: Figure, share: float) -> Figure | None:
    """The whole without the part; None where the two errors cannot both hold."""
    variance = whole.se**2 - share**2 * part.se**2
    if variance <= 0:
        return None
    value = min(max((whole.value - share * part.value) / (1 - share), 0.0), 100.0)
    se = float(np.sqrt(variance)) / (1 - share)
    return Figure(value, se, max(value - Z * se, 0.0), min(value + Z * se, 100.0), whole.decimals)


def compared(area: Figure, other: Figure, share: float | None = None) -> Test | None:
    """The test of an area less another; with a share, of an area inside the other."""
    second = other if share is None else rest(area, other, share)
    if second is None:
        return None
    sides = (slope(area), slope(second))
    sampling = (sides[0] * area.se) ** 2 + (sides[1] * second.se) ** 2
    rounded = sides[0] ** 2 * rounding(area.decimals) + sides[1] ** 2 * rounding(other.decimals)
    rounded /= (1 - (share or 0.0)) ** 2
    distance = scale(area.value) - scale(second.value)
    z = distance / float(np.sqrt(sampling + rounded))
    error = float(np.sqrt(sampling + rounded)) / slope(Figure(area.value, 0.0))
    return Test(
        sampling,
        rounded,
        z,
        distance / float(np.sqrt(sampling)),
        (area.value - other.value) / z if z else error * (1 - (share or 0.0)),
    )


def part_whole_z(row: dict[str, float]) -> float | None:
    """z in points of a part less the whole that holds it, from the two-by-two covariance matrix."""
    share = row["share"] or 0.0
    covariance = np.array(
        [
            [row["se"] ** 2, share * row["se"] ** 2],
            [share * row["se"] ** 2, row["comparator_se"] ** 2],
        ]
    )
    contrast = np.array([1.0, -1.0])
    difference = row["value"] - row["comparator_value"]
    return difference / float(np.sqrt(contrast @ covariance @ contrast))


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


def rank_range(figures: list[Figure], index: int) -> tuple[int, int, int]:
    """Place, best and worst place of one area, the highest first, by looking at every other."""
    place = best = 1
    worst = len(figures)
    area = figures[index]
    for other in figures[:index] + figures[index + 1 :]:
        test = compared(other, area)
        assert test is not None
        place += other.value > area.value
        best += test.z > Z
        worst -= test.z < -Z
    return place, best, worst


def half_up(value: float, decimals: int = 0) -> float:
    """Halves away from zero, after nine places of decimals."""
    exact = Decimal(value).quantize(Decimal("1e-9"), rounding=ROUND_HALF_UP)
    return float(exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))
