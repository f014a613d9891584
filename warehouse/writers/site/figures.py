"""The charts of an indicator: which rows each kind shows, its title and its words."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from warehouse.connection import Row
from warehouse.writers.read import FEWEST, Area, Indicator, Model, has_figure
from warehouse.writers.site import charts, svg
from warehouse.writers.site.cache import Cache, hash_of, key_of
from warehouse.writers.tables import STATEMENT
from warehouse.writers.words import AXES, between, figure, in_unit, interval, period, slash

Cells = Sequence[tuple[Area, Row]]
Divided = Sequence[tuple[Area, str, Sequence[Row]]]
_MAP_WIDTH = 460


@cache
def code_of_charts() -> str:
    """A hash of the code that charts are drawn by, and of the boundaries of the maps."""
    return hash_of([Path(charts.__file__), Path(svg.__file__), charts.BOUNDARIES])


class Figures:
    """Draws the charts of one site, each once."""

    def __init__(self, model: Model, cache: Cache) -> None:
        self.model = model
        self.cache = cache

    def source_line(self, cells: Iterable[Row]) -> str:
        """The attributions of the editions that some figures are from, and the licence."""
        used = {(row["dataset"], row["edition"]) for row in cells if has_figure(row)}
        lines = {line for key in used if (line := self.model.attributions.get(key))}
        return " ".join([*(line.rstrip(".") + "." for line in sorted(lines)), STATEMENT])

    def _chart(
        self,
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

        def drawn(width: int) -> str:
            key = key_of(code_of_charts(), kind, width, rows, options, title, alt)
            return self.cache.kept(
                f"{name}.svg",
                key,
                lambda: svg.finish(charts.draw(kind, width, rows, **options), title, alt).encode(),
            ).decode()

        # A map has hardly any text, so that one serves a phone too.
        wide = drawn(_MAP_WIDTH if kind == "map" else charts.WIDE)
        narrow = wide if kind == "map" else drawn(charts.NARROW)
        return charts.Chart(name, title, subtitle, self.source_line(cells), alt, wide, narrow)

    def png(self, chart: charts.Chart) -> bytes:
        """A chart as a picture with its words inside."""
        made_up = self.model.made_up
        key = key_of(
            code_of_charts(), made_up, chart.wide, chart.title, chart.subtitle, chart.source
        )
        return self.cache.kept(f"{chart.name}.png", key, lambda: chart.png(made_up=made_up))

    def authorities(self, indicator: Indicator, cells: Cells, shown: Row) -> charts.Chart | None:
        """All combined authorities: figures with intervals, or areas in each group of an index."""
        if indicator.is_index:
            return self._group_counts(indicator, shown)
        return self._dots(indicator, "authorities", cells)

    def members(self, indicator: Indicator, cells: Cells, name: str) -> charts.Chart | None:
        """Members of the lead area: figures with intervals, or the group of each."""
        if not indicator.is_index:
            return self._dots(indicator, name, cells)
        found = [(area, row) for area, row in cells if row["group_number"] is not None]
        if not found:
            return None
        groups = self.model.groups_in(indicator, found[0][1])
        return self._chart(
            f"{indicator.slug}-{name}",
            "groups",
            f"{indicator.short_title}: the group of each authority",
            f"{found[0][1]['edition_title']}, years {period(found[0][1])}. A group is a position "
            "among areas of the United Kingdom, not a share.",
            [row for _, row in found],
            in_words(found),
            [
                {
                    "label": area.label,
                    "group_number": row["group_number"],
                    "count": 1,
                    "middle": 0.5,
                    "text": f"{row['group_number']} {row['group_label']}",
                    "ink": _ink(row["group_number"], groups),
                    "words": in_words([(area, row)]),
                }
                for area, row in found
            ],
            groups=groups,
        )

    def _dots(self, indicator: Indicator, name: str, cells: Cells) -> charts.Chart | None:
        with_value = [(area, row) for area, row in cells if row["value"] is not None]
        lead = next((row for area, row in with_value if area == self.model.lead), None)
        shown = lead or (with_value[0][1] if with_value else None)
        if shown is None:
            return None
        return self._chart(
            f"{indicator.slug}-{name}",
            "dots",
            shown["sentence"] if lead else f"{indicator.short_title}, {shown['edition_title']}",
            f"{indicator.measure_words} who {indicator.statement}, {shown['edition_title']}. "
            "Lines are 95% intervals; the dashed line is England.",
            [row for _, row in with_value],
            in_words(with_value),
            [
                _dot(_in_chart(area, row), row, self._part(area), in_words([(area, row)]))
                for area, row in with_value
            ],
            unit=indicator.measure_words,
        )

    def context(self, slug: str, definition: Row, cells: Cells) -> charts.Chart | None:
        """A context indicator in one edition, the lead area's where it has one: dots, intervals."""
        lead = next((row for area, row in cells if area == self.model.lead), None)
        edition = (lead or cells[0][1])["edition"] if cells else None
        shown = [(area, row) for area, row in cells if row["edition"] == edition]
        if len(shown) < 2:
            return None
        words = {area.code: f"{area.label} {in_unit(row)}" for area, row in shown}
        first = shown[0][1]
        return self._chart(
            f"{slug}-areas",
            "dots",
            lead["sentence"] if lead else f"{definition['short_title']}, {first['edition_title']}",
            f"{definition['definition']}, {first['edition_title']}. Lines are 95% intervals, where "
            "they are published; the dashed line is England.",
            [row for _, row in shown],
            "; ".join(words.values()) + ".",
            [_dot(_in_chart(area), row, self._part(area), words[area.code]) for area, row in shown],
            unit=AXES.get(first["unit"], ""),
        )

    def by_group(
        self, slug: str, title: str, unit: str, divided: Divided, everybody: Cells = ()
    ) -> charts.Chart | None:
        """Figures of groups of people with their intervals, beside that of everybody."""
        areas = {area.code for area, _, _ in divided}
        # One area is named once, above the chart; among several each row names its own.
        named = [
            (
                f"{breakdown.capitalize() if len(areas) == 1 else _in_chart(area)}: {row['category']}",
                row,
                "lead" if area == self.model.lead else "other",
            )
            for area, breakdown, rows in divided
            for row in rows
        ]
        named += [("Everybody", row, "england") for _, row in everybody]
        shown = [each for each in named if each[1]["value"] is not None]
        if not shown:
            return None
        kinds = list(dict.fromkeys(breakdown for _, breakdown, _ in divided))
        editions = sorted({row["edition_title"] for _, row, _ in shown})
        line = "; the dashed line is everybody" if everybody else ""
        words = [f"{label} {between(row)}" for label, row, _ in shown]
        return self._chart(
            f"{slug}-by-group",
            "dots",
            f"{title}{f' in {divided[0][0].label}' if len(areas) == 1 else ''} by {', '.join(kinds)}",
            f"{unit}, {', '.join(editions)}. Lines are 95% intervals{line}. No group is tested "
            "against another.",
            [row for _, row, _ in shown],
            "; ".join(words) + ".",
            [
                _dot(label, row, part, said)
                for (label, row, part), said in zip(shown, words, strict=True)
            ],
            unit=unit,
        )

    def _group_counts(self, indicator: Indicator, shown: Row) -> charts.Chart | None:
        rows, groups = [], self.model.groups_in(indicator, shown)
        for area in self.model.current("cauth"):
            position = 0
            for count in self.model.group_counts(indicator, area):
                if not count["areas"]:
                    continue
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
            f"{indicator.slug}-authorities",
            "groups",
            f"{indicator.short_title}: areas in each group, by combined authority",
            f"{shown['edition_title']}, years {period(shown)}. From the least favourable group "
            "(left) to the most favourable (right). An index is never averaged over areas.",
            [shown],
            "; ".join(row["words"] for row in rows) + ".",
            rows,
            groups=groups,
        )

    def everywhere(self, indicator: Indicator, cells: Cells, shown: Row) -> charts.Chart | None:
        """Every English authority as a dot, those of the lead area apart."""
        found = sorted(
            ((row["value"], area) for area, row in cells if row["value"] is not None),
            key=lambda pair: (pair[0], pair[1].code),
        )
        if len(found) < FEWEST:
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
            f"{indicator.slug}-everywhere",
            "strip",
            f"{indicator.short_title}: where {len(found)} English authorities are",
            f"{shown['edition_title']}. One dot per authority; members of "
            f"{self.model.lead.label} in dark blue"
            + ("; the dashed line is England." if not indicator.is_index else "."),
            [row for _, row in cells],
            "Lowest and highest: " + in_words(edges[:8]),
            rows,
            unit=indicator.measure_words,
        )

    def map(self, indicator: Indicator, shown: Row, name: str) -> charts.Chart | None:
        """The authorities of England in the edition and period of a cell."""
        column = "group_number" if indicator.is_index else "value"
        cells = self.model.edition_cells(indicator, self.model.current("lad"), shown)
        rows = [
            {"id": area.code, "value": row[column]}
            for area, row in cells
            if row[column] is not None
        ]
        if len(rows) < FEWEST:
            return None
        return self._chart(
            f"{indicator.slug}-{name}",
            "map",
            f"{indicator.short_title} in each local authority, {shown['edition_title']}"
            + (f", years {period(shown)}" if indicator.is_index else ""),
            "Black outlines are combined authorities; grey areas have no figure of their own.",
            [row for _, row in cells],
            f"Map of {len(rows)} English authorities; the table of all authorities has the figures.",
            rows,
            unit=indicator.measure_words,
            groups=self.model.groups_in(indicator, shown) if indicator.is_index else 0,
        )

    def over_time(self, indicator: Indicator, area: Area) -> charts.Chart | None:
        """An area and England by edition, of a survey; a break is a gap."""
        if indicator.is_index:
            return None
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
                        "words": in_words([(each, row)]),
                    }
                )
        if len({row["order"] for row in rows}) < 2:
            return None
        return self._chart(
            f"{indicator.slug}-over-time",
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

    def _part(self, area: Area) -> str:
        return {self.model.england.code: "england", self.model.lead.code: "lead"}.get(
            area.code, "other"
        )


def in_words(cells: Iterable[tuple[Area, Row]]) -> str:
    """Figures in words, for those who do not see the chart."""
    return "; ".join(
        f"{area.label} {figure(row)}" + (f" ({interval(row)})" if interval(row) else "")
        for area, row in cells
        if has_figure(row)
    )


def _dot(label: str, row: Row, part: str, words: str) -> Row:
    """A row of a chart of dots: a figure with its interval."""
    return {
        "label": label,
        "value": row["value"],
        "lower": row["lower_95"],
        "upper": row["upper_95"],
        "part": part,
        "words": words,
    }


def _in_chart(area: Area, marked: Row | None = None) -> str:
    """The label of an area in a chart, with the mark of its figure."""
    label = area.name if area.level == "cauth" else area.label
    return f"{label} {marked['mark']}" if marked and marked["mark"] else label


def _ink(group: int, groups: int) -> str:
    """Black or white, whichever can be read on the colour of a group."""
    return "white" if group in (1, groups) else "black"
