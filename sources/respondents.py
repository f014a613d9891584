"""Percentages from the answers of a local survey, one row per respondent.

The answers stay in the file that holds them: what leaves this module is percentages with their
intervals, withheld by declared rules, and no message quotes an answer. Percentages and intervals are
those of samplics (Taylor linearisation, logit intervals): an optional extra of the installation.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sources.arrival import read_regular_file
from sources.errors import ParseError
from sources.surveys import COLUMNS, RESULTS, SMALL_AREA_BASE, SURVEY, parse_survey

DESIGN: Final = "respondents.yaml"
ANSWERS: Final = "respondents.csv"
_TODO: Final = "correct the file and land it again; docs/local_surveys.md describes the three files"


class Counted(BaseModel):
    """The column of a question, and the answers that its percentage counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    counted: tuple[str, ...] = Field(min_length=1)


class Design(BaseModel):
    """How the sample was drawn, which columns hold what, and below what a figure is withheld.

    ``minimum_base`` counts answers, ``minimum_count`` those with and those without the response.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: str
    stratum: str | None = None
    cluster: str | None = None
    small_area: str | None = None
    breakdowns: Mapping[str, str] = {}
    questions: Mapping[str, Counted]
    minimum_base: Annotated[int, Field(ge=10)] = 30
    minimum_count: Annotated[int, Field(ge=3)] = 10


@dataclass(frozen=True)
class Cell:
    """A percentage of a group of people; ``group`` names the cells that add up to a published one."""

    question: str
    area_code: str
    breakdown: str
    category: str
    group: str
    base: int
    count: int
    value: float | None
    lower: float | None
    upper: float | None


def results_of(folder: Path) -> dict[str, bytes]:
    """The two files of published results (``sources.surveys``) that the answers of a folder give.

    Raises:
        ParseError: with what is wrong; answers are never quoted.
        LandingError: when a file cannot be read.
    """
    content = {
        name: read_regular_file(folder / name, {"file": name}) for name in (SURVEY, DESIGN, ANSWERS)
    }
    survey = parse_survey(content[SURVEY], SURVEY)
    try:
        design = Design.model_validate(yaml.safe_load(content[DESIGN]))
    except (ValidationError, yaml.YAMLError) as error:
        raise _error(f"the design cannot be used: {error}", DESIGN) from None
    unknown = set(design.questions) - {each.id for each in survey.questions}
    if unknown:
        raise _error(f"questions that {SURVEY} does not have: {sorted(unknown)}", DESIGN)
    try:
        answers = pd.read_csv(io.BytesIO(content[ANSWERS]), dtype=str, keep_default_na=False)
    except Exception:
        raise _error("the answers cannot be read as a CSV file", ANSWERS) from None
    columns = {design.weight, design.stratum, design.cluster, design.small_area}
    columns |= {*design.breakdowns.values(), *(each.column for each in design.questions.values())}
    lacking = sorted(str(name) for name in columns - {None} if name not in answers)
    if lacking:
        raise _error(f"columns that {DESIGN} names are missing: {', '.join(lacking)}", ANSWERS)
    weights = pd.to_numeric(answers[design.weight], errors="coerce")
    if not (weights > 0).all():
        raise _error(f"{int((~(weights > 0)).sum())} weights are no positive number", ANSWERS)
    cells = [
        cell
        for question, counted in design.questions.items()
        for cell in withhold(
            _cells(question, counted, design, answers, weights, survey.area), design
        )
    ]
    return {SURVEY: content[SURVEY], RESULTS: _as_csv(cells)}


def _error(words: str, file: str) -> ParseError:
    return ParseError(words, code="answers_cannot_be_used", file=file, todo=_TODO)


def _cells(
    question: str,
    counted: Counted,
    design: Design,
    answers: pd.DataFrame,
    weights: pd.Series,
    area: str,
) -> list[Cell]:
    given = answers[counted.column].ne("")
    hit = answers[counted.column].isin(counted.counted)
    everybody = pd.Series("all", index=answers.index)
    divided: list[tuple[str | None, str, str, pd.Series]] = [(area, "all", "all", everybody)]
    divided += [(area, name, name, answers[column]) for name, column in design.breakdowns.items()]
    if design.small_area:
        divided.append((None, "all", "small areas", answers[design.small_area]))
    cells = []
    for code, breakdown, group, domain in divided:
        used = given & domain.ne("")
        # Who did not answer stays in the design, in a part that is not shown.
        estimates = _estimate(hit, weights, domain.where(used, ""), design, answers)
        for category, (value, lower, upper) in sorted(estimates.items()):
            members = used & domain.eq(category)
            cells.append(
                Cell(
                    question,
                    code or category,
                    breakdown,
                    category if code and breakdown != "all" else "all",
                    group,
                    int(members.sum()),
                    int(hit[members].sum()),
                    100 * value,
                    100 * lower,
                    100 * upper,
                )
            )
    return cells


def _estimate(
    hit: pd.Series, weights: pd.Series, domain: pd.Series, design: Design, answers: pd.DataFrame
) -> dict[str, tuple[float, float, float]]:
    """Share and 95% limits (0 to 1) of each part of the sample, with the variance of the whole design."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from samplics.estimation import TaylorEstimator
            from samplics.utils.types import PopParam, SinglePSUEst
        except ImportError as error:
            raise ParseError(
                "answers of respondents need an optional part of Pulse",
                code="microdata_not_installed",
                todo="pip install 'pulse-barometers[microdata]'",
            ) from error
        certain = {c for c in domain.unique() if hit[domain.eq(c)].nunique() < 2}
        estimator = TaylorEstimator(PopParam.prop, alpha=0.05)
        try:
            estimator.estimate(
                y=hit.astype(int),
                samp_weight=weights,
                domain=domain,
                stratum=answers[design.stratum] if design.stratum else None,
                psu=answers[design.cluster] if design.cluster else None,
                single_psu=SinglePSUEst.certainty,
            )
        except Exception as error:
            raise _error(f"no estimate can be made ({type(error).__name__})", ANSWERS) from None
    found = {}
    for category in set(domain.unique()) - {""}:
        # All or none of them: a share without a spread, which the rule of counts withholds.
        share = float(hit[domain.eq(category)].iloc[0]) if category in certain else None
        parts = (estimator.point_est, estimator.lower_ci, estimator.upper_ci)
        found[str(category)] = (
            (share, share, share)
            if share is not None
            else tuple(float(part[category][1]) for part in parts)
        )
    return found  # type: ignore[return-value]


def withhold(cells: list[Cell], design: Design) -> list[Cell]:
    """The cells of a question without what points at few people.

    A cell is withheld where fewer than ``minimum_base`` answered (in a ward or LSOA 100), or fewer
    than ``minimum_count`` gave the response or another. Where one cell alone is withheld of a group
    that adds up to a published one, it could be found by subtraction: the smallest other goes too.
    """

    def is_small(cell: Cell) -> bool:
        least = design.minimum_base
        if cell.group == "small areas":
            least = max(least, SMALL_AREA_BASE)
        return cell.base < least or min(cell.count, cell.base - cell.count) < design.minimum_count

    withheld = {number for number, cell in enumerate(cells) if is_small(cell)}
    for group in {cell.group for cell in cells} - {"all"}:
        members = [number for number, cell in enumerate(cells) if cell.group == group]
        hidden = [number for number in members if number in withheld]
        others = [number for number in members if number not in withheld]
        if len(hidden) == 1 and others:
            withheld.add(min(others, key=lambda number: cells[number].base))
    return [
        replace(cell, value=None, lower=None, upper=None) if number in withheld else cell
        for number, cell in enumerate(cells)
    ]


def _as_csv(cells: list[Cell]) -> bytes:
    made = io.StringIO()
    writer = csv.DictWriter(made, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for cell in cells:
        shown: dict[str, Any] = {}
        if cell.value is not None:
            shown = {
                "value": f"{cell.value:.1f}",
                "lower_95": f"{cell.lower:.1f}",
                "upper_95": f"{cell.upper:.1f}",
                "base": cell.base,
            }
        writer.writerow(
            {
                "question": cell.question,
                "area_code": cell.area_code,
                "breakdown": cell.breakdown,
                "category": cell.category,
                **shown,
            }
        )
    return made.getvalue().encode()
