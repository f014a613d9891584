"""What the pages show, read from the published marts. Nothing is computed here.

Verdicts, changes, marks and sentences are the marts' own; this module only selects and orders.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeGuard

import duckdb

from sources.errors import PulseError
from warehouse.connection import Row, rows_of

LEVELS = {
    "nation": "Country",
    "itl1": "Regions",
    "cauth": "Combined authorities",
    "utla": "Counties",
    "lad": "Local authorities",
    "ward": "Wards",
    "lsoa": "Lower-layer super output areas",
}
"""Levels that have pages, in the order in which lists show them."""

FEWEST = 20
"""With fewer authorities than that, there is no strip and no map."""


@dataclass(frozen=True)
class Area:
    """An area with the words that set it apart from its namesakes."""

    code: str
    name: str
    level: str
    region_code: str | None
    county_code: str | None
    current_code: str
    ended: int | None

    @property
    def label(self) -> str:
        """Name and kind: three areas are called West Midlands."""
        kind = {"cauth": " Combined Authority", "itl1": " region", "utla": " (county)"}
        until = f" (until {self.ended})" if self.ended else ""
        return f"{self.name}{kind.get(self.level, '')}{until}"

    @property
    def page(self) -> str:
        """File name of the area's page."""
        return f"area-{self.code}.html"

    @property
    def wider_page(self) -> str:
        """File name of its view with non-constituent members."""
        return f"area-{self.code}-wider.html"

    @property
    def figures_page(self) -> str:
        """File name of the report's kinds of figures for it."""
        return f"figures-{self.code}.html"


@dataclass(frozen=True, repr=False)
class Indicator:
    """An indicator in its place in the framework."""

    id: str
    goal_id: str
    role: str
    title: str
    short_title: str
    statement: str
    unit: str
    polarity: str
    definition: str
    caution: str | None
    response: str | None
    question: str | None
    question_source: str | None
    table_code: str | None
    dataset: str

    def __repr__(self) -> str:
        # Short, because rows of every page are keyed by what they show.
        return f"Indicator({self.id})"

    @property
    def is_index(self) -> bool:
        """Whether it is a banded index, which has groups instead of a share."""
        return self.unit == "z_score"

    @property
    def slug(self) -> str:
        """The id as it is written in file names."""
        return self.id.replace("_", "-")

    @property
    def page(self) -> str:
        """File name of its page."""
        return f"indicator-{self.slug}.html"

    @property
    def source_page(self) -> str:
        """File name of the page with the source of each of its figures."""
        return f"source-{self.slug}.html"

    @property
    def measure_words(self) -> str:
        """What the numbers are, for axes and captions."""
        return "Percentage of adults" if self.unit == "percent" else "Position (z-score)"


@dataclass(frozen=True)
class Goal:
    """A goal of the framework with its indicators, the key one first."""

    id: str
    title: str
    concept: str
    definition: str
    for_residents: str
    indicators: tuple[Indicator, ...]

    @property
    def page(self) -> str:
        """File name of its page."""
        return f"goal-{self.id}.html"


@dataclass(frozen=True)
class Entry:
    """An indicator for one area: its latest cell, and what that is compared with.

    ``compared``: comparisons of that cell with others than England. ``place``: where value and
    limits are on the indicator's ``strip`` of all authorities, from 0 to 1. ``series``: cells with a figure, oldest first.
    """

    indicator: Indicator
    row: Row | None
    national: Row | None
    change: Row | None
    movement: Row | None
    counts: tuple[Row, ...]
    compared: tuple[Row, ...]
    place: Row | None
    series: tuple[Row, ...]

    def against(self, kind: str) -> Row | None:
        """The comparison with the one comparator of a kind."""
        return next((row for row in self.compared if row["comparator_kind"] == kind), None)


@dataclass(frozen=True)
class Model:
    """Everything that the pages need, indexed by what they ask for.

    ``cells``: rows of ``marts.barometers`` by (indicator, area), oldest first. ``comparisons`` and
    ``changes``: rows of those marts by the same key.
    """

    lead: Area
    england: Area
    goals: tuple[Goal, ...]
    areas: dict[str, Area]
    parents: dict[str, str]
    non_constituent: dict[str, list[str]]
    cells: dict[tuple[str, str], list[Row]]
    comparisons: dict[tuple[str, str], list[Row]]
    changes: dict[tuple[str, str], list[Row]]
    groups: dict[tuple[str, str], list[Row]]
    tables: dict[str, list[Row]]
    definitions: dict[str, Row]
    provenance: dict[str, list[Row]]
    made_up: bool
    indicators: dict[str, Indicator] = field(default_factory=dict)

    def latest(self, indicator: Indicator, area: Area) -> Row | None:
        """The latest cell of an indicator for an area; None where the mart has no row."""
        return self._latest.get((indicator.id, area.code))

    def national(self, indicator: Indicator, row: Row | None) -> Row | None:
        """England's cell in the edition of an area's figure; its own latest beside none."""
        if has_figure(row):
            found = self.edition_cells(indicator, [self.england], row)
            if found and has_figure(found[0][1]):
                return found[0][1]
        return self.latest(indicator, self.england)

    @cached_property
    def _latest(self) -> dict[tuple[str, str], Row]:
        return {
            key: next((row for row in rows if row["is_latest"]), rows[-1])
            for key, rows in self.cells.items()
        }

    def current(self, level: str) -> list[Area]:
        """Areas of a level that exist today and have a page, by name."""
        return [area for area in self._with_page.values() if area.level == level]

    def has_page(self, area: Area | None) -> bool:
        """Whether an area that exists today has rows in the marts."""
        return area is not None and area.code in self._with_page

    @cached_property
    def _with_page(self) -> dict[str, Area]:
        known = {code for _, code in self.cells}
        return {
            area.code: area
            for area in self.areas.values()
            if area.code in known
            and area.level in LEVELS
            and area.ended is None
            and area.current_code == area.code
        }

    def members(self, authority: Area) -> list[Area]:
        """Areas with a page of a combined authority or of a local authority, by name."""
        return self._members.get(authority.code, [])

    @cached_property
    def attributions(self) -> dict[tuple[str, str], str]:
        """The attribution of each edition, by its dataset and code."""
        return {
            (row["dataset"], row["edition"]): row["attribution"] for row in self.tables["editions"]
        }

    @property
    def release(self) -> Row | None:
        """The release that the warehouse is of; None where it says nothing of releases."""
        return self.tables["releases"][-1] if self.tables["releases"] else None

    @cached_property
    def context(self) -> dict[str, list[Row]]:
        """Latest context figures by area."""
        return grouped(self.tables["context"], "area_code")

    def divided(self, name: str) -> list[tuple[Area, str, list[Row]]]:
        """The latest figures of groups of people, of what an indicator is about, as printed.

        By area (England, the lead area, its region and its members) and breakdown.
        """
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self._subjects.get(name, []):
            found[row["area_code"], row["breakdown"]].append(row)
        region = self.areas.get(self.lead.region_code or "")
        near = [self.england, *([region] if region else []), self.lead, *self.members(self.lead)]
        return [
            (area, breakdown, rows)
            for area in near
            for (code, breakdown), rows in found.items()
            if code == area.code
        ]

    @cached_property
    def _subjects(self) -> dict[str, list[Row]]:
        rows = self.tables["breakdowns"]
        by_subject = grouped(rows, "subject")
        return {row["barometer_id"]: by_subject[row["subject"]] for row in rows}

    def associates(self, authority: Area) -> list[Area]:
        """Non-constituent members of a combined authority that have a page, by name."""
        codes = self.non_constituent.get(authority.code, [])
        return [area for area in self._with_page.values() if area.code in codes]

    @cached_property
    def _members(self) -> dict[str, list[Area]]:
        found: dict[str, list[Area]] = defaultdict(list)
        for code, area in self._with_page.items():
            if code in self.parents:
                found[self.parents[code]].append(area)
        return found

    def edition_cells(
        self, indicator: Indicator, areas: Iterable[Area], like: Row | None
    ) -> list[tuple[Area, Row]]:
        """The cells of some areas in the edition and period of ``like``, in the order given."""
        return [
            (area, row)
            for area in areas
            for row in self.cells.get((indicator.id, area.code), [])
            if _same(row, like)
        ]

    @cached_property
    def shown(self) -> dict[str, Row | None]:
        """By indicator, the cell whose edition its page shows.

        The latest of the lead area where it has a figure, else of a member, else of England, else
        of any area.
        """
        found = {}
        candidates = [self.lead, *self.members(self.lead), self.england]
        for each in self.indicators.values():
            rows = [row for area in candidates if (row := self.latest(each, area)) is not None]
            rows += [row for (name, _), row in self._latest.items() if name == each.id]
            found[each.id] = next(filter(has_figure, rows), rows[0] if rows else None)
        return found

    def group_counts(self, indicator: Indicator, area: Area) -> list[Row]:
        """How many areas of a combined authority are in each group, in the edition shown."""
        rows, shown = self.groups.get((indicator.id, area.code), []), self.shown[indicator.id]
        return [row for row in rows if _same(row, shown)]

    def change(self, indicator: Indicator, area: Area, *kinds: str) -> Row | None:
        """The newest change of the first kind that there is; from the baseline to the latest first."""
        rows = self.changes.get((indicator.id, area.code), [])
        kinds = kinds or ("baseline_to_latest", "within_edition_first_to_last", "consecutive")
        found = (row for kind in kinds for row in reversed(rows) if row["change_kind"] == kind)
        return next(found, None)

    @cached_property
    def _scales(self) -> dict[str, list[float]]:
        """The values of English authorities in the edition shown, in order; none of fewer than 20."""
        found = {}
        for each in self.indicators.values():
            cells = self.edition_cells(each, self.current("lad"), self.shown[each.id])
            values = sorted(row["value"] for _, row in cells if row["value"] is not None)
            found[each.id] = values if len(values) >= FEWEST else []
        return found

    def share(self, indicator: Indicator, value: float | None) -> float | None:
        """Where a value is between the lowest and the highest authority, with some room, 0 to 1."""
        values = self._scales[indicator.id]
        if value is None or not values:
            return None
        room = (values[-1] - values[0]) * 0.08 or 1.0
        share = (value - values[0] + room) / (values[-1] - values[0] + 2 * room)
        return round(min(max(share, 0.0), 1.0), 4)

    @cached_property
    def _strips(self) -> dict[str, tuple[float | None, ...]]:
        """Where the ends and the middle half of all authorities are, and England, 0 to 1."""
        found = {}
        for each in self.indicators.values():
            values = self._scales[each.id] or [0.0]
            marks: list[float | None] = [
                values[round((len(values) - 1) * part)] for part in (0, 0.25, 0.75, 1)
            ]
            england = self.edition_cells(each, [self.england], self.shown[each.id])
            marks.append(england[0][1]["value"] if england else None)
            found[each.id] = tuple(self.share(each, value) for value in marks)
        return found

    def groups_in(self, indicator: Indicator, row: Row) -> int:
        """How many groups the index has in the edition of a cell."""
        wanted = indicator.id, row["edition"]
        rows = (each for rows in self.groups.values() for each in rows)
        found = (r for r in rows if (r["barometer_id"], r["edition"]) == wanted)
        return next((each["groups_in_edition"] for each in found), 7)

    def entry(self, indicator: Indicator, area: Area) -> Entry:
        """What pages and briefings say about an indicator for an area."""
        key = indicator.id, area.code
        row = self.latest(indicator, area)
        place: Row | None = None
        if row is not None and _same(row, self.shown[indicator.id]):
            names = {"at": "value", "from": "lower_95", "to": "upper_95"}
            place = {name: self.share(indicator, row[column]) for name, column in names.items()}
            place["strip"] = self._strips[indicator.id]
        return Entry(
            indicator,
            row,
            self.national(indicator, row),
            self.change(indicator, area),
            self.change(indicator, area, "within_edition_first_to_last"),
            tuple(self.group_counts(indicator, area)),
            tuple(each for each in self.comparisons.get(key, []) if _same(each, row)),
            place if place and place["at"] is not None else None,
            tuple(filter(has_figure, self.cells.get(key, []))),
        )


def _same(one: Row, other: Row | None) -> bool:
    return other is not None and all(one[name] == other[name] for name in ("edition", "period_end"))


def has_figure(row: Row | None) -> TypeGuard[Row]:
    """Whether a cell has a value or a group to show."""
    return row is not None and (row["value"] is not None or row["group_number"] is not None)


# The latest context figure of each area, with the middle of its similar areas and its trend.
_CONTEXT = """
    select
        c.goal_id, c.barometer_id, c.area_code, c.dataset, c.edition, c.edition_title, c.unit,
        i.decimals, c.value, c.group_number, c.lower_95, c.upper_95, c.comparator_value,
        c.outcome, c.close_call, c.survives_family, c.sentence, c.provenance_id,
        s.comparator_value as similar, s.comparator_areas as similar_areas, t.trend
    from marts.context as c
    inner join reference.indicators as i on c.barometer_id = i.indicator_id
    left join marts.comparisons as s
        on
            s.comparator_kind = 'similar_areas'
            and (s.barometer_id, s.area_code, s.edition, s.period_end)
            = (c.barometer_id, c.area_code, c.edition, c.period_end)
    left join marts.trends as t
        on (t.barometer_id, t.area_code) = (c.barometer_id, c.area_code)
    where c.is_latest and c.value is not null and c.framework = ?
    order by c.goal_id, c.barometer_id, c.area_code
"""

# What pages list as it is; a ? is the framework.
_TABLES = {
    "claims": "from marts.report_reconciliation order by claim_id",
    "datasets": "from meta.datasets order by dataset",
    "editions": "from meta.editions order by dataset, edition",
    "checks": "from meta.checks order by kind, subject, check_name",
    "gaps": "from meta.gap_reasons order by dataset, edition, area_level, reason",
    "revisions": "from meta.revisions order by all limit 200",
    "releases": "from meta.releases order by release",
    "changed": "from meta.changed_figures order by all limit 500",
    "breaks": "from reference.series_breaks order by all",
    "census": "select barometer_id, title, area_name, area_code, edition, our_estimate, "
    "our_lower_95, our_upper_95, our_estimate_at_census_shares, method from marts.combined_authorities "
    "where is_latest and our_estimate_at_census_shares is not null "
    "order by title, abs(our_estimate_at_census_shares - our_estimate) desc, area_code",
    "context": _CONTEXT,
    "secondary_data": "from reference.secondary_data order by goal_id, data_set",
    # Every published table with its description and its number of rows, the marts first.
    "tables": "select case schema_name when 'marts' then '' else schema_name || '-' end "
    "|| table_name as table_name, coalesce(comment, '') as comment, estimated_size as rows "
    "from duckdb_tables() where schema_name in ('marts', 'reference', 'meta') "
    "order by schema_name = 'meta', schema_name = 'reference', duckdb_tables.table_name",
    "initiatives": "from marts.initiatives order by name, area_name",
    "evidence": "from marts.evidence order by title, area_name",
    "pathways": "from marts.pathways where framework = ? order by goal_id, barometer_id",
    "prompts": "from reference.pathway_prompts order by pathway_order, prompt_order",
    "local_surveys": "from marts.local_surveys order by title, question_id, "
    "area_level != 'lad', area_name, breakdown, category",
    "breakdowns": "select b.*, i.decimals from marts.breakdowns as b "
    "inner join reference.indicators as i on b.barometer_id = i.indicator_id "
    "where is_latest order by subject, area_code, breakdown, category_order",
    "outcomes": "from marts.outcome_evidence order by goal_id, kind, outcome_order",
    "pulse": "from marts.pulse order by goal_order",
}

# What pages look up by indicator and area.
_CELL = ("barometer_id", "area_code")
_BY_CELL = {
    "comparisons": "select barometer_id, area_code, edition, period_end, comparator_kind, "
    "comparator_code, comparator_name, comparator_value, comparator_lowest, comparator_highest, "
    "difference, difference_lower_95, difference_upper_95, outcome, close_call, survives_family, "
    "sentence from marts.comparisons where comparator_kind <> 'england' "
    "and role != 'context' order by comparator_kind, comparator_name",
    "changes": "select barometer_id, area_code, change_kind, from_edition, to_edition, "
    "from_period_end, to_period_end, outcome, close_call, grade, grade_reason, "
    "group_movement, from_group_number, to_group_number, sentence from marts.changes "
    "where role != 'context' order by to_period_end, to_edition",
    "groups": "from marts.group_counts order by period_end, edition, group_number",
}

# Of what pages show; earlier context figures are nine in ten of all.
_PROVENANCE = """
    select p.* from marts.provenance as p
    anti join (from marts.context where not is_latest) as c using (provenance_id)
    order by all
"""

_CELL_COLUMNS = (
    "barometer_id, area_code, dataset, edition, edition_title, period_start, period_end, "
    "is_baseline, is_latest, unit, value, lower_95, upper_95, base, group_number, group_label, "
    "status, status_reason, origin, mark, outcome, close_call, survives_family, difference, "
    "difference_lower_95, difference_upper_95, comparator_value, minimum_detectable_change, "
    "sentence, provenance_id"
)


def _areas(connection: duckdb.DuckDBPyConnection) -> dict[str, Area]:
    rows = rows_of(
        connection,
        "select area_code as code, area_name as name, area_level as level, region_code, "
        "county_code, current_code, valid_to as ended from (from reference.areas union all by name "
        "select *, area_code as current_code from reference.small_areas) order by name, code",
    )
    return {row["code"]: Area(**row) for row in rows}


def _goals(connection: duckdb.DuckDBPyConnection, framework: str) -> tuple[Goal, ...]:
    indicators: dict[str, list[Indicator]] = defaultdict(list)
    for row in rows_of(
        connection,
        "select i.indicator_id as id, f.goal_id, f.role, i.title, i.short_title, i.statement, "
        "i.unit, i.polarity, i.definition, i.caution, i.response, i.question, i.question_source, "
        "i.table_code, i.dataset from reference.framework_indicators as f "
        "inner join reference.indicators as i using (indicator_id) where f.framework = ? "
        "and f.role != 'context' order by f.goal_id, f.indicator_order",
        framework,
    ):
        indicators[row["goal_id"]].append(Indicator(**row))
    rows = rows_of(
        connection,
        "select goal_id as id, title, concept, definition, for_residents from reference.goals "
        "where framework = ? order by goal_order",
        framework,
    )
    return tuple(Goal(**row, indicators=tuple(indicators[row["id"]])) for row in rows)


def read_model(
    connection: duckdb.DuckDBPyConnection,
    lead_area: str | None = None,
    framework: str | None = None,
) -> Model:
    """Read everything that the pages of one lead area and one framework need.

    The warehouse is a published one, or a build that passed the gate. ``lead_area``: code of a combined
    authority, the warehouse's own where None; ``framework``: that of the report where None. Raises
    PulseError ``no_pulse`` when the warehouse has no goals, ``not_a_combined_authority`` when
    ``lead_area`` is not a combined authority with members.
    """
    own = connection.execute(
        "select min(pulse.area_code), min(goals.framework) from marts.pulse as pulse "
        "inner join reference.goals as goals using (goal_id)"
    ).fetchone()
    if own is None or own[0] is None:
        raise PulseError(
            "the warehouse has no goals to show",
            code="no_pulse",
            expected="a row per goal in marts.pulse",
            todo="build the warehouse again with `make refresh`",
        )
    areas = _areas(connection)
    england = next(
        area for area in areas.values() if area.level == "nation" and area.name == "England"
    )
    framework = framework or own[1]
    goals = _goals(connection, framework)
    if not goals:
        raise PulseError(
            "there is no such framework of goals",
            code="unknown_framework",
            expected="one of reference.frameworks",
            found=framework,
            todo="add it to the seeds frameworks, goals and framework_indicators",
        )
    cells = rows_of(
        connection,
        f"select {_CELL_COLUMNS}, case when c.why is null then null "
        "when c.value_before is null then 'new' else 'revised' end as news "
        "from marts.barometers left join meta.changed_figures as c "
        "using (barometer_id, area_code, dataset, edition, period_end) "
        "where framework = ? order by period_end, edition",
        framework,
    )
    parents = dict(
        connection.execute(
            "select area_code, combined_authority_code from marts.authority_profiles "
            "where combined_authority_code is not null "
            "union all select area_code, authority_code from reference.small_areas "
            "where authority_code is not null"
        ).fetchall()
    )
    model = Model(
        lead=areas.get(lead_area or own[0], england),
        england=england,
        goals=goals,
        areas=areas,
        parents=parents,
        non_constituent=dict(
            connection.execute(
                "select parent_code, list(member_code order by member_code) "
                "from reference.area_groups where kind like '%non_constituent' group by 1 order by 1"
            ).fetchall()
        ),
        cells=grouped(cells, *_CELL),
        **{name: grouped(rows_of(connection, query), *_CELL) for name, query in _BY_CELL.items()},
        tables={
            name: rows_of(connection, query, *[framework] * query.count("?"))
            for name, query in _TABLES.items()
        },
        definitions={
            row["indicator_id"]: row
            for row in rows_of(
                connection,
                "select * from reference.indicators where indicator_id in (select indicator_id "
                "from reference.framework_indicators where framework = ? and role = 'context') "
                "order by indicator_id",
                framework,
            )
        },
        provenance=grouped(rows_of(connection, _PROVENANCE), "provenance_id"),
        made_up=any(row["origin"] == "synthetic" for row in cells),
        indicators={each.id: each for goal in goals for each in goal.indicators},
    )
    if model.lead.level != "cauth" or not model.members(model.lead):
        raise PulseError(
            "pages can be made for a combined authority only",
            code="not_a_combined_authority",
            expected="the code of a combined authority with members",
            found=lead_area,
            todo="look the code up in reference.areas where area_level is cauth",
        )
    return model


def grouped(rows: Sequence[Row], *names: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, or by those of several."""
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in names)
        found[key if len(names) > 1 else key[0]].append(row)
    return dict(found)
