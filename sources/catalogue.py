"""The catalogue: which dataset is published where, in which editions, and how its files are laid out.

Belongs here: the typed form of ``sources/catalogue/<dataset>.yaml`` and the checks that those files
hold together. Does not belong here: fetching, parsing, or anything inferred from a file name; the
catalogue declares.

The folder ``sources/catalogue/`` holds YAML only and has no ``__init__.py``, so ``sources.catalogue``
is this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from sources.errors import CatalogueError

DEFAULT_DIRECTORY = Path(__file__).parent / "catalogue"
BUNDLED_DIRECTORY = Path(__file__).parent / "bundled"

AreaLevel = Literal["nation", "itl1", "itl2", "cauth", "utla", "lad", "smc_area", "ward", "lsoa"]
Unit = Literal[
    "percent",
    "z_score",
    "group",
    "count",
    "per_10k",
    "per_100k",
    "ratio",
    "score",
    "pounds",
    "pounds_million",
    "years",
    "minutes",
]

_CODE = r"^[a-z][a-z0-9_]*$"
_EDITION = r"^[a-z0-9][a-z0-9-]*$"


_T = TypeVar("_T")


class _Model(BaseModel, extra="forbid", frozen=True):
    pass


def fill(pattern: str, edition: str) -> str:
    """A layout pattern with its placeholders replaced by what they stand for in the edition.

    ``{edition}`` 2023-24, ``{edition_slash}`` 2023/24, ``{year}`` the first four-digit year of the
    edition and ``{yy}`` its last two digits. Other braces are left as they are, so that a regular
    expression may hold ``\\d{4}``.
    """
    found = re.search(r"\d{4}", edition)
    year = found.group() if found else edition
    slash = edition.replace("-", "/")
    values = {"edition": edition, "edition_slash": slash, "year": year, "yy": year[-2:]}
    for name, value in values.items():
        pattern = pattern.replace("{" + name + "}", value)
    return pattern


def _regex(pattern: str) -> str:
    try:
        re.compile(f"(?:{fill(pattern, '2023-24')})")
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_regex)]


class JumpRule(_Model):
    """When a change against the edition before is too large to be one.

    ``points``: a change above this is a jump; ``share``: at most this share of the areas may jump;
    ``median``: the median absolute change over areas may not exceed this. In the measure's unit, or in
    percent of the earlier value when ``relative``. ``areas``: fewer areas in common prove nothing.
    """

    points: float = Field(gt=0)
    share: float = Field(ge=0, le=1)
    median: float = Field(gt=0)
    relative: bool = False
    areas: int = Field(default=20, ge=1)


class Measure(_Model):
    """One published measure. ``minimum`` and ``maximum`` bound its value, in its unit.

    ``response`` is what the figure counts, as the publisher words it; ``caution`` what a reader must
    know. ``groups``: edition -> printed group label -> group number, of a banded index; the scales of
    two editions need not agree. ``group_limits``: edition -> the values between neighbouring groups,
    lowest first, null where the publisher fixes none. ``jump`` replaces the dataset's rule for this measure.
    ``printed_titles``: what files call it besides ``title``; the word "index" at the end may be absent.
    """

    code: str = Field(pattern=_CODE)
    title: str
    printed_titles: tuple[str, ...] = ()
    unit: Unit
    question: str | None = None
    response: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    caution: str | None = None
    jump: JumpRule | None = None
    groups: Mapping[str, Mapping[str, int]] = {}
    group_limits: Mapping[str, tuple[float | None, ...]] = {}

    @model_validator(mode="after")
    def _bounds(self) -> Measure:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum} is not below maximum {self.maximum}")
        for edition, groups in self.groups.items():
            if sorted(groups.values()) != list(range(1, len(groups) + 1)):
                raise ValueError(f"groups of {edition} are not numbered from 1")
            if len(self.group_limits.get(edition, ())) != len(groups) - 1:
                raise ValueError(f"group_limits of {edition}: one between each two neighbours")
        return self

    def group_labels(self, edition: str) -> Mapping[str, int]:
        """Printed group label -> number in the edition; empty where the edition has no groups."""
        return self.groups.get(edition, {})


class Edition(_Model):
    """One edition: when it was measured and published, where, and at which area levels.

    ``history``: an edition of an older national series, carried where a cited copy was found. It is
    never fetched, and only its figures have rows: nothing is said of the cells that it lacks.
    ``expected_on``: the day by which an edition that is not published yet is expected. ``page``: its
    release; None where it is found by pattern, in one release or several.
    """

    edition: str = Field(pattern=_EDITION)
    title: str
    period_start: date
    period_end: date
    published_on: date | None = None
    expected_on: date | None = None
    baseline: bool = False
    history: bool = False
    page: str | None = None
    levels: tuple[AreaLevel, ...] = ()
    code_vintage: int | None = Field(default=None, ge=2009, le=2100)
    how_to_obtain: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _forward(self) -> Edition:
        if self.period_end < self.period_start:
            raise ValueError(f"period_end {self.period_end} is before {self.period_start}")
        return self


class Coverage(_Model):
    """How many areas of a level an edition must have, in every period and measure.

    ``exact`` false means at least so many. ``prefix`` counts only codes that begin with it.
    ``measures`` limits the rule; empty means every measure of the dataset.
    """

    edition: str
    level: AreaLevel
    areas: int = Field(ge=1)
    exact: bool = True
    prefix: str = ""
    measures: tuple[str, ...] = ()


class Allowance(_Model):
    """What a file may lack before it is refused; each loss is a warning.

    ``tables``: tables that may be unread, or levels of a measure without a row. ``rows``: rows of a
    table whose area is not known. ``absent``: codes of areas, too small to be published, that a table
    may leave out; they become rows that are not available.
    """

    tables: int = Field(default=0, ge=0)
    rows: int = Field(default=0, ge=0)
    absent: tuple[str, ...] = ()


class Correction(_Model):
    """A known fault of a published file, set right on the way in, with the reason.

    ``drop_interval`` empties both bounds of the rows chosen; ``use_unit`` gives them the measure's own
    unit. The correction is only applied where the fault that it ``expect``s is there; once the
    publisher has fixed the file it is reported as not needed. Without an ``edition`` it is for every one.
    """

    edition: str | None = None
    measure: str | None = None
    level: AreaLevel | None = None
    action: Literal["drop_interval", "use_unit"]
    expect: Literal["interval_excludes_value", "zero_width_interval", "wrong_unit"]
    reason: str


class _Discovery(_Model):
    """Where a dataset's files are; ``per_edition`` names the field that lists something per edition."""

    per_edition: ClassVar[str | None] = None
    note: str | None = None


class GovUkDiscovery(_Discovery):
    """A statistics release on GOV.UK, found through its collection, or by search where none is known.

    ``release_title`` and ``release_path`` are regular expressions with the named groups that
    ``edition_code`` puts together; a release that matches either one is an edition. An attachment is
    chosen by ``content_types``, in order of preference, and ``attachment_title``.
    """

    kind: Literal["govuk"]
    collection: str | None = None
    search: Mapping[str, str] = {}
    document_types: tuple[str, ...] = ("official_statistics", "national_statistics")
    release_title: Pattern
    release_path: Pattern | None = None
    edition_code: str
    attachment_title: Pattern
    attachment_exclude: Pattern | None = None
    content_types: tuple[str, ...]

    @model_validator(mode="after")
    def _findable(self) -> GovUkDiscovery:
        if not self.collection and not self.search:
            raise ValueError("neither a collection nor a search is given")
        return self


class SmcFile(_Model):
    """The file of one edition of an index: version of its page, and file name."""

    version: str = Field(pattern=r"^\d+\.\d+$")
    file_name: str


class SmcDiscovery(_Discovery):
    """A composite index of the Social Mobility Commission, whose files sit under versioned pages."""

    per_edition: ClassVar[str | None] = "files"
    kind: Literal["smc"]
    domain: str
    index: str
    page: str
    latest: str
    file: str
    files: Mapping[str, SmcFile]

    def page_path(self, version: str) -> str:
        return self.page.format(domain=self.domain, index=self.index, version=version)

    def latest_path(self) -> str:
        return self.latest.format(domain=self.domain, index=self.index)

    def file_path(self, edition: str) -> str:
        chosen = self.files[edition].model_dump()
        return self.file.format(domain=self.domain, index=self.index, **chosen)


class OnsArcgisDiscovery(_Discovery):
    """A lookup on the ONS ArcGIS service; errors arrive as HTTP 200 with an ``error`` object."""

    per_edition: ClassVar[str | None] = "services"
    kind: Literal["ons_arcgis"]
    services: Mapping[str, str]
    query: str
    parameters: Mapping[str, str]
    page_size: int = Field(default=2000, ge=1, le=2000)
    fields: Mapping[str, str]


class OnsElsDiscovery(_Discovery):
    """Indicators of the ONS Explore Local Statistics service."""

    kind: Literal["ons_els"]
    data: str
    metadata: str
    indicators: Mapping[str, str]
    parameters: Mapping[str, str] = {}


class NomisDiscovery(_Discovery):
    """Population estimates by single year of age on Nomis."""

    per_edition: ClassVar[str | None] = "years"
    kind: Literal["nomis"]
    data: str
    parameters: Mapping[str, str]
    years: Mapping[str, str]


Discovery = Annotated[
    GovUkDiscovery | SmcDiscovery | OnsArcgisDiscovery | OnsElsDiscovery | NomisDiscovery,
    Field(discriminator="kind"),
]


class Table(_Model):
    """Where one measure is in a workbook.

    ``sheets``: area level -> sheet codes that may hold it, best first. ``response``: regular expression
    for the response row, matched whole and without regard to case after note marks and surplus spaces
    are gone. ``title_contains``: words that the sheet's title or question must hold, any spelling of
    case.
    """

    sheets: Mapping[AreaLevel, tuple[str, ...]]
    response: Pattern
    title_contains: str | None = None
    note: str | None = None


class Layout(_Model):
    """How the files of ``from_edition`` and later are laid out, until the next layout.

    ``tables``: measure -> table (workbooks). ``columns``: tidy field -> regular expressions for its
    header, best first, matched whole and without regard to case; ``fill`` puts the edition into them.
    ``indicators``: printed indicator -> measure; ``levels``: printed geography -> area level;
    ``header_rows``: usual row of the header, of sheets by ``authority`` and of the ``other``.
    ``ignored_codes``: regular expression for the beginning of the area codes that are not carried.
    ``breakdowns``: area level -> regular expressions for the breakdown that marks its rows, in sheets
    that mix levels; ``topics``: breakdown of people -> the same, in sheets that mix those.
    ``verified`` is false where the layout has not been seen in the publisher's own file; ``note`` says
    what is not established.
    """

    from_edition: str
    name: str | None = None
    tables: Mapping[str, Table] = {}
    columns: Mapping[str, tuple[Pattern, ...]] = {}
    indicators: Mapping[str, str] = {}
    levels: Mapping[str, AreaLevel] = {}
    ignored_codes: Pattern | None = None
    header_rows: Mapping[str, int] = {}
    breakdowns: Mapping[AreaLevel, tuple[Pattern, ...]] = {}
    topics: Mapping[str, tuple[Pattern, ...]] = {}
    verified: bool = False
    note: str | None = None


class Dataset(_Model):
    """One dataset of one publisher: what it is, where it is, in which editions, under which rules.

    ``country``: how the codes of every area begin (E for a survey of England); empty for any.
    ``periods``: of the ``edition``, or printed in each row of the ``file``; an edition then is a year
    and has the rows whose period begins in it, and one bundled file holds all editions.
    """

    code: str = Field(pattern=_CODE)
    title: str
    short_title: str
    publisher: str
    publisher_short: str
    survey: str | None = None
    shape: Literal["observations", "memberships"]
    periods: Literal["edition", "file"] = "edition"
    parser: str | None = None
    landing_page: str
    licence: str
    licence_url: str | None
    attribution: str
    cadence: Literal["annual", "irregular", "once"]
    expected_month: int | None = Field(default=None, ge=1, le=12)
    grace_days: int = Field(ge=0)
    succeeded_by: str | None = None
    series: str | None = None
    precedence: int = Field(default=1, ge=1)
    # How answers are collected, in the words of sources.surveys.Mode.
    mode: str | None = None
    discovery: Discovery | None = None
    measures: tuple[Measure, ...] = ()
    editions: tuple[Edition, ...] = ()
    layouts: tuple[Layout, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    allowance: Allowance = Allowance()
    country: str = ""
    corrections: tuple[Correction, ...] = ()
    jump: JumpRule | None = None
    cautions: tuple[str, ...] = ()
    note: str | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Dataset:
        editions = [entry.edition for entry in self.editions]
        measures = [measure.code for measure in self.measures]
        for what, codes in (("edition", editions), ("measure", measures)):
            doubled = sorted({code for code in codes if codes.count(code) > 1})
            if doubled:
                raise ValueError(f"{what} listed twice: {', '.join(doubled)}")
        if sum(entry.baseline for entry in self.editions) > 1:
            raise ValueError("more than one edition is the baseline")
        starts = [entry.period_end for entry in self.editions]
        if starts != sorted(starts):
            raise ValueError("editions are not in order of their period, oldest first")
        if self.shape == "observations" and self.editions and not self.measures:
            raise ValueError("editions of observations, but no measures")
        for rule in self.coverage:
            _known([rule.edition], editions, "coverage names edition")
            _known(rule.measures, measures, "coverage names measure")
        for correction in self.corrections:
            _known([correction.edition], [*editions, None], "a correction names edition")
            _known([correction.measure], [*measures, None], "a correction names measure")
        for layout in self.layouts:
            _known([layout.from_edition], editions, "a layout starts from edition")
            named = (*layout.tables, *layout.indicators.values())
            _known(named, measures, "a layout names measure")
        if self.discovery is not None and self.discovery.per_edition is not None:
            named = getattr(self.discovery, self.discovery.per_edition)
            _known(named, editions, "discovery names edition")
        if self.parser is not None and self.editions and not self.layouts:
            raise ValueError("a parser, but no layout for it")
        try:
            self.attribution.format(edition="2023/24")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"attribution is not a format string of edition: {error}") from None
        return self

    def edition(self, code: str) -> Edition:
        """Raises CatalogueError(code="unknown_edition") that lists the known ones."""
        return self._listed("edition", code, {entry.edition: entry for entry in self.editions})

    def measure(self, code: str) -> Measure:
        """Raises CatalogueError(code="unknown_measure") that lists the known ones."""
        return self._listed("measure", code, {measure.code: measure for measure in self.measures})

    def _listed(self, what: str, code: str, known: Mapping[str, _T]) -> _T:
        if code in known:
            return known[code]
        raise CatalogueError(
            f"{what} {code!r} is not in the catalogue",
            code=f"unknown_{what}",
            dataset=self.code,
            expected=", ".join(known) or "none is listed yet",
            todo=f"correct the {what}, or add it to sources/catalogue/{self.code}.yaml",
        )

    def layout(self, edition: str) -> Layout:
        """The layout in force for the edition: the last that starts with it or an earlier one.

        Raises CatalogueError(code="no_layout") where none does.
        """
        order = [entry.edition for entry in self.editions]
        at = order.index(self.edition(edition).edition)
        known = [entry for entry in self.layouts if order.index(entry.from_edition) <= at]
        if not known:
            raise CatalogueError(
                "no layout is known for this edition",
                code="no_layout",
                dataset=self.code,
                edition=edition,
                todo=f"describe it under layouts in sources/catalogue/{self.code}.yaml",
            )
        return max(known, key=lambda entry: order.index(entry.from_edition))

    def coverage_of(self, edition: str) -> tuple[Coverage, ...]:
        return tuple(rule for rule in self.coverage if rule.edition == edition)

    def before(self, edition: str) -> tuple[Edition, ...]:
        """Editions listed before this one, newest first."""
        order = [entry.edition for entry in self.editions]
        return tuple(reversed(self.editions[: order.index(self.edition(edition).edition)]))

    @property
    def latest(self) -> Edition | None:
        return self.editions[-1] if self.editions else None

    def attribution_for(self, edition: str) -> str:
        """The attribution line of an edition, e.g. ``Source: DCMS, ... 2023/24, OGL v3.0``."""
        return self.attribution.format(
            edition=edition.replace("-", "/", 1) if re.match(r"^\d{4}-\d{2}$", edition) else edition
        )


def bundled_path(dataset: Dataset, edition: Edition, folder: Path = BUNDLED_DIRECTORY) -> Path:
    """Where the bundled figures of the edition are, if there are any."""
    if dataset.periods == "file":
        return folder / dataset.code / "all.parquet"
    return folder / dataset.code / f"{edition.edition}.csv"


def _known(codes: Iterable[str | None], known: Sequence[str | None], what: str) -> None:
    for code in codes:
        if code not in known:
            listed = ", ".join(filter(None, known)) or "none"
            raise ValueError(f"{what} {code!r}, which is not listed ({listed})")


@dataclass(frozen=True)
class Catalogue:
    """Every dataset by its code, in order of code."""

    datasets: Mapping[str, Dataset]

    def dataset(self, code: str) -> Dataset:
        """Raises CatalogueError(code="unknown_dataset") that lists the known codes."""
        try:
            return self.datasets[code]
        except KeyError:
            raise CatalogueError(
                f"dataset {code!r} is not in the catalogue",
                code="unknown_dataset",
                expected=", ".join(self.datasets),
                todo="correct the code, or add a file to sources/catalogue/",
            ) from None


class UniqueKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML that refuses a key given twice; the later one would win in silence."""


def _unique_mapping(loader: UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return dict(loader.construct_mapping(node, deep=True))


UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def _bad_entry(message: str, file: str, *, code: str = "bad_entry", **more: Any) -> CatalogueError:
    return CatalogueError(message, code=code, file=file, **more)


def _load_file(path: Path) -> Dataset:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeyLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"not readable as YAML: {' '.join(str(error).split())}"
        raise _bad_entry(message, path.name, code="bad_yaml", todo="correct the file") from None
    if not isinstance(content, dict):
        raise _bad_entry(
            "the file does not hold one dataset",
            path.name,
            expected="a mapping with code, title, publisher, ...",
            found=type(content).__name__,
        )
    try:
        dataset = Dataset.model_validate(content)
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False):
            where = ".".join(str(part) for part in fault["loc"]) or "the whole entry"
            given = fault["type"] != "missing" and fault["loc"]
            shown = f" (found {fault['input']!r})" if given else ""
            faults.append(f"{where}: {fault['msg']}{shown[:120]}")
        raise _bad_entry(
            "; ".join(faults),
            path.name,
            dataset=content.get("code") if isinstance(content.get("code"), str) else None,
            todo="correct the fields named; sources/catalogue.py describes them",
        ) from None
    if path.stem != dataset.code:
        raise _bad_entry(
            "the file is not named after its dataset",
            path.name,
            dataset=dataset.code,
            expected=f"{dataset.code}.yaml",
            todo="rename the file, or correct its code",
        )
    return dataset


@lru_cache(maxsize=8)
def load_catalogue(directory: Path | None = None) -> Catalogue:
    """Read and check every ``*.yaml`` of the folder (the project's own by default), once a process.

    Raises CatalogueError naming the file and field for anything that is not readable, unknown, missing
    or contradictory, also across datasets: a successor or series that is not listed.
    """
    folder = directory or DEFAULT_DIRECTORY
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise CatalogueError(
            "the catalogue is empty", code="empty_catalogue", file=str(folder), todo="add a dataset"
        )
    datasets = {path.stem: _load_file(path) for path in paths}
    for dataset in datasets.values():
        for field in ("succeeded_by", "series"):
            other = getattr(dataset, field)
            if other is not None and (other not in datasets or other == dataset.code):
                raise _bad_entry(
                    f"{field}: {other!r} is not another dataset of the catalogue",
                    f"{dataset.code}.yaml",
                    dataset=dataset.code,
                    expected=", ".join(code for code in datasets if code != dataset.code),
                )
    return Catalogue(datasets=datasets)
