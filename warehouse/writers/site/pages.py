"""Writes the site: a folder of plain HTML, charts, small data files and one script.

Every page can be read without script, network or server; all links are relative. Verdicts and
sentences are those of the marts. A chart or a page whose figures did not change is taken from the
cache; what a page shows is passed to its template, and is the key.
"""

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import jinja2

from sources.errors import PulseError
from warehouse.connection import Row
from warehouse.writers import words
from warehouse.writers.read import (
    LEVELS,
    Area,
    Entry,
    Indicator,
    Model,
    grouped,
    has_figure,
)
from warehouse.writers.site import charts
from warehouse.writers.site.cache import Cache, code_of_pages, key_of
from warehouse.writers.site.evidence import KINDS, Community
from warehouse.writers.site.feed import calendar_rows, feed
from warehouse.writers.site.figures import Figures
from warehouse.writers.site.methods_page import methods_as_html
from warehouse.writers.tables import OGL
from warehouse.writers.words import CLOSE, OUTCOMES, change_label, quantity, verdict

_HERE = Path(__file__).resolve().parent
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
_EDITION_FIELDS: Final = (
    *("dataset_title", "edition_title", "publisher", "published_on", "succeeded_by"),
    "landing_page",
)
_FILTERS: Final = (
    *("percent", "figure", "interval", "between", "period", "day", "slash", "plain_status"),
)
KEY_LENGTH: Final = 12
"""Of the hash that is a provenance_id, so many digits are its place on a page of sources."""
_FIGURE_FIELDS: Final = (
    *("area_code", "edition", "period_start", "period_end", "value", "lower_95", "upper_95"),
    *("group_number", "group_label", "outcome", "close_call", "origin", "provenance_id"),
)
_CELL_FIELDS: Final = (
    *("barometer_id", "area_code", "dataset", "edition", "period_start", "period_end", "unit"),
    *("value", "lower_95", "upper_95", "base", "group_number", "group_label", "outcome"),
    *("close_call", "survives_family", "status", "origin", "provenance_id"),
)


def write_site(
    model: Model,
    folder: Path,
    *,
    in_release: bool = False,
    cache: Path | None = None,
    methods: Path | None = None,
) -> Cache:
    """Write ``folder/site`` for one lead area.

    ``in_release``: whether the other exports are beside the pages, to be linked. ``cache``: a folder in
    which charts and pages are kept; None makes all of them. ``methods``: the Markdown file of methods;
    without it that page is left out. Returns the cache, which has the names of what was made anew.
    Raises PulseError ``no_source`` when a figure has no provenance.
    """
    site = _Site(model, folder / "site", Cache(cache), in_release=in_release, methods=methods)
    site.write()
    return site.cache


class _Site:
    """One run of the writer."""

    def __init__(
        self, model: Model, folder: Path, cache: Cache, *, in_release: bool, methods: Path | None
    ) -> None:
        self.model = model
        self.folder = folder
        self.methods = methods
        self.cache = cache
        self.in_release = in_release
        self.charts: dict[str, charts.Chart] = {}
        # By indicator: the figures that some page shows, by the key of their source.
        self.sources: dict[str, dict[str, Row]] = defaultdict(dict)
        self.editions = {(row["dataset"], row["edition"]): row for row in model.tables["editions"]}
        self.datasets = {row["dataset"]: row for row in model.tables["datasets"]}
        self.figures = Figures(model, cache)
        self.release = model.release
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self.environment.filters.update(
            {name: getattr(words, name) for name in _FILTERS},
            quantity=lambda row, name="value": quantity(row[name], row["unit"], row["decimals"]),
            source=source_link,
            context_page=context_page,
        )
        self.environment.tests["with_figure"] = has_figure
        # What every page may use. Everything else is passed to a page, so that it is in its key.
        shared: dict[str, Any] = {
            "lead": model.lead,
            "england": model.england,
            "goals": model.goals,
            "indicators": model.indicators,
            "definitions": model.definitions,
            "labels": {code: area.label for code, area in model.areas.items()},
            "made_up": model.made_up,
            "in_release": in_release,
            "levels": LEVELS,
            "ogl": OGL["path"],
        }
        community = self.community = Community(model)
        self.environment.globals.update(
            shared, verdict=verdict, change_label=change_label, community=community, kinds=KINDS
        )
        texts = [vars(each) for each in model.indicators.values()]
        said = (community.entries, community.outcomes, community.prompts)
        self.key = key_of(code_of_pages(), shared, texts, said)

    def write(self) -> None:
        """Write everything; the pages of sources last, for the figures that some page shows."""
        for name in ("figures", "assets", "data"):
            (self.folder / name).mkdir(parents=True)
        for asset in sorted((_HERE / "assets").iterdir()):
            self._bytes(f"assets/{asset.name}", asset.read_bytes())
        self._shared_scripts()
        lead = self.model.lead
        entries = self._entries(lead)
        self._page(
            "index.html",
            "index",
            entries=entries,
            pulse={row["goal_id"]: row for row in self.model.tables["pulse"]},
            members=self.model.members(self.model.lead),
            release=self.release,
        )
        for goal in self.model.goals:
            self._page(goal.page, "goal", goal=goal, entries=entries, context=self._context(lead))
        for indicator in self.model.indicators.values():
            self._indicator(indicator, entries[indicator.id])
        for level in LEVELS:
            for area in self.model.current(level):
                self._area(area)
        self._ended_areas()
        self._context_pages()
        self._grids()
        self._report()
        self._quality()
        self._changes_and_calendar()
        current = {level: self.model.current(level) for level in LEVELS}
        self._page("areas.html", "areas", current=current)
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

    # --- pages ------------------------------------------------------------------------------------

    def _entries(self, area: Area) -> dict[str, Entry]:
        """Every indicator for an area; the figures among them get a source."""
        entries = {each.id: self.model.entry(each, area) for each in self.model.indicators.values()}
        for entry in entries.values():
            self._cite([entry.row, entry.national])
        return entries

    def _indicator(self, indicator: Indicator, entry: Entry) -> None:
        model, draw = self.model, self.figures
        shown = model.shown[indicator.id]
        if shown is None:
            raise PulseError(
                "an indicator has no rows",
                code="no_rows",
                found=indicator.id,
                expected="rows in marts.barometers",
                todo="build the warehouse again with `make refresh`",
            )
        authorities = _high_first(
            model.edition_cells(indicator, [*model.current("cauth"), model.england], shown)
        )
        near = [*self._places(indicator), model.lead, model.england]
        members = _high_first(model.edition_cells(indicator, near, shown))
        every = model.edition_cells(indicator, model.current("lad"), shown)
        earlier = self._earlier(indicator, shown)
        drawn = {
            "authorities": draw.authorities(indicator, authorities, shown),
            "members": draw.members(indicator, members, "members"),
            "everywhere": draw.everywhere(indicator, every, shown),
            "map": draw.map(indicator, shown, "map"),
            "time": draw.over_time(indicator, model.lead),
        }
        divided = model.divided(indicator.id)
        if divided:
            everybody = model.edition_cells(indicator, [model.england], divided[0][2][0])
            drawn["groups"] = draw.by_group(
                *(indicator.slug, indicator.short_title, indicator.measure_words),
                divided,
                everybody,
            )
            self._cite(row for _, _, rows in divided for row in rows)
        maps = [draw.map(indicator, row, f"map-{row['edition']}") for row in earlier]
        before = [
            (row, draw.members(indicator, found, f"members-{row['edition']}"), found)
            for row in earlier
            if indicator.is_index and (found := model.edition_cells(indicator, near, row))
        ]
        for chart in (*drawn.values(), *maps, *(chart for _, chart, _ in before)):
            if chart is not None:
                self._write_chart(chart, indicator.page)
        series = self._series(indicator, model.lead)
        cells = [row for _, row in (*authorities, *members, *every)]
        self._cite([*cells, *(row for _, rows in series for row in rows)])
        self._cite(row for _, _, found in before for _, row in found)
        self._text(f"data/{indicator.slug}.csv", _table(cells))
        self._page(
            indicator.page,
            "indicator",
            indicator=indicator,
            entry=entry,
            goal=next(goal for goal in model.goals if goal.id == indicator.goal_id),
            shown=shown,
            drawn=drawn,
            maps=maps,
            before=before,
            authorities=authorities,
            members=members,
            everywhere=every,
            divided=divided,
            series=series,
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
            editions=self._editions_of([shown]),
            source=draw.source_line(cells),
        )

    def _earlier(self, indicator: Indicator, shown: Row) -> list[Row]:
        """A cell of the edition before the one shown, and of the baseline, at its last period."""
        found: dict[str, Row] = {}
        for area in self.model.current("lad"):
            for row in self.model.cells.get((indicator.id, area.code), []):
                kept = found.get(row["edition"])
                newer = kept is None or kept["period_end"] < row["period_end"]
                if has_figure(row) and row["edition"] < shown["edition"] and newer:
                    found[row["edition"]] = row
        rows = [found[edition] for edition in sorted(found, reverse=True)]
        return [row for number, row in enumerate(rows) if number == 0 or row["is_baseline"]]

    def _write_chart(self, chart: charts.Chart, page: str) -> None:
        self.charts[chart.name] = chart
        self._text(f"figures/{chart.name}.svg", chart.wide)
        if chart.narrow != chart.wide:
            self._text(f"figures/{chart.name}-narrow.svg", chart.narrow)
        self._bytes(f"figures/{chart.name}.png", self.figures.png(chart))
        self._page(f"embed-{chart.name}.html", "embed", drawn=chart, target=page)

    def _area(self, area: Area) -> None:
        model = self.model
        entries = self._entries(area)
        cells = [entry.row for entry in entries.values() if entry.row is not None]
        self._text(f"data/{area.code}.csv", _table(filter(has_figure, cells)))
        held = [_plain(row) for row in cells if has_figure(row)]
        self._json(
            f"data/{area.code}.json",
            {
                "area": area.code,
                "name": area.label,
                "level": area.level,
                "licence": OGL["path"],
                "figures": [{k: v for k, v in row.items() if v is not None} for row in held],
                "without_figure": {
                    row["barometer_id"]: row["status"] for row in cells if not has_figure(row)
                },
            },
        )
        parent = model.areas.get(model.parents.get(area.code, ""))
        members = model.members(area)
        self._page(
            area.page,
            "area",
            area=area,
            entries=entries,
            tally=_tally(entries.values()),
            parent=parent if parent is not None and model.has_page(parent) else None,
            region=model.areas.get(area.region_code or ""),
            members=members,
            context=self._context(area),
            associates=[each.code for each in model.associates(area)],
            grid=self._grid(members),
            weighed={
                row["barometer_id"]: row
                for row in model.tables["census"]
                if row["area_code"] == area.code
                and row["method"] != "published"
                # Another framework of goals need not have the barometer.
                and (entry := entries.get(row["barometer_id"])) is not None
                and entry.row is not None
                and entry.row["edition"] == row["edition"]
            },
            # What the page takes from the register; passed so that it is in the key.
            registered=(
                [self.community.worse(area, goal) for goal in model.goals],
                self.community.surveys(area),
            ),
            editions=self._editions_of(cells),
            briefing=self.in_release
            and (area.level == "cauth" or area in model.members(model.lead)),
            source=self.figures.source_line(cells),
        )

    def _editions_of(self, cells: Iterable[Row]) -> list[Row]:
        """The editions that cells are from, with the publisher's date and the next one expected."""
        keys = sorted({(row["dataset"], row["edition"]) for row in cells})
        return [
            {
                **{name: self.editions[key][name] for name in _EDITION_FIELDS},
                "next": self.datasets[key[0]]["next_release_on"],
            }
            for key in keys
            if key in self.editions and key[0] in self.datasets
        ]

    def _ended_areas(self) -> None:
        for area in self.model.areas.values():
            if area.level in LEVELS and area.current_code != area.code:
                now = self.model.areas.get(area.current_code)
                self._page(
                    area.page, "ended", area=area, now=now if self.model.has_page(now) else None
                )

    def _grid(self, areas: Sequence[Area]) -> list[tuple[Area, list[Row | None]]]:
        """The latest cell of every indicator for some areas."""
        grid = [
            (area, [self.model.latest(each, area) for each in self.model.indicators.values()])
            for area in areas
        ]
        self._cite(row for _, rows in grid for row in rows)
        return grid

    def _context(self, area: Area) -> list[tuple[str, str, list[Row]]]:
        """The latest context figures of an area: goal, its title, rows."""
        rows = self.model.context.get(area.code, [])
        self._cite(rows)
        goals = [*((goal.id, goal.title) for goal in self.model.goals), ("all", "Every goal")]
        found = [(name, title, [r for r in rows if r["goal_id"] == name]) for name, title in goals]
        return [each for each in found if each[2]]

    def _context_pages(self) -> None:
        """A page per context indicator, and the register of what the report lists."""
        model = self.model
        near = [model.england, *model.current("cauth"), *model.members(model.lead)]
        by_indicator: dict[str, dict[str, Row]] = {name: {} for name in model.definitions}
        for row in model.tables["context"]:
            by_indicator[row["barometer_id"]][row["area_code"]] = row
        for name, rows in by_indicator.items():
            slug, drawn = f"context-{name.replace('_', '-')}", None
            divided = model.divided(name)
            if divided:
                first = divided[0][2][0]
                unit = f"Figure in {first['unit']}"
                drawn = self.figures.by_group(slug, first["title"], unit, divided)
            cells = _high_first((area, rows[area.code]) for area in near if area.code in rows)
            self._cite(row for _, row in cells)
            self._cite(row for _, _, found in divided for row in found)
            picture = self.figures.context(slug, model.definitions[name], cells)
            for chart in (picture, drawn):
                if chart is not None:
                    self._write_chart(chart, f"{slug}.html")
            self._page(
                f"{slug}.html",
                "context",
                divided=divided,
                drawn=drawn,
                picture=picture,
                definition=model.definitions[name],
                rows=cells,
                held=len(rows),
                editions=self._editions_of(list(rows.values())[:1]),
            )
        self._page("register.html", "register", rows=model.tables["secondary_data"])

    def _grids(self) -> None:
        """Areas by indicators: combined authorities beside each other, and each with associates."""
        authorities = self.model.current("cauth")
        self._page(
            "combined-authorities.html",
            "grid",
            title="All combined authorities on every indicator",
            lede="The latest figure of each, and how it compares with England.",
            groups=[("Combined authorities", self._grid([*authorities, self.model.england]))],
        )
        for area in authorities:
            members, others = self.model.members(area), self.model.associates(area)
            if others:
                self._page(
                    area.wider_page,
                    "grid",
                    title=f"{area.label} with its non-constituent members",
                    lede=f"Non-constituent members have a seat but are not counted in the figure of "
                    f"{area.label}, here or anywhere else in Pulse.",
                    groups=[
                        ("Combined authority", self._grid([area])),
                        ("Constituent members", self._grid(members)),
                        ("Non-constituent members", self._grid(others)),
                    ],
                )
            if area != self.model.lead:
                self._ten_figures(area)

    def _ten_figures(self, area: Area) -> None:
        """The figures of the report's kind for another combined authority."""
        others = [*self.model.current("cauth"), self.model.england]
        near = [area, *self.model.members(area), self.model.england]
        pictures = []
        for name, kind in ((name, kind) for _, names, kind in REPORT_FIGURES for name in names):
            if indicator := self.model.indicators.get(name):
                shown = others if kind == "authorities" else near
                found = [(each, self.model.entry(indicator, each)) for each in shown]
                pictures.append((indicator, kind, found))
        for _, _, found in pictures:
            self._cite(entry.row for _, entry in found)
        cells = [entry.row for _, _, found in pictures for _, entry in found if entry.row]
        source = self.figures.source_line(cells)
        self._page(area.figures_page, "figures", area=area, pictures=pictures, source=source)

    def _report(self) -> None:
        claims = self.model.tables["claims"]
        self._page(
            "report.html",
            "report",
            claims=claims,
            verdicts=sorted(Counter(claim["verdict"] for claim in claims).items()),
            names=CLAIM_VERDICTS,
            charts={name: (chart.alt, chart.title) for name, chart in self.charts.items()},
            others=[area for area in self.model.current("cauth") if area != self.model.lead],
            pictures=[
                (number, [self.model.indicators[each] for each in ids], kind)
                for number, ids, kind in REPORT_FIGURES
                if all(each in self.model.indicators for each in ids)
            ],
        )

    def _quality(self) -> None:
        kinds = grouped(self.model.tables["checks"], "kind")
        shown = {name: self.model.tables[name] for name in ("editions", "gaps")}
        self._page("quality.html", "quality", kinds=sorted(kinds.items()), **shown)

    def _changes_and_calendar(self) -> None:
        tables = self.model.tables
        shown = {name: tables[name] for name in ("changed", "revisions", "releases")}
        self._page("changes.html", "changes", **shown)
        made_at = self.release["made_at"] if self.release else None
        today = made_at.date() if made_at is not None else None
        calendar = calendar_rows(tables["datasets"], tables["editions"], today)
        self._page("calendar.html", "calendar", calendar=calendar)
        if tables["releases"]:
            self._text("feed.xml", feed(tables, f"Pulse: releases, {self.model.lead.label}"))

    def _cite(self, rows: Iterable[Row | None]) -> None:
        """Have the source of figures listed, which pages link to."""
        for row in rows:
            if row is not None and row["provenance_id"] is not None:
                self.sources[row["barometer_id"]][row["provenance_id"]] = row

    def _sources(self) -> None:
        barometers, context = self.model.indicators, self.model.definitions
        pages = [(each.id, each.page, each.short_title) for each in barometers.values()]
        pages += [(name, context_page(name), row["short_title"]) for name, row in context.items()]
        labels = {code: area.label for code, area in self.model.areas.items()}
        for name, page, title in pages:
            figures = self.sources[name].values()
            shown = sorted(
                figures, key=lambda row: (labels[row["area_code"]], row["provenance_id"])
            )
            items = [(row, self.model.provenance.get(row["provenance_id"], [])) for row in shown]
            for row, found in items:
                if not found:
                    raise PulseError(
                        "a figure shown has no source",
                        code="no_source",
                        found=f"{name}, {row['provenance_id']}",
                        expected="a row in marts.provenance",
                        todo="build the warehouse again with `make refresh`",
                    )
            files = _cited(row for _, rows in items for row in rows)
            self._page(
                f"source-{name.replace('_', '-')}.html",
                "source",
                target=page,
                title=title,
                items=items,
                files=files,
                editions={key: self.editions.get(key) for key in files},
            )

    def _files_of_tables(self) -> list[Row]:
        """The published tables with the files beside the pages that hold them."""
        exports, tables = self.folder.parent, []
        for table in self.model.tables["tables"]:
            name = table["table_name"]
            files = (
                ("CSV", f"csv/{name}.csv"),
                ("CSV, compressed", f"csv/{name}.csv.gz"),
                ("Parquet", f"parquet/{name}.parquet"),
            )
            made = [(label, path) for label, path in files if (exports / path).exists()]
            tables.append({**table, "files": made})
        return tables

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
        found = [
            {
                (row["period_end"], row["edition"]): row
                for row in self.model.cells.get((indicator.id, each.code), [])
            }
            for each in areas
        ]
        keys = {key for rows in found for key, row in rows.items() if has_figure(row)}
        return [(key[1], [rows.get(key) for rows in found]) for key in sorted(keys)]

    def _shared_scripts(self) -> None:
        """The list of areas for the search, and each indicator's latest cells for comparing."""
        areas = [[area.code, area.label] for level in LEVELS for area in self.model.current(level)]
        named = f"Pulse, release {self.release['release']}" if self.release else "Pulse"
        self._text(
            "assets/areas.js",
            f"window.pulseAreas={json.dumps(areas, ensure_ascii=False, separators=(',', ':'))};\n"
            f"window.pulseRelease={json.dumps(named)};\n",
        )
        for indicator in self.model.indicators.values():
            cells = {
                area.code: [
                    *(row[name] for name in ("value", "lower_95", "upper_95", "group_label")),
                    *(verdict(row)["label"], row["survives_family"], row["edition_title"]),
                    row["mark"] or "",
                ]
                for level in LEVELS
                for area in self.model.current(level)
                if (row := self.model.latest(indicator, area)) is not None and has_figure(row)
            }
            shown = {"id": indicator.id, "title": indicator.short_title, "unit": indicator.unit}
            text = json.dumps({**shown, "cells": cells}, ensure_ascii=False)
            self._text(f"data/{indicator.slug}.js", f"pulseData({text});\n")
            rows = [
                row
                for (name, _), found in self.model.cells.items()
                if name == indicator.id
                for row in found
                if has_figure(row)
            ]
            self._json(
                f"data/{indicator.slug}.json",
                {
                    "indicator": indicator.id,
                    "title": indicator.title,
                    "unit": indicator.unit,
                    "licence": OGL["path"],
                    "columns": _FIGURE_FIELDS,
                    "figures": [list(_plain(row, _FIGURE_FIELDS).values()) for row in rows],
                },
            )

    # --- files ------------------------------------------------------------------------------------

    def _page(self, name: str, template: str, **context: Any) -> None:
        """A page, made anew only if what it shows or how it is made changed."""
        chosen = f"{template}.html.j2"

        def render() -> bytes:
            made = self.environment.get_template(chosen).render(page=name, **context)
            return made.encode("utf-8")

        self._bytes(name, self.cache.kept(name, key_of(self.key, name, chosen, context), render))

    def _json(self, name: str, content: dict[str, Any]) -> None:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        self._text(name, text + "\n")

    def _text(self, name: str, text: str) -> None:
        self._bytes(name, text.encode("utf-8"))

    def _bytes(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)


def context_page(name: str) -> str:
    """File name of the page of a context indicator."""
    return f"context-{name.replace('_', '-')}.html"


def source_link(row: Row) -> str | None:
    """Address of the source of a figure; the page of sources lists what is linked."""
    if row["provenance_id"] is None:
        return None
    return (
        f"source-{row['barometer_id'].replace('_', '-')}.html#{row['provenance_id'][-KEY_LENGTH:]}"
    )


def _tally(entries: Iterable[Entry]) -> list[tuple[int, str]]:
    """How many barometers have each verdict against England."""
    names = {"–": "not compared", "none": "without a figure"}
    labels = [
        verdict(entry.row)["label"] if has_figure(entry.row) else "none"
        for entry in entries
        if entry.indicator.role != "context" and not entry.indicator.is_index
    ]
    order = [label for _, label in OUTCOMES.values()]
    order.insert(-1, CLOSE)
    return [
        (labels.count(label), names.get(label, label.lower()))
        for label in [*order, *names]
        if label in labels
    ]


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
        cells, key=lambda cell: (cell[1]["value"] is None, -(cell[1]["value"] or 0), cell[0].label)
    )


def _plain(row: Row, fields: Sequence[str] = _CELL_FIELDS) -> Row:
    return {
        name: value.isoformat() if isinstance(value := row[name], date | datetime) else value
        for name in fields
    }


def _table(cells: Iterable[Row]) -> str:
    """The rows behind a page as CSV, each cell once."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _CELL_FIELDS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    key = ("barometer_id", "area_code", "edition", "period_end")
    writer.writerows({tuple(row[name] for name in key): row for row in cells}.values())
    return stream.getvalue()
