"""Pictures as SVG text: dots with their intervals, groups as labelled boxes, time with its gaps.

Written by hand rather than by a plotting library: a picture is a few thousand characters, the
same bytes every time, and carries its title, source and description. Each is drawn for a width:
``WIDE`` for desks and print, ``NARROW`` for phones, where labels stand above their line. Meaning is
in shapes and labels; colour only repeats it. Colours are those of the Analysis Function palette.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from warehouse.writers.site.model import Cell, Change, Range
from warehouse.writers.site.sentences import (
    figure,
    half_up,
    interval,
    percent,
    short_reason,
    verdict_kind,
)

WIDE = 760
NARROW = 360

BLUE = "#12436D"
PLUM = "#801650"
INK = "#1d2630"
GREY = "#54606b"
RULE = "#d5dae0"
PALE = "#e6ecf2"

SYNTHETIC = "Made-up figures, for demonstration only"
_FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
_STYLE = (
    f"text{{font-family:{_FONT};font-size:14px;fill:{INK}}}"
    ".h{font-size:19px;font-weight:700}.s{fill:#54606b}.f{font-size:12px;fill:#54606b}"
    ".k{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}"
    ".b{font-weight:700}.w{fill:#fff;font-weight:700}.m{text-anchor:middle}.e{text-anchor:end}"
    f".i{{stroke:{GREY};stroke-width:2}}.ib{{stroke:{BLUE};stroke-width:3}}"
    f".g{{stroke:{RULE};stroke-width:1}}.r{{stroke:{GREY};stroke-width:1.5;stroke-dasharray:5 4}}"
    f".o{{fill:{GREY}}}.l{{fill:{BLUE}}}.n{{fill:#fff;stroke:{GREY};stroke-width:2}}"
    f".ln{{fill:#fff;stroke:{BLUE};stroke-width:2.5}}.x{{fill:#fff;stroke:{GREY};stroke-width:1}}"
)

_LEGEND = {
    "higher": "higher than England",
    "similar": "similar to England",
    "lower": "lower than England",
    "close": "too close to call",
    "none": "not compared",
}


@dataclass(frozen=True)
class Picture:
    """An SVG file and the words that stand for it."""

    svg: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Frame:
    """What every picture carries around its drawing."""

    title: str
    subtitle: str
    source: str
    description: str
    synthetic: bool = False


def text_width(text: str, size: float = 14) -> float:
    """Width of a text in Arial, near enough to place things by, in user units."""
    narrow = sum(1 for c in text if c in "iljtfrI.,:;'’|()[] ")
    wide = sum(1 for c in text if c in "mwMW%—")
    return size * (0.55 * (len(text) - narrow - wide) + 0.3 * narrow + 0.88 * wide)


def wrapped(text: str, width: float, size: float = 14, bold: bool = False) -> list[str]:
    """A text in lines no wider than ``width`` user units."""
    limit = width / (1.07 if bold else 1.0)
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= limit:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _n(number: float) -> str:
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _text(x: float, y: float, text: str, style: str = "", size: int | None = None) -> str:
    kind = f' class="{style}"' if style else ""
    sized = f' style="font-size:{size}px"' if size else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{kind}{sized}>{escape(text, quote=False)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" class="{style}" fill="none"/>'


def _marker(x: float, y: float, kind: str, style: str, size: float = 6.5) -> str:
    """A shape for a verdict: up, down, round, diamond, hollow round; England is a square."""
    s = size
    if kind == "higher":
        path = f"M{_n(x)} {_n(y - s)}l{_n(s)} {_n(1.8 * s)}h{_n(-2 * s)}z"
    elif kind == "lower":
        path = f"M{_n(x)} {_n(y + s)}l{_n(s)} {_n(-1.8 * s)}h{_n(-2 * s)}z"
    elif kind == "close":
        path = f"M{_n(x)} {_n(y - s)}l{_n(s)} {_n(s)}l{_n(-s)} {_n(s)}l{_n(-s)} {_n(-s)}z"
    elif kind == "england":
        path = f"M{_n(x - s + 1)} {_n(y - s + 1)}h{_n(2 * s - 2)}v{_n(2 * s - 2)}h{_n(2 - 2 * s)}z"
    else:
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(s - 1)}" class="{style}"/>'
    return f'<path d="{path}" class="{style}"/>'


def _style_of(kind: str, lead: bool) -> str:
    if kind in ("none", "england"):
        return "ln" if lead else "n"
    return "l" if lead else "o"


def _framed(frame: Frame, width: int, draw: Callable[[float], tuple[list[str], float]]) -> Picture:
    """Put title, source, description and, if need be, the watermark around a drawing.

    ``draw`` is given the height at which it may begin and returns its parts and where it ended.
    """
    margin = 8
    inner = width - 2 * margin
    parts: list[str] = []
    y = 26.0
    for line in wrapped(frame.title, inner, 19, bold=True):
        parts.append(_text(margin, y, line, "h"))
        y += 24
    for line in wrapped(frame.subtitle, inner, 14):
        parts.append(_text(margin, y, line, "s"))
        y += 19
    if frame.synthetic:
        parts.append(_text(margin, y, SYNTHETIC + ".", "b"))
        y += 19
    drawn, y = draw(y + 8)
    parts += drawn
    y += 16
    for line in wrapped(frame.source, inner, 12):
        parts.append(_text(margin, y, line, "f"))
        y += 16
    height = half_up(y)
    mark = ""
    if frame.synthetic:
        mark = "".join(
            f'<text x="{_n(width / 2)}" y="{_n(at)}" class="m b" '
            f'transform="rotate(-18 {_n(width / 2)} {_n(at)})" '
            f'style="font-size:{_n(width / 14)}px;opacity:.16">MADE-UP FIGURES</text>'
            for at in _every(height / 2 if height < 420 else 200, 260, height)
        )
    described = f"{frame.subtitle} {frame.description}"
    if frame.synthetic:
        described = f"{SYNTHETIC}. {described}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="t d" lang="en-GB">'
        f'<title id="t">{escape(frame.title, quote=False)}</title>'
        f'<desc id="d">{escape(described, quote=False)}</desc>'
        f"<style>{_STYLE}</style>"
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        + "".join(parts)
        + mark
        + "</svg>\n"
    )
    return Picture(svg, f"{frame.title}. {described}", width, height)


def _every(start: float, step: float, end: float) -> list[float]:
    found = []
    while start < end:
        found.append(start)
        start += step
    return found


@dataclass(frozen=True)
class Scale:
    """A stretch of percents laid over a stretch of the picture."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """Where a value stands."""
        share = (value - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    @property
    def ticks(self) -> list[int]:
        """Round percents, four to seven of them."""
        span = self.high - self.low
        step = next(s for s in (2, 5, 10, 20, 25) if span / s <= 6)
        return list(range(int(self.low), int(self.high) + 1, step))


def limits(cells: Sequence[Cell]) -> tuple[float, float]:
    """The stretch of percents that holds all figures and intervals, in steps of ten points."""
    found = [
        value
        for cell in cells
        for value in (cell.value, cell.lower, cell.upper)
        if value is not None and cell.value is not None
    ]
    if not found:
        return (0.0, 100.0)
    low = max(0, int((min(found) - 1) // 10) * 10)
    high = min(100, -int(-(max(found) + 1) // 10) * 10)
    if high - low < 20:
        low, high = (max(0, low - 10), high) if high >= 90 else (low, high + 10)
    return (float(low), float(high))


def scale_words(cells: Sequence[Cell]) -> str:
    """How far the scale runs, for the subtitle."""
    low, high = limits(cells)
    return f"Scale from {int(low)}% to {int(high)}%."


def dot_plot(
    frame: Frame,
    cells: Sequence[Cell],
    *,
    england: Cell | None,
    lead_code: str,
    polarity: str,
    width: int = WIDE,
    names: Sequence[str] | None = None,
) -> Picture:
    """One row an area: marker at the figure, line for its 95% interval, value printed.

    ``names`` gives the rows other labels than the areas' own.
    """
    every = [*cells] + ([england] if england is not None else [])
    low, high = limits(every)
    narrow = width < 500
    has_scale = any(cell.value is not None for cell in every)
    has_line = england is not None and england.value is not None

    def draw(top: float) -> tuple[list[str], float]:
        parts: list[str] = []
        y = top
        kinds = [
            verdict_kind(cell.verdict, polarity)
            for cell in cells
            if cell.value is not None and cell.area.level != "nation"
        ]
        entries = [(kind, words) for kind, words in _LEGEND.items() if kind in kinds]
        if any(cell.area.level == "nation" and cell.value is not None for cell in cells):
            entries.append(("england", "England"))
        if entries:
            x = 14.0
            for kind, words in entries:
                wide = text_width(words) + 34
                if x + wide > width:
                    x = 14.0
                    y += 21
                parts.append(_marker(x, y + 4, kind, _style_of(kind, False)))
                parts.append(_text(x + 12, y + 9, words))
                x += wide
            y += 30
        if narrow:
            scale = Scale(low, high, 12, width - 12)
        else:
            labels = list(names) if names is not None else [cell.area.label for cell in cells]
            left = min(300.0, 24 + max((text_width(label) * 1.06 for label in labels), default=120))
            scale = Scale(low, high, left, width - 142)
        begin = y
        rows: list[str] = []
        y += 22 if has_scale else 4
        step = 48 if narrow else 27
        without: dict[str, list[str]] = {}
        for position, cell in enumerate(cells):
            lead = cell.area.code == lead_code
            label = names[position] if names is not None else cell.area.label
            middle = y + (33 if narrow else 12)
            if cell.value is None:
                without.setdefault(short_reason(cell), []).append(label)
                continue
            rows.append(_text(8, y + (14 if narrow else 17), label, "k b" if lead else "k"))
            limit = interval(cell).replace("%", "")
            rows.append(
                _text(
                    width - 8,
                    y + (14 if narrow else 17),
                    f"{percent(cell.value)}" + (f" ({limit})" if limit else ""),
                    "k e b" if lead else "k e",
                )
            )
            if cell.lower is not None and cell.upper is not None:
                a, b = scale.at(cell.lower), scale.at(cell.upper)
                style = "ib" if lead else "i"
                rows.append(_line(a, middle, b, middle, style))
                rows.append(_line(a, middle - 4, a, middle + 4, style))
                rows.append(_line(b, middle - 4, b, middle + 4, style))
            kind = (
                "england" if cell.area.level == "nation" else verdict_kind(cell.verdict, polarity)
            )
            rows.append(
                _marker(
                    scale.at(cell.value), middle, kind, _style_of(kind, lead), 7.5 if lead else 6.5
                )
            )
            y += step
        if has_scale:
            for tick in scale.ticks:
                x = scale.at(tick)
                parts.append(_line(x, begin + 16, x, y, "g"))
                anchor = "m" if scale.left + 8 < x < scale.right - 8 or not narrow else ""
                anchor = "e" if narrow and x >= scale.right - 8 else anchor
                parts.append(_text(x, begin + 11, f"{tick}%", f"f {anchor}".strip()))
            if has_line:
                assert england is not None
                assert england.value is not None
                x = scale.at(england.value)
                parts.append(_line(x, begin + 16, x, y, "r"))
        noted, y = _without(without, y, width)
        return parts + rows + noted, y

    return _framed(frame, width, draw)


def _without(found: Mapping[str, Sequence[str]], y: float, width: int) -> tuple[list[str], float]:
    """Rows that have no figure, named with the reason, below the drawing."""
    parts = []
    for reason in sorted(found):
        y += 6
        for line in wrapped(f"No figure, {reason}: {', '.join(found[reason])}.", width - 16):
            y += 18
            parts.append(_text(8, y, line))
    return parts, y


def group_boxes(
    frame: Frame,
    cells: Sequence[Cell],
    groups: Sequence[tuple[int, str]],
    *,
    width: int = WIDE,
) -> Picture:
    """One row an area, one box a group; the area's box is filled and its group named."""
    narrow = width < 500

    def draw(top: float) -> tuple[list[str], float]:
        parts: list[str] = []
        number = max(len(groups), 1)
        widest = max((text_width(cell.area.label) for cell in cells), default=0.0)
        left = 8.0 if narrow else min(260.0, max(160.0, 26 + widest))
        right = width - 8.0 if narrow else width - 190.0
        pitch = (right - left) / number
        y = top
        if groups:
            ends = (f"1 {groups[0][1]}", f"{groups[-1][0]} {groups[-1][1]}")
            parts.append(_text(left, y + 10, ends[0], "f"))
            parts.append(_text(right, y + 10, ends[1], "f e"))
            y += 18
        for cell in cells:
            box = y + (22 if narrow else 3)
            parts.append(_text(8, y + (15 if narrow else 19), cell.area.label))
            if cell.group_number is None or not groups:
                parts.append(
                    _text(
                        width - 8 if narrow else left,
                        y + (15 if narrow else 19),
                        short_reason(cell),
                        "s e" if narrow else "s",
                    )
                )
            else:
                said = f"{cell.group_number} {cell.group_label}"
                parts.append(_text(width - 8, y + (15 if narrow else 19), said, "b e"))
                for position, (group, _) in enumerate(groups):
                    x = left + position * pitch
                    here = group == cell.group_number
                    parts.append(
                        f'<rect x="{_n(x + 2)}" y="{_n(box)}" width="{_n(pitch - 4)}" height="22" '
                        f'rx="2" class="{"l" if here else "x"}"/>'
                    )
                    parts.append(
                        _text(x + pitch / 2, box + 16, str(group), "w m" if here else "s m")
                    )
            y += 54 if narrow else 31
        return parts, y

    return _framed(frame, width, draw)


def group_table(
    frame: Frame,
    rows: Sequence[tuple[str, Sequence[Cell | None]]],
    columns: Sequence[str],
    groups: Sequence[Sequence[tuple[int, str]]],
    *,
    breaks: Sequence[int] = (),
    width: int = WIDE,
) -> Picture:
    """Groups of several indices or periods side by side: an area a row.

    ``groups`` has the groups of each column, ``breaks`` the columns in front of which the series
    breaks, drawn as a gap marked ``[b]``.
    """
    narrow = width < 500

    def pips(
        x: float, y: float, pitch: float, cell: Cell, of: Sequence[tuple[int, str]]
    ) -> list[str]:
        return [
            f'<rect x="{_n(x + position * pitch)}" y="{_n(y)}" width="{_n(pitch - 2)}" height="8" '
            f'class="{"l" if group == cell.group_number else "x"}"/>'
            for position, (group, _) in enumerate(of)
        ]

    def draw_wide(top: float) -> tuple[list[str], float]:
        parts: list[str] = []
        gap = 30.0
        left = min(240.0, max(132.0, 24 + max((text_width(n) for n, _ in rows), default=0.0)))
        pitch = (width - left - gap * len(breaks)) / max(len(columns), 1)
        starts = [
            left + position * pitch + gap * sum(1 for at in breaks if at <= position)
            for position in range(len(columns))
        ]
        heads = [wrapped(column, pitch - 8, 14, bold=True) for column in columns]
        deepest = max((len(head) for head in heads), default=0)
        y = top + 14
        for start, head in zip(starts, heads, strict=True):
            for line, words in enumerate(head):
                parts.append(_text(start, y + (deepest - len(head) + line) * 17, words, "b"))
        y += deepest * 17 - 4
        first = y
        for name, cells in rows:
            parts.append(_line(0, y, width, y, "g"))
            parts.append(_text(8, y + 24, name))
            for start, cell, of in zip(starts, cells, groups, strict=True):
                if cell is None or cell.group_number is None:
                    parts.append(_text(start, y + 24, "no figure", "s"))
                    continue
                parts += pips(start, y + 7, min(14.0, (pitch - 14) / max(len(of), 1)), cell, of)
                said = f"{cell.group_number} {cell.group_label}"
                size = 13 if text_width(said, 13) < pitch - 4 else 11
                parts.append(_text(start, y + 32, said, "", size))
            y += 42
        for at in breaks:
            x = starts[at] - gap / 2 - 4
            parts.append(_text(x, first - 6, "[b]", "f m b"))
            parts.append(_line(x, first, x, y, "r"))
        return parts, y

    def draw_narrow(top: float) -> tuple[list[str], float]:
        parts: list[str] = []
        y = top
        for name, cells in rows:
            parts.append(_line(0, y, width, y, "g"))
            y += 22
            parts.append(_text(8, y, name, "b"))
            for position, (column, cell, of) in enumerate(zip(columns, cells, groups, strict=True)):
                if position in breaks:
                    y += 22
                    parts.append(_text(8, y, "[b] break in the series", "f b"))
                for line in wrapped(column, width - 16, 13):
                    y += 20
                    parts.append(_text(8, y, line, "s", 13))
                said = (
                    "no figure"
                    if cell is None or cell.group_number is None
                    else f"{cell.group_number} {cell.group_label}"
                )
                if text_width(column, 13) + text_width(said, 13) > width - 30:
                    y += 18
                parts.append(_text(width - 8, y, said, "e", 13))
                y += 6
                if cell is not None and cell.group_number is not None:
                    parts += pips(8, y, (width - 16) / max(len(of), 1), cell, of)
                    y += 10
            y += 14
        return parts, y

    return _framed(frame, width, draw_narrow if narrow else draw_wide)


def count_table(
    frame: Frame,
    rows: Sequence[tuple[str, bool, dict[str, int]]],
    groups: Sequence[tuple[int, str]],
    *,
    width: int = WIDE,
) -> Picture:
    """How many authorities of each area are in each group: numbers in labelled boxes.

    A row is a name, whether it is the lead area, and the count of each label.
    """
    narrow = width < 500

    def draw(top: float) -> tuple[list[str], float]:
        parts: list[str] = []
        left = 8.0 if narrow else 282.0
        pitch = (width - 8 - left) / max(len(groups), 1)
        y = top + 10
        if narrow:
            for words in wrapped(
                "Groups, left to right: " + ", ".join(f"{n} {label}" for n, label in groups),
                width - 16,
                12,
            ):
                parts.append(_text(8, y, words, "f"))
                y += 16
        else:
            heads = [wrapped(f"{n} {label}", pitch - 4, 12) for n, label in groups]
            deepest = max((len(head) for head in heads), default=0)
            for position, head in enumerate(heads):
                for line, words in enumerate(head):
                    parts.append(
                        _text(
                            left + (position + 0.5) * pitch,
                            y + (deepest - len(head) + line) * 14,
                            words,
                            "f m",
                        )
                    )
            y += deepest * 14 - 4
        for name, lead, counts in rows:
            box = y + (20 if narrow else 3)
            parts.append(_text(8, y + (14 if narrow else 19), name, "b" if lead else ""))
            for position, (_, label) in enumerate(groups):
                number = counts.get(label, 0)
                x = left + position * pitch
                fill = BLUE if number and lead else (PALE if number else "#fff")
                parts.append(
                    f'<rect x="{_n(x + 2)}" y="{_n(box)}" width="{_n(pitch - 4)}" height="22" rx="2" '
                    f'fill="{fill}" stroke="{GREY if number else RULE}"/>'
                )
                style = "w m" if number and lead else ("b m" if number else "s m")
                parts.append(_text(x + pitch / 2, box + 16, str(number), style))
            y += 52 if narrow else 31
        return parts, y

    return _framed(frame, width, draw)


@dataclass(frozen=True)
class Series:
    """The figures of one area over the editions, ``None`` where there is no row."""

    name: str
    cells: tuple[Cell | None, ...]
    lead: bool


def trend(
    frame: Frame,
    editions: Sequence[str],
    series: Sequence[Series],
    breaks: Sequence[Change | None],
    *,
    width: int = WIDE,
) -> Picture:
    """Figures by edition with intervals; no line crosses a break, which is marked ``[b]``.

    ``breaks[i]`` is the break between edition ``i`` and ``i + 1``, if one is registered.
    """
    narrow = width < 500
    shown = [cell for one in series for cell in one.cells if cell is not None]
    low, high = limits(shown)
    with_value = any(cell.value is not None for cell in shown)

    def draw(top: float) -> tuple[list[str], float]:
        parts: list[str] = []
        height = 240.0
        left, right = 46.0, width - 12.0
        y = top
        x = 16.0
        for one in series:
            parts.append(
                _marker(x, y + 5, "similar" if one.lead else "england", "l" if one.lead else "n")
            )
            if narrow and x > 20:
                pass
            parts.append(_text(x + 12, y + 10, one.name, "b" if one.lead else ""))
            if narrow:
                y += 21
            else:
                x += text_width(one.name) * 1.08 + 44
        y += 12 if narrow else 30
        begin, end = y + 6, y + 6 + height
        scale = Scale(low, high, end, begin)
        for tick in scale.ticks if with_value else []:
            parts.append(_line(left, scale.at(tick), right, scale.at(tick), "g"))
            parts.append(_text(left - 6, scale.at(tick) + 4, f"{tick}%", "f e"))
        pitch = (right - left) / len(editions)
        at = [left + (position + 0.5) * pitch for position in range(len(editions))]
        for position, edition in enumerate(editions):
            parts.append(_text(at[position], end + 22, edition, "m"))
            found = [one.cells[position] for one in series]
            if not any(cell is not None and cell.value is not None for cell in found):
                parts.append(_text(at[position], end - 12, "no figure", "s m"))
        for position, change in enumerate(breaks):
            if change is None:
                continue
            middle = (at[position] + at[position + 1]) / 2
            parts.append(
                f'<rect x="{_n(middle - 14)}" y="{_n(begin)}" width="28" height="{_n(height)}" '
                f'fill="#fff"/>'
            )
            parts.append(_line(middle, begin + 18, middle, end, "r"))
            parts.append(_text(middle, begin + 12, "[b]", "b m"))
        for one in series:
            shift = (-9.0 if one.lead else 9.0) if len(series) > 1 else 0.0
            style = "ib" if one.lead else "i"
            for position, cell in enumerate(one.cells):
                if cell is None or cell.value is None:
                    continue
                x, value = at[position] + shift, scale.at(cell.value)
                later = one.cells[position + 1] if position + 1 < len(one.cells) else None
                if later is not None and later.value is not None and breaks[position] is None:
                    parts.append(
                        _line(x, value, at[position + 1] + shift, scale.at(later.value), style)
                    )
                if cell.lower is not None and cell.upper is not None:
                    for limit in (cell.lower, cell.upper):
                        parts.append(_line(x - 5, scale.at(limit), x + 5, scale.at(limit), style))
                    parts.append(_line(x, scale.at(cell.lower), x, scale.at(cell.upper), style))
                parts.append(
                    _marker(
                        x, value, "similar" if one.lead else "england", "l" if one.lead else "n"
                    )
                )
                parts.append(
                    _text(
                        x + (-12 if one.lead else 12),
                        value + 5,
                        percent(cell.value),
                        "e b" if one.lead else "",
                    )
                )
        return parts, end + 30

    return _framed(frame, width, draw)


def spine(
    frame: Frame,
    rows: Sequence[tuple[str, str, Cell, Cell | None, Range | None]],
    *,
    width: int = WIDE,
) -> Picture:
    """An area on every survey barometer, on one scale from 0% to 100%.

    A row is a name, a polarity, the area's cell, England's, and where English authorities lie: the
    thin line from the lowest to the highest, the thick one over the middle half.
    """
    narrow = width < 500

    def draw(top: float) -> tuple[list[str], float]:
        parts: list[str] = []
        y = top
        entries = [*_LEGEND.items(), ("england", "England")]
        kinds = {
            verdict_kind(cell.verdict, polarity)
            for _, polarity, cell, _, _ in rows
            if cell.value is not None
        }
        x = 14.0
        for kind, words in entries:
            if kind != "england" and kind not in kinds:
                continue
            wide = text_width(words) + 34
            if x + wide > width:
                x, y = 14.0, y + 21
            parts.append(_marker(x, y + 4, kind, _style_of(kind, kind != "england")))
            parts.append(_text(x + 12, y + 9, words))
            x += wide
        wide = text_width("English authorities") + 60
        if x + wide > width:
            x, y = 14.0, y + 21
        parts.append(f'<rect x="{_n(x - 6)}" y="{_n(y + 3)}" width="34" height="3" fill="{RULE}"/>')
        parts.append(f'<rect x="{_n(x + 3)}" y="{_n(y)}" width="16" height="9" fill="#a9b8c6"/>')
        parts.append(_text(x + 34, y + 9, "English authorities, middle half"))
        y += 30
        left, right = (12.0, width - 12.0) if narrow else (262.0, width - 130.0)
        scale = Scale(0, 100, left, right)
        begin = y
        y += 22
        body: list[str] = []
        without: dict[str, list[str]] = {}
        for name, polarity, cell, england, found in rows:
            middle = y + (34 if narrow else 13)
            if cell.value is None:
                without.setdefault(short_reason(cell), []).append(name)
                continue
            body.append(_text(8, y + (15 if narrow else 18), name, "k"))
            if found is not None:
                low, high = scale.at(found.lowest.value or 0), scale.at(found.highest.value or 0)
                q1 = scale.at(found.lower_quartile.value or 0)
                q3 = scale.at(found.upper_quartile.value or 0)
                body.append(
                    f'<rect x="{_n(low)}" y="{_n(middle - 1.5)}" width="{_n(high - low)}" height="3" fill="{RULE}"/>'
                    f'<rect x="{_n(q1)}" y="{_n(middle - 5)}" width="{_n(q3 - q1)}" height="10" fill="#a9b8c6"/>'
                )
            if england is not None and england.value is not None:
                body.append(_marker(scale.at(england.value), middle, "england", "n"))
            if cell.lower is not None and cell.upper is not None:
                body.append(_line(scale.at(cell.lower), middle, scale.at(cell.upper), middle, "ib"))
            kind = verdict_kind(cell.verdict, polarity)
            body.append(_marker(scale.at(cell.value), middle, kind, _style_of(kind, True), 7))
            limit = interval(cell).replace("%", "")
            body.append(
                _text(
                    width - 8,
                    y + (15 if narrow else 18),
                    percent(cell.value) + (f" ({limit})" if limit else ""),
                    "e b",
                )
            )
            y += 48 if narrow else 30
        for tick in (0, 20, 40, 60, 80, 100):
            x = scale.at(tick)
            parts.append(_line(x, begin + 16, x, y, "g"))
            anchor = "" if narrow and tick == 0 else ("e" if narrow and tick == 100 else "m")
            parts.append(_text(x, begin + 11, f"{tick}%", f"f {anchor}".strip()))
        noted, y = _without(without, y, width)
        return parts + body + noted, y

    return _framed(frame, width, draw)


def strip(cell: Cell, england: Cell | None, polarity: str) -> str:
    """A strip from 0% to 100% with an area and England on it, for beside a number.

    It repeats what the text next to it says, so it is hidden from assistive technology.
    """
    if cell.value is None or cell.unit != "percent":
        return ""
    scale = Scale(0, 100, 8, 292)
    kind = verdict_kind(cell.verdict, polarity)
    parts = [
        '<svg class="strip" viewBox="0 0 300 34" aria-hidden="true" focusable="false">',
        f'<path d="M8 12H292" stroke="{RULE}" stroke-width="6"/>',
    ]
    if cell.lower is not None and cell.upper is not None:
        parts.append(
            f'<path d="M{_n(scale.at(cell.lower))} 12H{_n(scale.at(cell.upper))}" '
            f'stroke="{BLUE}" stroke-width="6" opacity=".45"/>'
        )
    if england is not None and england.value is not None:
        x = scale.at(england.value)
        parts.append(f'<path d="M{_n(x)} 3V21" stroke="{INK}" stroke-width="2.5"/>')
    x = scale.at(cell.value)
    shape = _marker(x, 12, kind, "", 7)
    fill = f'fill="#fff" stroke="{BLUE}" stroke-width="2.5"' if kind == "none" else f'fill="{BLUE}"'
    parts.append(shape.replace('class=""', fill))
    parts.append('<text x="8" y="32">0%</text><text x="292" y="32" text-anchor="end">100%</text>')
    return "".join(parts) + "</svg>"


def describe_groups(cells: Sequence[Cell]) -> str:
    """Groups in words, for those who do not see the picture."""
    return "; ".join(f"{cell.area.label}: {figure(cell)}" for cell in cells) + "." if cells else ""


def to_png(svg: str) -> bytes:
    """The picture as PNG at twice its size."""
    import vl_convert

    return _denser(bytes(vl_convert.svg_to_png(svg, scale=2)))


def _denser(png: bytes) -> bytes:
    """The same picture with its data deflated harder: a quarter of the size."""
    found: list[tuple[bytes, bytes]] = []
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    data = zlib.compress(
        zlib.decompress(b"".join(body for kind, body in found if kind == b"IDAT")), 6
    )
    before = [chunk for chunk in found if chunk[0] not in (b"IDAT", b"IEND")]
    parts = [png[:8]]
    for kind, body in [*before, (b"IDAT", data), (b"IEND", b"")]:
        parts.append(struct.pack(">I", len(body)) + kind + body)
        parts.append(struct.pack(">I", zlib.crc32(kind + body)))
    return b"".join(parts)
