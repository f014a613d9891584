"""What the spreadsheet of a release says: one model that every spreadsheet form is written from.

Here belong the choice of rows, the words and the rounding. How a sheet becomes bytes is in
``spreadsheet``. Everything is read from the schemas ``marts``, ``meta`` and ``reference``.

A cell is text, a whole number, or a ``Decimal`` whose digits are the digits to show. No cell is
empty: where there is no figure, the shorthand gives the reason, ``[z]`` where the column does not
apply.

Nothing here depends on the clock, so that the same warehouse gives the same bytes. The cover names
the release by the hash over its tables, which its manifest has too.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import duckdb

from warehouse.connection import Row, rows_of
from warehouse.writers.read import Goal, Model
from warehouse.writers.tables import OGL, STATEMENT
from warehouse.writers.words import rounded

Cell = str | int | Decimal
# A column of a sheet: the name of one in the warehouse, or a function of the row.
Column = str | Callable[[Row], Cell]

# The headings of a cover, which gptables has for every publisher.
INTRODUCTION = "Introductory information"
ABOUT = "About these data"
ONE_TABLE = "This worksheet contains one table."
NOT_APPLICABLE = "[z]"
NOT_AVAILABLE = "[x]"
ESTIMATED = "[e]"
BREAK = "[b]"
QUOTED = "[quoted]"

# What no form may hold: XML 1.0 has no place for these characters. Lone surrogates are among them.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_CELL = 32_767
_SYMBOL = re.compile(r"\[[a-z]+\]")

_OWN_SYMBOLS = (
    (BREAK, "Break in series", "The two figures were not measured alike; no change is computed"),
    (ESTIMATED, "Estimated", "Computed here from published figures; not itself published"),
    (
        QUOTED,
        "Quoted",
        "A publisher's figure as somebody else printed it; its file was not read here",
    ),
)

NOTES: tuple[str, ...] = (
    "This is analysis of official statistics. It is not itself official statistics.",
    "Survey figures are percentages of adults aged 16 and over, from samples. Where there is an "
    "interval, it is the 95% confidence interval: the range that holds the true figure in 19 of "
    "20 such samples.",
    "Published percentages are shown as published, to at most one decimal place. A figure that is "
    "computed here never shows more digits than the figures it was made from: whole percents from "
    "whole percents. Differences and verdicts come from unrounded figures, so a difference may "
    "not equal the difference of the figures shown. Unrounded figures are in the CSV and Parquet "
    "files of the same release.",
    "[e] marks every figure that is computed here. A combined authority's figure is the average "
    "of its member authorities weighted by population aged 16 and over, and is used only where "
    "the publisher has none.",
    "Where there is no figure, the cell holds the shorthand that says why and the column 'Why "
    "there is no figure' says it in words. 'Not held' means that a figure is published but that "
    "its file has not been read here. No figure is ever filled in.",
    "Better, similar and worse come from a two-sided z test of the difference at 95%. A close "
    "call is a difference that common rules judge differently (z between 1.64 and 2.33). 'Stands "
    "among all tests' is the Benjamini-Hochberg procedure at a false discovery rate of 5%: of "
    "many tests at 95%, one in 20 shows a difference where there is none.",
    "The indices of the Social Mobility Commission place areas of the United Kingdom against one "
    "another (mean 0, standard deviation 1). A score is neither a level nor a percentage, and is "
    "never averaged over areas: for a combined authority, the members in each group are "
    "counted.",
    "Where wording, mode, months, geography or scale changed between two editions, the series has "
    "a break, marked [b], and no change is computed across it.",
    "Three areas are called West Midlands: the combined authority, the region, and the former "
    "metropolitan county. Kind of area and code distinguish them.",
    "'Key of the figure' leads to the worksheet Provenance, which names the publisher's file, "
    "sheet and cell, or the citation. A computed figure has one row for each figure and weight "
    "that it was made of.",
    "A claim of the report is never confirmed by the report's own figure. 'Contradicted within "
    "report' means that the report prints two different figures for one thing.",
    "The survey barometers are compared with England; the indices are of the United Kingdom.",
)

_REPORT = (
    "The Young Foundation and West Midlands Combined Authority, Creating More Inclusive "
    "Communities (2025)"
)
_LEVELS = {
    "nation": "Nation",
    "itl1": "Region",
    "itl2": "ITL2 area",
    "cauth": "Combined authority",
    "utla": "County",
    "lad": "Local authority",
    "smc_area": "Index area",
}
# The two ends of a change: the column of the edition and of the dataset whose edition it is.
_ENDS = {"from_edition": "from_dataset", "to_edition": "dataset"}


@dataclass(frozen=True)
class Sheet:
    """One worksheet with one table: the lines above it, its header row and its rows.

    ``notes`` are numbers from 1 into ``NOTES``. ``table`` is the name of the marked-up table.
    """

    name: str
    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str = "Source: Pulse."
    notes: tuple[int, ...] = ()
    links: bool = False

    @property
    def table(self) -> str:
        return self.name.lower()

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Of each column in characters: its longest word, or a part of its longest text."""
        found = []
        for column in zip(self.headers, *self.rows, strict=True):
            texts = [str(cell) for cell in column]
            word = max((len(word) for text in texts for word in text.split()), default=0)
            whole = max(len(text) for text in texts)
            found.append(max(10, min(80, max(min(word, 36), min(whole, 30), whole // 3))) + 2)
        return tuple(found)

    @property
    def shorthand(self) -> tuple[str, ...]:
        """The symbols that its cells use, in order."""
        texts = (cell for row in self.rows for cell in row if isinstance(cell, str))
        found = {each for text in texts if len(text) <= 20 for each in _SYMBOL.findall(text)}
        return tuple(sorted(found))


@dataclass(frozen=True)
class SheetBook:
    """A whole spreadsheet: what its cover says, then its sheets in order."""

    title: str
    subject: str
    introduction: tuple[str, ...]
    about: tuple[str, ...]
    licence_url: str
    sheets: tuple[Sheet, ...]
    symbols: Mapping[str, str]
    cover_width: int = 100

    @property
    def cover(self) -> tuple[str, ...]:
        """The lines of the cover; the address of the licence comes after them."""
        return (self.title, INTRODUCTION, *self.introduction, ABOUT, *self.about)

    def above(self, sheet: Sheet) -> tuple[str, ...]:
        """The lines above the table of a sheet, the title first."""
        lines = [sheet.title, ONE_TABLE, sheet.source]
        if sheet.notes:
            *others, last = map(str, sheet.notes)
            numbers = f"notes {', '.join(others)} and {last}" if others else f"note {last}"
            lines.append(f"Read with {numbers} on the worksheet Notes.")
        if sheet.shorthand and sheet.name != "Shorthand":
            known = [symbol for symbol in sheet.shorthand if symbol in self.symbols]
            meanings = ", ".join(f"{symbol} {self.symbols[symbol].lower()}" for symbol in known)
            lines.append(f"Shorthand used: {meanings}.")
        return tuple(lines)


def build_sheets(
    connection: duckdb.DuckDBPyConnection, model: Model, *, content_sha256: str
) -> SheetBook:
    """The spreadsheet of a warehouse: barometers of the lead combined authority and its peers.

    ``content_sha256``: the hash over the release's marts, printed on the cover.
    """
    reader = _Reader(connection, model)
    symbols = reader.symbols()
    tables = [
        *(reader.goal(goal) for goal in model.goals),
        reader.comparisons(),
        reader.changes(),
        reader.combined_authorities(),
        reader.context(),
        reader.report_claims(),
        reader.barometers(),
        reader.breaks(),
        reader.editions(),
        reader.gaps(),
        reader.checks(),
        reader.provenance(),
    ]
    body = [
        Sheet("Notes", "Notes", ("Note number", "Note text"), tuple(enumerate(NOTES, start=1))),
        Sheet(
            "Shorthand",
            "Shorthand in the tables",
            ("Symbol", "Meaning", "Explanation"),
            symbols,
            source="Source: Government Analysis Function list of symbols; the states of a figure.",
            notes=(5,),
        ),
        *(sheet for sheet in tables if sheet.rows),
    ]
    listed = tuple((sheet.name, sheet.title, len(sheet.rows)) for sheet in body)
    headers = ("Worksheet", "Title", "Rows")
    contents = Sheet("Contents", "Table of contents", headers, listed, links=True)
    lead, editions = f"the {model.lead.label}", model.tables["editions"]
    title = f"Barometers of inclusive communities: {lead}"
    newest = max((str(row["published_on"]) for row in editions if row["published_on"]), default="")
    accepted = [row["attribution"] for row in editions if row["state"] == "accepted"]
    return SheetBook(
        title=title,
        subject=STATEMENT,
        introduction=(
            STATEMENT,
            f"Figures for {lead}, its {len(model.members(model.lead))} member authorities, "
            "England, the region, and every other combined authority, for four goals and 16 "
            "barometers, each with its interval where there is one, its edition and its source.",
            "Where no figure is held the tables say so and why. Nothing is filled in.",
            f"Newest source published on {newest or 'a day that is not known'}.",
            f"Content of this release: {content_sha256[:12]} (the first 12 characters of the hash "
            "that the release's manifest gives).",
            "The worksheet Contents lists the tables, Notes explains how to read them, and "
            "Shorthand explains the symbols.",
        ),
        about=(*(f"{line}." for line in dict.fromkeys(accepted)), OGL["title"]),
        licence_url=OGL["path"],
        sheets=(contents, *body),
        symbols={str(symbol): str(meaning) for symbol, meaning, _ in symbols},
    )


def as_text(value: object) -> str:
    """Text as a cell can hold it: characters that XML has no place for are replaced."""
    text = _UNWRITABLE.sub("\ufffd", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _text(value: object, absent: str = NOT_APPLICABLE) -> str:
    if value is None or value == "":
        return absent
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    return as_text(value)


class _Reader:
    """Rows of the warehouse as sheets, for the lead combined authority and its comparators."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, model: Model) -> None:
        self._connection = connection
        self._model = model
        members = model.members(model.lead)
        self._near = [model.lead.code, *(area.code for area in members)]
        self._authorities = [area.code for area in model.current("cauth")]
        regions = {area.region_code for area in members if area.region_code}
        self._shown = [*self._near, model.england.code, *sorted(regions), *self._authorities]
        self._status = {row["status"]: row for row in self._rows("from reference.status_codes")}
        indicators = self._rows("from reference.indicators")
        self._titles = {row["indicator_id"]: row["short_title"] for row in indicators}
        # Decimals of the published percentages by barometer, dataset and edition: 0 or 1.
        self._digits = {
            (row["barometer_id"], row["dataset"], row["edition"]): 0 if row["whole"] else 1
            for row in self._rows(
                "select barometer_id, dataset, edition, "
                "bool_and(value = round(value) and coalesce(lower_95 = round(lower_95), true) "
                "and coalesce(upper_95 = round(upper_95), true)) as whole "
                "from marts.barometers "
                "where unit = 'percent' and value is not null and origin <> 'derived' group by all"
            )
        }
        self._figure_keys: set[str] = set()

    def _rows(self, sql: str, **parameters: object) -> list[Row]:
        return rows_of(self._connection, sql, **parameters)

    def _figures(self, sql: str, then: str, **parameters: object) -> list[Row]:
        """Those rows that are of the report's barometers, in its order, the lead area first."""
        return self._rows(
            f"select r.* from ({sql}) as r inner join meta.indicator_roles as d using "
            "(barometer_id) inner join reference.goals as g on d.goal_id = g.goal_id "
            "where d.is_report and d.role != 'context' order by g.goal_order, d.barometer_order, "
            f"r.area_code != $lead, {then}",
            lead=self._model.lead.code,
            **parameters,
        )

    def _sheet(
        self,
        name: str,
        title: str,
        rows: list[Row],
        columns: Mapping[str, Column],
        **more: Any,
    ) -> Sheet:
        """A sheet with a row for each of the ``rows``; ``more``: its source and notes."""
        cells = tuple(tuple(_cell(row, column) for column in columns.values()) for row in rows)
        return Sheet(name, title, tuple(columns), cells, **more)

    # ------------------------------------------------------------ cells

    def _figure(self, column: str, *ends: str) -> Column:
        """A figure in its unit: an index as published, a percentage by the rule of note 3.

        ``ends``: the columns of the editions that it was made of, where that is not ``edition``.
        """

        def cell(row: Row) -> Cell:
            if row[column] is None:
                if row.get("status") and row["value"] is None and not column.startswith("our_"):
                    return self._symbol(row)
                return NOT_APPLICABLE if row["unit"] == "z_score" else NOT_AVAILABLE
            if row["unit"] == "z_score":
                return Decimal(repr(float(row[column])))
            # No more digits than the coarsest of the editions carries.
            editions = [(row[_ENDS.get(end, "dataset")], row[end]) for end in ends or ("edition",)]
            digits = [self._digits.get((row["barometer_id"], *each), 0) for each in editions]
            return rounded(row[column], row.get("decimals", min(digits)))

        return cell

    def _symbol(self, row: Row) -> str:
        """The shorthand of a cell without a figure."""
        known = self._status.get(row["status"])
        return str((known and known["symbol"]) or NOT_AVAILABLE)

    def _barometer(self, row: Row) -> Cell:
        return _text(self._titles.get(row["barometer_id"]), "Every barometer of it")

    def _area(self) -> dict[str, Column]:
        return {"Area": "area_name", "Kind of area": _level, "Area code": "area_code"}

    def _key(self, row: Row) -> Cell:
        """The key of a figure; its row of the sheet Provenance is written too."""
        if row["provenance_id"]:
            self._figure_keys.add(str(row["provenance_id"]))
        return _text(row["provenance_id"], self._symbol(row))

    def _source(self, rows: list[Row], *ends: str) -> str:
        """The attributions of the editions that rows are of: 'Source: a; b; c.'"""
        used = {
            (row.get("source_dataset") or row[_ENDS.get(end, "dataset")], row[end])
            for row in rows
            for end in ends or ("edition",)
        }
        lines = [_text(line) for key, line in self._model.attributions.items() if key in used]
        parts = [re.sub(r"^Source:\s*", "", line).rstrip(".") for line in dict.fromkeys(lines)]
        return "Source: " + ("; ".join(parts) or "Pulse") + "."

    # ------------------------------------------------------------ sheets

    def symbols(self) -> tuple[tuple[Cell, ...], ...]:
        """Every symbol with its meaning; those that share one are one row."""
        meanings: dict[str, list[tuple[str, str]]] = {}
        for row in sorted(self._status.values(), key=lambda row: str(row["status"])):
            if row["symbol"]:
                meanings.setdefault(row["symbol"], []).append((row["meaning"], row["explanation"]))
        for symbol, meaning, explanation in _OWN_SYMBOLS:
            meanings.setdefault(symbol, []).append((meaning, explanation))
        rows = []
        for symbol, found in sorted(meanings.items()):
            named, explained = zip(*found, strict=True)
            rows.append((symbol, " or ".join(named).capitalize(), ". ".join(explained)))
        return tuple(rows)

    def goal(self, goal: Goal) -> Sheet:
        """The latest cell of each barometer of a goal, one row per area."""
        rows = self._figures(
            "select b.*, ca.groups_in_words from marts.barometers as b "
            "left join marts.combined_authorities as ca "
            "using (barometer_id, area_code, dataset, edition, period_end) "
            "where b.is_latest and b.goal_id = $goal and list_contains($shown, b.area_code)",
            "coalesce(nullif(list_position(['lad', 'nation', 'itl1'], area_level), 0), 4), "
            "not list_contains($near, area_code), area_name, area_code",
            goal=goal.id,
            shown=self._shown,
            near=self._near,
        )
        index = any(row["unit"] == "z_score" for row in rows)
        measured: dict[str, Column] = (
            {
                "Group number": lambda row: row["group_number"] or self._symbol(row),
                "Group": lambda row: _text(row["group_label"], self._symbol(row)),
                "Members by group": "groups_in_words",
            }
            if index
            else {
                "Lower 95% limit": self._figure("lower_95"),
                "Upper 95% limit": self._figure("upper_95"),
                "Against England": lambda row: _against(row)[0],
                "Close call": lambda row: _against(row)[1],
                "Minimum detectable change in points": self._figure("minimum_detectable_change"),
            }
        )
        return self._sheet(
            goal.id.capitalize(),
            f"{goal.title}: latest figures by barometer and area",
            rows,
            {
                "Barometer": self._barometer,
                "Role": _words_of("role"),
                **self._area(),
                "Edition": "edition_title",
                "Period from": "period_start",
                "Period to": "period_end",
                "Index score" if index else "Percentage": self._figure("value"),
                "Shorthand": self._marks,
                **measured,
                "Origin": lambda row: _text(row["origin"], self._symbol(row)).capitalize(),
                "Why there is no figure": "status_reason",
                "Key of the figure": self._key,
                "In words": "sentence",
            },
            source=self._source([row for row in rows if row["value"] is not None]),
            notes=(3, 5, 7, 9, 10, 12) if index else (2, 3, 4, 5, 6, 9, 10, 12),
        )

    def _marks(self, row: Row) -> Cell:
        """The shorthand of a figure, or of the cell without one."""
        return self._symbol(row) if row["value"] is None else _text(row["mark"], "None")

    def comparisons(self) -> Sheet:
        """The lead area and its members against others, for their latest survey figures."""
        rows = self._figures(
            "select c.*, b.source_dataset from marts.comparisons as c "
            "inner join marts.barometers as b "
            "using (barometer_id, area_code, dataset, edition, period_end) "
            "where b.is_latest and list_contains($near, c.area_code) and c.unit = 'percent'",
            "area_name, area_code, comparator_kind, comparator_name, comparison_id",
            near=self._near,
        )
        return self._sheet(
            "Comparisons",
            "Latest survey figures compared: the lead combined authority and its members",
            rows,
            {
                "Barometer": self._barometer,
                "Edition": "edition",
                **self._area(),
                "Compared with": _words_of("comparator_kind"),
                "Name of the other": "comparator_name",
                "Code of the other": "comparator_code",
                "Percentage": self._figure("value"),
                "Shorthand": lambda row: _text(row["mark"], "None"),
                "Percentage of the other": self._figure("comparator_value"),
                "Shorthand of the other": lambda row: _text(row["comparator_mark"], "None"),
                "Difference in points": self._figure("difference"),
                "Lower 95% limit of the difference": self._figure("difference_lower_95"),
                "Upper 95% limit of the difference": self._figure("difference_upper_95"),
                "z": lambda row: NOT_AVAILABLE if row["z"] is None else rounded(row["z"], 2),
                "Outcome": lambda row: _verdict(row)[0],
                "Close call": lambda row: _verdict(row)[1],
                "Stands among all tests": lambda row: _text(
                    None if row["outcome"] == "cannot_say" else row["survives_family"]
                ),
                "Why it cannot be said": "reason",
            },
            source=self._source(rows),
            notes=(2, 3, 4, 6, 9),
        )

    def changes(self) -> Sheet:
        """What moved, or why that cannot be said: the lead area, its members and England."""
        rows = self._figures(
            "from marts.changes where list_contains($areas, area_code)",
            "area_name, area_code, change_kind, from_period_end, to_period_end, change_id",
            areas=[*self._near, self._model.england.code],
        )
        return self._sheet(
            "Changes",
            "Changes between editions and periods: the lead combined authority, its members "
            "and England",
            rows,
            {
                "Barometer": self._barometer,
                **self._area(),
                "Kind of change": _words_of("change_kind"),
                "Earlier edition": "from_edition",
                "Earlier period to": "from_period_end",
                "Later edition": "to_edition",
                "Later period to": "to_period_end",
                "Unit": _unit,
                "Earlier figure": self._figure("from_value", "from_edition"),
                "Later figure": self._figure("to_value", "to_edition"),
                "Difference in points": self._figure("difference", *_ENDS),
                "Lower 95% limit of the difference": self._figure("difference_lower_95", *_ENDS),
                "Upper 95% limit of the difference": self._figure("difference_upper_95", *_ENDS),
                "Earlier group": "from_group_label",
                "Later group": "to_group_label",
                "Outcome": lambda row: _verdict(row)[0],
                "Close call": lambda row: _verdict(row)[1],
                "Grade of comparability": lambda row: _text(row["grade"]).capitalize(),
                "Shorthand": lambda row: BREAK if row["grade"] == "block" else "None",
                "In words": "sentence",
                "Who says whether the two may be compared": "grade_citation",
            },
            source=self._source(rows, *_ENDS),
            notes=(2, 3, 5, 6, 7, 8),
        )

    def combined_authorities(self) -> Sheet:
        """Every combined authority: the figure used beside the estimate made here."""
        rows = self._figures(
            "select ca.*, b.mark from marts.combined_authorities as ca "
            "inner join marts.barometers as b "
            "using (barometer_id, area_code, dataset, edition, period_end) "
            "where ca.is_latest and list_contains($authorities, ca.area_code) "
            "qualify row_number() over (partition by ca.barometer_id, ca.area_code "
            "order by ca.period_end desc) = 1",
            "area_name, area_code",
            authorities=self._authorities,
        )
        return self._sheet(
            "Combined_authorities",
            "Combined authorities: the figure used and the estimate from member authorities",
            rows,
            {
                "Barometer": self._barometer,
                "Combined authority": "area_name",
                "Area code": "area_code",
                "Edition": "edition",
                "Unit": _unit,
                "Figure used": self._figure("value"),
                "Shorthand": self._marks,
                "Lower 95% limit": self._figure("lower_95"),
                "Upper 95% limit": self._figure("upper_95"),
                "Estimate made here": self._figure("our_estimate"),
                "Shorthand of the estimate": lambda row: (
                    "None" if row["our_estimate"] is None else ESTIMATED
                ),
                "Lower 95% limit of the estimate": self._figure("our_lower_95"),
                "Upper 95% limit of the estimate": self._figure("our_upper_95"),
                "Estimate with shares of the census": self._figure("our_estimate_at_census_shares"),
                "Members": "members",
                "Members with a figure": "members_with_figure",
                "Members without a figure": "missing_members",
                "Members by group": "groups_in_words",
                "Why there is no figure": "status_reason",
                "Key of the figure": self._key,
            },
            source=self._source(rows),
            notes=(2, 3, 4, 5, 7, 9, 10),
        )

    def context(self) -> Sheet:
        """The other evidence that the report lists: the lead area's newest figures."""
        rows = self._rows(
            "select c.*, i.decimals, i.source as published_by from marts.context as c "
            "inner join reference.indicators as i on c.barometer_id = i.indicator_id "
            "where c.is_latest and c.area_code = $lead order by c.goal_id, c.title, c.framework",
            lead=self._model.lead.code,
        )
        return self._sheet(
            "Context",
            "Context: what the report lists beside the barometers, for the lead combined authority",
            rows,
            {
                "Goal": _words_of("goal_id"),
                "Indicator": "title",
                "Period": "edition_title",
                "Unit": _words_of("unit"),
                "Figure": self._figure("value"),
                "Lower 95% limit": self._figure("lower_95"),
                "Upper 95% limit": self._figure("upper_95"),
                "Shorthand": lambda row: _text(row["mark"], "None"),
                "England": self._figure("comparator_value"),
                "Against England": lambda row: _against(row)[0],
                "Close call": lambda row: _against(row)[1],
                "In a sentence": "sentence",
                "Published by, and when": "published_by",
            },
            source=self._source(rows),
            notes=(3, 4, 6),
        )

    def report_claims(self) -> Sheet:
        """What the report says and what the figures held here say."""
        return self._sheet(
            "Report_claims",
            "Claims of the report on barometers, and what the figures held here say",
            self._model.tables["claims"],
            {
                **_plainly("claim_id", "section"),
                "Barometer": lambda row: _text(self._titles.get(row["barometer_id"])),
                **_plainly("area_name", "area_code", "statistic", "unit", "claimed_edition"),
                "The report says": "claimed_value",
                "Our figures say": lambda row: _text(row["our_value"], NOT_AVAILABLE),
                "Origin of ours": lambda row: _text(row["our_origin"], NOT_AVAILABLE),
                "Verdict": _words_of("verdict"),
                "Explanation": "explanation",
                "Key of the figure": "provenance_id",
            },
            source=f"Source: {_REPORT}; for our figures see the worksheets of the goals.",
            notes=(5, 11),
        )

    def barometers(self) -> Sheet:
        """What each barometer measures."""

        def question(column: str) -> Column:
            return lambda row: _text(
                row[column], NOT_APPLICABLE if row["unit"] == "z_score" else NOT_AVAILABLE
            )

        return self._sheet(
            "Barometers",
            "The barometers: what each measures and what to beware of",
            self._rows(
                "select d.*, g.title as goal_title from meta.indicator_roles as d "
                "inner join reference.goals as g using (goal_id) where is_report "
                "and role != 'context' order by goal_order, barometer_order"
            ),
            {
                "Goal": "goal_title",
                "Role": _words_of("role"),
                "Barometer": "short_title",
                "Title in the report": "title",
                "Unit": _unit,
                "Question": question("question"),
                "Where its wording is given": question("question_source"),
                "Response counted": "response",
                **_plainly("definition", "table_code", "comparator", "caution"),
            },
            source=f"Source: {_REPORT}, and the publishers' tables.",
            notes=(12,),
        )

    def breaks(self) -> Sheet:
        """Where a series has a break."""
        return self._sheet(
            "Breaks",
            "Breaks in series: which editions may be compared, and who says so",
            self._model.tables["breaks"],
            {
                "Data set": "dataset",
                "Barometer": self._barometer,
                "Area code": lambda row: _text(row["area_code"], "Every area"),
                **_plainly("from_edition", "to_edition", "kind", "grade", "reason"),
                **_plainly("said_by", "citation", "said_on"),
                "Shorthand": lambda row: BREAK if row["grade"] == "block" else "None",
            },
            source="Source: the publishers' notes, cited in each row.",
            notes=(8,),
        )

    def editions(self) -> Sheet:
        """What is held of every edition."""
        return self._sheet(
            "Editions",
            "Editions: what is held of each, from which file",
            self._model.tables["editions"],
            {
                **_plainly("dataset_title", "publisher", "edition", "edition_title"),
                "Published on": lambda row: _text(row["published_on"], NOT_AVAILABLE),
                **_plainly("is_baseline", "state", "origin", "figures", "revision", "file_name"),
                **_plainly("files_refused", "refusals", "attribution", "how_to_obtain"),
            },
            source="Source: the publishers named in each row.",
            notes=(5,),
        )

    def gaps(self) -> Sheet:
        """Where there is no figure, and why."""
        return self._sheet(
            "Gaps",
            "Cells without a figure, by data set, edition and kind of area, with the reason",
            self._model.tables["gaps"],
            {
                **_plainly("dataset", "edition"),
                "Kind of area": _level,
                "Shorthand": self._symbol,
                "State": _words_of("status"),
                **_plainly("reason", "cells"),
            },
            source="Source: Pulse, from the editions held.",
            notes=(5,),
        )

    def checks(self) -> Sheet:
        """What the checks of this release found."""
        return self._sheet(
            "Checks",
            "Checks of this release and what each found",
            self._model.tables["checks"],
            _plainly("kind", "subject", "check_name", "outcome", "message"),
        )

    def provenance(self) -> Sheet:
        """Where each figure of the goals' sheets comes from. Call it after them."""
        rows = self._rows(
            "select p.*, a.area_name from marts.provenance as p "
            "left join reference.areas as a using (area_code) "
            "where list_contains($keys, p.provenance_id) "
            "order by p.provenance_id, p.part, p.area_code, p.measure, p.made_of, p.edition",
            keys=sorted(self._figure_keys),
        )
        return self._sheet(
            "Provenance",
            "Where each figure of the goals and combined authorities comes from",
            rows,
            {
                "Key of the figure": "provenance_id",
                "Part of the figure": _words_of("part"),
                "Measure": "measure",
                "Area": lambda row: _text(row["area_name"], NOT_AVAILABLE),
                "Area code": "area_code",
                "Value as carried": _as_carried,
                **_plainly("dataset", "edition", "origin", "revision", "file_name", "source_url"),
                **{"Sheet": "sheet", "Row": "row_number", "Column": "column_letter"},
                "Citation": "citation",
            },
            source=self._source(rows),
            notes=(4, 10),
        )


def _cell(row: Row, column: Column) -> Cell:
    if callable(column):
        return column(row)
    value = row[column]
    return value if type(value) is int else _text(value)


def _plainly(*columns: str) -> dict[str, Column]:
    """Columns as they are, each headed by its name."""
    return {name.replace("_", " ").capitalize(): name for name in columns}


def _words_of(column: str) -> Column:
    return lambda row: _text(row[column]).replace("_", " ").capitalize()


def _level(row: Row) -> Cell:
    return _LEVELS.get(row["area_level"], _text(row["area_level"]))


def _unit(row: Row) -> Cell:
    return "Percentage" if row["unit"] == "percent" else "Index score"


def _against(row: Row) -> tuple[Cell, Cell]:
    """The verdict of a cell against England; none for England itself or without a figure."""
    if row["area_level"] == "nation" or row["value"] is None:
        return NOT_APPLICABLE, NOT_APPLICABLE
    return _verdict(row)


def _verdict(row: Row) -> tuple[Cell, Cell]:
    """The outcome in a word, and whether it is a close call; none is where nothing can be said."""
    outcome = row["outcome"] or "cannot_say"
    untested = outcome in ("cannot_say", "relative_position")
    return (
        outcome.replace("_", " ").capitalize(),
        NOT_APPLICABLE if untested else _text(row["close_call"]),
    )


def _as_carried(row: Row) -> Cell:
    """A figure with the digits that the publisher's cell has, and no others."""
    if row["value"] is None:
        return NOT_AVAILABLE
    exact = Decimal(repr(float(row["value"])))
    return int(exact) if exact == exact.to_integral_value() else exact
