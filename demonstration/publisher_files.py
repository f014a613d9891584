"""Made-up publisher files, in the layouts of the real ones.

Here belong the writers that the demonstration and the tests use where there is no real file, and
``Fault``, the faults that can be planted in such a file. Every figure in them is drawn at random
from a seed: whoever lands such a file must mark it ``origin = synthetic``, which is never released.
What the real layouts are is declared by the catalogue and read by ``sources.parsers``.

Survey figures are plausible rather than real: an authority has about 550 respondents, the interval
follows from that base with a design effect of 1.6, and regions and England are the weighted means
of their authorities.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import random
import re
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter

from sources.areas import AreaBook
from sources.catalogue import Dataset, Edition
from sources.workbook.book import Form

CellIn = str | float | int | None
DESIGN_EFFECT: Final = 1.6
TYPICAL_BASE: Final = 550
_Z: Final = 1.959964


class Fault(StrEnum):
    """What can be wrong with a file's content; planted by ``write_publisher_file``."""

    MISSING_SHEET = "missing_sheet"
    RENAMED_SHEET = "renamed_sheet"
    HEADER_MOVED = "header_moved"
    RENAMED_COLUMN = "renamed_column"
    TWO_COLUMNS_MATCH = "two_columns_match"
    EXTRA_COLUMN = "extra_column"
    PERCENT_AS_FRACTION = "percent_as_fraction"
    VALUES_AS_TEXT = "values_as_text"
    DECIMAL_COMMAS = "decimal_commas"
    UNKNOWN_SYMBOL = "unknown_symbol"
    SUPPRESSED_CELL = "suppressed_cell"
    NOT_AVAILABLE_CELL = "not_available_cell"
    MISSING_AUTHORITY = "missing_authority"
    DOUBLED_AUTHORITY = "doubled_authority"
    UNKNOWN_AREA = "unknown_area"
    OTHER_CODE_VINTAGE = "other_code_vintage"
    SWAPPED_BOUNDS = "swapped_bounds"
    VALUE_OUTSIDE_INTERVAL = "value_outside_interval"
    IMPLAUSIBLE_JUMP = "implausible_jump"
    ZERO_WIDTH_INTERVAL = "zero_width_interval"
    EMPTY_TABLE = "empty_table"
    LAST_YEARS_FILE = "last_years_file"
    TRUNCATED = "truncated"
    PASSWORD_PROTECTED = "password_protected"
    ZIP_BOMB = "zip_bomb"
    HTML_PAGE = "html_page"
    JSON_ERROR = "json_error"


_WORKBOOK_ONLY: Final = frozenset(
    {Fault.MISSING_SHEET, Fault.RENAMED_SHEET, Fault.PASSWORD_PROTECTED, Fault.ZIP_BOMB}
)
_PERCENT_ONLY: Final = frozenset({Fault.PERCENT_AS_FRACTION})
_INTERVAL_ONLY: Final = frozenset(
    {Fault.SWAPPED_BOUNDS, Fault.VALUE_OUTSIDE_INTERVAL, Fault.ZERO_WIDTH_INTERVAL}
)
_FIGURES_ONLY: Final = frozenset(
    {
        Fault.VALUES_AS_TEXT,
        Fault.DECIMAL_COMMAS,
        Fault.UNKNOWN_SYMBOL,
        Fault.SUPPRESSED_CELL,
        Fault.NOT_AVAILABLE_CELL,
        Fault.IMPLAUSIBLE_JUMP,
    }
)


def applicable_faults(dataset: Dataset) -> tuple[Fault, ...]:
    """The faults that a file of this dataset can have."""
    excluded: set[Fault] = set()
    if dataset.parser != "dcms_tables":
        excluded |= _WORKBOOK_ONLY
        # A file of comma-separated text holds every value as text.
        excluded.add(Fault.VALUES_AS_TEXT)
    if dataset.parser not in ("dcms_tables", "ons_local_statistics"):
        excluded |= _PERCENT_ONLY | _INTERVAL_ONLY
    if dataset.shape == "memberships":
        excluded |= _FIGURES_ONLY
    if dataset.parser == "smc_index":
        excluded.add(Fault.OTHER_CODE_VINTAGE)  # known by name only
    return tuple(fault for fault in Fault if fault not in excluded)


def usual_form(dataset: Dataset, edition: str) -> Form:
    """The form in which the publisher released the edition."""
    if dataset.parser != "dcms_tables":
        return "csv"
    return "ods" if edition == "2024-25" or dataset.code == "dcms_participation" else "xlsx"


def file_name(dataset: Dataset, edition: str, form: Form) -> str:
    """A name that says that the file is made up."""
    return f"synthetic-{dataset.code}-{edition}.{form}"


class _Chance(random.Random):
    """The draws of one file; what an area is like stays the same in every edition of a seed."""

    def __init__(
        self, dataset: Dataset, edition: Edition, seed: int, superseded: bool = False
    ) -> None:
        super().__init__(f"{dataset.code}/{edition.edition}/{seed}")
        self.edition = edition.edition
        self.superseded = superseded
        self._steady = f"{dataset.series or dataset.code}/{seed}"

    def of_area(self, what: str, code: str) -> random.Random:
        """Draws that depend on the area and not on the edition."""
        return random.Random(f"{self._steady}/{what}/{code}")


@dataclass
class _Table:
    """A sheet to be written: its cells, where its header is, and which column holds what."""

    name: str
    rows: list[list[CellIn]]
    header: int | None = None
    columns: dict[str, int] = field(default_factory=dict)
    by_authority: bool = False
    percent: bool = False

    def data(self) -> list[list[CellIn]]:
        return [] if self.header is None else self.rows[self.header + 1 :]

    def authority_rows(self) -> list[list[CellIn]]:
        """Rows of areas below the nation and the regions."""
        column = self.columns.get("area_code")
        if column is None:
            return self.data()
        chosen = [row for row in self.data() if re.match(r"E0[6-9]", str(_cell(row, column) or ""))]
        return chosen or self.data()


def _cell(row: list[CellIn], column: int) -> CellIn:
    return row[column] if column < len(row) else None


def write_publisher_file(
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    *,
    seed: int,
    form: Form | None = None,
    faults: Collection[Fault] = (),
    superseded: bool = False,
) -> bytes:
    """The bytes of a made-up file of one dataset and edition; equal arguments give equal bytes.

    ``form``: ``xlsx``, ``ods`` or ``csv``; the publisher's usual one where it is ``None``.
    ``superseded``: a survey's file before its weights were corrected, a little off. Raises
    ``ValueError`` for a dataset without a parser, a form it is not published in, or a fault that
    its files cannot have.
    """
    if dataset.parser not in _WRITERS:
        raise ValueError(f"{dataset.code} has no parser, so its layout is not known")
    form = form or usual_form(dataset, edition.edition)
    if (form == "csv") is (dataset.parser == "dcms_tables"):
        raise ValueError(f"{dataset.code} is not published as {form}")
    beyond = set(faults) - set(applicable_faults(dataset))
    if beyond:
        names = ", ".join(sorted(beyond))
        raise ValueError(f"a file of {dataset.code} cannot have the faults {names}")
    if Fault.HTML_PAGE in faults:
        return _HTML_PAGE
    if Fault.JSON_ERROR in faults:
        return json.dumps({"error": {"code": 400, "message": "Invalid URL"}}).encode()
    if Fault.PASSWORD_PROTECTED in faults and form == "xlsx":
        return _protected_container()
    chance = _Chance(dataset, edition, seed, superseded)
    last_year = Fault.LAST_YEARS_FILE in faults
    tables = _WRITERS[dataset.parser](dataset, edition, areas, chance, last_year)
    for fault, plant in _PLANTERS.items():
        if fault in faults:
            plant(tables, chance)
    if form == "xlsx":
        content = _xlsx(tables)
    elif form == "ods":
        content = _ods(tables, protected=Fault.PASSWORD_PROTECTED in faults)
    else:
        content = _csv(tables[0], dataset)
    if Fault.ZIP_BOMB in faults:
        content = _with_bomb(content)
    if Fault.TRUNCATED in faults:
        content = content[: int(len(content) * 0.6)]
        if form == "csv" and b"\n" in content:  # break off inside a row, not at the end of one
            content = content[: content.rindex(b"\n") + 8]
    return content


# --- Survey figures -------------------------------------------------------------------------------

# Mean and spread over authorities of the made-up percentages.
_LEVELS: Final[Mapping[str, tuple[float, float]]] = {
    "trust_in_neighbours": (42, 9),
    "chat_to_neighbours": (69, 5),
    "help_if_needed": (94, 2),
    "company_if_wanted": (93, 2),
    "area_attractiveness": (57, 10),
    "green_space_satisfaction": (75, 6),
    "neighbourhood_belonging": (62, 5),
    "backgrounds_get_on": (81, 5),
    "pull_together": (58, 7),
    "civic_engagement": (42, 5),
    "arts_engagement": (90, 3),
    "library_engagement": (25, 4),
}
# Title, question, the response that is measured, and another response of the same table.
_WORDING: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "trust_in_neighbours": (
        "Trust in people in the neighbourhood",
        "How far people in the neighbourhood can be trusted",
        "Many of the people can be trusted",
        "Some of the people can be trusted",
    ),
    "chat_to_neighbours": (
        "Chatting to neighbours more than once a month",
        "How often people chat to neighbours, beyond just saying hello",
        "At least once a month",
        "Less than once a month",
    ),
    "help_if_needed": (
        "Having people who would be there if help was needed",
        "Whether there would be people there for help",
        "Agree",
        "Disagree",
    ),
    "company_if_wanted": (
        "Having people to call on for company",
        "Whether there are people to call on for company or to socialise",
        "Agree",
        "Disagree",
    ),
    "area_attractiveness": (
        "Attractiveness of the local area",
        "Whether the local area is an attractive place",
        "Agree",
        "Disagree",
    ),
    "green_space_satisfaction": (
        "Satisfaction with green and natural spaces",
        "Satisfaction with green and natural spaces in the local area",
        "Satisfied",
        "Dissatisfied",
    ),
    "neighbourhood_belonging": (
        "Belonging to the immediate neighbourhood",
        "How strongly people belong to their immediate neighbourhood",
        "Very or fairly strongly",
        "Not very or not at all strongly",
    ),
    "backgrounds_get_on": (
        "People from different backgrounds getting on well together",
        "Whether people from different backgrounds get on well together",
        "Agree",
        "Disagree",
    ),
    "pull_together": (
        "Whether people pull together to improve the neighbourhood",
        "Whether people in the neighbourhood pull together to improve it",
        "Agree",
        "Disagree",
    ),
    "civic_engagement": (
        "Civic participation, activism or consultation in the last 12 months",
        "Taking part in civic participation, activism or consultation",
        "Total",
        "None",
    ),
    "arts_engagement": (
        "Physical engagement with the arts in the last 12 months",
        "Attended an arts event or took part in an arts activity in person",
        "Yes",
        "No",
    ),
    "library_engagement": (
        "Physical engagement with libraries in the last 12 months",
        "Visited a public library building or mobile library in person",
        "Yes",
        "No",
    ),
}
# What changes between two editions, so that what is said of a change can be checked. From 2023/24 to
# 2024/25 one authority in five changes in PLANTED by the minimum detectable change, away from 50%, and
# no other does; the question of REWORDED is put in other words, so that its pair is under a caution.
# From there to the successor survey of 2025/26 nothing changes.
PLANTED: Final = frozenset({"neighbourhood_belonging", "area_attractiveness"})
REWORDED: Final = frozenset({"area_attractiveness"})
_CHANGED_IN: Final = "2024-25"
_POWER: Final = _Z + 0.841621
_MADE_UP: Final = "Made-up figures for demonstration and tests. Nothing here was published."
_VINTAGE: Final = 2025


@dataclass(frozen=True)
class _Share:
    """A made-up percentage with its interval and unweighted base."""

    value: float
    lower: float
    upper: float
    base: int

    def other(self) -> _Share:
        """The share of those who gave the other answer."""
        return _share(100 - self.value, self.base)

    def cells(self) -> list[CellIn]:
        """Percentage, lower, upper, number of respondents, unweighted base."""
        return [
            self.value,
            self.lower,
            self.upper,
            round(self.base * self.value / 100),
            self.base,
        ]


def is_changed(measure: str, code: str) -> bool:
    """Whether the authority's true share of the measure differs between the two editions."""
    return measure in PLANTED and random.Random(f"{measure}/{code}").random() < 0.2


def planted_change(truth: float, base: int) -> float:
    """The minimum detectable change of a share, in points: found with a probability of 80%."""
    away = 1 if truth >= 50 else -1
    size = _POWER * math.sqrt(2) * _error(truth, base)
    for _ in range(20):  # the error of the later edition is that of the changed share
        size = _POWER * math.hypot(_error(truth, base), _error(truth + away * size, base))
    return away * size


def _error(value: float, base: int) -> float:
    return math.sqrt(DESIGN_EFFECT * value * (100 - value) / base)


def _share(value: float, base: int) -> _Share:
    error = _error(value, base)
    return _Share(
        round(value, 1),
        round(max(0.0, value - _Z * error), 1),
        round(min(100.0, value + _Z * error), 1),
        base,
    )


_Figures = tuple[dict[str, _Share], dict[str, _Share], _Share, list[tuple[str, str, _Share]]]
# Topics and groups of the demographic sheets; the last topic is none that Pulse carries.
_PEOPLE: Final = (
    ("Age", ("16 to 24", "25 to 49", "50 to 64", "65 and over")),
    ("Sex", ("Female", "Male")),
    ("Disability", ("Has a limiting long-term condition", "No limiting long-term condition")),
    ("Ethnicity", ("Asian", "Black", "Mixed or multiple", "White")),
    ("Deprivation", ("1 (most deprived)", "2", "3", "4", "5 (least deprived)")),
    ("Housing tenure", ("Rents",)),
)


def _people(measure: str, england: _Share, chance: _Chance) -> list[tuple[str, str, _Share]]:
    """Made-up shares of groups of people in England: topic, group, share."""
    found = []
    for topic, groups in _PEOPLE:
        for group in groups:
            steady = chance.of_area(f"{measure} by {topic}", group)
            value = min(98.0, max(2.0, england.value + steady.gauss(0, 3)))
            found.append((topic, group, _share(value, england.base // len(groups))))
    return found


def _survey(measure: str, areas: AreaBook, codes: tuple[str, ...], chance: _Chance) -> _Figures:
    """Made-up shares of authorities, regions, England and groups of people for one measure."""
    mean, spread = _LEVELS.get(measure, (50, 8))
    weights = {
        code: chance.of_area("population", areas.current(code)).lognormvariate(11.6, 0.5)
        for code in codes
    }
    shares = {}
    for code in codes:
        steady = chance.of_area(measure, areas.current(code))
        truth = min(97.0, max(3.0, steady.gauss(mean, spread)))
        base = steady.randint(TYPICAL_BASE - 120, TYPICAL_BASE + 120)
        if chance.edition >= _CHANGED_IN and is_changed(measure, areas.current(code)):
            truth += planted_change(truth, base)
        drawn = chance.gauss(truth, _error(truth, base))
        if chance.superseded:
            drawn += chance.of_area(f"correction of {measure}", code).gauss(0, 0.3)
        shares[code] = _share(min(99.0, max(1.0, drawn)), base)

    def together(members: list[str]) -> _Share:
        total = sum(weights[code] for code in members)
        value = sum(weights[code] * shares[code].value for code in members) / total
        return _share(value, sum(shares[code].base for code in members))

    regions = {}
    for region in areas.codes("itl1", prefix="E12"):
        members = [code for code in codes if areas.area(code).region_code == region]
        regions[region] = together(members or list(codes))
    england = together(list(codes))
    return shares, regions, england, _people(measure, england, chance)


def _edition_label(edition: str, last_year: bool) -> str:
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", edition)
    if match is None:
        return edition
    first = int(match.group(1)) - (1 if last_year else 0)
    return f"{first}/{(first + 1) % 100:02d}"


def _dcms(
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    chance: _Chance,
    last_year: bool,
) -> list[_Table]:
    label = _edition_label(edition.edition, last_year)
    vintage = edition.code_vintage or _VINTAGE
    codes = areas.codes("lad", prefix="E", year=vintage)
    tables = [
        _Table(
            "Cover",
            [[f"{dataset.title}, {label}"], [_MADE_UP], ["This workbook contains synthetic data."]],
        ),
        _Table("Notes", [["Notes"], ["Note number", "Note text"], [4, "Figures are rounded."]]),
    ]
    layout = dataset.layout(edition.edition)
    write = _participation if dataset.code == "dcms_participation" else _community_life
    with_authorities = not edition.levels or "lad" in edition.levels
    for measure in dataset.measures:
        table = layout.tables.get(measure.code)
        if table is None:
            continue
        figures = _survey(measure.code, areas, codes, chance)
        demographic = table.sheets["itl1"][0] if "itl1" in table.sheets else "b"
        authority = table.sheets["lad"][0] if "lad" in table.sheets else "c"
        pair = write(measure.code, demographic, authority, label, vintage, areas, figures)
        tables.extend(pair if with_authorities else pair[:1])
    return tables


def _community_life(
    measure: str,
    demographic: str,
    authority: str,
    label: str,
    vintage: int,
    areas: AreaBook,
    figures: _Figures,
) -> list[_Table]:
    shares, regions, england, people = figures
    title, question, response, other = _WORDING[measure]
    if measure in REWORDED and label >= (since := _CHANGED_IN.replace("-", "/")):
        question = f"{question}, as asked since {since}"
    heads: list[CellIn] = [
        f"{label} Percentage (%)",
        f"{label} Lower Estimate percentage (%)",
        f"{label} Upper Estimate percentage (%)",
        f"{label} Number of respondents",
        f"{label} Unweighted Base - number of people aged 16 and over",
    ]
    rows: list[list[CellIn]] = [
        [f"Table {demographic}: {title}, by demographics and region, {label} [note 4]"],
        ["This worksheet contains one table."],
        [_MADE_UP],
        ["Some shorthand is used in this table: [c] confidential, [x] not available."],
        ["Adults aged 16 and over, England"],
        [f"Fieldwork of {label}"],
        ["Question", "Response", "Topic Breakdown", "Individual Breakdown", *heads],
    ]
    for words, turn in ((response, False), (other, True)):
        groups = [("Total", "Total", england)]
        groups += [] if turn else people
        groups += [
            ("Region (ITL1 level)", areas.name(code), share) for code, share in regions.items()
        ]
        for topic, group, share in groups:
            shown = share.other() if turn else share
            rows.append([question, words, topic, group, *shown.cells()])
    by_demographics = _Table(
        demographic, rows, 6, {"value": 4, "lower": 5, "upper": 6, "base": 8}, percent=True
    )
    rows = [
        [f"Table {authority}: {title}, by local authority, {label} [note 4]"],
        ["This worksheet contains one table."],
        [_MADE_UP],
        ["Some shorthand is used in this table: [c] confidential, [x] not available."],
        ["Adults aged 16 and over, England"],
        [f"Fieldwork of {label}"],
        [f"Response: {response}"],
        [
            "Question",
            "Response Breakdown ",
            *heads,
            f"LAD{vintage % 100} Code",
            "ITL2 Name",
        ],
        [question, "All", *england.cells(), None, None],
    ]
    for code, share in shares.items():
        rows.append([None, areas.name(code), *share.cells(), code, None])
    columns = {"name": 1, "value": 2, "lower": 3, "upper": 4, "base": 6, "area_code": 7}
    return [by_demographics, _Table(authority, rows, 7, columns, by_authority=True, percent=True)]


def _participation(
    measure: str,
    demographic: str,
    authority: str,
    label: str,
    vintage: int,
    areas: AreaBook,
    figures: _Figures,
) -> list[_Table]:
    shares, regions, england, people = figures
    title, question, _, _ = _WORDING[measure]
    first = int(label[:4]) - 1
    before = f"{first}/{(first + 1) % 100:02d}"

    def heads(when: str) -> list[CellIn]:
        return [
            f"Percentage of respondents {when}",
            f"Percentage of respondents {when} Lower estimate",
            f"Percentage of respondents {when} Upper estimate",
            f"{when} No. of respondents",
            f"{when} Base",
        ]

    def both(share: _Share) -> list[CellIn]:
        earlier = _share(min(99.0, max(1.0, share.value - 1.5)), max(share.base // 5, 50))
        return [*share.cells(), *earlier.cells()]

    rows: list[list[CellIn]] = [
        [f"Table_{demographic}: {title}, by demographics and region [Note 4]"],
        [_MADE_UP],
        ["Adults aged 16 and over, England"],
        ["Question", "Response Breakdown ", *heads(label), *heads(before)],
        [question, "All", *both(england)],
    ]
    rows += [[topic, group, *both(share)] for topic, group, share in people]
    rows += [
        ["Region (ITL1 level)", areas.name(code), *both(share)] for code, share in regions.items()
    ]
    by_demographics = _Table(
        f"Table_{demographic}",
        rows,
        3,
        {"value": 2, "lower": 3, "upper": 4, "base": 6},
        percent=True,
    )
    rows = [
        [f"Table_{authority}: {title}, by local authority [Note 4]"],
        [_MADE_UP],
        ["Adults aged 16 and over, England"],
        ["Some shorthand is used in this table."],
        [
            "Question",
            "Response Breakdown ",
            *heads(label),
            f"LAD{vintage % 100} code",
            "ITL1 name",
        ],
        [question, "All", *england.cells(), None, None],
    ]
    for code, share in shares.items():
        region = areas.area(code).region_code
        rows.append(
            [
                "Local authority district",
                areas.name(code),
                *share.cells(),
                code,
                areas.name(region) if region else None,
            ]
        )
    columns = {"name": 1, "value": 2, "lower": 3, "upper": 4, "base": 6, "area_code": 7}
    return [
        by_demographics,
        _Table(f"Table_{authority}", rows, 4, columns, by_authority=True, percent=True),
    ]


# --- Files of comma-separated text ----------------------------------------------------------------

_INDEX_TITLES: Final[Mapping[str, tuple[str, str, str]]] = {
    "promising_prospects": ("CI_promising_prospects", "Promising prospects", "Promising Prospects"),
    "conditions_of_childhood": (
        "CI_childhood_conditions",
        "Conditions of childhood index",
        "Conditions of Childhood",
    ),
    "youth_labour_market": (
        "CI_labour_market",
        "Labour market opportunities for young people",
        "Labour Market Outcomes",
    ),
    "innovation_and_growth": (
        "CI_innovation_and_growth",
        "Innovation and Growth",
        "Innovation and Growth",
    ),
}
_CODES_2025: Final = {
    "promising_prospects": "ci4",
    "conditions_of_childhood": "ci1",
    "youth_labour_market": "ci2",
    "innovation_and_growth": "ci3",
}


def _index(
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    chance: _Chance,
    last_year: bool,
) -> list[_Table]:
    measure = dataset.measures[0].code
    known = [entry.edition for entry in dataset.editions]
    written = edition.edition
    if last_year:
        written = next(entry for entry in reversed(known) if entry != edition.edition)
    printed = sorted(
        {
            (alias.printed_name, alias.printed_code or "")
            for alias in areas.aliases
            if alias.dataset not in ("", "*") and alias.applies(dataset.code, written)
        }
    )
    if written == "2024":
        return [_index_2024(measure, printed, chance)]
    return [_index_2025(measure, printed, chance)]


def _z(chance: _Chance) -> float:
    return round(min(3.5, max(-3.5, chance.gauss(0, 1))), 3)


def _index_2024(measure: str, printed: list[tuple[str, str]], chance: _Chance) -> _Table:
    code, title, _ = _INDEX_TITLES[measure]
    header: list[CellIn] = [
        "ind_code",
        "ind_name",
        "area_type",
        "area_code",
        "area_name",
        "time_period",
        "seb",
        "age",
        "sex",
        "category_type",
        "category",
        "category_type2",
        "category2",
        "value",
        "sample_size",
        "lci",
        "uci",
        "se",
        "unit",
        "value_note",
    ]
    prospects = measure == "promising_prospects"
    rows = [header]
    for name, number in printed:
        z = _z(chance)
        edges = ((-1.5, "Least Favourable"), (-1, "Unfavourable"), (1, "Middle Group"))
        group = next((label for edge, label in edges if z < edge), None) or (
            "Favourable" if z < 1.9 else "Most Favourable"
        )
        middle: list[CellIn] = (
            ["Group", group, "Z-score", z, "NA"]
            if prospects
            else ["Z-score category", group, "NA", "NA", z]
        )
        rows.append(
            [
                code,
                title,
                "Local Authority" if prospects else "SMC georgraphy",
                number,
                name,
                "2014-2022" if prospects else "2018-2022",
                "Total",
                "NA" if prospects else "Total",
                "Total",
                *middle,
                "NA",
                "NA",
                "NA",
                "NA",
                "Group" if prospects else "Z-score",
                "NA",
            ]
        )
    columns = {"name": 4, "value": 12 if prospects else 13}
    return _Table("csv", rows, 0, columns, by_authority=True)


_LABELS_2025: Final = (
    (-1.5, "Least Favourable"),
    (-1.0, "Unfavourable"),
    (-0.5, "Lower Middling"),
    (0.5, "Middling"),
    (1.0, "Upper Middling"),
    (1.5, "Favourable"),
    (math.inf, "Most Favourable"),
)


def _index_2025(measure: str, printed: list[tuple[str, str]], chance: _Chance) -> _Table:
    _, _, title = _INDEX_TITLES[measure]
    header: list[CellIn] = [
        "measure_code",
        "measure_title",
        "chart_type",
        "area_code",
        "area_type",
        "area_name",
        "primary_split_type",
        "primary_split_value",
        "secondary_split_type",
        "secondary_split_value",
        "tertiary_split_type",
        "tertiary_split_value",
        "fourth_split_type",
        "fourth_split_value",
        "time_period",
        "value",
        "lci",
        "uci",
        "sample_size",
        "unit",
        "value_note",
        "group_number",
    ]
    periods = ["2000 to 2005", "2006 to 2011", "2012 to 2017", "2018 to 2024"]
    if measure == "promising_prospects":
        periods = ["2018 to 2020", "2021 to 2024"]
    rows = [header]
    for period in periods:
        for name, _ in printed:
            z = _z(chance)
            group = next(i for i, (edge, _) in enumerate(_LABELS_2025, 1) if z < edge or i == 7)
            rows.append(
                [
                    _CODES_2025[measure],
                    title,
                    "composite_index",
                    None,
                    "Local Authority",
                    name,
                    "time_period",
                    period,
                    "zscore_category",
                    _LABELS_2025[group - 1][1],
                    None,
                    None,
                    None,
                    None,
                    period,
                    z,
                    None,
                    None,
                    None,
                    "z-score",
                    None,
                    group,
                ]
            )
    return _Table("csv", rows, 0, {"name": 5, "value": 15}, by_authority=True)


def _local_statistics(
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    chance: _Chance,
    last_year: bool,
) -> list[_Table]:
    header: list[CellIn] = [
        "areacd",
        "areanm",
        "geography",
        "indicator",
        "period",
        "observation",
        "measure",
        "unit",
        "lci_95",
        "uci_95",
        "status",
        "notes",
    ]
    layout = dataset.layout(edition.edition)
    codes = areas.codes("lad", prefix="E", year=edition.code_vintage or _VINTAGE)
    year = edition.period_start.year - (1 if last_year else 0)
    printed_region = {
        alias.area_code: (alias.printed_code, alias.printed_name)
        for alias in areas.aliases
        if alias.printed_code and alias.applies(dataset.code, edition.edition)
    }
    rows = [header]
    # A measure that the publisher renamed has two names in the catalogue and one in a file.
    names = {measure: indicator for indicator, measure in layout.indicators.items()}
    for measure, indicator in names.items():
        shares, regions, england, _ = _survey(measure, areas, codes, chance)

        def add(
            code: str,
            name: str,
            level: str,
            share: _Share,
            *,
            faulty: bool = False,
            indicator: str = indicator,
        ) -> None:
            value = round(share.value)
            low, high = min(value, round(share.lower)), max(value, round(share.upper))
            if faulty:  # as the published file prints the regions' arts intervals
                low = high = value - 1
            rows.append(
                [
                    *(code, name, level, indicator, f"{year}-04-01/P1Y", value),
                    *("Percentage", "%", low, high, None, None),
                ]
            )

        add("E92000001", "England", "Nation", england)
        for code, share in regions.items():
            printed, name = printed_region.get(code, (code, areas.name(code)))
            add(printed, name, "ITL Level 1", share, faulty=measure == "arts_engagement")
        for code in areas.codes("cauth", prefix="E47", year=2023):
            share = _share(england.value + chance.uniform(-3, 3), 5 * TYPICAL_BASE)
            add(code, areas.name(code), "Combined Authority or City Region", share)
            if code in ("E47000001", "E47000007"):
                add(code, areas.name(code), "ITL Level 2", share)
        for code, share in shares.items():
            level = "County or Unitary Authority" if code[:3] == "E06" else None
            add(code, areas.name(code), level or "Local Authority District", share)
    columns = {"area_code": 0, "name": 1, "value": 5, "lower": 8, "upper": 9}
    return [_Table("csv", rows, 0, columns, by_authority=True, percent=True)]


def _lookup(
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    chance: _Chance,
    last_year: bool,
) -> list[_Table]:
    vintage = int(re.findall(r"[0-9]{4}", edition.edition)[0]) - (1 if last_year else 0)
    yy = f"{vintage % 100:02d}"
    parents = areas.codes("cauth", prefix="E47", year=vintage)
    codes = [code for code in areas.codes("lad", prefix="E", year=vintage) if code[:3] != "E09"]
    wanted = next(
        (rule.areas for rule in dataset.coverage_of(edition.edition) if rule.level == "lad"), 90
    )
    members = sorted(chance.sample(codes, min(len(codes), wanted)))
    rows: list[list[CellIn]] = [
        [f"LAD{yy}CD", f"LAD{yy}NM", f"CAUTH{yy}CD", f"CAUTH{yy}NM", "ObjectId"]
    ]
    first = chance.randrange(len(parents))
    for number, code in enumerate(members):
        parent = parents[(first + number) % len(parents)]
        rows.append([code, areas.name(code), parent, areas.name(parent), number + 1])
    columns = {"area_code": 0, "name": 1, "value": 2}
    return [_Table("csv", rows, 0, columns, by_authority=True)]


def _population(
    dataset: Dataset,
    edition: Edition,
    areas: AreaBook,
    chance: _Chance,
    last_year: bool,
) -> list[_Table]:
    year = edition.period_start.year
    codes = areas.codes("lad", prefix="E", year=edition.code_vintage or _VINTAGE)
    rows: list[list[CellIn]] = [["DATE", "GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "C_AGE", "OBS_VALUE"]]
    for code in codes:
        total = chance.of_area("population", areas.current(code)).lognormvariate(11.6, 0.5)
        for age in range(16, 91):
            people = round(total / 75 * chance.uniform(0.7, 1.3))
            when = year - (1 if last_year else 0)
            rows.append([when, code, areas.name(code), 101 + age, people])
    columns = {"area_code": 1, "name": 2, "value": 4}
    return [_Table("csv", rows, 0, columns, by_authority=True)]


_Writer = Callable[[Dataset, Edition, AreaBook, _Chance, bool], list[_Table]]
_WRITERS: Final[Mapping[str | None, _Writer]] = {
    "dcms_tables": _dcms,
    "smc_index": _index,
    "ons_local_statistics": _local_statistics,
    "ons_combined_authorities": _lookup,
    "population": _population,
}


# --- Faults ---------------------------------------------------------------------------------------


def _target(tables: list[_Table]) -> _Table:
    """The table that a fault is planted in: the first by authority, else the first with figures."""
    return next(
        (table for table in tables if table.by_authority),
        next(table for table in tables if table.header is not None),
    )


def _set(table: _Table, row: list[CellIn], key: str, value: CellIn) -> None:
    row[table.columns[key]] = value


def _plant_missing_sheet(tables: list[_Table], _: _Chance) -> None:
    tables.remove(_target(tables))


def _plant_renamed_sheet(tables: list[_Table], _: _Chance) -> None:
    _target(tables).name = "Authorities (revised)"


def _plant_header_moved(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    assert table.header is not None
    table.rows[table.header : table.header] = [[None] for _ in range(5)]
    table.header += 5


def _header_cell(table: _Table, key: str) -> tuple[list[CellIn], int]:
    assert table.header is not None
    return table.rows[table.header], table.columns[key]


def _plant_renamed_column(tables: list[_Table], _: _Chance) -> None:
    row, column = _header_cell(_target(tables), "value")
    row[column] = "Headline figure"


def _plant_two_columns(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    row, column = _header_cell(table, "value")
    row.append(row[column])
    for data in table.data():
        data.append(_cell(data, column))


def _plant_extra_column(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    assert table.header is not None
    table.rows[table.header].append("Analyst remark")
    for data in table.data():
        data.append("checked")


def _each_percentage(table: _Table, change: Callable[[float], CellIn]) -> None:
    for row in table.data():
        for key in ("value", "lower", "upper"):
            column = table.columns.get(key)
            cell = None if column is None else _cell(row, column)
            if column is not None and isinstance(cell, (int, float)):
                row[column] = change(cell)


def _plant_fraction(tables: list[_Table], _: _Chance) -> None:
    for table in tables:
        if table.percent:
            _each_percentage(table, lambda cell: round(cell / 100, 4))


def _plant_text(tables: list[_Table], _: _Chance) -> None:
    _each_percentage(_target(tables), str)


def _plant_commas(tables: list[_Table], _: _Chance) -> None:
    _each_percentage(_target(tables), lambda cell: f"{float(cell):.3f}".replace(".", ","))


def _symbol(printed: str) -> Callable[[list[_Table], _Chance], None]:
    def plant(tables: list[_Table], _: _Chance) -> None:
        table = _target(tables)
        row = table.authority_rows()[2]
        for key in ("value", "lower", "upper"):
            if key in table.columns:
                _set(table, row, key, printed)

    return plant


def _plant_missing_authority(tables: list[_Table], _: _Chance) -> None:
    for table in tables:
        if table.by_authority:
            gone = table.authority_rows()[3]
            key = _cell(gone, table.columns.get("area_code", table.columns["name"]))
            column = table.columns.get("area_code", table.columns["name"])
            table.rows[:] = [row for row in table.rows if _cell(row, column) != key]


def _plant_doubled_authority(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    row = list(table.authority_rows()[3])
    value = _cell(row, table.columns["value"])
    if table.percent and isinstance(value, (int, float)):
        _set(table, row, "value", round(value - 1))
    table.rows.append(row)


def _plant_unknown_area(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    row = table.authority_rows()[3]
    gone = _cell(row, table.columns.get("area_code", table.columns["name"]))
    for other in table.authority_rows():
        if _cell(other, table.columns.get("area_code", table.columns["name"])) == gone:
            _set(table, other, "name", "Middlemarch")
            if "area_code" in table.columns:
                _set(table, other, "area_code", "E07999999")


_VINTAGES: Final = (
    ("E08000016", "E08000038"),
    ("E08000019", "E08000039"),
)


def _plant_other_vintage(tables: list[_Table], _: _Chance) -> None:
    swap = dict(_VINTAGES) | {new: old for old, new in _VINTAGES}
    for table in tables:
        if table.by_authority:
            column = table.columns["area_code"]
            for row in table.data():
                cell = _cell(row, column)
                if isinstance(cell, str) and cell in swap:
                    row[column] = swap[cell]


def _plant_swapped_bounds(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    for row in table.authority_rows()[:5]:
        lower, upper = table.columns["lower"], table.columns["upper"]
        row[lower], row[upper] = row[upper], row[lower]


def _plant_value_outside(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    row = table.authority_rows()[2]
    value = row[table.columns["value"]]
    assert isinstance(value, (int, float))
    _set(table, row, "lower", round(value + 3, 1))
    _set(table, row, "upper", round(value + 4, 1))


def _plant_jump(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    for row in table.authority_rows()[::2]:
        value = row[table.columns["value"]]
        if not isinstance(value, (int, float)):
            continue
        if not table.percent:
            row[table.columns["value"]] = value * 3 + (0 if isinstance(value, int) else 1)
            continue
        step = -30 if value > 50 else 30
        for key in ("value", "lower", "upper"):
            cell = row[table.columns[key]]
            if isinstance(cell, (int, float)):
                _set(table, row, key, round(min(100.0, max(0.0, cell + step)), 1))
        if "base" in table.columns:
            share = row[table.columns["value"]]
            base = row[table.columns["base"]]
            row[table.columns["base"] - 1] = round(float(base) * float(share) / 100)  # type: ignore[arg-type]


def _plant_zero_width(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    row = table.authority_rows()[2]
    for key in ("lower", "upper"):
        _set(table, row, key, row[table.columns["value"]])


def _plant_empty(tables: list[_Table], _: _Chance) -> None:
    table = _target(tables)
    assert table.header is not None
    del table.rows[table.header + 1 :]


# In this order, so that faults of numbers are planted before those that turn numbers into text.
_PLANTERS: Final[Mapping[Fault, Callable[[list[_Table], _Chance], None]]] = {
    Fault.IMPLAUSIBLE_JUMP: _plant_jump,
    Fault.SWAPPED_BOUNDS: _plant_swapped_bounds,
    Fault.VALUE_OUTSIDE_INTERVAL: _plant_value_outside,
    Fault.ZERO_WIDTH_INTERVAL: _plant_zero_width,
    Fault.DOUBLED_AUTHORITY: _plant_doubled_authority,
    Fault.PERCENT_AS_FRACTION: _plant_fraction,
    Fault.UNKNOWN_SYMBOL: _symbol("[q?]"),
    Fault.SUPPRESSED_CELL: _symbol("[c]"),
    Fault.NOT_AVAILABLE_CELL: _symbol("[x]"),
    Fault.VALUES_AS_TEXT: _plant_text,
    Fault.DECIMAL_COMMAS: _plant_commas,
    Fault.UNKNOWN_AREA: _plant_unknown_area,
    Fault.OTHER_CODE_VINTAGE: _plant_other_vintage,
    Fault.MISSING_AUTHORITY: _plant_missing_authority,
    Fault.HEADER_MOVED: _plant_header_moved,
    Fault.TWO_COLUMNS_MATCH: _plant_two_columns,
    Fault.RENAMED_COLUMN: _plant_renamed_column,
    Fault.EXTRA_COLUMN: _plant_extra_column,
    Fault.EMPTY_TABLE: _plant_empty,
    Fault.RENAMED_SHEET: _plant_renamed_sheet,
    Fault.MISSING_SHEET: _plant_missing_sheet,
}

_HTML_PAGE: Final = (
    b"<!DOCTYPE html>\n<html lang='en'><head><title>Sorry, there is a problem with the service"
    b"</title></head><body><h1>Sorry, there is a problem with the service</h1></body></html>\n"
)


def _protected_container() -> bytes:
    """The outer shape of a workbook with a password: an OLE container with its stream's name."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    return head + "EncryptedPackage".encode("utf-16-le") + bytes(480)


def _with_bomb(content: bytes) -> bytes:
    """The workbook with one more part, of 120 MB of zeroes in a tenth of a megabyte."""
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("xl/media/image1.bin", _ZIP_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(entry, "w") as part:
            block = bytes(10_000_000)
            for _ in range(12):
                part.write(block)
    return out.getvalue()


# --- Forms ----------------------------------------------------------------------------------------

_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


def _xlsx(tables: list[_Table]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_urls": False})
    book.set_properties(
        {
            "created": dt.datetime(2000, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None),
            "comments": _MADE_UP,
        }
    )
    for table in tables:
        sheet = book.add_worksheet(table.name)
        for row_number, row in enumerate(table.rows):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(row_number, column, cell)
                elif cell is not None:
                    sheet.write_number(row_number, column, cell)
    book.close()
    return out.getvalue()


_ODS_SPACES: Final = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("table", "table"), ("text", "text"))
)


def _ods(tables: list[_Table], *, protected: bool = False) -> bytes:
    """An OpenDocument spreadsheet. Written by hand: it is small, and fifty times as fast."""
    body = "".join(_ods_table(table) for table in tables)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODS_SPACES} '
        'office:version="1.2"><office:body><office:spreadsheet>'
        f"{body}</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    lock = (
        '<manifest:encryption-data manifest:checksum-type="SHA1/1K" manifest:checksum="AA=="/>'
        if protected
        else ""
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        'manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        f"{lock}</manifest:file-entry></manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in (
            ("mimetype", kind),
            ("content.xml", content),
            ("META-INF/manifest.xml", manifest),
        ):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode())
    return out.getvalue()


def _ods_table(table: _Table) -> str:
    rows = []
    for row in table.rows:
        cells = "".join(_ods_cell(cell) for cell in row)
        rows.append(f"<table:table-row>{cells}</table:table-row>")
    # Office programs fill a sheet to its end with one repeated empty row.
    rest = 1_048_576 - len(table.rows)
    rows.append(
        f'<table:table-row table:number-rows-repeated="{rest}">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    return f"<table:table table:name={quoteattr(table.name)}>{''.join(rows)}</table:table>"


def _ods_cell(cell: Any) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, str):
        # A space at an end is only kept as an element of its own.
        text = escape(cell)
        if text.endswith(" "):
            text = text[:-1] + "<text:s/>"
        return (
            f'<table:table-cell office:value-type="string"><text:p>{text}</text:p>'
            "</table:table-cell>"
        )
    return (
        f'<table:table-cell office:value-type="float" office:value="{cell!r}">'
        f"<text:p>{cell}</text:p></table:table-cell>"
    )


def _csv(table: _Table, dataset: Dataset) -> bytes:
    out = io.StringIO(newline="")
    ending = "\n" if dataset.parser == "population" else "\r\n"
    writer = csv.writer(out, lineterminator=ending)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)
    mark = b"\xef\xbb\xbf" if dataset.parser == "ons_combined_authorities" else b""
    return mark + out.getvalue().encode()
