"""The pages in a real browser: accessible by axe-core, usable by keyboard, whole at every width.

Needs Chromium, which CI installs; where there is none, these tests say so and are skipped.
"""

from __future__ import annotations

import importlib.util
import math
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from PIL import Image

from tests.site import small_warehouse as small
from warehouse.connection import reading
from warehouse.workspace import Workspace
from warehouse.writers import read
from warehouse.writers.site import write_site
from warehouse.writers.site.svg import FONT

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.slow

WIDTHS = (320, 768, 1280)
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium on this machine: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=_chromium(),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-background-networking",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def axe() -> str:
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("axe-playwright-python is not installed")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == [], "no network"
    opened.close()


def _violations(page: Any, axe: str) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(
        "async tags => { const found = await axe.run(document, {runOnly: {type: 'tag', values: tags},"
        " preload: false, resultTypes: ['violations'], elementRef: false});"
        " return {passes: found.passes.length, violations: found.violations}; }",
        list(RULES),
    )
    assert found["passes"] > 10, "the checker ran"
    return [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


def _overflow(page: Any) -> int:
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def _check_all(site: Path, page: Any, axe: str, names: Iterable[str] = ("*.html",)) -> None:
    wrong: list[str] = []
    paths = sorted({path for name in names for path in site.glob(name)})
    assert paths
    for path in paths:
        page.goto(path.as_uri())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wrong += [f"{path.name} at {width}: {v}" for v in _violations(page, axe)]
            if _overflow(page) > 0:
                wrong.append(f"{path.name} at {width}: wider than the window")
    assert not wrong, "\n".join(wrong)


def test_axe_finds_nothing_on_any_page_of_the_small_site(
    small_site: Path, page: Any, axe: str
) -> None:
    _check_all(small_site, page, axe)


def test_axe_finds_nothing_on_pages_of_a_release(
    released_workspace: Workspace, page: Any, axe: str
) -> None:
    """Every kind of page: of the areas one of each level, of the indicators one of each kind."""
    _check_all(
        released_workspace.exports / "site",
        page,
        axe,
        (
            "[!acsefi]*.html",
            "index.html",
            "indicator-arts*.html",
            "indicator-promising*.html",
            "indicator-trust*.html",
            "c[ah]*.html",
            "compare.html",
            "combined-authorities.html",
            "context-employment*.html",
            "figures-E47000001.html",
            "area-E47000007-wider.html",
            "evidence.html",
            "areas.html",
            "source-arts*.html",
            "embed-arts*.html",
            "area-E92000001.html",
            "area-E12000005.html",
            "area-E47000007.html",
            "area-E08000030.html",
            "area-E10000031.html",
        ),
    )


@pytest.mark.parametrize("media", [{"media": "print"}, {"color_scheme": "dark"}])
def test_axe_finds_nothing_in_print_and_in_the_dark(
    small_site: Path, page: Any, axe: str, media: dict[str, str]
) -> None:
    page.emulate_media(**media)
    for name in ("index.html", f"area-{small.LEAD}.html", "indicator-trust.html"):
        page.goto((small_site / name).as_uri())
        assert _violations(page, axe) == []


def test_the_checker_finds_a_planted_fault(small_site: Path, page: Any, axe: str) -> None:
    page.goto((small_site / "index.html").as_uri())
    page.evaluate("document.querySelector('html').removeAttribute('lang')")
    assert any(v.startswith("html-has-lang") for v in _violations(page, axe))


@pytest.mark.parametrize("width", [640, 1280])
def test_text_at_twice_its_size_fits(small_site: Path, page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in sorted(small_site.glob("*.html")):
        page.goto(path.as_uri())
        page.add_style_tag(content="html{font-size:200%!important}")
        assert _overflow(page) <= 0, path.name


def test_everything_can_be_reached_by_keyboard_and_shows_where_it_is(
    small_site: Path, page: Any
) -> None:
    page.goto((small_site / "indicator-trust.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto((small_site / "indicator-trust.html").as_uri())
    expected = page.evaluate(
        "[...document.querySelectorAll('a[href], summary, button, input, [tabindex=\"0\"]')]"
        ".filter(e => e.checkVisibility()).length"
    )
    reached = set()
    for _ in range(expected):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [[...document.querySelectorAll('*')].indexOf(e),"
            " s.outlineStyle, parseFloat(s.outlineWidth)] }"
        )
        reached.add(here[0])
        assert here[1] == "solid", "focus is outlined"
        assert here[2] >= 2, "and thick enough to be seen"
    assert len(reached) == expected


def test_an_area_is_found_by_keyboard(small_site: Path, page: Any) -> None:
    page.goto((small_site / "index.html").as_uri())
    page.locator("#find").focus()
    page.keyboard.type("wals")
    assert page.locator("#found li").all_inner_texts() == ["Walsall"]
    page.keyboard.press("ArrowDown")
    assert page.locator("#find").get_attribute("aria-activedescendant") == "found0"
    page.keyboard.press("Enter")
    page.wait_for_url("**/area-E08000030.html")
    page.goto((small_site / "index.html").as_uri())
    page.locator("#find").fill("nowhere")
    assert page.locator("#found").is_hidden()


def test_a_table_sorts_and_its_order_is_in_the_address(small_site: Path, page: Any) -> None:
    page.goto((small_site / "indicator-trust.html").as_uri())
    table = page.locator("table.sortable").first
    button = table.locator("button.sort", has_text="Adults")
    button.click()
    button.click()
    values = [
        int(text.split("%")[0]) for text in table.locator("td.n:nth-child(2)").all_inner_texts()
    ]
    assert values == sorted(values)
    assert "#table0=1+" in page.url
    page.reload()
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("Adults")


def test_the_marks_of_a_chart_can_be_walked_through(small_site: Path, page: Any) -> None:
    page.goto((small_site / "indicator-trust.html").as_uri())
    chart = page.locator(".drawn.wide").first
    chart.focus()
    page.keyboard.press("ArrowDown")
    first = chart.locator(".tip").inner_text()
    page.keyboard.press("ArrowDown")
    assert "%" in first
    assert chart.locator(".tip").inner_text() != first


def test_an_area_is_downloaded_as_a_picture(
    small_site: Path, tmp_path: Path, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PNG drawn in the browser, with the figures, its title, its legend and its source inside."""
    monkeypatch.setattr(read, "FEWEST", 2)
    with reading(small_site.parent / "pulse.duckdb") as connection:
        write_site(read.read_model(connection), tmp_path)
    page.add_init_script(
        "Image = class extends Image { set src(to) { window.drawn = to; super.src = to; } }"
    )
    page.goto((tmp_path / "site" / f"area-{small.MEMBERS[0]}.html").as_uri())
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as a picture (PNG)").click()
    assert download.value.suggested_filename == f"area-{small.MEMBERS[0]}.png"
    drawn = unquote(page.evaluate("window.drawn"))
    for text in ("The four goals in Walsall", "27%", "Pale bar: lowest", "Source: "):
        assert text in drawn, text
    picture = Image.open(download.value.path())
    assert picture.format == "PNG"
    found = re.search(r'width="960" height="([\d.]+)"', drawn)
    assert found is not None
    assert picture.size == (1920, math.ceil(2 * float(found[1])))
    # The title is the first line, and black on white; below it are bars, a dot and its line.
    title = picture.convert("L").crop((0, 20, 1920, 70))
    assert 500 < sum(title.point(lambda ink: ink < 128).histogram()[1:]) < 20_000
    colours = {colour for _, colour in picture.convert("RGB").getcolors(10**6) or ()}
    assert {(0x12, 0x43, 0x6D), (0xDD, 0xE3, 0xE8), (0x80, 0x16, 0x50)} < colours


def test_areas_are_compared_and_the_choice_is_in_the_address(small_site: Path, page: Any) -> None:
    choice = f"#areas={small.MEMBERS[0]},{small.ENGLAND}"
    page.goto((small_site / "compare.html").as_uri() + choice)
    page.locator("input[value=trust]").check()
    rows = page.locator("#compared tbody tr")
    rows.nth(1).wait_for()
    assert [row.split("\t")[:3] for row in rows.all_inner_texts()] == [
        ["Short trust", "Walsall", "27%"],
        ["Short trust", "England", "41%"],
    ]
    assert "indicators=trust" in page.url
    page.reload()
    rows.nth(1).wait_for()
    page.get_by_role("button", name="Remove England").click()
    assert rows.count() == 1
    with page.expect_download() as download:
        page.locator("#compare-csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert '"Short trust","Walsall","27%"' in text


def test_without_script_every_page_still_says_everything(small_site: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto((small_site / f"area-{small.MEMBERS[0]}.html").as_uri())
    assert "In Walsall, 26% of adults do trust" in opened.locator("main").inner_text()
    assert opened.locator("button").count() == 0
    opened.goto((small_site / "compare.html").as_uri())
    assert "needs script" in opened.locator("main").inner_text()
    context.close()


@pytest.mark.parametrize("family", ["DejaVu Sans", "Liberation Sans", "monospace"])
def test_no_text_of_a_chart_is_cut(released_workspace: Workspace, page: Any, family: str) -> None:
    """Whatever font a reader has, each text ends inside its chart."""
    cut = []
    for path in sorted((released_workspace.exports / "site" / "figures").glob("*.svg")):
        svg = path.read_text(encoding="utf-8").replace(FONT, family)
        page.set_content(f"<body style='margin:0'>{svg}</body>")
        cut += page.evaluate(
            "name => { const s = document.querySelector('svg').getBoundingClientRect();"
            " return [...document.querySelectorAll('text')].filter(t => {"
            " const b = t.getBoundingClientRect();"
            " return b.width && (b.left < s.left - 1 || b.right > s.right + 1); })"
            ".map(t => name + ': ' + t.textContent) }",
            path.name,
        )
    assert cut == []


def test_pages_print_without_navigation(small_site: Path, page: Any) -> None:
    page.goto((small_site / "index.html").as_uri())
    page.emulate_media(media="print")
    assert not page.locator("nav[aria-label=Main]").is_visible()
    assert page.locator("h1").is_visible()


def test_nothing_moves_by_itself(small_site: Path) -> None:
    style = (small_site / "assets/style.css").read_text(encoding="utf-8")
    assert "animation" not in style
    assert "transition" not in style
