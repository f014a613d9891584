"""What the spreadsheet of a release says: one model that every spreadsheet form is written from.

Here belong the choice of rows, the words and the rounding. How a sheet becomes bytes is in
``spreadsheet``. Everything is read from the schemas ``marts``, ``meta`` and ``reference``.

A cell is text, a whole number, or a ``Decimal`` whose digits are the digits to show. No cell is
empty: where there is no figure stands the shorthand that says why, ``[z]`` where the column does
not apply.

Nothing here depends on the clock, so that the same warehouse gives the same bytes. The release is
told by the hash over its tables, which its manifest has too.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb

from sources.errors import PulseError
from warehouse.writers.tables import OGL, STATEMENT

Cell = str | int | Decimal
Row = Mapping[str, Any]

ENGLAND = "E92000001"
AUTHOR = "Pulse"
LANGUAGE = "en-GB"
ONE_TABLE = "This worksheet contains one table."
NOT_APPLICABLE = "[z]"
NOT_AVAILABLE = "[x]"
ESTIMATED = "[e]"
BREAK = "[b]"

# What no form may hold: XML 1.0 has no place for these characters. Lone surrogates are among them.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_CELL = 32_767
_SYMBOL = re.compile(r"\[[a-z]+\]")

_OWN_SYMBOLS = (
    (BREAK, "Break in series", "The two figures were not measured alike; no change is computed"),
    (ESTIMATED, "Estimated", "Computed here from published figures; not itself published"),
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
    "Better, similar and worse are told by a two-sided z test of the difference at 95%. A close "
    "call is a difference that common rules judge differently (z between 1.64 and 2.33). 'Stands "
    "among all tests' is the Benjamini-Hochberg procedure at a false discovery rate of 5%: of "
    "many tests at 95%, one in 20 shows a difference where there is none.",
    "The indices of the Social Mobility Commission place areas of the United Kingdom against one "
    "another (mean 0, standard deviation 1). A score is neither a level nor a percentage, and is "
    "never averaged over areas: a combined authority is told by how many of its members stand in "
    "each group.",
    "Where wording, mode, months, geography or scale changed between two editions, the series has "
    "a break, marked [b], and no change is computed across it.",
    "Three areas are called West Midlands: the combined authority, the region, and the former "
    "metropolitan county. The kind of area and the code tell them apart.",
    "'Key of the figure' leads to the worksheet Provenance, which names the publisher's file, "
    "sheet and cell, or the citation. A computed figure has one row for each figure and weight "
    "that it was made of.",
    "A claim of the report is never confirmed by the report's own figure. 'Contradicted within "
    "report' means that the report prints two different figures for one thing.",
    "The survey barometers are compared with England; the indices are of the United Kingdom.",
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
_OUTCOMES = {
    "better": "Better",
    "similar": "Similar",
    "worse": "Worse",
    "higher": "Higher",
    "lower": "Lower",
    "cannot_say": "Cannot say",
    "relative_position": "Told by group only",
}
_COMPARATORS = {
    "england": "England",
    "region": "Its region",
    "lead_combined_authority": "Lead combined authority",
    "own_combined_authority": "Its combined authority",
    "combined_authority": "Another combined authority",
    "best_peer": "Best of its peers",
    "worst_peer": "Worst of its peers",
}
_CHANGES = {
    "consecutive": "Between editions in turn",
    "baseline_to_latest": "From the baseline to the latest",
    "within_edition": "Between periods of one edition",
    "within_edition_first_to_last": "From first to last period of one edition",
}


class ExportError(PulseError):
    """A release cannot be written in one of its forms."""

    default_code = "export"


@dataclass(frozen=True)
class Sheet:
    """One worksheet with one table: what stands above it, its header row and its rows.

    ``notes`` are numbers from 1 into ``NOTES``. ``table`` is the name of the marked-up table.
    """

    name: str
    title: str
    source: str
    notes: tuple[int, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    links: bool = False

    @property
    def table(self) -> str:
        return self.name.lower()

    @property
    def shorthand(self) -> tuple[str, ...]:
        """The symbols that its cells use, in order."""
        found = {
            symbol
            for row in self.rows
            for cell in row
            if isinstance(cell, str) and len(cell) <= 20
            for symbol in _SYMBOL.findall(cell)
        }
        return tuple(sorted(found))


@dataclass(frozen=True)
class SheetBook:
    """A whole spreadsheet: the lines of its cover, then its sheets in order."""

    title: str
    subject: str
    cover: tuple[str, ...]
    licence_url: str
    sheets: tuple[Sheet, ...]
    symbols: Mapping[str, str]

    def above(self, sheet: Sheet) -> tuple[str, ...]:
        """The lines above the table of a sheet, the title first."""
        lines = [sheet.title, ONE_TABLE, sheet.source]
        if sheet.notes:
            lines.append(
                "Read with "
                + ("note " if len(sheet.notes) == 1 else "notes ")
                + _listed([str(number) for number in sheet.notes])
                + " on the worksheet Notes."
            )
        if sheet.shorthand and sheet.name != "Shorthand":
            meanings = [
                f"{symbol} {self.symbols[symbol].lower()}"
                for symbol in sheet.shorthand
                if symbol in self.symbols
            ]
            lines.append("Shorthand used: " + ", ".join(meanings) + ".")
        return tuple(lines)


def build_sheets(connection: duckdb.DuckDBPyConnection, *, content_sha256: str) -> SheetBook:
    """The spreadsheet of a warehouse: barometers of the lead combined authority and its peers.

    Args:
        connection: open on a gated warehouse.
        content_sha256: the hash over the release's tables, told on the cover.

    Raises:
        ExportError: when the warehouse names no one lead combined authority.
    """
    reader = _Reader(connection)
    symbols = reader.symbols()
    tables = [
        *reader.goals(),
        reader.comparisons(),
        reader.changes(),
        reader.combined_authorities(),
        reader.report_claims(),
        reader.barometers(),
        reader.breaks(),
        reader.editions(),
        reader.gaps(),
        reader.checks(),
        reader.provenance(),
    ]
    body = [
        Sheet(
            name="Notes",
            title="Notes",
            source="Source: Pulse.",
            notes=(),
            headers=("Note number", "Note text"),
            rows=tuple((number, text) for number, text in enumerate(NOTES, start=1)),
        ),
        Sheet(
            name="Shorthand",
            title="Shorthand in the tables",
            source="Source: Government Analysis Function list of symbols; the states of a figure.",
            notes=(5,),
            headers=("Symbol", "Meaning", "Explanation"),
            rows=symbols,
        ),
        *(sheet for sheet in tables if sheet.rows),
    ]
    contents = Sheet(
        name="Contents",
        title="Table of contents",
        source="Source: Pulse.",
        notes=(),
        headers=("Worksheet", "Title", "Rows"),
        rows=tuple((sheet.name, sheet.title, len(sheet.rows)) for sheet in body),
        links=True,
    )
    title = f"Barometers of inclusive communities: {reader.lead_words}"
    return SheetBook(
        title=title,
        subject=STATEMENT,
        cover=(
            title,
            STATEMENT,
            f"Figures for {reader.lead_words}, its {len(reader.members)} member authorities, "
            "England, the region, and every other combined authority, for four goals and 16 "
            "barometers, each with its interval where there is one, its edition and its source.",
            "Where no figure is held the tables say so and why. Nothing is filled in.",
            f"Newest source published on {reader.newest}.",
            f"Content of this release: {content_sha256[:12]} (the first 12 characters of the hash "
            "that the release's manifest gives).",
            "The worksheet Contents lists the tables, Notes explains how to read them, and "
            "Shorthand explains the symbols.",
            *reader.attributions(),
            OGL["title"],
        ),
        licence_url=OGL["path"],
        sheets=(contents, *body),
        symbols={str(symbol): str(meaning) for symbol, meaning, _ in symbols},
    )


def as_text(value: object) -> str:
    """Text as a cell can hold it: characters that XML has no place for are replaced."""
    text = _UNWRITABLE.sub("\ufffd", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def rounded(value: float, digits: int) -> Decimal:
    """A figure with so many decimals, halves away from zero, as people round; never minus zero."""
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return abs(exact) if exact.is_zero() else exact


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _question_of(column: str) -> Callable[[Row], Cell]:
    """The wording or its source: not applicable to an index, not available where it was not read."""

    def told(row: Row) -> Cell:
        absent = NOT_APPLICABLE if row["unit"] == "z_score" else NOT_AVAILABLE
        return _text(row[column], absent)

    return told


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


def _whole(value: int | None, absent: str = NOT_APPLICABLE) -> Cell:
    return absent if value is None else int(value)


def _area(row: Row, prefix: str = "") -> tuple[Cell, ...]:
    level = row[f"{prefix}area_level"]
    return (
        _text(row[f"{prefix}area_name"]),
        _LEVELS.get(level, _text(level)),
        _text(row[f"{prefix}area_code"]),
    )


class _Reader:
    """Rows of the warehouse as cells, for the lead combined authority and whom it is read beside."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        leads = self._rows("select distinct area_code from marts.pulse")
        if len(leads) != 1:
            raise ExportError(
                "the spreadsheet is about one combined authority",
                code="no_lead_area",
                expected="one area_code in marts.pulse",
                found=", ".join(sorted(str(row["area_code"]) for row in leads)) or "none",
                todo="look at the variable `lead_area` of the dbt project, then refresh again",
            )
        self.lead = str(leads[0]["area_code"])
        name = self._rows(
            "select area_name from reference.areas where area_code = $lead", lead=self.lead
        )
        self.lead_words = f"the {name[0]['area_name'] if name else self.lead} Combined Authority"
        profiles = self._rows(
            "select area_code, region_code from marts.authority_profiles "
            "where combined_authority_code = $lead order by area_code",
            lead=self.lead,
        )
        self.members = [str(row["area_code"]) for row in profiles]
        regions = sorted({str(row["region_code"]) for row in profiles if row["region_code"]})
        self._near = [self.lead, *self.members]
        self._shown = [*self._near, ENGLAND, *regions]
        self._authorities = [
            str(row["area_code"])
            for row in self._rows(
                "select area_code from reference.areas "
                "where area_level = 'cauth' and valid_to is null order by area_code"
            )
        ]
        self._symbols_by_status = {
            str(row["status"]): str(row["symbol"] or "")
            for row in self._rows("select status, symbol from reference.status_codes")
        }
        self._digits = self._percent_digits()
        self._editions = self._rows("select * from meta.editions order by dataset, edition")
        self.newest = max(
            (row["published_on"].isoformat() for row in self._editions if row["published_on"]),
            default="a day that is not known",
        )
        self._figure_keys: set[str] = set()

    def _rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        cursor = self._connection.execute(sql, parameters or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _percent_digits(self) -> dict[tuple[str, str, str], int]:
        """Decimals of the published percentages by barometer, dataset and edition: 0 or 1."""
        return {
            (row["barometer_id"], row["dataset"], row["edition"]): 0 if row["whole"] else 1
            for row in self._rows(
                "select barometer_id, dataset, edition, "
                "bool_and(value = round(value) and coalesce(lower_95 = round(lower_95), true) "
                "and coalesce(upper_95 = round(upper_95), true)) as whole "
                "from marts.barometers "
                "where unit = 'percent' and value is not null and origin <> 'derived' "
                "group by all"
            )
        }

    def _digits_of(self, row: Row, edition: str = "edition") -> int:
        return self._digits.get((row["barometer_id"], row["dataset"], row[edition]), 0)

    def _figure(
        self, row: Row, column: str, absent: str = NOT_AVAILABLE, edition: str = "edition"
    ) -> Cell:
        """A figure in its unit: an index as published, a percentage by the rule of note 3."""
        value = row[column]
        if value is None:
            return absent
        if row["unit"] == "z_score":
            return Decimal(repr(float(value)))
        return rounded(value, self._digits_of(row, edition))

    def _source(self, used: Iterable[tuple[str, str]]) -> str:
        wanted = set(used)
        lines = [
            _text(row["attribution"])
            for row in self._editions
            if (row["dataset"], row["edition"]) in wanted
        ]
        return _one_source(lines)

    def attributions(self) -> tuple[str, ...]:
        """One line for each edition that figures are held of."""
        return tuple(
            dict.fromkeys(
                _text(row["attribution"]) + "."
                for row in self._editions
                if row["state"] == "accepted"
            )
        )

    def symbols(self) -> tuple[tuple[Cell, ...], ...]:
        """Every symbol with its meaning; those that share one are told together."""
        meanings: dict[str, list[tuple[str, str]]] = {}
        for row in self._rows("select * from reference.status_codes order by symbol, status"):
            if row["symbol"]:
                meanings.setdefault(row["symbol"], []).append((row["meaning"], row["explanation"]))
        for symbol, meaning, explanation in _OWN_SYMBOLS:
            meanings.setdefault(symbol, []).append((meaning, explanation))
        return tuple(
            (
                symbol,
                " or ".join([meaning for meaning, _ in told]).capitalize(),
                ". ".join(explanation for _, explanation in told),
            )
            for symbol, told in sorted(meanings.items())
        )

    def _marks(self, row: Row) -> str:
        """The shorthand of a figure: computed here, and what its state says."""
        marks = ESTIMATED if row["origin"] == "derived" else ""
        return marks + str(self._symbols_by_status.get(row["status"], "")) or "None"

    def goals(self) -> list[Sheet]:
        """One sheet a goal: the latest cell of each barometer, an area a row."""
        goals = self._rows("select * from reference.goals order by goal_order")
        return [self._goal(goal) for goal in goals]

    def _goal(self, goal: Row) -> Sheet:
        rows = self._rows(
            """
            select
                b.*, d.barometer_order, d.short_title,
                ca.groups_in_words,
                case
                    when b.area_code = $lead then 1
                    when list_contains($near, b.area_code) then 2
                    when b.area_code = $england then 3
                    when b.area_level = 'itl1' then 4
                    else 5
                end as place
            from marts.barometers as b
            inner join reference.barometer_definitions as d using (barometer_id)
            left join marts.combined_authorities as ca
                on
                    b.barometer_id = ca.barometer_id and b.area_code = ca.area_code
                    and b.dataset = ca.dataset and b.edition = ca.edition
                    and b.period_end = ca.period_end and b.unit = 'z_score'
            where
                b.is_latest and b.goal_id = $goal
                and (list_contains($shown, b.area_code) or list_contains($authorities, b.area_code))
            order by d.barometer_order, place, b.area_name, b.area_code
            """,
            lead=self.lead,
            near=self._near,
            england=ENGLAND,
            goal=goal["goal_id"],
            shown=self._shown,
            authorities=self._authorities,
        )
        index = any(row["unit"] == "z_score" for row in rows)
        self._figure_keys |= {str(row["provenance_id"]) for row in rows if row["provenance_id"]}
        cells: list[tuple[Cell, ...]] = []
        for row in rows:
            symbol = str(self._symbols_by_status.get(row["status"]) or NOT_AVAILABLE)
            absent = symbol if row["value"] is None else NOT_AVAILABLE
            cells.append(
                (
                    _text(row["short_title"]),
                    _text(row["role"]).capitalize(),
                    *_area(row),
                    _text(row["edition_title"]),
                    _text(row["period_start"]),
                    _text(row["period_end"]),
                    self._figure(row, "value", symbol),
                    self._marks(row),
                    *(
                        (
                            _whole(row["group_number"], symbol),
                            _text(row["group_label"], symbol),
                            _text(row["groups_in_words"]),
                        )
                        if index
                        else (
                            self._figure(row, "lower_95", absent),
                            self._figure(row, "upper_95", absent),
                            *self._against_england(row),
                        )
                    ),
                    _text(row["origin"], symbol).capitalize(),
                    _text(row["status_reason"]),
                    _text(row["provenance_id"], symbol),
                )
            )
        return Sheet(
            name=str(goal["goal_id"]).capitalize(),
            title=f"{goal['title']}: latest figures by barometer and area",
            source=self._source(
                (row["source_dataset"] or row["dataset"], row["edition"])
                for row in rows
                if row["value"] is not None
            ),
            notes=(3, 5, 7, 9, 10, 12) if index else (2, 3, 4, 5, 6, 9, 10, 12),
            headers=(
                "Barometer",
                "Role",
                "Area",
                "Kind of area",
                "Area code",
                "Edition",
                "Period from",
                "Period to",
                "Index score" if index else "Percentage",
                "Shorthand",
                *(
                    ("Group number", "Group", "Members by group")
                    if index
                    else (
                        "Lower 95% limit",
                        "Upper 95% limit",
                        "Against England",
                        "Close call",
                    )
                ),
                "Origin",
                "Why there is no figure",
                "Key of the figure",
            ),
            rows=tuple(cells),
        )

    @staticmethod
    def _against_england(row: Row) -> tuple[Cell, ...]:
        if row["area_code"] == ENGLAND or row["value"] is None:
            return (NOT_APPLICABLE, NOT_APPLICABLE)
        return _verdict(row)

    def comparisons(self) -> Sheet:
        """The lead area and its members against others, for their latest survey figures."""
        rows = self._rows(
            """
            select
                c.*, d.short_title, b.origin, b.source_dataset,
                o.origin as comparator_origin, o.source_dataset as comparator_source_dataset
            from marts.comparisons as c
            inner join reference.barometer_definitions as d using (barometer_id)
            inner join reference.goals as g on d.goal_id = g.goal_id
            inner join marts.barometers as b
                on
                    c.barometer_id = b.barometer_id and c.area_code = b.area_code
                    and c.dataset = b.dataset and c.edition = b.edition
                    and c.period_end = b.period_end and b.is_latest
            left join marts.barometers as o
                on
                    c.barometer_id = o.barometer_id and c.comparator_code = o.area_code
                    and c.dataset = o.dataset and c.edition = o.edition
                    and c.period_end = o.period_end
            where list_contains($near, c.area_code) and c.unit = 'percent' and c.value is not null
            order by
                g.goal_order, d.barometer_order, c.area_code <> $lead, c.area_name,
                c.comparator_kind,
                c.comparator_name, c.comparison_id
            """,
            near=self._near,
            lead=self.lead,
        )
        return Sheet(
            name="Comparisons",
            title="Latest survey figures compared: the lead combined authority and its members",
            source=self._source(
                (row[source] or row["dataset"], row["edition"])
                for row in rows
                for source in ("source_dataset", "comparator_source_dataset")
            ),
            notes=(2, 3, 4, 6, 9),
            headers=(
                "Barometer",
                "Edition",
                "Area",
                "Kind of area",
                "Area code",
                "Compared with",
                "Name of the other",
                "Code of the other",
                "Percentage",
                "Shorthand",
                "Percentage of the other",
                "Shorthand of the other",
                "Difference in points",
                "Lower 95% limit of the difference",
                "Upper 95% limit of the difference",
                "z",
                "Outcome",
                "Close call",
                "Survives in its family of tests",
                "Why it cannot be said",
            ),
            rows=tuple(
                (
                    _text(row["short_title"]),
                    _text(row["edition"]),
                    *_area(row),
                    _COMPARATORS.get(row["comparator_kind"], _text(row["comparator_kind"])),
                    _text(row["comparator_name"]),
                    _text(row["comparator_code"]),
                    self._figure(row, "value"),
                    ESTIMATED if row["origin"] == "derived" else "None",
                    self._figure(row, "comparator_value"),
                    ESTIMATED if row["comparator_origin"] == "derived" else "None",
                    self._figure(row, "difference"),
                    self._figure(row, "difference_lower_95"),
                    self._figure(row, "difference_upper_95"),
                    NOT_AVAILABLE if row["z"] is None else rounded(row["z"], 2),
                    *_verdict(row),
                    _text(None if row["outcome"] == "cannot_say" else row["survives_family"]),
                    _text(row["reason"]),
                )
                for row in rows
            ),
        )

    def changes(self) -> Sheet:
        """What moved, or why that cannot be said: the lead area, its members and England."""
        rows = self._rows(
            """
            select c.*, d.short_title
            from marts.changes as c
            inner join reference.barometer_definitions as d using (barometer_id)
            inner join reference.goals as g on d.goal_id = g.goal_id
            where list_contains($areas, c.area_code)
            order by
                g.goal_order, d.barometer_order, c.area_code <> $lead, c.area_name, c.area_code, c.change_kind,
                c.from_period_end, c.to_period_end, c.change_id
            """,
            areas=[*self._near, ENGLAND],
            lead=self.lead,
        )
        return Sheet(
            name="Changes",
            title="Changes between editions and periods: the lead combined authority, its members "
            "and England",
            source=self._source(
                (row["dataset"], row[edition])
                for row in rows
                for edition in ("from_edition", "to_edition")
            ),
            notes=(2, 3, 5, 6, 7, 8),
            headers=(
                "Barometer",
                "Area",
                "Kind of area",
                "Area code",
                "Kind of change",
                "Earlier edition",
                "Earlier period to",
                "Later edition",
                "Later period to",
                "Unit",
                "Earlier figure",
                "Later figure",
                "Difference in points",
                "Lower 95% limit of the difference",
                "Upper 95% limit of the difference",
                "Earlier group",
                "Later group",
                "Outcome",
                "Close call",
                "Shorthand",
                "In words, or why it cannot be said",
            ),
            rows=tuple(
                (
                    _text(row["short_title"]),
                    *_area(row),
                    _CHANGES.get(row["change_kind"], _text(row["change_kind"])),
                    _text(row["from_edition"]),
                    _text(row["from_period_end"]),
                    _text(row["to_edition"]),
                    _text(row["to_period_end"]),
                    "Percentage" if row["unit"] == "percent" else "Index score",
                    self._figure(row, "from_value", edition="from_edition"),
                    self._figure(row, "to_value", edition="to_edition"),
                    *(self._change(row, part) for part in ("", "_lower_95", "_upper_95")),
                    _text(row["from_group_label"]),
                    _text(row["to_group_label"]),
                    *_verdict(row),
                    BREAK if row["break_kind"] else "None",
                    _text(row["movement_in_words"] or row["reason"]),
                )
                for row in rows
            ),
        )

    def _change(self, row: Row, part: str) -> Cell:
        value = row[f"difference{part}"]
        if value is None:
            return NOT_APPLICABLE if row["unit"] == "z_score" else NOT_AVAILABLE
        # No more digits than the coarser of the two editions carries.
        return rounded(
            value, min(self._digits_of(row, "from_edition"), self._digits_of(row, "to_edition"))
        )

    def combined_authorities(self) -> Sheet:
        """Every combined authority: the figure used beside the estimate made here."""
        rows = self._rows(
            """
            select ca.*, d.short_title, 'cauth' as area_level
            from marts.combined_authorities as ca
            inner join reference.barometer_definitions as d using (barometer_id)
            inner join reference.goals as g on d.goal_id = g.goal_id
            where ca.is_latest and list_contains($authorities, ca.area_code)
            qualify
                row_number() over (
                    partition by ca.barometer_id, ca.area_code order by ca.period_end desc
                ) = 1
            order by g.goal_order, d.barometer_order, ca.area_code <> $lead, ca.area_name, ca.area_code
            """,
            lead=self.lead,
            authorities=self._authorities,
        )
        self._figure_keys |= {str(row["provenance_id"]) for row in rows if row["provenance_id"]}
        return Sheet(
            name="Combined_authorities",
            title="Combined authorities: the figure used and the estimate from member authorities",
            source=self._source((row["dataset"], row["edition"]) for row in rows),
            notes=(2, 3, 4, 5, 7, 9, 10),
            headers=(
                "Barometer",
                "Combined authority",
                "Area code",
                "Edition",
                "Unit",
                "Figure used",
                "Shorthand",
                "Lower 95% limit",
                "Upper 95% limit",
                "Estimate made here",
                "Shorthand of the estimate",
                "Lower 95% limit of the estimate",
                "Upper 95% limit of the estimate",
                "Members",
                "Members with a figure",
                "Members without a figure",
                "Members by group",
                "Why there is no figure",
                "Key of the figure",
            ),
            rows=tuple(self._combined_authority(row) for row in rows),
        )

    def _combined_authority(self, row: Row) -> tuple[Cell, ...]:
        symbol = str(self._symbols_by_status.get(row["status"]) or NOT_AVAILABLE)
        limit = symbol if row["value"] is None else NOT_AVAILABLE
        none_made = NOT_APPLICABLE if row["unit"] == "z_score" else NOT_AVAILABLE
        return (
            _text(row["short_title"]),
            _text(row["area_name"]),
            _text(row["area_code"]),
            _text(row["edition"]),
            "Percentage" if row["unit"] == "percent" else "Index score",
            self._figure(row, "value", symbol),
            self._marks(row),
            self._figure(row, "lower_95", limit),
            self._figure(row, "upper_95", limit),
            self._figure(row, "our_estimate", none_made),
            "None" if row["our_estimate"] is None else ESTIMATED,
            self._figure(row, "our_lower_95", none_made),
            self._figure(row, "our_upper_95", none_made),
            _whole(row["members"]),
            _whole(row["members_with_figure"]),
            _text(row["missing_members"]),
            _text(row["groups_in_words"]),
            _text(row["status_reason"]),
            _text(row["provenance_id"], symbol),
        )

    def report_claims(self) -> Sheet:
        """What the report says and what the figures held here say."""
        return self._plain(
            name="Report_claims",
            title="Claims of the report on barometers, and what the figures held here say",
            source="Source: The Young Foundation and West Midlands Combined Authority, Creating "
            "More Inclusive Communities (2025); for our figures see the worksheets of the goals.",
            notes=(5, 11),
            sql="select r.*, d.short_title from marts.report_reconciliation as r "
            "left join reference.barometer_definitions as d using (barometer_id) order by claim_id",
            columns={
                "Claim": "claim_id",
                "Section of the report": "section",
                "Barometer": "short_title",
                "Area": "area_name",
                "Area code": "area_code",
                "Statistic": "statistic",
                "Edition named": "claimed_edition",
                "The report says": "claimed_value",
                "Our figures say": lambda row: _text(row["our_value"], NOT_AVAILABLE),
                "Origin of ours": lambda row: _text(row["our_origin"], NOT_AVAILABLE),
                "Verdict": lambda row: _text(row["verdict"]).replace("_", " ").capitalize(),
                "Explanation": "explanation",
                "Key of the figure": "provenance_id",
            },
        )

    def barometers(self) -> Sheet:
        """What each barometer measures."""
        return self._plain(
            name="Barometers",
            title="The 16 barometers: what each measures and what to beware of",
            source="Source: The Young Foundation and West Midlands Combined Authority, Creating "
            "More Inclusive Communities (2025), and the publishers' tables.",
            notes=(12,),
            sql="select d.*, g.title as goal_title from reference.barometer_definitions as d "
            "inner join reference.goals as g using (goal_id) order by goal_order, barometer_order",
            columns={
                "Goal": "goal_title",
                "Role": lambda row: _text(row["role"]).capitalize(),
                "Barometer": "short_title",
                "Title in the report": "title",
                "Unit": lambda row: "Percentage" if row["unit"] == "percent" else "Index score",
                "Question": _question_of("question"),
                "Where its wording stands": _question_of("question_source"),
                "Response counted": "response",
                "Definition": "definition",
                "Publisher's table": "table_code",
                "Compared with": "comparator",
                "Caution": "caution",
            },
        )

    def breaks(self) -> Sheet:
        """Where a series has a break."""
        return self._plain(
            name="Breaks",
            title="Breaks in series: editions that may not be compared, and why",
            source="Source: the publishers' notes, cited a row.",
            notes=(8,),
            sql="select s.*, d.short_title from reference.series_breaks as s "
            "left join reference.barometer_definitions as d using (barometer_id) "
            "order by s.dataset, from_edition, to_edition, kind, barometer_id, area_code, reason",
            columns={
                "Data set": "dataset",
                "Barometer": lambda row: _text(row["short_title"], "Every barometer of it"),
                "Area code": lambda row: _text(row["area_code"], "Every area"),
                "Earlier edition": "from_edition",
                "Later edition": "to_edition",
                "Kind": "kind",
                "Reason": "reason",
                "Citation": "citation",
                "Shorthand": lambda _: BREAK,
            },
        )

    def editions(self) -> Sheet:
        """What is held of every edition."""
        return self._plain(
            name="Editions",
            title="Editions: what is held of each, from which file",
            source="Source: the publishers named in each row.",
            notes=(5,),
            sql="select * from meta.editions order by dataset, edition",
            columns={
                "Data set": "dataset_title",
                "Publisher": "publisher",
                "Edition": "edition",
                "Edition in words": "edition_title",
                "Published on": lambda row: _text(row["published_on"], NOT_AVAILABLE),
                "Baseline": "is_baseline",
                "State": lambda row: _text(row["state"]).replace("_", " ").capitalize(),
                "Origin": lambda row: _text(row["origin"]).capitalize(),
                "Figures": lambda row: _whole(row["figures"]),
                "Revision": "revision",
                "File": "file_name",
                "Files refused": lambda row: _whole(row["files_refused"]),
                "Why refused": "refusals",
                "Attribution": "attribution",
                "How to obtain the file": "how_to_obtain",
            },
        )

    def gaps(self) -> Sheet:
        """Where there is no figure, and why."""
        return self._plain(
            name="Gaps",
            title="Cells without a figure, by data set, edition and kind of area, with the reason",
            source="Source: Pulse, from the editions held.",
            notes=(5,),
            sql="select * from meta.gap_reasons order by all",
            columns={
                "Data set": "dataset",
                "Edition": "edition",
                "Kind of area": lambda row: _LEVELS.get(
                    row["area_level"], _text(row["area_level"])
                ),
                "Shorthand": lambda row: (
                    self._symbols_by_status.get(row["status"]) or NOT_AVAILABLE
                ),
                "State": lambda row: _text(row["status"]).replace("_", " ").capitalize(),
                "Reason": "reason",
                "Cells": lambda row: _whole(row["cells"]),
            },
        )

    def checks(self) -> Sheet:
        """What the checks of this release found."""
        return self._plain(
            name="Checks",
            title="Checks of this release and what each found",
            source="Source: Pulse.",
            notes=(),
            sql="select * from meta.checks order by all",
            columns={
                "Kind": "kind",
                "Subject": "subject",
                "Check": "check_name",
                "Passed": "passed",
                "Severity": "severity",
                "What was found": "message",
            },
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
        return Sheet(
            name="Provenance",
            title="Where each figure of the goals and combined authorities comes from",
            source=self._source((row["dataset"], row["edition"]) for row in rows),
            notes=(4, 10),
            headers=(
                "Key of the figure",
                "Part of the figure",
                "Measure",
                "Area",
                "Area code",
                "Value as carried",
                "Data set",
                "Edition",
                "Origin",
                "Revision",
                "File",
                "Address",
                "Sheet",
                "Row",
                "Column",
                "Citation",
            ),
            rows=tuple(
                (
                    _text(row["provenance_id"]),
                    _text(row["part"]).capitalize(),
                    _text(row["measure"]),
                    _text(row["area_name"], NOT_AVAILABLE),
                    _text(row["area_code"]),
                    NOT_AVAILABLE if row["value"] is None else _as_carried(row["value"]),
                    _text(row["dataset"]),
                    _text(row["edition"]),
                    _text(row["origin"]).capitalize(),
                    _text(row["revision"]),
                    _text(row["file_name"]),
                    _text(row["source_url"]),
                    _text(row["sheet"]),
                    _whole(row["row_number"]),
                    _text(row["column_letter"]),
                    _text(row["citation"]),
                )
                for row in rows
            ),
        )

    def _plain(
        self,
        *,
        name: str,
        title: str,
        source: str,
        notes: tuple[int, ...],
        sql: str,
        columns: Mapping[str, str | Callable[[Row], Cell]],
    ) -> Sheet:
        return Sheet(
            name=name,
            title=title,
            source=source,
            notes=notes,
            headers=tuple(columns),
            rows=tuple(
                tuple(
                    _text(row[column]) if isinstance(column, str) else column(row)
                    for column in columns.values()
                )
                for row in self._rows(sql)
            ),
        )


def _verdict(row: Row) -> tuple[Cell, Cell]:
    """The outcome in a word, and whether it is a close call; none is where nothing can be said."""
    outcome = row["outcome"] or "cannot_say"
    untested = outcome in ("cannot_say", "relative_position")
    return (
        _OUTCOMES.get(outcome, _text(outcome)),
        NOT_APPLICABLE if untested else _text(row["close_call"]),
    )


def _as_carried(value: float) -> Cell:
    """A figure with the digits that the publisher's cell has, and no others."""
    exact = Decimal(repr(float(value)))
    return int(exact) if exact == exact.to_integral_value() else exact


def _one_source(lines: Sequence[str]) -> str:
    """Several attributions as one line: 'Source: a; b; c.'"""
    parts = [re.sub(r"^Source:\s*", "", line).rstrip(".") for line in dict.fromkeys(lines)]
    return "Source: " + ("; ".join(parts) or "Pulse") + "."
