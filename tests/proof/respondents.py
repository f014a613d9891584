"""False findings of the test of a difference, by simulating the people who answer.

Nothing here draws on the scale of the test. Each sample is one of persons with unequal weights; the
publisher's share, variance and limits are computed from their answers, and only then is the test
run, by the macros that dbt builds. Both areas have the same true level, so every finding is false:
2.5% of draws should fall in each tail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist
from typing import Literal, get_args

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.lazy import lazy
from tests.proof.dbt_sql import render
from tests.proof.lines import Line, within

stats = lazy("scipy.stats")

Array = npt.NDArray[np.float64]
Variance = Literal["effective", "linearised"]
Limits = Literal["logit", "wilson"]
Pair = Literal[
    "authority v England",
    "largest member v own combined authority",
    "smallest member v own combined authority",
    "combined authority v England",
    "authority v authority",
]

Z = NormalDist().inv_cdf(0.975)
SEED = 20_240_331
DRAWS = 10_000
LEVELS = (5, 10, 50, 90, 95, 97)
SIZES = (0.8, 0.9, 1.0, 1.1, 1.25)
CLASSES = 10
ENGLAND_BASE = 172_000
# Shares of the West Midlands' adults, and those of England that an authority and it hold.
MEMBERS = np.array([0.3823, 0.1326, 0.1126, 0.1100, 0.0756, 0.0971, 0.0897])
PAIRS: tuple[Pair, ...] = get_args(Pair)
# How seven authorities may lie: one high and one low for trust, the report's range for
# attractiveness, and near the ceiling for help.
PATTERNS: dict[str, tuple[float, ...]] = {
    "trust": (28.5, 28.5, 28.5, 28.5, 43.0, 28.5, 22.0),
    "attractiveness": (40.7, 40.7, 40.7, 28.0, 63.0, 40.7, 40.7),
    "help": (94.5, 94.0, 95.5, 93.5, 96.5, 94.5, 94.0),
}
AUTHORITY_OF_ENGLAND, COMBINED_OF_ENGLAND = 0.0193, 0.0506


@dataclass(frozen=True)
class Setting:
    """One cell of the experiment. Level in percent; interviews per authority.

    ``allowance``: the part of the allowance for rounding that is made; 1 in the declared rule.
    """

    pair: Pair
    level: float
    interviews: int
    design_effect: float = 1.65
    decimals: int | None = None
    variance: Variance = "effective"
    limits: Limits = "logit"
    allowance: float = 1.0


@dataclass(frozen=True)
class Sample:
    """As many samples as draws: share (0 to 1), its estimated variance, and interviews."""

    share: Array
    variance: Array
    base: int


@cache
def weight_classes(design_effect: float) -> Array:
    """Weights of ten equally likely classes of persons, mean 1, with the design effect of Kish.

    Quantiles of a gamma distribution, stretched so that 1 + cv² is the design effect.
    """
    spread = design_effect - 1
    raw = stats.gamma.ppf((np.arange(CLASSES) + 0.5) / CLASSES, 1 / spread)
    raw = raw / raw.mean()
    stretched = np.maximum(1 + (raw - 1) * np.sqrt(spread / raw.var()), 0.02)
    return np.asarray(stretched / stretched.mean())


def draw(rng: np.random.Generator, level: Array, setting: Setting, base: int) -> Sample:
    """Interview `base` people per draw, each with a weight and a yes or no.

    The variance is that of a simple sample of the effective size (Kish), or the linearised one of
    the weighted answers themselves, as complex-survey software has it.
    """
    weights = weight_classes(setting.design_effect)
    people = rng.multinomial(base, [1 / CLASSES] * CLASSES, size=len(level))
    yes = rng.binomial(people, level[:, None] / 100)
    total = people @ weights
    share = yes @ weights / total
    if setting.variance == "effective":
        variance = (people @ weights**2) / total**2 * share * (1 - share)
    else:
        residuals = yes * (1 - share[:, None]) ** 2 + (people - yes) * share[:, None] ** 2
        variance = residuals @ weights**2 / total**2 * base / (base - 1)
    return Sample(share, variance, base)


def publish(sample: Sample, setting: Setting) -> pd.DataFrame:
    """Value and 95% limits in percent as the publisher prints them; columns of a figure."""
    share, variance = sample.share, sample.variance
    inside = (share > 0) & (share < 1) & (variance > 0)
    p = np.where(inside, share, 0.5)
    v = np.where(inside, variance, 1.0)
    if setting.limits == "logit":
        centre, half = np.log(p / (1 - p)), Z * np.sqrt(v) / (p * (1 - p))
        lower, upper = 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
    else:
        n = p * (1 - p) / v
        centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * np.sqrt(v + Z**2 / (4 * n**2))
        lower, upper = centre - half, centre + half
    figure = {
        "value": 100 * share,
        "lower_95": np.where(inside, 100 * lower, 100 * share),
        "upper_95": np.where(inside, 100 * upper, 100 * share),
    }
    if setting.decimals is not None:
        figure = {name: np.round(column, setting.decimals) for name, column in figure.items()}
    return pd.DataFrame({**figure, "base": sample.base})


def mix(samples: list[Sample], weights: Array) -> Sample:
    """Independent samples weighted to one area."""
    return Sample(
        np.sum([w * s.share for w, s in zip(weights, samples, strict=True)], axis=0),
        np.sum([w**2 * s.variance for w, s in zip(weights, samples, strict=True)], axis=0),
        sum(s.base for s in samples),
    )


def computed(figures: list[pd.DataFrame]) -> pd.DataFrame:
    """Our own combined-authority figure from the members' printed ones, by the macros."""
    members = pd.concat(
        [
            frame.assign(draw=np.arange(len(frame)), weight=weight)
            for frame, weight in zip(figures, MEMBERS, strict=True)
        ]
    )
    return _query(
        members,
        """
        with members as (
            select *, {{ se_from_interval('lower_95', 'upper_95', 'value', 'base') }} as se
            from frame_in
        ),
        combined as (
            select
                draw,
                sum(weight * value) as value,
                sqrt(sum(weight * weight * se * se)) as se,
                {{ mover_limit('weight', 'value', 'lower_95', 'lower') }} as mover_lower,
                {{ mover_limit('weight', 'value', 'upper_95', 'upper') }} as mover_upper
            from members
            group by draw
        )
        select
            value,
            se as known_se,
            {{ clip("case when value between 15 and 85 then value - 1.96 * se else mover_lower end") }}
                as lower_95,
            {{ clip("case when value between 15 and 85 then value + 1.96 * se else mover_upper end") }}
                as upper_95,
            10000 as base
        from combined
        order by draw
        """,
    )


def experiment(
    setting: Setting, draws: int, seed: int = SEED
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Both sides of the comparison as printed, and the share of the other that the area is.

    True levels lie within half a point of the setting's, so that no result hangs on where a whole
    percentage happens to lie.
    """
    rng = np.random.default_rng(seed)
    level = setting.level + rng.uniform(-0.5, 0.5, size=draws)

    def interview() -> Sample:
        base = round(setting.interviews * rng.uniform(0.95, 1.05))
        return draw(rng, level, setting, base)

    def inside(part: Sample, share: float) -> Sample:
        return mix([part, draw(rng, level, setting, ENGLAND_BASE)], np.array([share, 1 - share]))

    if setting.pair == "authority v authority":
        return publish(interview(), setting), publish(interview(), setting), 0.0
    if setting.pair == "authority v England":
        area = interview()
        england = inside(area, AUTHORITY_OF_ENGLAND)
        return publish(area, setting), publish(england, setting), AUTHORITY_OF_ENGLAND
    members = [interview() for _ in MEMBERS]
    if setting.pair == "combined authority v England":
        area = mix(members, MEMBERS)
        england = inside(area, COMBINED_OF_ENGLAND)
        return publish(area, setting), publish(england, setting), COMBINED_OF_ENGLAND
    figures = [publish(member, setting) for member in members]
    at = int(np.argmax(MEMBERS) if setting.pair.startswith("largest") else np.argmin(MEMBERS))
    return figures[at], computed(figures), float(MEMBERS[at])


TESTED = """
with sides as (
    select
        *,
        null::double as share_in_area,
        'percent' as unit
        {% for side in ('', 'comparator_') %}
        , coalesce({{ side }}known_se, {{ se_from_interval(
            side ~ 'lower_95', side ~ 'upper_95', side ~ 'value', side ~ 'base'
        ) }}) as {{ side }}se
        {% endfor %}
    from frame_in
),

tested as ({{ compared('sides') }}),

judged as (
    select
        * replace (
            case
                when allowance < 1 or sampling_variance > rounding_variance
                    then
                        z * sqrt(sampling_variance + rounding_variance)
                        / sqrt(sampling_variance + allowance * rounding_variance)
            end as z
        )
    from tested
)

select
    draw,
    difference,
    difference_se,
    z,
    {{ comparison_outcome('z', "'none'") }} as outcome
from judged
order by draw
"""


def verdicts(setting: Setting, draws: int, seed: int = SEED) -> pd.DataFrame:
    """One row per draw: difference (points), z, outcome and difference_se, by the macros."""
    area, other, share = experiment(setting, draws, seed)
    ours = setting.pair.endswith("own combined authority")
    frame = pd.concat([area, other.add_prefix("comparator_")], axis=1).assign(
        draw=np.arange(draws),
        allowance=setting.allowance,
        share_of_comparator=share or np.nan,
        decimals=pd.array([setting.decimals] * draws, dtype="Int64"),
        comparator_decimals=pd.array([None if ours else setting.decimals] * draws, dtype="Int64"),
    )
    for column in ("known_se", "comparator_known_se"):
        if column not in frame:
            frame[column] = np.nan
    return _query(frame, TESTED)


@dataclass(frozen=True)
class Tails:
    """False findings in percent of the draws that got a verdict, and the percent that got none."""

    higher: float
    lower: float
    refused: float

    def __str__(self) -> str:
        refused = f" ({self.refused:.0f}% without a verdict)" if self.refused >= 0.5 else ""
        return f"{self.higher:.1f} / {self.lower:.1f}{refused}"

    def within(self, lowest: float, highest: float) -> bool:
        """Whether each tail lies between the two."""
        return lowest <= min(self.higher, self.lower) and max(self.higher, self.lower) <= highest


def tails(setting: Setting, draws: int, seed: int = SEED) -> Tails:
    """False findings of the rule in one setting.

    Whole percentages lie on a lattice, so that one number of interviews alone moves the rate by
    where the threshold falls between two steps. Authorities differ, so these are pooled over sizes.
    """
    sizes = (1.0,) if setting.decimals is None else SIZES
    outcome = pd.concat(
        [
            verdicts(
                replace(setting, interviews=round(size * setting.interviews)),
                draws // len(sizes),
                seed + at,
            )["outcome"]
            for at, size in enumerate(sizes)
        ]
    )
    said = outcome != "cannot_say"
    return Tails(
        100 * float((outcome[said] == "higher").mean()),
        100 * float((outcome[said] == "lower").mean()),
        100 * float((~said).mean()),
    )


def on_other_scales(setting: Setting, draws: int, seed: int = SEED) -> dict[str, Tails]:
    """The same test on other scales, against the whole of England. Unrounded figures only."""
    area, other, share = experiment(setting, draws, seed)
    scales = {
        "points": lambda x: x / 100,
        "arcsine": lambda x: np.arcsin(np.sqrt(np.clip(x, 0, 100) / 100)),
        "folded cube root": lambda x: (
            np.cbrt(np.clip(x, 0, 100) / 100) - np.cbrt(1 - np.clip(x, 0, 100) / 100)
        ),
        "folded fourth root": lambda x: (
            (np.clip(x, 0, 100) / 100) ** 0.25 - (1 - np.clip(x, 0, 100) / 100) ** 0.25
        ),
        "logit": lambda x: stats.logistic.ppf(np.clip(x, 0.05, 99.95) / 100),
    }
    result: dict[str, Tails] = {}
    for name, scale in scales.items():
        sides = [scale(side["value"]) for side in (area, other)]
        errors = [
            (scale(side["upper_95"]) - scale(side["lower_95"])) / (2 * Z) for side in (area, other)
        ]
        z = (sides[0] - sides[1]) / np.sqrt(errors[0] ** 2 * (1 - 2 * share) + errors[1] ** 2)
        result[name] = Tails(100 * float((z > Z).mean()), 100 * float((z < -Z).mean()), 0.0)
    return result


def _query(frame: pd.DataFrame, template: str) -> pd.DataFrame:
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
    try:
        connection.register("frame_in", frame)
        return connection.execute(render(template)).df()
    finally:
        connection.close()


def false_findings(draws: int = DRAWS) -> list[Line]:
    """The tails by level, interviews, design effect, rounding and kind of pair."""
    lines: list[Line] = []
    section = f"2 false findings in percent, higher / lower, {draws:,} draws; 2.5 is right"
    for setting in exact_settings():
        lines.append(_line(section, setting, tails(setting, draws), 1.8, 3.2))
    for setting in whole_settings():
        lines.append(_line(section, setting, tails(setting, draws), 1.5, 3.8))
    section = "2b the same, where nothing is promised"
    for level in LEVELS:
        for interviews in (550, 2500):
            setting = Setting("authority v England", level, interviews, variance="linearised")
            lines.append(_line(section, setting, tails(setting, draws)))
    for level in (90, 95, 97):
        lines.append(
            _line(section, few := Setting("authority v England", level, 300), tails(few, draws))
        )
    for level in LEVELS:
        if too_coarse(pair := "combined authority v England", level):
            for allowance in (1, 0.5, 0):
                coarse = Setting(pair, level, 550, decimals=0, allowance=allowance)
                lines.append(_line(section, coarse, tails(coarse, draws)))
    section = "2c other scales, 550 interviews, authority v England"
    for variance in get_args(Variance):
        for level in (5, 50, 95, 97):
            setting = Setting("authority v England", level, 550, variance=variance)
            for name, found in on_other_scales(setting, draws).items():
                lines.append(Line(section, f"{level}%, {name}, {variance}", str(found)))
    return lines


def exact_settings() -> Iterator[Setting]:
    """Unrounded figures of at least 500 interviews: each tail must be 2.5 within 0.7."""
    for level in LEVELS:
        for interviews in (500, 2500):
            for design_effect in (1.3, 2.0):
                yield Setting("authority v England", level, interviews, design_effect)
        yield Setting("authority v England", level, 500, limits="wilson")
        for pair in PAIRS[1:]:
            yield Setting(pair, level, 500)


def whole_settings() -> Iterator[Setting]:
    """Whole percentages: each tail must be 1.5 to 3.8."""
    for level in LEVELS:
        for pair in PAIRS:
            if not too_coarse(pair, level):
                yield Setting(pair, level, 550, decimals=0)


def too_coarse(pair: Pair, level: float) -> bool:
    """Whether whole percentages hide what some 4,000 interviews could show: too few findings."""
    return pair == "combined authority v England" and not 10 <= level <= 90


def _line(
    section: str, setting: Setting, found: Tails, lowest: float = 0.0, highest: float = 0.0
) -> Line:
    printed = "whole" if setting.decimals == 0 else "exact"
    what = (
        f"{setting.pair}, {setting.level}%, n {setting.interviews}, "
        f"deff {setting.design_effect}, {printed}, {setting.limits}, {setting.variance}"
        + (f", {setting.allowance:g} of the allowance" if setting.allowance < 1 else "")
    )
    if not highest:
        return Line(section, what, str(found))
    wanted = f"{lowest} to {highest}"
    return Line(section, what, str(found), wanted, found.within(lowest, highest))


def coverage(pattern: tuple[float, ...], draws: int = DRAWS) -> dict[str, float]:
    """Percent of draws in which our 95% limits hold the truth of seven unlike authorities.

    Also the bias of the unweighted mean, in points. Members are printed in whole percentages.
    """
    rng = np.random.default_rng(SEED)
    setting = Setting("authority v England", 0, 550, decimals=0)
    levels = [level + rng.uniform(-0.5, 0.5, size=draws) for level in pattern]
    figures = [publish(draw(rng, level, setting, 550), setting) for level in levels]
    truth = np.sum([w * level for w, level in zip(MEMBERS, levels, strict=True)], axis=0)
    ours = computed(figures)
    plain = np.mean([frame["value"] for frame in figures], axis=0)
    return {
        "covered": 100 * float(((ours["lower_95"] <= truth) & (truth <= ours["upper_95"])).mean()),
        "bias of the unweighted mean": float(np.mean(plain - truth)),
    }


def coverages(draws: int = DRAWS) -> list[Line]:
    """Coverage of our limits in three patterns."""
    section = "3 coverage of our 95% limits, members as whole percentages"
    lines: list[Line] = []
    for name, pattern in PATTERNS.items():
        found = coverage(pattern, draws)
        lines.append(within(section, name, found["covered"], 93.5, 96.0))
        bias = found["bias of the unweighted mean"]
        lines.append(Line(section, f"{name}, bias of the unweighted mean", f"{bias:+.1f}"))
    return lines
