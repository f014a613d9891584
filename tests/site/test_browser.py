"""The pages in a real browser: accessible by axe-core, usable by keyboard, whole at every width.

Needs Chromium, which CI installs; where there is none, these tests say so and are skipped.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site import small_warehouse as small
from warehouse.workspace import Workspace

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
    page.evaluate(axe)
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, preload: false,"
        " resultTypes: ['violations'], elementRef: false})",
        list(RULES),
    )
    assert len(found["passes"]) > 10, "the checker ran"
    return [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


def _overflow(page: Any) -> int:
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def _check_all(site: Path, page: Any, axe: str) -> None:
    wrong: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for path in sorted(site.glob("*.html")):
            page.goto(path.as_uri())
            wrong += [f"{path.name} at {width}: {v}" for v in _violations(page, axe)]
            if _overflow(page) > 0:
                wrong.append(f"{path.name} at {width}: wider than the window")
    assert not wrong, "\n".join(wrong)


def test_axe_finds_nothing_on_any_page_of_the_small_site(
    small_site: Path, page: Any, axe: str
) -> None:
    _check_all(small_site, page, axe)


def test_axe_finds_nothing_on_any_page_of_a_release(
    released_workspace: Workspace, page: Any, axe: str
) -> None:
    site = released_workspace.exports / "site"
    assert (site / "data.html").exists()
    _check_all(site, page, axe)


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
    page.goto((small_site / "barometer-trust-in-neighbours.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    page.goto((small_site / "barometer-trust-in-neighbours.html").as_uri())
    expected = page.evaluate(
        "document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length"
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


def test_from_the_front_page_to_the_cell_of_a_file(small_site: Path, page: Any) -> None:
    page.goto((small_site / "index.html").as_uri())
    england = page.locator("section.goal").first.locator("a.figure", has_text="44%").first
    england.click()
    target = page.locator(":target")
    assert "England" in target.inner_text()
    assert "Sheet B4b, cell C14 of file" in target.inner_text()
    target.get_by_role("link").last.click()
    assert "tables.ods" in page.locator(":target").inner_text()
    assert page.locator(":target a[href='https://example.org/tables.ods']").count() == 1


def test_from_the_front_page_to_the_parts_of_a_computed_figure(small_site: Path, page: Any) -> None:
    page.goto((small_site / "index.html").as_uri())
    page.locator("section.goal").first.locator("dl a.figure", has_text="39%").click()
    assert "Twin Towns Combined Authority" in page.locator(":target").inner_text()
    assert page.locator(":target + div table tbody tr").count() == 2


def test_a_phone_gets_the_narrow_picture(small_site: Path, page: Any) -> None:
    for width, name in ((360, "-narrow.svg"), (1280, "-by-combined-authority.svg")):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto((small_site / "barometer-trust-in-neighbours.html").as_uri())
        image = page.locator("picture img").first
        assert image.evaluate("i => i.decode().then(() => i.currentSrc)").endswith(name)
        assert image.evaluate("i => i.naturalWidth") > 0


def test_pages_print_without_navigation(small_site: Path, page: Any) -> None:
    page.goto((small_site / "index.html").as_uri())
    page.emulate_media(media="print")
    assert not page.locator("nav[aria-label=Main]").is_visible()
    assert page.locator("h1").is_visible()


def test_pages_read_well_without_styles(small_site: Path, page: Any) -> None:
    page.goto((small_site / f"area-{small.ALFA}.html").as_uri())
    page.evaluate("document.querySelectorAll('link[rel=stylesheet]').forEach(l => l.remove())")
    text = page.locator("body").inner_text()
    assert text.index("Skip to the content") < text.index("Alfa")
    assert "Against England" in text
    assert page.locator("svg.strip, svg.shape").evaluate_all(
        "all => all.every(e => e.getAttribute('aria-hidden') === 'true')"
    )


def test_nothing_moves_by_itself(small_site: Path) -> None:
    style = (small_site / "assets/style.css").read_text(encoding="utf-8")
    assert "animation" not in style
    assert "transition" not in style
