"""Finishing of drawn SVG: text that cannot be cut, names for screen readers, and PNG with words.

Vega lays text out with the widths of Liberation Sans; a reader's machine may have a wider font.
Each text is therefore given the length that it was laid out for.
"""

import io
import re
import textwrap
from html import escape, unescape
from typing import Final

import vl_convert as vlc
from PIL import Image

FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
MADE_UP: Final = "Made-up figures: a demonstration"

# Advance widths of Liberation Sans Regular in thousandths of the font size.
_WIDTHS: Final = {
    character: width
    for width, characters in {
        191: "'",
        222: "ijl‘’",
        260: "|",
        278: " !,./:;I[\\]ft·",
        333: "()-`r“”›",
        334: "{}",
        355: '"',
        389: "*",
        469: "^",
        500: "Jcksvxyz",
        556: "#$0123456789?L_abdeghnopqu–£é",
        584: "+<=>~−",
        611: "FTZ",
        667: "&ABEKPSVXY",
        722: "CDHNRUw",
        778: "GOQ",
        833: "Mm",
        889: "%",
        944: "W",
        1000: "—…",
        1015: "@",
    }.items()
    for character in characters
}
_BOLD: Final = 1.08
_TEXT = re.compile(r"<text ([^>]*)>([^<]+)</text>")
_SIZE = re.compile(r'font-size="([\d.]+)px"')
_PATH = re.compile(r' d="([^"]*)"')
_CURVES = re.compile(r"[A-KN-Ya-y]")
_ZERO = re.compile(r"\b0(?=\.)")
_DECIMALS = re.compile(r"(\.\d)\d+")
_POINT = re.compile(r"([ML])(-?[\d.]+),(-?[\d.]+)|Z")
_ROOT = re.compile(r"<svg [^>]*?>")
_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text in Liberation Sans, in the unit of ``size``."""
    units = sum(_WIDTHS.get(character, 667) for character in text)
    return units * size / 1000 * (_BOLD if bold else 1.0)


def _fitted(match: re.Match[str]) -> str:
    attributes, text = match.groups()
    size = _SIZE.search(attributes)
    if size is None or not text.strip():
        return match.group(0)
    width = text_width(
        unescape(text), float(size.group(1)), bold='font-weight="bold"' in attributes
    )
    return (
        f'<text {attributes} textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{text}</text>'
    )


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a drawn SVG in pixels."""
    found = _VIEW.search(svg)
    if found is None:
        raise ValueError("the SVG has no viewBox")
    return float(found.group(1)), float(found.group(2))


def _steps(path: str) -> str:
    """A path of straight lines with each point after the first relative to the one before."""
    if _CURVES.search(path):
        return _DECIMALS.sub(r"\1", path)
    parts: list[str] = []
    x = y = 0
    lines = False
    for point in _POINT.finditer(path):
        if point.group(1) is None:
            parts.append("z")
            lines = False
            continue
        to_x, to_y = round(float(point.group(2)) * 10), round(float(point.group(3)) * 10)
        if point.group(1) == "M":
            parts.append(f"M{to_x / 10:g},{to_y / 10:g}")
            lines = False
        elif (to_x, to_y) != (x, y):
            step = f"{(to_x - x) / 10:g},{(to_y - y) / 10:g}"
            parts.append(f"{' ' if lines else 'l'}{_ZERO.sub('', step)}")
            lines = True
        x, y = to_x, to_y
    return "".join(parts)


def finish(svg: str, title: str, description: str) -> str:
    """The drawn SVG with fixed text lengths, a role, a title and a description.

    Points of paths become steps of tenths of a pixel, which makes a third of a map.

    ``title``: one line that states what the chart shows; ``description``: the figures in words.
    """
    width, height = size_of(svg)
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    )
    svg = _PATH.sub(lambda found: f' d="{_steps(found.group(1))}"', svg)
    svg = _ROOT.sub(lambda _: root, svg, count=1)
    return _TEXT.sub(_fitted, svg)


def framed(svg: str, title: str, subtitle: str, source: str, *, made_up: bool = False) -> str:
    """A chart as a picture that can travel alone: title, subtitle and source around it."""
    width, height = size_of(svg)
    width = max(width, 480)
    parts: list[str] = []
    y = 8.0
    blocks = [(title, 17.0, "bold", "#0b0c0c"), (subtitle, 13.0, "normal", "#3d3d3d")]
    if made_up:
        blocks.insert(0, (MADE_UP, 15.0, "bold", "#801650"))

    def write(text: str, size: float, weight: str, colour: str) -> None:
        nonlocal y
        for line in textwrap.wrap(text, max(int((width - 24) / (size * 0.5)), 20)):
            y += size * 1.3
            parts.append(
                f'<text x="12" y="{y:.1f}" font-family="{FONT}" font-size="{size:g}px" '
                f'font-weight="{weight}" fill="{colour}">{escape(line)}</text>'
            )

    for block in blocks:
        write(*block)
    y += 10
    inner = _ROOT.sub(
        lambda found: found.group(0).replace("<svg ", f'<svg x="0" y="{y:.1f}" ', 1), svg, count=1
    )
    parts.append(inner)
    y += height
    write(source, 11.0, "normal", "#3d3d3d")
    y += 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width:g} {y:g}" width="{width:g}" height="{y:g}">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def to_png(svg: str, scale: float = 1.6, colours: int = 64) -> bytes:
    """A drawn SVG as PNG with a palette: a fifth of the size, and no difference to be seen."""
    picture = Image.open(io.BytesIO(vlc.svg_to_png(svg, scale=scale))).convert("RGB")
    stream = io.BytesIO()
    palette = picture.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette.save(stream, "PNG")
    return stream.getvalue()
