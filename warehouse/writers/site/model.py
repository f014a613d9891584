"""What the pages show, read from the marts: areas, barometers, cells and verdicts.

Only selection happens here: which edition is at hand, which authority is the lowest. A value, an
interval or a verdict is taken as the mart has it. Membership, names and the lead area come from
the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import duckdb

from sources.errors import PulseError

ENGLAND = "E92000001"


class SiteError(PulseError):
    """The pages cannot be made from this warehouse."""

    default_code = "site"


@dataclass(frozen=True)
class Area:
    """An area with the words that tell it from its namesakes."""

    code: str
    name: str
    level: str
    region_name: str | None = None
    ended: str | None = None
    population: int | None = None
    population_year: int | None = None
    county_code: str | None = None

    @property
    def label(self) -> str:
        """Short and unmistakable: three areas are called West Midlands."""
        if self.level == "cauth":
            until = f" (until {self.ended})" if self.ended else ""
            return f"{self.name} Combined Authority{until}"
        if self.level == "itl1":
            return f"{self.name} region"
        if self.level == "utla":
            return f"{self.name} (county)"
        return self.name

    @property
    def in_words(self) -> str:
        """As it stands in a sentence."""
        if self.level == "cauth":
            return f"the {self.name} Combined Authority area"
        if self.level == "itl1":
            return f"the {self.name} region"
        return self.name

    @property
    def page(self) -> str:
        """File name of its page."""
        return f"area-{self.code}.html"


@dataclass(frozen=True)
class Verdict:
    """What the declared rule says of a figure against England's."""

    outcome: str
    close_call: bool
    reason: str | None
    difference: float | None
    difference_lower: float | None
    difference_upper: float | None
    z: float | None


@dataclass(frozen=True)
class Cell:
    """A row of ``marts.barometers``: a figure with its interval, or the reason why there is none.

    ``value`` and its limits are percents from 0 to 100, or z-scores for an index.
    """

    barometer_id: str
    area: Area
    dataset: str
    edition: str
    edition_title: str
    period_start: date
    period_end: date
    is_baseline: bool
    is_latest: bool
    unit: str
    value: float | None
    lower: float | None
    upper: float | None
    base: int | None
    group_number: int | None
    group_label: str | None
    status: str
    status_reason: str | None
    origin: str | None
    method: str | None
    provenance_id: str | None
    source_dataset: str | None
    verdict: Verdict | None = None

    @property
    def key(self) -> tuple[str, date]:
        """Edition and period: an edition of an index has several periods."""
        return (self.edition, self.period_end)

    @property
    def has_figure(self) -> bool:
        """Whether there is a value or a group to show."""
        return self.value is not None or self.group_number is not None

    @property
    def period(self) -> str:
        """Years of the reference period."""
        first, last = self.period_start.year, self.period_end.year
        return str(last) if first == last else f"{first} to {last}"


@dataclass(frozen=True)
class Change:
    """A row of ``marts.changes``."""

    barometer_id: str
    area_code: str
    kind: str
    from_edition: str
    to_edition: str
    from_end: date
    to_end: date
    from_value: float | None
    to_value: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    minimum_detectable: float | None
    outcome: str
    close_call: bool
    reason_code: str | None
    reason: str | None
    grade: str
    group_movement: int | None
    sentence: str


@dataclass(frozen=True)
class Barometer:
    """A barometer as the reference tables define it."""

    id: str
    goal_id: str
    role: str
    order: int
    title: str
    short_title: str
    statement: str
    unit: str
    polarity: str
    dataset: str
    table_code: str | None
    response: str | None
    definition: str
    caution: str | None
    question: str | None = None
    question_source: str | None = None

    @property
    def is_index(self) -> bool:
        """Whether it is a banded index rather than a share of adults."""
        return self.unit == "z_score"

    @property
    def slug(self) -> str:
        """Its id as it stands in file names."""
        return self.id.replace("_", "-")

    @property
    def page(self) -> str:
        """File name of its page."""
        return f"barometer-{self.slug}.html"

    @property
    def source_page(self) -> str:
        """File name of the page with the sources of its figures."""
        return f"source-{self.slug}.html"


@dataclass(frozen=True)
class Goal:
    """A goal with its barometers, the key one first, and what it should mean to residents."""

    id: str
    title: str
    concept: str
    definition: str
    for_residents: str
    barometers: tuple[Barometer, ...]
    outcomes: dict[str, tuple[str, ...]]

    @property
    def page(self) -> str:
        """File name of its page."""
        return f"goal-{self.id}.html"

    @property
    def key(self) -> Barometer:
        """The barometer that stands for the goal."""
        return self.barometers[0]


@dataclass(frozen=True)
class Range:
    """Where English authorities lie: five of them, picked by rank, none of them computed."""

    lowest: Cell
    lower_quartile: Cell
    middle: Cell
    upper_quartile: Cell
    highest: Cell
    authorities: int


@dataclass(frozen=True)
class GroupCount:
    """How many member authorities of a combined authority are in each group of an index."""

    area: Area
    edition: str
    period_end: date
    counts: tuple[tuple[int, str], ...]
    authorities: int


@dataclass(frozen=True)
class Region:
    """Everything that the pages of one lead area need."""

    lead: Area
    england: Area
    members: tuple[Area, ...]
    combined_authorities: tuple[Area, ...]
    goals: tuple[Goal, ...]
    areas: dict[str, Area]
    cells: dict[str, dict[tuple[str, date], dict[str, Cell]]]
    changes: dict[tuple[str, str], tuple[Change, ...]]
    group_counts: dict[tuple[str, str, date, str], GroupCount]
    group_labels: dict[tuple[str, str], tuple[tuple[int, str], ...]]
    symbols: dict[str, tuple[str, str, str]]
    profiles: dict[str, dict[str, Any]]
    attributions: dict[tuple[str, str], str]
    is_synthetic: bool
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    provenance: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @cached_property
    def barometers(self) -> dict[str, Barometer]:
        """All barometers by id, in the order of the goals."""
        return {b.id: b for goal in self.goals for b in goal.barometers}

    @cached_property
    def goal_of(self) -> dict[str, Goal]:
        """The goal of each barometer."""
        return {b.id: goal for goal in self.goals for b in goal.barometers}

    @cached_property
    def pages_of_areas(self) -> tuple[Area, ...]:
        """Areas that have a page: the lead area, its members, the other combined authorities."""
        others = [area for area in self.combined_authorities if area.code != self.lead.code]
        return (self.lead, *self.members, *others)

    def places(self, barometer: Barometer) -> tuple[Area, ...]:
        """The areas of the lead area that a barometer tells apart.

        These are its members; an index has one value for a county, which then stands for its
        districts.
        """
        if not barometer.is_index:
            return self.members
        told = {
            code
            for by_area in self.cells.get(barometer.id, {}).values()
            for code, cell in by_area.items()
            if cell.has_figure
        }
        found: dict[str, Area] = {}
        for member in self.members:
            county = self.areas.get(member.county_code or "")
            stands = (
                county if member.code not in told and county and county.code in told else member
            )
            found[stands.code] = stands
        return tuple(sorted(found.values(), key=lambda area: (area.name, area.code)))

    def editions(self, barometer: Barometer) -> list[tuple[str, date]]:
        """Editions and periods of a barometer, oldest first."""
        return sorted(self.cells.get(barometer.id, {}))

    def cell(self, barometer: Barometer, key: tuple[str, date], code: str) -> Cell | None:
        """One cell, or ``None`` where the mart has no row."""
        return self.cells.get(barometer.id, {}).get(key, {}).get(code)

    def at_hand(self, barometer: Barometer) -> tuple[str, date]:
        """The edition and period to show.

        The newest with a figure for the lead area; failing that for one of its members, for
        England, and at last the newest of all, whose cells say why they have no figure.
        """
        editions = self.editions(barometer)[::-1]
        if not editions:
            raise SiteError(
                "a barometer has no rows",
                code="no_rows",
                found=f"{barometer.id} in marts.barometers",
                todo="build the warehouse again",
            )
        places = [area.code for area in self.places(barometer)]
        for codes in ([self.lead.code], places, [self.england.code]):
            for key in editions:
                cells = self.cells[barometer.id][key]
                if any(code in cells and cells[code].has_figure for code in codes):
                    return key
        return editions[0]

    def newest_of(self, barometer: Barometer, code: str) -> Cell | None:
        """The newest cell of an area that has a figure, else the one of the edition at hand."""
        for key in reversed(self.editions(barometer)):
            cell = self.cell(barometer, key, code)
            if cell is not None and cell.has_figure:
                return cell
        return self.cell(barometer, self.at_hand(barometer), code)

    def range_of(self, barometer: Barometer, key: tuple[str, date]) -> Range | None:
        """Where English lower-tier and unitary authorities lie; ``None`` under 20 of them."""
        found = sorted(
            (
                cell
                for cell in self.cells.get(barometer.id, {}).get(key, {}).values()
                if cell.area.level == "lad"
                and cell.area.code.startswith("E")
                and cell.value is not None
            ),
            key=lambda cell: (cell.value, cell.area.code),
        )
        last = len(found) - 1
        if last < 19:
            return None
        at = [found[round(last * share)] for share in (0, 0.25, 0.5, 0.75, 1)]
        return Range(at[0], at[1], at[2], at[3], at[4], len(found))

    def counts(self, barometer: Barometer, key: tuple[str, date], code: str) -> GroupCount | None:
        """Groups of the members of a combined authority."""
        return self.group_counts.get((barometer.id, key[0], key[1], code))

    def change(self, barometer: Barometer, code: str, kind: str) -> Change | None:
        """The newest change of a kind."""
        found = [c for c in self.changes.get((barometer.id, code), ()) if c.kind == kind]
        return found[-1] if found else None

    def break_between(
        self, barometer: Barometer, code: str, earlier: tuple[str, date], later: tuple[str, date]
    ) -> Change | None:
        """The registered break between two neighbouring editions, if there is one."""
        if earlier[0] == later[0]:
            return None
        for change in self.changes.get((barometer.id, code), ()):
            if (
                change.kind == "consecutive"
                and change.from_edition == earlier[0]
                and change.to_edition == later[0]
                and change.reason_code == "break_in_series"
            ):
                return change
        return None

    def attribution(self, cell: Cell) -> str:
        """The line that must stand with the figure: of the data set that it was read from."""
        read_from = cell.source_dataset or cell.dataset
        return self.attributions.get((read_from, cell.edition), "")


def read_region(connection: duckdb.DuckDBPyConnection, lead_area: str | None = None) -> Region:
    """Read what the pages of ``lead_area`` need; the warehouse's own lead area if ``None``.

    Raises:
        SiteError: when the warehouse has no lead area, or ``lead_area`` is not a combined
            authority with members.
    """
    lead_code = lead_area or _lead_of(connection)
    areas = _areas(connection)
    lead = areas.get(lead_code)
    members = tuple(
        areas[code]
        for (code,) in connection.execute(
            "select area_code from marts.authority_profiles "
            "where combined_authority_code = ? order by area_name, area_code",
            [lead_code],
        ).fetchall()
        if code in areas
    )
    if lead is None or lead.level != "cauth" or not members:
        raise SiteError(
            "pages can be made for a combined authority only",
            code="not_a_combined_authority",
            expected="the code of a combined authority with members, such as E47000001",
            found=lead_code,
            todo="look the code up in reference.areas where area_level is cauth",
        )
    cells = _cells(connection, areas)
    labels: dict[tuple[str, str], dict[int, str]] = {}
    for barometer_id, by_key in cells.items():
        for (edition, _), by_area in by_key.items():
            for cell in by_area.values():
                if cell.group_number is not None and cell.group_label is not None:
                    found = labels.setdefault((barometer_id, edition), {})
                    found[cell.group_number] = cell.group_label
    current = tuple(
        sorted(
            (a for a in areas.values() if a.level == "cauth" and a.ended is None),
            key=lambda a: (a.name, a.code),
        )
    )
    profiles = {row["area_code"]: row for row in _rows(connection, "marts.authority_profiles")}
    wanted = [lead_code, ENGLAND, *(m.code for m in members), *(a.code for a in current)]
    wanted += [m.county_code for m in members if m.county_code]
    return Region(
        lead=lead,
        england=areas[ENGLAND],
        members=members,
        combined_authorities=current,
        goals=_goals(connection),
        areas=areas,
        cells=cells,
        changes=_changes(connection, wanted),
        group_counts=_group_counts(connection, areas),
        group_labels={key: tuple(sorted(found.items())) for key, found in sorted(labels.items())},
        symbols={
            row["status"]: (row["symbol"] or "", row["meaning"] or "", row["explanation"] or "")
            for row in _rows(connection, "reference.status_codes")
        },
        profiles=profiles,
        attributions=_attributions(connection),
        is_synthetic=_is_synthetic(connection),
        tables={
            "editions": _rows(connection, "meta.editions", "dataset, edition"),
            "gap_reasons": _rows(
                connection, "meta.gap_reasons", "dataset, edition, area_level, status, reason"
            ),
            "checks": _rows(connection, "meta.checks", "kind, subject, check_name, message"),
            "revisions": _rows(
                connection,
                "meta.revisions",
                "dataset, edition, measure, area_code, period_end, kind",
            ),
            "marts": _rows(
                connection,
                "(select table_name, comment, estimated_size as rows from duckdb_tables() "
                "where schema_name = 'marts')",
                "table_name",
            ),
            "changed_figures": _rows(
                connection,
                "meta.changed_figures",
                "barometer_id, edition, period_end, area_code",
            ),
            "releases": _rows(connection, "meta.releases", "release desc"),
            "claims": _rows(connection, "marts.report_reconciliation", "claim_id"),
            "breaks": _rows(
                connection,
                "reference.series_breaks",
                "dataset, from_edition, to_edition, barometer_id nulls first, area_code, kind",
            ),
        },
        provenance=_provenance(connection),
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, table: str, order: str | None = None
) -> list[dict[str, Any]]:
    result = connection.execute(f"select * from {table}" + (f" order by {order}" if order else ""))
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _lead_of(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute(
        "select min(area_code) from marts.pulse where area_code is not null"
    ).fetchone()
    if row is None or row[0] is None:
        raise SiteError(
            "the warehouse names no lead area",
            code="no_lead_area",
            expected="an area_code in marts.pulse",
            todo="build the warehouse again",
        )
    return str(row[0])


def _areas(connection: duckdb.DuckDBPyConnection) -> dict[str, Area]:
    rows = connection.execute(
        """
        select
            areas.area_code, areas.area_name, areas.area_level, profiles.region_name,
            case when areas.valid_to is not null then left(cast(areas.valid_to as varchar), 4) end,
            profiles.population_16_plus, profiles.population_vintage, areas.county_code
        from reference.areas
        left join marts.authority_profiles as profiles using (area_code)
        order by areas.area_code
        """
    ).fetchall()
    areas = {row[0]: Area(*row) for row in rows}
    # Areas that only an index knows.
    for code, name, level in connection.execute(
        "select distinct area_code, area_name, area_level from marts.barometers order by all"
    ).fetchall():
        areas.setdefault(code, Area(code, name, level))
    return areas


def _cells(
    connection: duckdb.DuckDBPyConnection, areas: dict[str, Area]
) -> dict[str, dict[tuple[str, date], dict[str, Cell]]]:
    rows = connection.execute(
        """
        select
            cells.barometer_id, cells.area_code, cells.dataset, cells.edition,
            cells.edition_title, cells.period_start, cells.period_end, cells.is_baseline,
            cells.is_latest, cells.unit, cells.value, cells.lower_95, cells.upper_95, cells.base,
            cells.group_number, cells.group_label, cells.status, cells.status_reason,
            cells.origin, cells.method, cells.provenance_id, cells.source_dataset,
            verdicts.outcome, verdicts.close_call, verdicts.reason, verdicts.difference,
            verdicts.difference_lower_95, verdicts.difference_upper_95, verdicts.z
        from marts.barometers as cells
        left join marts.comparisons as verdicts
            on cells.barometer_id = verdicts.barometer_id
            and cells.edition = verdicts.edition
            and cells.period_end = verdicts.period_end
            and cells.area_code = verdicts.area_code
            and verdicts.comparator_kind = 'england'
            and cells.unit = 'percent'
        order by cells.barometer_id, cells.edition, cells.period_end, cells.area_code
        """
    ).fetchall()
    cells: dict[str, dict[tuple[str, date], dict[str, Cell]]] = {}
    for row in rows:
        outcome = row[22]
        verdict = None if outcome is None else Verdict(outcome, bool(row[23]), *row[24:29])
        fields: list[Any] = [row[0], areas[row[1]], *row[2:22], verdict]
        cell = Cell(*fields)
        cells.setdefault(cell.barometer_id, {}).setdefault(cell.key, {})[cell.area.code] = cell
    return cells


def _changes(
    connection: duckdb.DuckDBPyConnection, codes: Iterable[str]
) -> dict[tuple[str, str], tuple[Change, ...]]:
    rows = connection.execute(
        """
        select
            barometer_id, area_code, change_kind, from_edition, to_edition, from_period_end,
            to_period_end, from_value, to_value, difference, difference_lower_95,
            difference_upper_95, minimum_detectable_change, outcome, coalesce(close_call, false),
            reason_code, reason, grade, group_movement, sentence
        from marts.changes
        where list_contains(?, area_code)
        order by
            barometer_id, area_code, change_kind, to_edition, to_period_end, from_edition,
            from_period_end
        """,
        [sorted(set(codes))],
    ).fetchall()
    changes: dict[tuple[str, str], list[Change]] = {}
    for row in rows:
        changes.setdefault((row[0], row[1]), []).append(Change(*row))
    return {key: tuple(found) for key, found in changes.items()}


def _group_counts(
    connection: duckdb.DuckDBPyConnection, areas: dict[str, Area]
) -> dict[tuple[str, str, date, str], GroupCount]:
    rows = connection.execute(
        """
        select
            barometer_id, edition, period_end, area_code, areas_with_group,
            list((areas, group_label) order by group_number) filter (where areas > 0)
        from marts.group_counts
        where area_kind = 'combined_authority'
        group by all
        order by all
        """
    ).fetchall()
    return {
        (barometer_id, edition, period_end, code): GroupCount(
            areas[code], edition, period_end, tuple((n, label) for n, label in counts), authorities
        )
        for barometer_id, edition, period_end, code, authorities, counts in rows
        if code in areas and counts
    }


def _goals(connection: duckdb.DuckDBPyConnection) -> tuple[Goal, ...]:
    barometers: dict[str, list[Barometer]] = {}
    for row in _rows(connection, "meta.indicator_roles", "goal_id, barometer_order"):
        if not row["is_report"]:
            continue
        barometers.setdefault(row["goal_id"], []).append(
            Barometer(
                id=row["barometer_id"],
                goal_id=row["goal_id"],
                role=row["role"],
                order=row["barometer_order"],
                title=row["title"],
                short_title=row["short_title"],
                statement=row["statement"],
                unit=row["unit"],
                polarity=row["polarity"],
                dataset=row["dataset"],
                table_code=row["table_code"],
                response=row["response"],
                definition=row["definition"],
                caution=row["caution"],
                question=row["question"],
                question_source=row["question_source"],
            )
        )
    outcomes: dict[str, dict[str, list[str]]] = {}
    for row in _rows(connection, "reference.resident_outcomes", "goal_id, kind, outcome_order"):
        by_kind = outcomes.setdefault(row["goal_id"], {})
        by_kind.setdefault(row["kind"], []).append(row["outcome"])
    goals = []
    for row in _rows(connection, "reference.goals", "goal_order"):
        if row["goal_id"] not in barometers:
            continue
        found = sorted(barometers[row["goal_id"]], key=lambda b: (b.role != "key", b.order))
        goals.append(
            Goal(
                id=row["goal_id"],
                title=row["title"],
                concept=row["concept"],
                definition=row["definition"],
                for_residents=row["for_residents"],
                barometers=tuple(found),
                outcomes={k: tuple(v) for k, v in outcomes.get(row["goal_id"], {}).items()},
            )
        )
    return tuple(goals)


def _attributions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    rows = connection.execute("select dataset, edition, attribution from meta.editions").fetchall()
    return {(dataset, edition): attribution or "" for dataset, edition, attribution in rows}


def _is_synthetic(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute(
        """
        select
            exists (select 1 from marts.barometers where origin = 'synthetic')
            or exists (select 1 from marts.provenance where origin = 'synthetic')
            or exists (select 1 from meta.editions where origin = 'synthetic')
        """
    ).fetchone()
    return bool(row and row[0])


def _provenance(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(
        connection, "marts.provenance", "provenance_id, part, area_code, made_of, row_number"
    ):
        found.setdefault(row["provenance_id"], []).append(row)
    return found


def with_figures(cells: Iterable[Cell]) -> list[Cell]:
    """Cells with a figure, highest first; areas of equal figures by name."""
    return sorted(
        (cell for cell in cells if cell.has_figure),
        key=lambda c: (-(c.value or 0.0), c.area.name, c.area.code),
    )


def in_order(cells: Sequence[Cell]) -> list[Cell]:
    """Cells with a figure, highest first, then those without by name."""
    without = sorted(
        (cell for cell in cells if not cell.has_figure), key=lambda c: (c.area.name, c.area.code)
    )
    return [*with_figures(cells), *without]
