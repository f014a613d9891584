"""Percentages from the answers of a local survey, one row per respondent.

The answers stay in the file that holds them: what leaves this module is percentages with their
intervals, withheld by declared rules, and no message quotes an answer. Percentages and intervals are
those of samplics (Taylor linearisation, logit intervals): an optional extra of the installation.
"""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import pandas as pd
import yaml
from pydantic import BaseModel, Field, ValidationError

from sources.arrival import read_regular_file
from sources.errors import ParseError
from sources.surveys import COLUMNS, RESULTS, SMALL_AREA_BASE, SURVEY, parse_survey

DESIGN: Final = "respondents.yaml"
ANSWERS: Final = "respondents.csv"
FIGURES: Final = ("value", "lower_95", "upper_95")
SMALL_AREAS: Final = "small areas"
_TODO: Final = "correct the file and land it again; docs/local_surveys.md describes the three files"


class Counted(BaseModel, extra="forbid", frozen=True):
    """The column of a question, and the answers that its percentage counts."""

    column: str
    counted: tuple[str, ...] = Field(min_length=1)


class Design(BaseModel, extra="forbid", frozen=True):
    """How the sample was drawn, which columns hold what, and below what a figure is withheld.

    ``minimum_base`` counts answers, ``minimum_count`` those with and those without the response.
    """

    weight: str
    stratum: str | None = None
    cluster: str | None = None
    small_area: str | None = None
    breakdowns: Mapping[str, str] = {}
    questions: Mapping[str, Counted]
    minimum_base: Annotated[int, Field(ge=10)] = 30
    minimum_count: Annotated[int, Field(ge=3)] = 10


def results_of(folder: Path) -> dict[str, bytes]:
    """The two files of published results (``sources.surveys``) that the answers of a folder give.

    Raises ParseError with what is wrong; answers are never quoted; LandingError when a file cannot
    be read.
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
    cells = pd.concat(
        withhold(_cells(counted, design, answers, weights, survey.area), design).assign(
            question=id_
        )
        for id_, counted in design.questions.items()
    )
    for name in FIGURES:
        cells[name] = cells[name].map("{:.1f}".format, na_action="ignore")
    written = cells.reindex(columns=list(COLUMNS)).to_csv(index=False, lineterminator="\n")
    return {SURVEY: content[SURVEY], RESULTS: written.encode()}


def _error(words: str, file: str) -> ParseError:
    return ParseError(words, code="answers_cannot_be_used", file=file, todo=_TODO)


def _cells(
    counted: Counted, design: Design, answers: pd.DataFrame, weights: pd.Series, area: str
) -> pd.DataFrame:
    """A row per percentage of a question, in the columns of the published results.

    Beside them ``group`` names the cells that add up to a published one, and ``count`` is how many
    gave the response.
    """
    given = answers[counted.column].ne("")
    hit = answers[counted.column].isin(counted.counted)
    everybody = pd.Series("all", index=answers.index)
    divided: list[tuple[str | None, str, str, pd.Series]] = [(area, "all", "all", everybody)]
    divided += [(area, name, name, answers[column]) for name, column in design.breakdowns.items()]
    if design.small_area:
        divided.append((None, "all", SMALL_AREAS, answers[design.small_area]))
    cells = []
    for code, breakdown, group, domain in divided:
        used = given & domain.ne("")
        # Who did not answer stays in the design, in a part that is not shown.
        estimates = _estimate(hit, weights, domain.where(used, ""), design, answers)
        for category, shares in sorted(estimates.items()):
            members = used & domain.eq(category)
            named = category if code and breakdown != "all" else "all"
            counts = int(members.sum()), int(hit[members].sum())
            percentages = (100 * share for share in shares)
            cells.append((code or category, breakdown, named, group, *counts, *percentages))
    columns = ["area_code", "breakdown", "category", "group", "base", "count", *FIGURES]
    return pd.DataFrame(cells, columns=columns)


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


def withhold(cells: pd.DataFrame, design: Design) -> pd.DataFrame:
    """The cells of a question without what points at few people.

    A cell is withheld where fewer than ``minimum_base`` answered (in a ward or LSOA 100), or fewer
    than ``minimum_count`` gave the response or another. Where one cell alone is withheld of a group
    that adds up to a published one, it could be found by subtraction: the smallest other goes too.
    """
    base, count = cells["base"], cells["count"]
    small_areas = cells["group"].eq(SMALL_AREAS)
    few = base.lt(design.minimum_base) | (small_areas & base.lt(SMALL_AREA_BASE))
    withheld = few | count.clip(upper=base - count).lt(design.minimum_count)
    for _, bases in base[cells["group"].ne("all")].groupby(cells["group"]):
        others = bases[~withheld[bases.index]]
        if len(others) == len(bases) - 1 and len(others):
            withheld |= withheld.index == others.idxmin()
    shown = cells.astype({"base": "Int64"})
    shown.loc[withheld, [*FIGURES, "base"]] = None
    return shown
