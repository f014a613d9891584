"""Writes the site: a folder of plain HTML, charts, small data files and one script.

Every page can be read without script, network or server; all links are relative. Verdicts and
sentences are those of the marts. A chart or an area's page whose figures did not change is taken
from the cache.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import jinja2

from warehouse.writers.site import charts, svg
from warehouse.writers.site.evidence import KINDS, Community
from warehouse.writers.site.feed import calendar_rows, feed
from warehouse.writers.site.methods_page import methods_as_html
from warehouse.writers.site.read import (
    LEVELS,
    Area,
    Indicator,
    Model,
    Row,
    SiteError,
    has_figure,
)
from warehouse.writers.site.words import (
    change_label,
    day,
    figure,
    interval,
    percent,
    period,
    plain_status,
    slash,
    verdict,
)

_HERE = Path(__file__).resolve().parent
OGL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
OGL_LINE = (
    "Contains public sector information licensed under the Open Government Licence v3.0. "
    "Analysis of official statistics, not itself official statistics."
)
# The figures of the report, in its order: number, indicators, what they are drawn by.
REPORT_FIGURES: Final = (
    (1, ("trust_in_neighbours",), "authorities"),
    (2, ("trust_in_neighbours",), "members"),
    (3, ("area_attractiveness",), "authorities"),
    (4, ("area_attractiveness",), "members"),
    (5, ("arts_engagement", "library_engagement"), "authorities"),
    (6, ("green_space_satisfaction",), "authorities"),
    (7, ("green_space_satisfaction",), "members"),
    (8, ("neighbourhood_belonging",), "authorities"),
    (9, ("neighbourhood_belonging",), "members"),
    (
        10,
        (
            "promising_prospects",
            "conditions_of_childhood",
            "youth_labour_market",
            "innovation_and_growth",
        ),
        "members",
    ),
)
CLAIM_VERDICTS: Final = {
    "agrees": "Agrees with Pulse’s figure",
    "differs": "Differs from Pulse’s figure",
    "possible": "Possible, from the ranges printed",
    "impossible": "Impossible, from the ranges printed",
    "too_close_to_call": "Too close to call",
    "cannot_be_computed": "Cannot be checked yet",
    "contradicted_within_report": "The report contradicts itself",
}
_SPINE_WIDTH, _SPINE_PAD = 300, 5
_FIGURE_FIELDS: Final = (
    "area_code",
    "edition",
    "period_start",
    "period_end",
    "value",
    "lower_95",
    "upper_95",
    "group_number",
    "group_label",
    "outcome",
    "close_call",
    "origin",
    "provenance_id",
)
_CELL_FIELDS: Final = (
    "barometer_id",
    "area_code",
    "dataset",
    "edition",
    "period_start",
    "period_end",
    "unit",
    "value",
    "lower_95",
    "upper_95",
    "base",
    "group_number",
    "group_label",
    "outcome",
    "close_call",
    "survives_family",
    "status",
    "origin",
    "provenance_id",
)


def write_site(
    model: Model,
    folder: Path,
    *,
    in_release: bool = False,
    cache: Path | None = None,
    methods: Path | None = None,
) -> list[Path]:
    """Write ``folder/site`` for one lead area.

    Args:
        model: what the pages show, see ``read_model``.
        folder: folder of exports; ``site`` is made in it.
        in_release: whether the other exports are beside the pages, to be linked.
        cache: folder in which drawn charts are kept; None draws all of them.
        methods: the Markdown file of methods; without it that page is left out.

    Returns:
        The files made.

    Raises:
        SiteError: ``no_source`` when a figure has no provenance.
    """
    return _Site(model, folder / "site", cache, in_release=in_release, methods=methods).write()


class _Site:
    """One run of the writer."""

    def __init__(
        self,
        model: Model,
        folder: Path,
        cache: Path | None,
        *,
        in_release: bool,
        methods: Path | None,
    ) -> None:
        self.model = model
        self.folder = folder
        self.methods = methods
        self.drawer = charts.Drawer(cache)
        self.made: list[Path] = []
        self.charts: dict[str, charts.Chart] = {}
        self.sources: dict[str, dict[str, Row]] = {}
        self.attributions = {
            (row["dataset"], row["edition"]): row["attribution"] for row in model.tables["editions"]
        }
        self.editions = {(row["dataset"], row["edition"]): row for row in model.tables["editions"]}
        self.strips = {
            indicator.id: self._strip_scale(indicator) for indicator in model.indicators.values()
        }
        newest = model.tables["releases"][-1] if model.tables["releases"] else None
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self.environment.filters.update(
            percent=percent,
            figure=figure,
            interval=interval,
            period=period,
            day=day,
            slash=slash,
            plain_status=plain_status,
        )
        self.environment.tests["with_figure"] = has_figure
        self.environment.globals.update(
            model=model,
            lead=model.lead,
            england=model.england,
            goals=model.goals,
            ogl=OGL,
            in_release=in_release,
            release=newest,
            verdict=verdict,
            change_label=change_label,
            source_of=self._source_link,
            latest=model.latest,
            change_of=model.change,
            page_of=self._page_of,
            strip=self._strip_marks,
            edition_of=lambda row: self.editions.get((row["dataset"], row["edition"])),
            levels=LEVELS,
            community=Community(model),
            kinds=KINDS,
            has_briefing=lambda area: (
                in_release and (area.level == "cauth" or area in model.members(model.lead))
            ),
        )

    def write(self) -> list[Path]:
        """Write everything; the pages of sources last, for the figures that some page shows."""
        for name in ("figures", "assets", "data"):
            (self.folder / name).mkdir(parents=True)
        for asset in sorted((_HERE / "assets").iterdir()):
            self._bytes(f"assets/{asset.name}", asset.read_bytes())
        self._shared_scripts()
        self._strips()
        self._overview()
        for goal in self.model.goals:
            self._page(goal.page, "goal", goal=goal)
        for indicator in self.model.indicators.values():
            self._indicator(indicator)
        for level in LEVELS:
            for area in self.model.current(level):
                self._area(area)
        self._ended_areas()
        self._report()
        self._quality()
        self._changes_and_calendar()
        self._page("areas.html", "areas")
        self._page("evidence.html", "evidence")
        self._page("compare.html", "compare")
        self._page(
            "methods.html",
            "methods",
            **{name: self.model.tables[name] for name in ("breaks", "census")},
        )
        if self.methods is not None:
            text = methods_as_html(self.methods.read_text(encoding="utf-8"))
            self._page("methods_in_full.html", "methods_in_full", text=text)
        self._page("data.html", "data", tables=self._files_of_tables())
        self._sources()
        return self.made

    # --- pages ------------------------------------------------------------------------------------

    def _overview(self) -> None:
        self._page(
            "index.html", "index", pulse={row["goal_id"]: row for row in self.model.tables["pulse"]}
        )

    def _indicator(self, indicator: Indicator) -> None:
        model = self.model
        shown = model.shown(indicator)
        if shown is None:
            raise SiteError(
                "an indicator has no rows",
                code="no_rows",
                found=indicator.id,
                expected="rows in marts.barometers",
                todo="build the warehouse again with `make refresh`",
            )
        authorities = _high_first(
            model.edition_cells(indicator, [*model.current("cauth"), model.england], shown)
        )
        members = _high_first(
            model.edition_cells(
                indicator, [*self._places(indicator), model.lead, model.england], shown
            )
        )
        every = model.edition_cells(indicator, model.current("lad"), shown)
        drawn = {
            "authorities": self._groups_chart(indicator, shown)
            if indicator.is_index
            else self._dots(indicator, "authorities", authorities, model.lead),
            "members": self._members_chart(indicator, members),
            "everywhere": self._everywhere(indicator, every, shown),
            "map": self._map(indicator, every, shown),
            "time": self._trend(indicator, model.lead),
        }
        cells = [row for _, row in (*authorities, *members, *every)]
        self._text(f"data/{indicator.slug}.csv", _table(cells))
        self._page(
            indicator.page,
            "indicator",
            indicator=indicator,
            goal=next(goal for goal in model.goals if goal.id == indicator.goal_id),
            shown=shown,
            drawn=drawn,
            authorities=authorities,
            members=members,
            everywhere=every,
            series=self._series(indicator, model.lead),
            breaks=[
                row
                for row in model.tables["breaks"]
                if row["dataset"] == indicator.dataset
                and row["barometer_id"] in (None, indicator.id)
            ],
            counts=[
                (area, rows)
                for area in model.current("cauth")
                if (rows := model.group_counts(indicator, area))
            ],
            source=self._source_line(cells),
        )

    def _area(self, area: Area) -> None:
        model = self.model
        rows = [
            (goal, [(indicator, model.latest(indicator, area)) for indicator in goal.indicators])
            for goal in model.goals
        ]
        cells = [row for _, pairs in rows for _, row in pairs if row is not None]
        self._text(f"data/{area.code}.csv", _table(filter(has_figure, cells)))
        self._text(f"data/{area.code}.json", _as_json(area, cells))
        parent = model.areas.get(model.parents.get(area.code, ""))
        compared = {
            indicator.id: [
                found
                for found in model.comparisons.get((indicator.id, area.code), [])
                if row is not None
                and (found["edition"], found["period_end"]) == (row["edition"], row["period_end"])
                and found["comparator_kind"] != "england"
            ]
            for _, pairs in rows
            for indicator, row in pairs
        }
        self._page(
            area.page,
            "area",
            area=area,
            rows=rows,
            parent=parent if parent is not None and model.has_page(parent) else None,
            region=model.areas.get(area.region_code or ""),
            members=model.members(area),
            compared=compared,
            counts={
                indicator.id: model.group_counts(indicator, area)
                for _, pairs in rows
                for indicator, _ in pairs
                if indicator.is_index
            },
            source=self._source_line(cells),
        )

    def _ended_areas(self) -> None:
        for area in self.model.areas.values():
            if area.level in LEVELS and area.current_code != area.code:
                now = self.model.areas.get(area.current_code)
                self._page(area.page, "ended", area=area, now=now)

    def _report(self) -> None:
        verdicts: dict[str, int] = {}
        for claim in self.model.tables["claims"]:
            verdicts[claim["verdict"]] = verdicts.get(claim["verdict"], 0) + 1
        self._page(
            "report.html",
            "report",
            claims=self.model.tables["claims"],
            verdicts=sorted(verdicts.items()),
            names=CLAIM_VERDICTS,
            charts=self.charts,
            pictures=[
                (number, [self.model.indicators[each] for each in ids], kind)
                for number, ids, kind in REPORT_FIGURES
                if all(each in self.model.indicators for each in ids)
            ],
        )

    def _quality(self) -> None:
        kinds: dict[str, list[Row]] = {}
        for check in self.model.tables["checks"]:
            kinds.setdefault(check["kind"], []).append(check)
        self._page("quality.html", "quality", kinds=sorted(kinds.items()), **self.model.tables)

    def _changes_and_calendar(self) -> None:
        tables = self.model.tables
        self._page("changes.html", "changes", **tables)
        made_at = tables["releases"][-1]["made_at"] if tables["releases"] else None
        today = made_at.date() if made_at is not None else None
        calendar = calendar_rows(tables["datasets"], tables["editions"], today)
        self._page("calendar.html", "calendar", calendar=calendar)
        if tables["releases"]:
            self._text("feed.xml", feed(tables, f"Pulse: releases, {self.model.lead.label}"))

    def _sources(self) -> None:
        for indicator in self.model.indicators.values():
            listed = self.sources.get(indicator.id, {})
            items = []
            for provenance_id, row in listed.items():
                found = self.model.provenance.get(provenance_id)
                if not found:
                    raise SiteError(
                        "a figure shown has no source",
                        code="no_source",
                        found=f"{indicator.id}, {provenance_id}",
                        expected="a row in marts.provenance",
                        todo="build the warehouse again with `make refresh`",
                    )
                items.append((provenance_id, row, found))
            items.sort(key=lambda item: (self.model.areas[item[1]["area_code"]].label, item[0]))
            self._page(
                indicator.source_page,
                "source",
                indicator=indicator,
                items=items,
                files=_cited(row for _, _, rows in items for row in rows),
            )

    def _files_of_tables(self) -> list[Row]:
        """The published marts with the files beside the pages that hold them."""
        exports = self.folder.parent
        forms = (
            ("CSV", "csv/{}.csv"),
            ("CSV, compressed", "csv/{}.csv.gz"),
            ("Parquet", "parquet/{}.parquet"),
        )
        return [
            {
                **table,
                "files": [
                    (label, path.format(table["table_name"]))
                    for label, path in forms
                    if (exports / path.format(table["table_name"])).exists()
                ],
            }
            for table in self.model.tables["tables"]
        ]

    # --- charts -----------------------------------------------------------------------------------

    def _chart(
        self,
        indicator: Indicator,
        name: str,
        kind: str,
        title: str,
        subtitle: str,
        cells: Sequence[Row],
        alt: str,
        rows: Sequence[Row],
        **options: Any,
    ) -> charts.Chart | None:
        if not rows:
            return None
        wide, narrow = (
            svg.finish(self.drawer.svg(kind, width, rows, **options), title, alt)
            # A map has hardly any text, so that one serves a phone too.
            for width in ((charts.WIDE, charts.NARROW) if kind != "map" else (460, 460))
        )
        chart = charts.Chart(
            f"{indicator.slug}-{name}", title, subtitle, self._source_line(cells), alt, wide, narrow
        )
        made_up = self.model.made_up
        self.charts[chart.name] = chart
        self._text(f"figures/{chart.name}.svg", chart.wide)
        if narrow != wide:
            self._text(f"figures/{chart.name}-narrow.svg", chart.narrow)
        key = f"{made_up}{chart.wide}{title}{subtitle}{chart.source}"
        png = self.drawer.kept(key, "png", lambda: chart.png(made_up=made_up))
        self._bytes(f"figures/{chart.name}.png", png)
        self._page(f"embed-{chart.name}.html", "embed", drawn=chart, target=indicator.page)
        return chart

    def _dots(
        self, indicator: Indicator, name: str, cells: Sequence[tuple[Area, Row]], mine: Area
    ) -> charts.Chart | None:
        with_value = [(area, row) for area, row in cells if row["value"] is not None]
        lead = next((row for area, row in with_value if area.code == mine.code), None)
        shown = lead or (with_value[0][1] if with_value else None)
        if shown is None:
            return None
        return self._chart(
            indicator,
            name,
            "dots",
            shown["sentence"] if lead else f"{indicator.short_title}, {shown['edition_title']}",
            f"{indicator.measure_words} who {indicator.statement}, {shown['edition_title']}. "
            "Lines are 95% intervals; the dashed line is England.",
            [row for _, row in with_value],
            _words(with_value),
            [
                {
                    "label": _with_mark(area.name if area.level == "cauth" else area.label, row),
                    "value": row["value"],
                    "lower": row["lower_95"],
                    "upper": row["upper_95"],
                    "part": self._part(area, mine),
                    "words": _words([(area, row)]),
                }
                for area, row in with_value
            ],
            unit=indicator.measure_words,
        )

    def _members_chart(
        self, indicator: Indicator, cells: Sequence[tuple[Area, Row]]
    ) -> charts.Chart | None:
        if not indicator.is_index:
            return self._dots(indicator, "members", cells, self.model.lead)
        found = [(area, row) for area, row in cells if row["group_number"] is not None]
        if not found:
            return None
        groups = self._scale(indicator, found[0][1])
        return self._chart(
            indicator,
            "members",
            "groups",
            f"{indicator.short_title}: the group of each authority",
            f"{found[0][1]['edition_title']}, years {period(found[0][1])}. A group is a position "
            "among areas of the United Kingdom, not a share.",
            [row for _, row in found],
            _words(found),
            [
                {
                    "label": area.label,
                    "group_number": row["group_number"],
                    "count": 1,
                    "middle": 0.5,
                    "text": f"{row['group_number']} {row['group_label']}",
                    "ink": _ink(row["group_number"], groups),
                    "words": _words([(area, row)]),
                }
                for area, row in found
            ],
            groups=groups,
        )

    def _groups_chart(self, indicator: Indicator, shown: Row) -> charts.Chart | None:
        rows, used, groups = [], [], self._scale(indicator, shown)
        for area in self.model.current("cauth"):
            position = 0
            for count in self.model.group_counts(indicator, area):
                if not count["areas"]:
                    continue
                used.append(count)
                rows.append(
                    {
                        "label": area.name,
                        "group_number": count["group_number"],
                        "count": count["areas"],
                        "middle": position + count["areas"] / 2,
                        "text": str(count["areas"]),
                        "ink": _ink(count["group_number"], groups),
                        "words": f"{area.label}: {count['areas']} in {count['group_label']}",
                    }
                )
                position += count["areas"]
        return self._chart(
            indicator,
            "authorities",
            "groups",
            f"{indicator.short_title}: areas in each group, by combined authority",
            f"{shown['edition_title']}, years {period(shown)}. From the least favourable group "
            "(left) to the most favourable (right). An index is never averaged over areas.",
            [shown],
            "; ".join(row["words"] for row in rows) + ".",
            rows,
            groups=groups,
        )

    def _everywhere(
        self, indicator: Indicator, cells: Sequence[tuple[Area, Row]], shown: Row
    ) -> charts.Chart | None:
        found = sorted(
            ((row["value"], area) for area, row in cells if row["value"] is not None),
            key=lambda pair: (pair[0], pair[1].code),
        )
        if len(found) < 20:
            return None
        low, high = found[0][0], found[-1][0]
        step = (high - low) / 36 if indicator.is_index else 1.0
        stacks: dict[int, int] = {}
        rows: list[Row] = []
        mine = {area.code for area in self.model.members(self.model.lead)}
        for value, area in sorted(found, key=lambda pair: pair[1].code not in mine):
            position = round((value - low) / step) if step else 0
            stacks[position] = stacks.get(position, 0) + 1
            rows.append(
                {
                    "value": low + position * step,
                    "stack": stacks[position],
                    "part": "lead" if area.code in mine else "other",
                }
            )
        england = self.model.edition_cells(indicator, [self.model.england], shown)
        rows += [
            {"value": row["value"], "stack": 0, "part": "england"}
            for _, row in england
            if row["value"] is not None
        ]
        edges = [cell for cell in cells if cell[1]["value"] in (low, high)]
        return self._chart(
            indicator,
            "everywhere",
            "strip",
            f"{indicator.short_title}: where {len(found)} English authorities are",
            f"{shown['edition_title']}. One dot per authority; members of "
            f"{self.model.lead.label} in dark blue"
            + ("; the dashed line is England." if not indicator.is_index else "."),
            [row for _, row in cells],
            "Lowest and highest: " + _words(edges[:8]),
            rows,
            unit=indicator.measure_words,
        )

    def _map(
        self, indicator: Indicator, cells: Sequence[tuple[Area, Row]], shown: Row
    ) -> charts.Chart | None:
        name = "group_number" if indicator.is_index else "value"
        rows = [
            {"id": area.code, "value": row[name]} for area, row in cells if row[name] is not None
        ]
        if len(rows) < 20:
            return None
        groups = self._scale(indicator, shown) if indicator.is_index else 0
        return self._chart(
            indicator,
            "map",
            "map",
            f"{indicator.short_title} in each local authority",
            f"{shown['edition_title']}. Black outlines are combined authorities; grey areas have no "
            "figure of their own.",
            [row for _, row in cells],
            f"Map of {len(rows)} English authorities; the table of all authorities has the figures.",
            rows,
            unit=indicator.measure_words,
            groups=groups,
        )

    def _trend(self, indicator: Indicator, area: Area) -> charts.Chart | None:
        rows: list[Row] = []
        used: list[Row] = []
        for each, part in ((area, "lead"), (self.model.england, "england")):
            series = [
                row
                for row in self.model.cells.get((indicator.id, each.code), [])
                if row["value"] is not None
            ]
            used += series
            run = 0
            for number, row in enumerate(series):
                if number and self._broken(indicator, each, series[number - 1], row):
                    run += 1
                rows.append(
                    {
                        "period": slash(row["edition"]),
                        "order": row["period_end"].isoformat(),
                        "value": row["value"],
                        "lower": row["lower_95"],
                        "upper": row["upper_95"],
                        "series": each.name,
                        "part": part,
                        "run": run,
                        "last": number == len(series) - 1,
                        "words": _words([(each, row)]),
                    }
                )
        if indicator.is_index or len({row["order"] for row in rows}) < 2:
            return None
        return self._chart(
            indicator,
            "over-time",
            "trend",
            f"{indicator.short_title} over time, {area.label} and England",
            f"{indicator.measure_words} who {indicator.statement}. Bars are 95% intervals where they "
            "are published; a gap in a line marks a break in the series [b].",
            used,
            "; ".join(f"{row['period']}: {row['words']}" for row in rows) + ".",
            rows,
            unit=indicator.measure_words,
        )

    def _broken(self, indicator: Indicator, area: Area, earlier: Row, later: Row) -> bool:
        return any(
            change["grade"] == "block"
            and change["from_edition"] == earlier["edition"]
            and change["to_edition"] == later["edition"]
            for change in self.model.changes.get((indicator.id, area.code), [])
        )

    def _strip_scale(self, indicator: Indicator) -> tuple[float, float, list[float]] | None:
        shown = self.model.shown(indicator)
        values = sorted(
            row["value"]
            for _, row in self.model.edition_cells(indicator, self.model.current("lad"), shown)
            if row["value"] is not None
        )
        if len(values) < 20:
            return None
        pad = (values[-1] - values[0]) * 0.08 or 1.0
        return values[0] - pad, values[-1] + pad, values

    def _strips(self) -> None:
        """One background per indicator: where English authorities are; areas add their mark."""
        for indicator in self.model.indicators.values():
            scale = self.strips[indicator.id]
            if scale is None:
                continue
            low, high, values = scale
            shown = self.model.shown(indicator)
            england = self.model.edition_cells(indicator, [self.model.england], shown)

            def at(value: float, low: float = low, high: float = high) -> float:
                return round((value - low) / (high - low), 4)

            last = len(values) - 1
            row: Row = {
                name: at(values[round(last * share)])
                for name, share in (("lowest", 0), ("q1", 0.25), ("q3", 0.75), ("highest", 1))
            }
            row["england"] = (
                at(england[0][1]["value"]) if england and england[0][1]["value"] else None
            )
            drawn = self.drawer.svg("spine", _SPINE_WIDTH, [row])
            self._text(f"figures/strip-{indicator.slug}.svg", drawn)

    def _strip_marks(self, indicator: Indicator, row: Row | None) -> Row | None:
        """Where an area's mark and interval are on the indicator's strip, in its pixels."""
        scale = self.strips[indicator.id]
        shown = self.model.shown(indicator)
        if scale is None or row is None or row["value"] is None or shown is None:
            return None
        if (row["edition"], row["period_end"]) != (shown["edition"], shown["period_end"]):
            return None
        low, high, _ = scale

        def at(value: float | None) -> float | None:
            if value is None:
                return None
            share = min(max((value - low) / (high - low), 0.0), 1.0)
            return round(_SPINE_PAD + _SPINE_WIDTH * share, 1)

        return {"x": at(row["value"]), "from": at(row["lower_95"]), "to": at(row["upper_95"])}

    # --- parts ------------------------------------------------------------------------------------

    def _places(self, indicator: Indicator) -> list[Area]:
        """Members of the lead area, or the county that an index has in their place."""
        found: dict[str, Area] = {}
        for member in self.model.members(self.model.lead):
            county = self.model.areas.get(member.county_code or "")
            own = has_figure(self.model.latest(indicator, member))
            place = member if own or county is None or not self.model.has_page(county) else county
            found[place.code] = place
        return list(found.values())

    def _series(self, indicator: Indicator, area: Area) -> list[tuple[str, list[Row | None]]]:
        areas = self._places(indicator) if indicator.is_index else [area, self.model.england]
        keys = sorted(
            {
                (row["period_end"], row["edition"])
                for each in areas
                for row in self.model.cells.get((indicator.id, each.code), [])
                if has_figure(row)
            }
        )
        return [
            (
                edition,
                [
                    next(
                        (
                            row
                            for row in self.model.cells.get((indicator.id, each.code), [])
                            if (row["period_end"], row["edition"]) == (end, edition)
                        ),
                        None,
                    )
                    for each in areas
                ],
            )
            for end, edition in keys
        ]

    def _scale(self, indicator: Indicator, row: Row) -> int:
        """How many groups the index has in the edition of a cell."""
        counts = [
            each["groups_in_edition"]
            for (name, _), rows in self.model.groups.items()
            if name == indicator.id
            for each in rows
            if each["edition"] == row["edition"]
        ]
        return max(counts, default=7)

    def _part(self, area: Area, mine: Area) -> str:
        if area.code == self.model.england.code:
            return "england"
        return "lead" if area.code == mine.code else "other"

    def _source_line(self, cells: Iterable[Row]) -> str:
        lines = sorted(
            {
                line
                for row in cells
                if has_figure(row)
                and (line := self.attributions.get((row["dataset"], row["edition"])))
            }
        )
        return " ".join([*(line.rstrip(".") + "." for line in lines), OGL_LINE])

    def _source_link(self, row: Row) -> str | None:
        """Address of the source of a figure; the page of sources lists what is linked."""
        if row["provenance_id"] is None:
            return None
        indicator = self.model.indicators[row["barometer_id"]]
        self.sources.setdefault(indicator.id, {})[row["provenance_id"]] = row
        return f"{indicator.source_page}#p-{row['provenance_id']}"

    def _page_of(self, code: str | None) -> str | None:
        area = self.model.areas.get(code or "")
        return area.page if area is not None and self.model.has_page(area) else None

    def _shared_scripts(self) -> None:
        """The list of areas for the search, and each indicator's latest cells for comparing."""
        areas = [
            [area.code, area.label, LEVELS[area.level]]
            for level in LEVELS
            for area in self.model.current(level)
        ]
        self._text(
            "assets/areas.js", f"window.pulseAreas={json.dumps(areas, ensure_ascii=False)};\n"
        )
        for indicator in self.model.indicators.values():
            cells = {
                area.code: [
                    row["value"],
                    row["lower_95"],
                    row["upper_95"],
                    row["group_label"],
                    verdict(row)["label"],
                    row["survives_family"],
                    row["edition_title"],
                    row["mark"] or "",
                ]
                for level in LEVELS
                for area in self.model.current(level)
                if (row := self.model.latest(indicator, area)) is not None and has_figure(row)
            }
            data = {
                "id": indicator.id,
                "title": indicator.short_title,
                "unit": indicator.unit,
                "cells": cells,
            }
            text = json.dumps(data, ensure_ascii=False)
            self._text(f"data/{indicator.slug}.js", f"pulseData({text});\n")
            rows = [
                row
                for (name, _), found in self.model.cells.items()
                if name == indicator.id
                for row in found
                if has_figure(row)
            ]
            self._text(
                f"data/{indicator.slug}.json",
                json.dumps(
                    {
                        "indicator": indicator.id,
                        "title": indicator.title,
                        "unit": indicator.unit,
                        "licence": OGL,
                        "columns": _FIGURE_FIELDS,
                        "figures": [list(_plain(row, _FIGURE_FIELDS).values()) for row in rows],
                    },
                    ensure_ascii=False,
                    separators=(",", ":"),
                )
                + "\n",
            )

    # --- files ------------------------------------------------------------------------------------

    def _page(self, name: str, template: str, **context: Any) -> None:
        page = self.environment.get_template(f"{template}.html.j2").render(page=name, **context)
        self._text(name, page)

    def _text(self, name: str, text: str) -> None:
        self._bytes(name, text.encode("utf-8"))

    def _bytes(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.write_bytes(content)
        self.made.append(path)


def _cited(rows: Iterable[Row]) -> dict[tuple[str, str], str]:
    """By dataset and edition: what its citations share, so that a page prints it once."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        cited = found.setdefault((row["dataset"], row["edition"]), set())
        if row["citation"]:
            cited.add(row["citation"])
    shared = {}
    for key, citations in sorted(found.items()):
        first, last = min(citations, default=""), max(citations, default="")
        differ = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
        start = first[:differ]
        # Cut at a word, so that what is left over can be read by itself.
        shared[key] = start[: start.rfind(" ") + 1]
    return shared


def _high_first(cells: Iterable[tuple[Area, Row]]) -> list[tuple[Area, Row]]:
    return sorted(
        cells,
        key=lambda cell: (
            cell[1]["value"] is None,
            -(cell[1]["value"] or 0),
            cell[0].label,
        ),
    )


def _words(cells: Iterable[tuple[Area, Row]]) -> str:
    """Figures in words, for those who do not see the chart."""
    return "; ".join(
        f"{area.label} {figure(row)}" + (f" ({interval(row)})" if interval(row) else "")
        for area, row in cells
        if has_figure(row)
    )


def _with_mark(label: str, row: Row) -> str:
    return f"{label} {row['mark']}" if row["mark"] else label


def _ink(group: int, groups: int) -> str:
    """Black or white, whichever can be read on the colour of a group."""
    return "white" if group in (1, groups) else "black"


def _plain(row: Row, fields: Sequence[str] = _CELL_FIELDS) -> Row:
    return {
        name: value.isoformat() if isinstance(value := row[name], date | datetime) else value
        for name in fields
    }


def _table(cells: Iterable[Row]) -> str:
    """The rows behind a page as CSV, each cell once."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_CELL_FIELDS)
    unique = {
        (row["barometer_id"], row["area_code"], row["edition"], row["period_end"]): row
        for row in cells
    }
    writer.writerows([row[name] for name in _CELL_FIELDS] for row in unique.values())
    return stream.getvalue()


def _as_json(area: Area, cells: Iterable[Row]) -> str:
    return (
        json.dumps(
            {
                "area": area.code,
                "name": area.label,
                "level": area.level,
                "licence": OGL,
                "figures": [_plain(row) for row in cells if has_figure(row)],
                "without_figure": {
                    row["barometer_id"]: row["status"] for row in cells if not has_figure(row)
                },
            },
            ensure_ascii=False,
        )
        + "\n"
    )
