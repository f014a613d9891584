"""The pictures: well-formed, described, with intervals, breaks and reasons drawn, and quick."""

from __future__ import annotations

import struct
import time
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import pytest

from tests.site.cells import ENGLAND, WALSALL, WMCA, cell, change, verdict
from warehouse.connection import reading
from warehouse.writers.site import figures, read_region, write_figures
from warehouse.writers.site.figures import NARROW, WIDE, Frame, Series
from warehouse.writers.site.model import Area

FRAME = Frame("A finding", "What is drawn.", "Source: someone.", "Walsall 24%.")
SVG = "{http://www.w3.org/2000/svg}"


def _contrast(one: str, two: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_stand_out_from_the_paper() -> None:
    for colour in (figures.BLUE, figures.GREY, figures.INK, figures.PLUM):
        assert _contrast(colour, "#ffffff") >= 4.5, colour


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_dot_plot_draws_each_interval_and_names_what_is_missing(width: int) -> None:
    cells = [
        cell(WMCA, 30.0, lower=28.0, upper=32.0, verdict=verdict("better")),
        cell(WALSALL, 20.0, verdict=verdict("cannot_say")),
        cell(Area("X", "Dudley & Co", "lad"), None, status="suppressed"),
    ]
    england = cell(ENGLAND, 25.0, lower=24.5, upper=25.5)
    picture = figures.dot_plot(
        FRAME,
        [*cells, england],
        england=england,
        lead_code=WMCA.code,
        polarity="high_good",
        width=width,
    )
    root = ET.fromstring(picture.svg)
    assert root.find(f"{SVG}title").text == "A finding"  # type: ignore[union-attr]
    assert "Walsall 24%." in (root.find(f"{SVG}desc").text or "")  # type: ignore[union-attr]
    assert picture.svg.count('class="ib"') == 3, "a line and two ends for the lead area"
    assert picture.svg.count('class="i"') == 3, "and for England"
    texts = " ".join("".join(t.itertext()) for t in root.iter(f"{SVG}text"))
    assert "No figure, held back by the publisher: Dudley & Co." in texts
    assert "30% (28 to 32)" in texts
    assert "Source: someone." in texts
    assert "higher than England" in texts, "the shapes are explained"


def test_no_mark_leaves_the_picture() -> None:
    cells = [cell(value=0.0, lower=0.0, upper=1.0), cell(WMCA, 100.0, lower=99.0, upper=100.0)]
    low, high = figures.limits(cells)
    assert (low, high) == (0.0, 100.0)
    assert figures.limits([]) == (0.0, 100.0)
    assert figures.limits([cell(value=97.0)])[1] == 100.0


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_line_crosses_a_break(width: int) -> None:
    old, new = cell(value=20.0), cell(value=30.0, edition="2024-25")
    lead = Series("Walsall", (old, new), True)
    whole = figures.trend(FRAME, ["2023/24", "2024/25"], [lead], [None], width=width).svg
    broken = figures.trend(
        FRAME, ["2023/24", "2024/25"], [lead], [change("cannot_say")], width=width
    ).svg
    assert whole.count('class="ib"') == 1
    assert broken.count('class="ib"') == 0
    assert "[b]" in broken
    assert "[b]" not in whole


def test_a_year_without_a_figure_says_so() -> None:
    series = [Series("Walsall", (None, cell(value=20.0)), True)]
    svg = figures.trend(FRAME, ["2022/23", "2023/24"], series, [None]).svg
    assert svg.count(">no figure</text>") == 1


def test_groups_are_boxes_of_one_size_with_names() -> None:
    groups = [(1, "Least Favourable"), (2, "Middle"), (3, "Most Favourable")]
    found = cell(value=-3.2, unit="z_score", group_number=1, group_label="Least Favourable")
    svg = figures.group_boxes(FRAME, [found], groups).svg
    boxes = [r for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.get("class")]
    assert len(boxes) == 3
    assert len({(b.get("width"), b.get("height")) for b in boxes}) == 1, "never a bar of a length"
    assert ">1 Least Favourable</text>" in svg


def test_the_watermark() -> None:
    frame = Frame("T", "S", "Source", "D", synthetic=True)
    picture = figures.dot_plot(
        frame, [cell()], england=None, lead_code=WMCA.code, polarity="high_good"
    )
    assert "MADE-UP FIGURES" in picture.svg
    assert figures.SYNTHETIC in picture.alt


def test_markup_in_names_stays_text() -> None:
    bad = cell(Area("X", "<b>&", "lad"), 20.0)
    svg = figures.dot_plot(
        FRAME, [bad], england=None, lead_code=WMCA.code, polarity="high_good"
    ).svg
    assert "&lt;b&gt;&amp;" in svg
    ET.fromstring(svg)


def test_a_strip_is_hidden_from_assistive_technology() -> None:
    assert 'aria-hidden="true"' in figures.strip(cell(), cell(ENGLAND, 25.0), "high_good")
    assert figures.strip(cell(value=None), None, "high_good") == ""


def test_every_picture_of_the_pages_is_well_formed(small_site: Path) -> None:
    found = sorted((small_site / "figures").glob("*.svg"))
    assert len(found) > 20
    for path in found:
        root = ET.parse(path).getroot()
        assert root.find(f"{SVG}title") is not None, path.name
        assert (root.find(f"{SVG}desc").text or "").strip(), path.name  # type: ignore[union-attr]
        width = float(root.get("width", "0"))
        for rect in root.iter(f"{SVG}rect"):
            right = float(rect.get("x", "0")) + float(rect.get("width", "0"))
            assert right <= width + 0.5, path.name


def test_the_figures_of_the_report_are_svg_png_and_words(small_file: Path, tmp_path: Path) -> None:
    with reading(small_file) as connection:
        made = write_figures(read_region(connection), tmp_path)
    assert {p.suffix for p in made} == {".svg", ".png", ".txt"}
    for png in (p for p in made if p.suffix == ".png"):
        data = png.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        at, raw = 8, b""
        while at < len(data):
            (length,) = struct.unpack(">I", data[at : at + 4])
            kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
            (check,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
            assert zlib.crc32(kind + body) == check, png.name
            raw += body if kind == b"IDAT" else b""
            at += 12 + length
        width, height = struct.unpack(">II", data[16:24])
        assert width == 2 * WIDE
        assert len(zlib.decompress(raw)) >= width * height * 3


@pytest.mark.parametrize("areas", [16, 300])
def test_a_picture_takes_well_under_a_second(areas: int) -> None:
    cells = [
        cell(
            Area(f"X{i}", f"Area {i}", "lad"),
            20.0 + i / 10,
            lower=18.0 + i / 10,
            upper=22.0 + i / 10,
        )
        for i in range(areas)
    ]
    started = time.process_time()
    figures.dot_plot(FRAME, cells, england=None, lead_code="X1", polarity="high_good")
    assert time.process_time() - started < 0.5
