"""The charts: one Altair template per kind, drawn by vl-convert, in Analysis Function colours.

A template is built once and drawn again with other rows. No chart library runs in the page.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import altair as alt
import vl_convert as vlc

from sources.catalogue import BUNDLED_DIRECTORY
from warehouse.writers.site import svg as drawing

# Analysis Function palettes: focus, categorical, sequential.
LEAD, ENGLAND, OTHER, INK, SOFT = "#12436d", "#801650", "#8a94a0", "#0b0c0c", "#4d5965"
SEQUENTIAL: Final = ("#d4e6f7", "#6bace6", "#2073bc", "#12436d")
GROUPS: Final = {
    5: ("#801650", "#c9738f", "#dde3e8", "#6bace6", "#12436d"),
    7: ("#801650", "#c9738f", "#ecd3dc", "#dde3e8", "#c5ddf2", "#6bace6", "#12436d"),
}
WIDE, NARROW = 640, 340
BOUNDARIES: Final = BUNDLED_DIRECTORY / "boundaries" / "england.topo.json"
_UNIT: Final = "@unit@"

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Chart:
    """A finished chart. ``wide`` and ``narrow`` are SVG for a desk and a phone."""

    name: str
    title: str
    subtitle: str
    source: str
    alt: str
    wide: str
    narrow: str

    @property
    def inline(self) -> bool:
        """Whether it is small enough to be part of a page."""
        return len(self.wide) + len(self.narrow) < 45_000

    def png(self, *, made_up: bool = False) -> bytes:
        """The wide chart with its title, subtitle and source inside, as PNG."""
        return drawing.to_png(
            drawing.framed(self.wide, self.title, self.subtitle, self.source, made_up=made_up)
        )


def draw(kind: str, width: int, rows: Rows, **options: Any) -> str:
    """One chart of a kind as SVG, from its rows (see the template functions)."""
    spec = _template(kind, width, **options)
    spec["datasets"] = {**spec.get("datasets", {}), "rows": list(rows)}
    return str(vlc.vegalite_to_svg(spec))


def _template(kind: str, width: int, *, unit: str = "", groups: int = 0) -> dict[str, Any]:
    text = _template_text(kind, width, groups).replace(json.dumps(_UNIT), json.dumps(unit))
    spec: dict[str, Any] = json.loads(text)
    if kind == "map":
        # Vega wants a name of its own for each layer read from the same file.
        spec["datasets"] = {"boundaries": _boundaries(), "outlines": _boundaries()}
    return spec


@cache
def _template_text(kind: str, width: int, groups: int) -> str:
    chart = _KINDS[kind](width, groups)
    # Room for the last label of an axis, half of which lies beyond it.
    room = {"left": 14, "right": 26, "top": 14, "bottom": 14}
    chart = chart.configure(font=drawing.FONT, background="white", padding=room)
    chart = chart.configure_view(stroke=None)
    chart = chart.configure_axis(
        labelFontSize=13 if width > NARROW else 14,
        titleFontSize=13,
        titleFontWeight="normal",
        labelColor=INK,
        titleColor=SOFT,
        gridColor="#e3e7eb",
        domainColor="#8a94a0",
        tickColor="#8a94a0",
        labelLimit=0,
        titleLimit=0,
        labelFlush=False,
    ).configure_legend(
        labelFontSize=13, titleFontSize=13, labelLimit=0, titleLimit=0, titleFontWeight="normal"
    )
    return json.dumps(chart.to_dict(validate=False))


def _rows() -> alt.NamedData:
    return alt.NamedData(name="rows")


_COLOUR = alt.Color(
    "part:N",
    scale=alt.Scale(domain=["lead", "england", "other"], range=[LEAD, ENGLAND, OTHER]),
    legend=None,
)
_LABELS = alt.Y(
    "label:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8)
)


def _england() -> Any:
    """A dashed line through the figure of England."""
    chart = alt.Chart(_rows()).transform_filter("datum.part == 'england'")
    return chart.mark_rule(color=ENGLAND, strokeDash=[5, 4], aria=False).encode(x="value:Q")


def _dots(width: int, _: int) -> Any:
    """Rows: label, value, lower, upper, part (lead, england, other), words. One line per row."""
    plot = max(width - 250, 140)
    x = alt.X("value:Q", title=_UNIT, scale=alt.Scale(zero=False, nice=True, padding=12))
    base = alt.Chart(_rows()).encode(y=_LABELS)
    line = base.mark_rule(strokeWidth=2.5, aria=False).encode(
        x=alt.X("lower:Q", title=_UNIT), x2="upper:Q", color=_COLOUR
    )
    dot = base.mark_circle(size=95, opacity=1).encode(x=x, color=_COLOUR, description="words:N")
    return alt.layer(_england(), line, dot).properties(width=plot, height=alt.Step(25))


def _trend(width: int, _: int) -> Any:
    """Rows: period, order, value, lower, upper, series, part, run, words. No line joins two runs."""
    plot = max(width - 150, 240)
    x = alt.X(
        "period:N",
        sort=alt.EncodingSortField("order"),
        title=None,
        axis=alt.Axis(labelAngle=0 if width > NARROW else -45, labelOverlap=True),
    )
    y = alt.Y("value:Q", title=_UNIT, scale=alt.Scale(zero=False, nice=True, padding=10))
    base = alt.Chart(_rows()).encode(x=x, color=_COLOUR)
    band = base.mark_rule(strokeWidth=6, opacity=0.28, aria=False).encode(
        y=alt.Y("lower:Q", title=_UNIT), y2="upper:Q"
    )
    line = base.mark_line(strokeWidth=2.5, aria=False).encode(y=y, detail=["series:N", "run:N"])
    dot = base.mark_circle(size=70, opacity=1).encode(y=y, description="words:N")
    name = (
        base.transform_filter("datum.last")
        .mark_text(align="left", dx=9, fontSize=13, aria=False)
        .encode(y=y, text="series:N")
    )
    return alt.layer(band, line, dot, name).properties(width=plot, height=230)


def _strip(width: int, _: int) -> Any:
    """Rows: value, part (lead, england, other), stack, words. Every authority as a dot."""
    x = alt.X("value:Q", title=_UNIT, scale=alt.Scale(zero=False, nice=True, padding=8))
    y = alt.Y("stack:Q", axis=None, scale=alt.Scale(zero=True, padding=6))
    dots = (
        alt.Chart(_rows())
        .transform_filter("datum.part != 'england'")
        .mark_circle(opacity=1, aria=False)
        .encode(
            x=x,
            y=y,
            color=_COLOUR,
            size=alt.Size(
                "part:N", scale=alt.Scale(domain=["lead", "other"], range=[80, 26]), legend=None
            ),
        )
    )
    return alt.layer(_england(), dots).properties(width=width - 30, height=130)


def _by_group(column: str, groups: int) -> Any:
    scale = alt.Scale(domain=list(range(1, groups + 1)), range=list(GROUPS[groups]))
    return alt.Color(column, scale=scale, legend=None)


def _groups(width: int, groups: int) -> Any:
    """Rows: label, group_number, group_label, count, order. Stacked counts or one box per area."""
    plot = max(width - 250, 150)
    bars = (
        alt.Chart(_rows())
        .mark_bar(stroke="white", strokeWidth=2)
        .encode(
            y=_LABELS,
            x=alt.X("count:Q", title=None, axis=None, stack="zero"),
            order="group_number:Q",
            color=_by_group("group_number:O", groups),
            description="words:N",
        )
    )
    numbers = (
        alt.Chart(_rows())
        .mark_text(fontSize=13, aria=False)
        .encode(
            y=_LABELS,
            x=alt.X("middle:Q", axis=None),
            text="text:N",
            color=alt.Color("ink:N", scale=None),
        )
    )
    return alt.layer(bars, numbers).properties(width=plot, height=alt.Step(27))


def _map(width: int, groups: int) -> Any:
    """Rows: id (area code), value or group_number, words. English authorities."""
    height = round(width * 1.12)
    values = alt.Chart(
        alt.NamedData(name="boundaries", format=alt.TopoDataFormat(type="topojson", feature="lad"))
    ).transform_lookup(
        lookup="id", from_=alt.LookupData(data=_rows(), key="id", fields=["value", "words"])
    )
    if groups:
        colour = _by_group("value:O", groups)
    else:
        colour = alt.Color(
            "value:Q",
            scale=alt.Scale(type="quantile", range=list(SEQUENTIAL)),
            legend=alt.Legend(title=_UNIT, orient="top-left", format=".0f"),
        )
    shapes = values.mark_geoshape(stroke="white", strokeWidth=0.3, aria=False).encode(
        color=alt.condition("isValid(datum.value)", colour, alt.value("#eceff1"))
    )
    outlines = alt.Chart(
        alt.NamedData(name="outlines", format=alt.TopoDataFormat(type="topojson", feature="ca"))
    ).mark_geoshape(filled=False, stroke="#0b0c0c", strokeWidth=0.9, aria=False)
    return (
        alt.layer(shapes, outlines)
        .project(type="identity", reflectY=True)
        .properties(width=width - 10, height=height)
    )


_KINDS: Mapping[str, Callable[..., Any]] = {
    "dots": _dots,
    "trend": _trend,
    "strip": _strip,
    "groups": _groups,
    "map": _map,
}


@cache
def _boundaries() -> dict[str, Any]:
    boundaries: dict[str, Any] = json.loads(BOUNDARIES.read_text(encoding="utf-8"))
    return boundaries
