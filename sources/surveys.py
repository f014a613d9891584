"""Published results of a council's own survey, in the observation shape.

A survey is a folder with ``survey.yaml`` (what was asked, of whom and how) and ``results.csv`` (the
percentages). Belongs here: reading the two into rows that keep their contract, with every fault at
once. Does not belong here: comparing them with a national survey (the mart ``local_surveys``).
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator

from sources.areas import AreaBook
from sources.arrival import MADE_UP_PREFIX, read_regular_file
from sources.errors import ParseError
from sources.evidence.model import personal_data
from sources.observation import ObservationModel, as_observations

SURVEY: Final = "survey.yaml"
RESULTS: Final = "results.csv"
COLUMNS: Final = (
    *("question", "area_code", "area_name", "breakdown", "category"),
    *("value", "lower_95", "upper_95", "base"),
)
_NEEDED: Final = ("question", "area_code", "value", "base")
# Below a survey's own area the base decides what is shown: fewer answers say little and may
# point at people.
SMALL_AREA_BASE: Final = 100
_LEVELS: Final = {"E05": "ward", "E01": "lsoa"}
_TODO: Final = (
    "correct the file and land the survey again; docs/local_surveys.md describes both files"
)

Mode = Literal["online", "online_and_paper", "paper", "telephone", "face_to_face"]
_Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=60)]
_Words = Annotated[str, Field(min_length=3, max_length=600)]


class _Model(BaseModel, extra="forbid", frozen=True):
    @field_validator("*")
    @classmethod
    def _is_not_personal(cls, value: Any) -> Any:
        if isinstance(value, str) and (found := next(personal_data(value), None)):
            raise ValueError(f"there is {found[0]}; take it out")
        return value


class Question(_Model):
    """A question, the response that its percentages count, and the barometer that it resembles."""

    id: _Id
    wording: _Words
    response: _Words
    barometer: _Id | None = None
    wording_is: Literal["same", "similar", "different"] = "different"
    note: str = ""


class Survey(_Model):
    """What a survey was: of whom, how and when. ``design_effect`` is that of its weighting."""

    id: _Id
    title: _Words
    organisation: _Words
    area: str
    starts: date
    ends: date
    mode: Mode
    weighting: _Words
    design_effect: float | None = Field(default=None, ge=0.5, le=10)
    minimum_base: int = Field(default=30, ge=10)
    source: _Words
    source_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    questions: tuple[Question, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Results:
    """A survey with its rows: ``OBSERVATION_COLUMNS`` and what the survey says of each."""

    survey: Survey
    rows: pd.DataFrame
    content: Mapping[str, bytes]


def read_survey(folder: Path, areas: AreaBook, barometers: frozenset[str]) -> Results:
    """Read and check a folder.

    A folder whose name begins with ``synthetic-`` is made up; wards and LSOAs are let in by their code.
    ``barometers`` are the indicators that a question may resemble. Raises ParseError with every fault
    of the two files, and LandingError when one of them cannot be read.
    """
    content = {
        name: read_regular_file(folder / name, {"file": f"{folder.name}/{name}"})
        for name in (SURVEY, RESULTS)
    }
    survey = parse_survey(content[SURVEY], f"{folder.name}/{SURVEY}")
    faults = list(_survey_faults(survey, areas, barometers))
    sha256 = hashlib.sha256(content[RESULTS]).hexdigest()
    origin = "synthetic" if folder.name.startswith(MADE_UP_PREFIX) else "local"
    rows = []
    for number, raw in enumerate(_read_csv(content[RESULTS], faults), 2):
        row = _row(raw, number, survey, areas, faults)
        if row is not None:
            rows.append(row | {"origin": origin, "file_sha256": sha256, "row_number": number})
    keys = [(r["measure"], r["area_code"], r["breakdown"], r["category"]) for r in rows]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        faults.append(f"{RESULTS}: {', '.join(key)} is there twice")
    if faults or not rows:
        raise _error(faults or ["there are no results"], folder.name)
    frame = pd.DataFrame(rows)
    shape = as_observations(frame.drop(columns="reason"))
    ObservationModel.validate(shape)
    return Results(survey, shape.assign(reason=frame["reason"]), content)


def parse_survey(content: bytes, file: str) -> Survey:
    """The description of a survey. Raises ParseError with every fault."""
    try:
        return Survey.model_validate(yaml.safe_load(content.decode("utf-8")))
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors(include_url=False)
        ]
        raise _error(faults, file) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _error([str(error).splitlines()[0]], file) from None


def _error(faults: list[str], file: str) -> ParseError:
    words = "; ".join(f"({number}) {fault}" for number, fault in enumerate(faults, 1))
    return ParseError(words, code="survey_cannot_be_used", file=file, todo=_TODO)


def _survey_faults(survey: Survey, areas: AreaBook, barometers: frozenset[str]) -> Iterator[str]:
    if not areas.knows(survey.area):
        yield f"area: {survey.area} is not in the list of areas"
    if survey.ends < survey.starts:
        yield f"ends: {survey.ends} is before {survey.starts}"
    for question in survey.questions:
        if question.barometer is None and question.wording_is != "different":
            yield f"{question.id}: {question.wording_is} as what? Name the barometer"
        if question.barometer is not None and question.barometer not in barometers:
            yield f"{question.id}: there is no barometer {question.barometer}"
        if question.barometer and question.wording_is != "same" and not question.note:
            yield f"{question.id}: say in note how the wording differs from the barometer's"


def _read_csv(content: bytes, faults: list[str]) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        faults.append(f"{RESULTS}: {error}")
        return []
    named = set(reader.fieldnames or ())
    lacking = [name for name in _NEEDED if name not in named]
    unknown = sorted(str(name) for name in named - set(COLUMNS))
    if lacking or unknown:
        faults.append(
            f"{RESULTS}: columns missing: {', '.join(lacking) or 'none'}; not known: "
            f"{', '.join(unknown) or 'none'}"
        )
        return []
    return rows


def _row(
    raw: Mapping[str, str], number: int, survey: Survey, areas: AreaBook, faults: list[str]
) -> dict[str, Any] | None:
    place = f"{RESULTS} row {number}"
    before = len(faults)
    figures = {}
    for name in ("value", "lower_95", "upper_95", "base"):
        text = (raw.get(name) or "").strip()
        try:
            figures[name] = float(text) if text else None
        except ValueError:
            faults.append(f"{place}, {name}: '{text[:20]}' is no number")
    if raw["question"] not in {each.id for each in survey.questions}:
        faults.append(f"{place}, question: '{raw['question']}' is not a question of {SURVEY}")
    code = (raw["area_code"] or "").strip()
    level = _LEVELS.get(code[:3])
    known = areas.areas.get(code)
    if known is None and (level is None or len(code) != 9):
        faults.append(f"{place}, area_code: '{code}' is no area, ward or LSOA that is known")
    if len(faults) > before:
        return None
    value, lower, upper, base = (figures[n] for n in ("value", "lower_95", "upper_95", "base"))
    if any(x is not None and not 0 <= x <= 100 for x in (value, lower, upper)):
        faults.append(f"{place}: a percentage is between 0 and 100")
    if (lower is None) != (upper is None):
        faults.append(f"{place}: an interval has both limits")
    elif None not in (lower, upper, value) and not lower <= value <= upper:  # type: ignore[operator]
        faults.append(f"{place}: the interval does not contain the value")
    if value is not None and (base is None or base < 0 or base != int(base)):
        faults.append(f"{place}, base: how many answered is needed, as a whole number")
    breakdown, category = ((raw.get(n) or "").strip() or "all" for n in ("breakdown", "category"))
    if (breakdown == "all") != (category == "all"):
        faults.append(f"{place}: a category needs its breakdown, and a breakdown its category")
    if len(faults) > before:
        return None
    least = max(survey.minimum_base, SMALL_AREA_BASE if level else 0)
    small = value is None or (base or 0) < least
    reason = (
        f"fewer than {least} people answered" if value is not None else "withheld by the survey"
    )
    return {
        "dataset": survey.id,
        "edition": str(survey.ends.year),
        "revision": "local",
        "measure": raw["question"],
        "area_code": code,
        "area_name": known.name if known else (raw.get("area_name") or code).strip(),
        "area_level": known.level if known else level,
        "period_start": survey.starts,
        "period_end": survey.ends,
        "unit": "percent",
        "value": None if small else value,
        "lower_95": None if small else lower,
        "upper_95": None if small else upper,
        "base": None if small else base,
        "status": "suppressed" if small else "published",
        "reason": reason if small else None,
        "breakdown": breakdown,
        "category": category,
    }
