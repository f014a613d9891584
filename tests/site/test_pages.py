"""The pages of a small warehouse: whole, linked, escaped, honest, the same twice."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sources.errors import PulseError
from tests.site import small_warehouse as small
from warehouse.connection import reading
from warehouse.writers.site import read_region, write_figures, write_site
from warehouse.writers.site.build import anchor
from warehouse.writers.site.model import ENGLAND

PAGES = [
    "index.html",
    "areas.html",
    "report.html",
    "quality.html",
    "methods.html",
    "changes.html",
    "goal-connected.html",
    "goal-equitable.html",
    "barometer-trust-in-neighbours.html",
    "barometer-promising-prospects.html",
    "source-trust-in-neighbours.html",
]


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.images_without_words = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        for name in ("href", "src", "srcset"):
            if found.get(name):
                self.links.append(str(found[name]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img" and not found.get("alt"):
            self.images_without_words += 1


def _pages(site: Path) -> dict[str, _Page]:
    return {p.name: _Page(p.read_text(encoding="utf-8")) for p in sorted(site.glob("*.html"))}


def test_every_page_is_there(small_site: Path) -> None:
    names = {path.name for path in small_site.glob("*.html")}
    assert set(PAGES) <= names
    assert {
        f"area-{code}.html" for code in (small.LEAD, small.ALFA, small.BRAVO, small.OTHER)
    } <= names
    assert f"area-{small.CHARLIE}.html" not in names, "a member of another authority has no page"
    assert f"area-{small.ENDED}.html" not in names, "an ended authority has no page"


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(small_site: Path) -> None:
    pages = _pages(small_site)
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), f"{name} has an id twice"
        assert "script" not in page.tags, name
        for link in page.links:
            if link.startswith(("https://", "http://", "../")):
                continue
            file, _, fragment = link.partition("#")
            target = file or name
            assert (small_site / target).is_file(), f"{name} links {link}"
            if fragment:
                assert fragment in pages[target].ids, f"{name} links {link}"
    text = "".join(p.read_text(encoding="utf-8") for p in small_site.rglob("*.*"))
    assert not re.search(r'(src|srcset)="https?:', text)
    assert "@import" not in text
    assert "url(" not in text


def test_headings_go_down_one_step_at_a_time(small_site: Path) -> None:
    for name, page in _pages(small_site).items():
        assert page.headings.count(1) == 1, name
        assert page.headings[0] == 1, name
        for before, after in zip(page.headings, page.headings[1:], strict=False):
            assert after <= before + 1, f"{name}: h{before} then h{after}"
        assert page.images_without_words == 0, name
        assert {"main", "nav", "footer", "header"} <= set(page.tags), name


def test_markup_in_data_stays_text(small_site: Path) -> None:
    for path in small_site.glob("*.html"):
        assert small.HOSTILE not in path.read_text(encoding="utf-8"), path.name
    assert "&lt;script&gt;" in (small_site / "report.html").read_text(encoding="utf-8")


def test_a_number_leads_to_its_file_sheet_and_cell(small_site: Path) -> None:
    key = f"connected-{small.ALFA}-2024-25"
    page = (small_site / "barometer-trust-in-neighbours.html").read_text(encoding="utf-8")
    assert f'href="source-trust-in-neighbours.html#{anchor(key)}">30%</a>' in page
    source = (small_site / "source-trust-in-neighbours.html").read_text(encoding="utf-8")
    row = source[source.index(f'id="{anchor(key)}"') :]
    assert "Sheet <strong>B4b</strong>, cell <strong>C14</strong>" in row[: row.index("</tr>")]
    assert "tables.ods" in source
    assert "https://example.org/tables.ods" in source


def test_a_computed_figure_leads_to_each_part(small_site: Path) -> None:
    source = (small_site / "source-trust-in-neighbours.html").read_text(encoding="utf-8")
    at = source.index(f'id="{anchor(f"connected-{small.LEAD}-2024-25")}"')
    part = source[at : source.index("</table>", at)]
    assert "Alfa" in part
    assert "Bravo &amp; Co" in part
    assert part.count("cell <strong>C14</strong>") == 2
    assert part.count("100,000") == 2


def test_a_cell_without_a_figure_says_why(small_site: Path) -> None:
    page = (small_site / "barometer-trust-in-neighbours.html").read_text(encoding="utf-8")
    assert "held back by the publisher" in page
    assert "Hand the file in." in page
    none = (small_site / "barometer-inclusive-barometer.html").read_text(encoding="utf-8")
    assert "No figure can be given for the share of adults in the Twin Towns Combined" in none


def test_the_break_is_a_gap_and_is_explained(small_site: Path) -> None:
    page = (small_site / "barometer-trust-in-neighbours.html").read_text(encoding="utf-8")
    assert "Breaks in the series [b]" in page
    assert "The question changed." in page
    picture = (small_site / "figures/trust-in-neighbours-over-time.svg").read_text("utf-8")
    assert ">[b]</text>" in picture


def test_the_same_warehouse_gives_the_same_bytes(small_file: Path, tmp_path: Path) -> None:
    def sums(folder: Path) -> dict[str, str]:
        with reading(small_file) as connection:
            made = write_site(read_region(connection), folder)
        assert {p for p in folder.rglob("*") if p.is_file()} == set(made)
        return {
            str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in made
        }

    assert sums(tmp_path / "one") == sums(tmp_path / "two")


def test_the_same_pages_for_another_combined_authority(small_file: Path, tmp_path: Path) -> None:
    with reading(small_file) as connection:
        write_site(read_region(connection, small.OTHER), tmp_path)
    page = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    assert "the Other Shires Combined Authority area" in page
    assert (tmp_path / f"site/area-{small.CHARLIE}.html").is_file()
    assert not (tmp_path / f"site/area-{small.ALFA}.html").exists()


@pytest.mark.parametrize("code", [ENGLAND, small.ALFA, small.ENDED, "E99999999"])
def test_pages_are_refused_for_what_is_no_combined_authority(
    small_file: Path, tmp_path: Path, code: str
) -> None:
    with reading(small_file) as connection, pytest.raises(PulseError) as caught:
        write_site(read_region(connection, code), tmp_path)
    assert caught.value.code == "not_a_combined_authority"


def test_made_up_figures_are_marked_on_every_page_and_picture(tmp_path: Path) -> None:
    with reading(small.build(tmp_path / "pulse.duckdb", synthetic=True)) as connection:
        write_site(read_region(connection), tmp_path)
        made = write_figures(read_region(connection), tmp_path)
    for page in (tmp_path / "site").glob("*.html"):
        assert "Made-up figures." in page.read_text(encoding="utf-8"), page.name
    for picture in [
        *(tmp_path / "site/figures").glob("*.svg"),
        *(p for p in made if p.suffix == ".svg"),
    ]:
        assert "MADE-UP FIGURES" in picture.read_text(encoding="utf-8"), picture.name


def test_real_figures_carry_no_watermark(small_site: Path) -> None:
    for path in small_site.rglob("*.*"):
        assert "Made-up" not in path.read_text(encoding="utf-8"), path.name
        assert "MADE-UP" not in path.read_text(encoding="utf-8"), path.name


def test_edition_at_hand_is_the_newest_with_a_figure(small_file: Path) -> None:
    with reading(small_file) as connection:
        region = read_region(connection)
    assert region.at_hand(region.barometers["trust_in_neighbours"])[0] == "2024-25"
    assert region.at_hand(region.barometers["inclusive_barometer"])[0] == "2024-25"
    assert [area.code for area in region.members] == [small.ALFA, small.BRAVO]


def test_a_county_stands_for_its_districts_on_an_index(small_file: Path) -> None:
    with reading(small_file) as connection:
        region = read_region(connection, small.OTHER)
    index = region.barometers["promising_prospects"]
    assert [area.code for area in region.places(index)] == [small.CHARLIE, small.COUNTY]
    survey = region.barometers["trust_in_neighbours"]
    assert [area.code for area in region.places(survey)] == [small.CHARLIE, small.DELTA]
