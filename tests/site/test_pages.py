"""The pages as files: what they say, where they lead, and when they are written anew."""

from __future__ import annotations

import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from sources.errors import PulseError
from tests.lazy import lazy
from tests.site import small_warehouse as small
from warehouse.connection import reading, writing
from warehouse.workspace import PROJECT, Workspace

site = lazy("warehouse.writers.site")
svg = lazy("warehouse.writers.site.svg")
charts = lazy("warehouse.writers.site.charts")
read = lazy("warehouse.writers.read")
wording = lazy("warehouse.writers.words")


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.sentences: list[str] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("href", "src", "srcset"):
            if given.get(name) and tag != "use":
                self.links.append(str(given[name]))
        if given.get("class") == "sentence":
            self._open = True
            self.sentences.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.sentences[-1] += data


def page_of(path: Path) -> _Page:
    return _Page(path.read_text(encoding="utf-8"))


def _text(site: Path, name: str) -> str:
    text = re.sub(r"<[^>]+>", " ", (site / name).read_text(encoding="utf-8"))
    return " ".join(html.unescape(text).split())


def check_links(site: Path) -> list[str]:
    """Links of every page that lead to no file or no place in it."""
    pages = {path.name: page_of(path) for path in site.glob("*.html")}
    wrong = []
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"(https?|mailto|data):", link) or link.startswith("../"):
                continue
            file, _, place = unquote(link).partition("#")
            if (file and not (site / file).exists()) or (
                place and "=" not in place and place not in pages[file or name].ids
            ):
                wrong.append(f"{name}: {link}")
    return wrong


def sentences_of(site: Path) -> set[str]:
    """Every sentence that a page shows as one of the marts'."""
    return {
        " ".join(sentence.split())
        for path in site.glob("*.html")
        for sentence in page_of(path).sentences
    }


def sentences_in(connection: Any) -> set[str]:
    """Every sentence that the marts have."""
    found: set[str] = set()
    for mart in ("barometers", "context", "comparisons", "changes", "pulse"):
        rows = connection.execute(f"select distinct sentence from marts.{mart}").fetchall()
        found |= {" ".join(text.split()) for (text,) in rows if text}
    return found


def test_every_sentence_is_the_marts(small_site: Path) -> None:
    with reading(small_site.parent / "pulse.duckdb") as connection:
        known = sentences_in(connection)
    shown = sentences_of(small_site)
    assert len(shown) > 10
    assert shown <= known


def test_every_link_leads_somewhere(small_site: Path) -> None:
    assert check_links(small_site) == []


def test_a_broken_link_is_found(small_site: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<a href="nowhere.html">x</a><a href="#no">y</a>')
    assert len(check_links(tmp_path)) == 2


def test_ids_are_unique(small_site: Path) -> None:
    for path in small_site.glob("*.html"):
        ids = page_of(path).ids
        assert len(ids) == len(set(ids)), path.name


def test_every_area_has_a_page(small_site: Path) -> None:
    for code, *_ in small.AREAS:
        assert (small_site / f"area-{code}.html").exists()
    index = (small_site / "areas.html").read_text(encoding="utf-8")
    assert all(f'href="area-{code}.html"' in index for code, *_ in small.AREAS)


@pytest.mark.slow
def test_a_ward_has_a_page_where_it_has_a_figure(small_site: Path, tmp_path: Path) -> None:
    _made(
        small_site,
        tmp_path,
        "insert into reference.small_areas by name select area_code, area_name, "
        f"'ward' as area_level, '{small.MEMBERS[0]}' as authority_code from (values "
        "('E05000001', 'Blakenall'), ('E05000002', 'Pelsall')) as wards (area_code, area_name)",
        "insert into marts.barometers select * replace ('E05000001' as area_code, "
        "'Blakenall' as area_name, 'ward' as area_level) from marts.barometers "
        f"where area_code = '{small.MEMBERS[0]}' and barometer_id = 'trust'",
    )
    pages = tmp_path / "site"
    assert "Blakenall" in (pages / "area-E05000001.html").read_text(encoding="utf-8")
    assert "area-E05000001" in (pages / f"area-{small.MEMBERS[0]}.html").read_text(encoding="utf-8")
    assert not (pages / "area-E05000002.html").exists()


def test_an_ended_area_leads_to_what_replaced_it(small_site: Path) -> None:
    page = (small_site / f"area-{small.ENDED}.html").read_text(encoding="utf-8")
    assert f'href="area-{small.REPLACED_BY}.html"' in page
    assert small.ENDED not in (small_site / "areas.html").read_text(encoding="utf-8")


def test_names_are_escaped(small_site: Path) -> None:
    raw = "Greater <Manchester>"
    for path in small_site.glob("*.html"):
        assert raw not in path.read_text(encoding="utf-8"), path.name
    assert raw in _text(small_site, f"area-{small.OTHER}.html")


def test_only_data_quality_prints_a_command(small_site: Path) -> None:
    for path in small_site.glob("*.html"):
        if path.name not in ("quality.html", "methods_in_full.html"):
            text = _text(small_site, path.name)
            assert "pulse land" not in text, path.name
            assert "make refresh" not in text, path.name


def test_marks_are_at_the_number(small_site: Path) -> None:
    page = (small_site / f"area-{small.LEAD}.html").read_text(encoding="utf-8")
    assert re.search(r">30%</a> <abbr[^>]*>\[e\]", page)
    page = (small_site / f"area-{small.ENGLAND}.html").read_text(encoding="utf-8")
    assert re.search(r">69%</a> <abbr[^>]*>\[quoted\]", page)


def test_a_verdict_that_does_not_survive_its_family_is_marked(small_site: Path) -> None:
    page = (small_site / f"area-{small.OUTSIDE}.html").read_text(encoding="utf-8")
    assert re.search(r"Better\s*<abbr[^>]*>\*</abbr>", page)
    assert "Too close to call" in (small_site / f"area-{small.MEMBERS[1]}.html").read_text()


def test_a_change_under_caution_says_why(small_site: Path) -> None:
    text = _text(small_site, "indicator-trust.html")
    assert "No change was found, with caution." in text
    assert "The questionnaire changed." in text


def test_non_constituent_members_are_seen_beside_and_never_among_the_members(
    small_site: Path,
) -> None:
    wider = _text(small_site, f"area-{small.LEAD}-wider.html")
    places = [wider.rindex(each) for each in ("Walsall", "Non-constituent members", "Hartlepool")]
    assert places == sorted(places)
    assert "Hartlepool" not in _text(small_site, f"area-{small.LEAD}.html")
    assert not (small_site / f"area-{small.OTHER}-wider.html").exists()


def test_other_authorities_have_the_figures_but_not_the_report(small_site: Path) -> None:
    text = _text(small_site, f"figures-{small.OTHER}.html")
    assert "The report says nothing about this area." in text
    assert not (small_site / f"figures-{small.LEAD}.html").exists()


def test_publication_dates_are_beside_the_figures(small_site: Path) -> None:
    for name in (f"area-{small.MEMBERS[0]}.html", "indicator-trust.html"):
        text = _text(small_site, name)
        assert "published 4 December 2024" in text
        assert "next expected in December 2025" in text


@pytest.mark.slow
def test_new_and_revised_figures_are_marked(small_site: Path, tmp_path: Path) -> None:
    _made(
        small_site,
        tmp_path,
        *(
            "insert into meta.changed_figures by name select barometer_id, area_code, "
            f"area_name, dataset, edition, period_end, {before} as value_before, "
            "value as value_after, 'a new file' as why from marts.barometers "
            f"where barometer_id = 'trust' and area_code = '{code}'"
            for code, before in ((small.MEMBERS[0], 20.0), (small.MEMBERS[1], "null"))
        ),
    )
    for code, word in ((small.MEMBERS[0], "revised"), (small.MEMBERS[1], "new")):
        page = (tmp_path / "site" / f"area-{code}.html").read_text(encoding="utf-8")
        assert page.count(f'href="changes.html">{word}</a>') == 1


def test_context_stands_beside_the_barometers(small_site: Path) -> None:
    text = _text(small_site, f"area-{small.MEMBERS[0]}.html")
    assert "Short employment 30.3% 41.0%" in text
    assert "rising" in text
    assert "Short employment" not in text[: text.index("Context")]
    page = (small_site / "context-employment.html").read_text(encoding="utf-8")
    assert "Walsall 30.3%" in _text(small_site, "context-employment.html")
    # The picture is of one edition: the older figure is in the table alone.
    assert "England 41.0% (27.3% to 33.3%); Walsall 30.3% (27.3% to 33.3%).</desc>" in page
    register = (small_site / "register.html").read_text(encoding="utf-8")
    assert 'href="context-employment.html"' in register
    assert 'href="indicator-trust.html"' in register


def test_groups_of_people_are_shown_where_there_are_figures_of_them(small_site: Path) -> None:
    """With interval and source, or why there is none, and no verdict; else there is no section."""
    page = (small_site / "indicator-trust.html").read_text()
    section = page[page.index('id="groups"') : page.index('id="time"')]
    assert "England, by sex: Survey 2023/24" in section
    assert "43% (41% to 45%)</a>" in section
    assert "1,234" in section
    assert "held back by the publisher" in section
    assert "Groups are not tested against each other" in section
    assert "verdict" not in section
    assert 'href="source-trust.html#-trust-women"' in section
    assert "England, sex: Female" in _text(small_site, "source-trust.html")
    assert 'id="chart-trust-by-group"' in section
    assert "Sex: Female 43% (41% to 45%); Everybody 41%" in page
    # Areas of one name are two rows of a chart.
    words = "West Midlands region: Female 43.2 years; West Midlands: Female 43.2 years."
    assert words in (small_site / "context-employment.html").read_text()
    assert "West Midlands region, by sex" in _text(small_site, "context-employment.html")
    for other in ("indicator-chat.html", "indicator-prospects.html"):
        assert "By group of people" not in (small_site / other).read_text()


def test_similar_areas_stand_beside_an_authority(small_site: Path) -> None:
    assert "33% 31% to 38%" in _text(small_site, f"area-{small.MEMBERS[0]}.html")
    assert (
        "similar areas" not in _text(small_site, f"area-{small.ENGLAND}.html").split("Context")[0]
    )


def test_each_figure_leads_to_its_source(small_site: Path) -> None:
    text = _text(small_site, "source-trust.html")
    assert "sheet B4c , cell C9 of tables.xlsx" in text
    sources = (small_site / "source-employment.html").read_text(encoding="utf-8")
    assert '<a href="https://www.gov.uk/">Publisher’s page</a>' in sources, "the publisher's page"
    for page in (f"area-{small.MEMBERS[0]}.html", "context-employment.html"):
        found = re.findall(
            r'<a class="figure" href="source-employment.html#([^"]+)">30.3%',
            (small_site / page).read_text(encoding="utf-8"),
        )
        assert found, page
        assert f'id="{found[0]}"' in sources


def test_attribution_and_licence_are_beside_every_chart(small_site: Path) -> None:
    embedded = sorted(small_site.glob("embed-*.html"))
    assert embedded
    for path in embedded:
        text = _text(small_site, path.name)
        assert "Source: dcms_survey 2023-24, OGL v3.0" in text or "smc_index" in text
        assert "Open Government Licence v3.0" in text


def test_data_files_hold_the_figures(small_site: Path) -> None:
    area = json.loads((small_site / "data" / f"{small.MEMBERS[0]}.json").read_text())
    assert {row["barometer_id"]: row["value"] for row in area["figures"]} == {
        "trust": 26.5,
        "prospects": -0.7,
    }
    assert area["without_figure"] == {"chat": "not_held"}
    indicator = json.loads((small_site / "data" / "trust.json").read_text())
    value, code = (indicator["columns"].index(name) for name in ("value", "area_code"))
    assert {row[code]: row[value] for row in indicator["figures"]}[small.OUTSIDE] == 47.0


def test_the_feed_is_atom(small_site: Path) -> None:
    root = ElementTree.fromstring((small_site / "feed.xml").read_text(encoding="utf-8"))
    atom = {"a": "http://www.w3.org/2005/Atom"}
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    for name in ("title", "id", "updated"):
        assert root.find(f"a:{name}", atom) is not None
    (entry,) = root.findall("a:entry", atom)
    assert [entry.find(f"a:{n}", atom) is not None for n in ("title", "id", "updated")] == [
        True
    ] * 3


def test_pages_and_scripts_are_small(small_site: Path) -> None:
    scripts = ("pulse.js", "areas.js")
    assert sum((small_site / "assets" / name).stat().st_size for name in scripts) < 30_000
    assert max(path.stat().st_size for path in small_site.glob("*.html")) < 300_000


@pytest.mark.slow
def test_made_up_figures_are_watermarked(tmp_path: Path) -> None:
    path = small.build(tmp_path / "pulse.duckdb", made_up=True)
    with reading(path) as connection:
        site.write_site(read.read_model(connection), tmp_path)
    for page in (tmp_path / "site").glob("*.html"):
        assert "Made-up figures" in page.read_text(encoding="utf-8"), page.name
    assert "demonstration" in svg.framed('<svg viewBox="0 0 9 9">', "t", "s", "", made_up=True)


@pytest.mark.slow
def test_a_figure_without_a_source_is_refused(small_site: Path, tmp_path: Path) -> None:
    with pytest.raises(PulseError, match="has no source"):
        _made(small_site, tmp_path, "delete from marts.provenance")


@pytest.mark.parametrize(
    ("lead", "code"), [(small.MEMBERS[0], "not_a_combined_authority"), ("X", "unknown")]
)
def test_pages_are_for_a_combined_authority(tmp_path: Path, lead: str, code: str) -> None:
    path = small.build(tmp_path / "pulse.duckdb")
    with reading(path) as connection, pytest.raises(PulseError, match="combined authority"):
        read.read_model(connection, lead)


def test_a_warehouse_without_goals_is_refused(small_site: Path, tmp_path: Path) -> None:
    with pytest.raises(PulseError, match="no goals"):
        _made(small_site, tmp_path, "delete from marts.pulse")


@pytest.mark.slow
def test_another_lead_area_is_shown_throughout(small_site: Path, tmp_path: Path) -> None:
    _made(small_site, tmp_path, lead=small.OTHER)
    text = _text(tmp_path / "site", "index.html")
    assert "Greater <Manchester> Combined Authority" in text
    assert "West Midlands Combined Authority" not in text


# --- charts -----------------------------------------------------------------------------------------


def _rows(value: float = 40.0) -> list[dict[str, Any]]:
    return [
        {
            "label": "An authority with quite a long name & more",
            "value": value,
            "lower": value - 2,
            "upper": value + 2,
            "part": "lead",
            "words": "words",
        }
    ]


@pytest.fixture(scope="module")
def dots() -> str:
    return svg.finish(charts.draw("dots", 640, _rows(), unit="Percent"), "A <title>", "A & b")


def test_a_chart_is_named_for_screen_readers(dots: str) -> None:
    root = ElementTree.fromstring(dots)
    assert root.get("role") == "img"
    assert [child.text for child in list(root)[:2]] == ["A <title>", "A & b"]
    assert 'aria-label="words"' in dots


def test_every_text_has_the_length_it_was_laid_out_for(dots: str) -> None:
    texts = re.findall(r"<text [^>]*>[^<]+</text>", dots)
    assert texts
    assert all("textLength=" in text for text in texts)
    width, _ = svg.size_of(dots)
    assert max(float(n) for n in re.findall(r'textLength="([\d.]+)"', dots)) < width


# --- what did not change is not made again ------------------------------------------------------------


def _made(small_site: Path, folder: Path, *changes: str, lead: str | None = None) -> set[str]:
    """What is made anew of the small site once its warehouse has changed."""
    warehouse = shutil.copyfile(small_site.parent / "pulse.duckdb", folder / "pulse.duckdb")
    cache = shutil.copytree(small_site.parent / "cache", folder / "cache")
    for change in changes:
        with writing(warehouse) as connection:
            connection.execute(change)
    methods = PROJECT / "docs" / "methods.md"
    with reading(warehouse) as connection:
        model = read.read_model(connection, lead)
        return set(site.write_site(model, folder, cache=cache, methods=methods).made)


def test_a_second_site_of_the_same_figures_makes_nothing_anew(
    small_site: Path, tmp_path: Path
) -> None:
    assert _made(small_site, tmp_path) == set()
    for page in small_site.rglob("*.*"):
        again = tmp_path / "site" / page.relative_to(small_site)
        assert again.read_bytes() == page.read_bytes(), page.name


@pytest.mark.slow
def test_a_changed_figure_makes_anew_the_pages_that_show_it_and_no_other(
    small_site: Path, tmp_path: Path
) -> None:
    made = _made(
        small_site,
        tmp_path,
        "update marts.barometers set value = value + 1 where barometer_id = 'trust' "
        f"and area_code = '{small.MEMBERS[0]}'",
    )
    area = f"area-{small.MEMBERS[0]}.html"
    assert {area, "indicator-trust.html", "source-trust.html", "trust-members.svg"} <= made
    assert f"area-{small.LEAD}.html" in made, "it lists its members"
    kept = {f"area-{small.OUTSIDE}.html", f"area-{small.ENGLAND}.html", "indicator-chat.html"}
    assert not kept & made
    assert (tmp_path / "site" / area).read_bytes() != (small_site / area).read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        "update marts.changes set sentence = 'Another sentence.'",
        pytest.param(
            "update reference.indicators set short_title = 'Another' where indicator_id = 'trust'",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "update meta.editions set published_on = date '2001-02-03'", marks=pytest.mark.slow
        ),
        pytest.param(
            "update meta.datasets set next_release_on = date '2031-02-03'", marks=pytest.mark.slow
        ),
        pytest.param(
            "update marts.breakdowns set base = 99 where category = 'Female'",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_whatever_a_page_shows_makes_it_anew(small_site: Path, tmp_path: Path, change: str) -> None:
    assert "indicator-trust.html" in _made(small_site, tmp_path, change)


@pytest.mark.slow
def test_other_code_makes_every_page_anew(
    small_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.writers.site.pages.code_of_pages", lambda: "another")
    made = _made(small_site, tmp_path)
    assert {page.name for page in small_site.glob("*.html")} <= made
    assert "trust-members.svg" not in made


@pytest.mark.slow
def test_other_code_of_charts_draws_every_chart_anew(
    small_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.writers.site.figures.code_of_charts", lambda: "another")
    made = _made(small_site, tmp_path)
    assert {"trust-members.svg", "trust-members.png"} <= made


def test_a_picture_that_travels_alone_has_its_words(dots: str) -> None:
    framed = svg.framed(dots, "Finding & all", "What it shows", "Source: somebody")
    ElementTree.fromstring(framed)
    for words in ("Finding &amp; all", "What it shows", "Source: somebody"):
        assert words in framed
    assert svg.to_png(framed).startswith(b"\x89PNG")


# --- words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0%"),
        (0.2, "under 1%"),
        (0.5, "1%"),
        (24.5, "25%"),
        (85.499, "85%"),
        (99.49, "99%"),
        (99.5, "over 99%"),
        (100.0, "100%"),
        (None, "–"),
    ],
)
def test_percents_are_whole_and_halves_go_up(value: float | None, words: str) -> None:
    assert wording.percent(value) == words


@pytest.mark.parametrize(("value", "whole"), [(2.5, 3), (-2.5, -3), (2.4999, 2), (-0.4, 0)])
def test_half_away_from_zero(value: float, whole: int) -> None:
    assert wording.rounded(value, 0) == whole


def _row(outcome: str | None, **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "close_call": False, "survives_family": True, **more}


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (_row("better"), "Better"),
        (_row("worse"), "Worse"),
        (_row("lower"), "Lower"),
        (_row("similar"), "Similar"),
        (_row("worse", close_call=True), "Too close to call"),
        (_row("cannot_say"), "Cannot say"),
        (_row(None), "–"),
    ],
)
def test_verdict_labels(row: dict[str, Any], label: str) -> None:
    assert wording.verdict(row)["label"] == label


@pytest.mark.slow
def test_every_page_of_a_release_shows_only_sentences_of_its_marts(
    released_workspace: Workspace,
) -> None:
    site = released_workspace.exports / "site"
    with reading(released_workspace.warehouse_file) as connection:
        known = sentences_in(connection)
    assert sentences_of(site) <= known
    assert check_links(site) == []
    assert max(path.stat().st_size for path in site.glob("*.html")) <= 300_000


def test_england_of_another_edition_is_named_with_it(small_site: Path) -> None:
    """Where an area has no figure, England's own latest is shown, and from which edition it is."""
    page = (small_site / f"area-{small.LEAD}.html").read_text(encoding="utf-8")
    assert re.search(r"69%</a>.{0,200}<span class=\"who\">Survey 2023/24</span>", page, re.DOTALL)


def test_the_estimates_with_other_weights_are_shown(small_site: Path) -> None:
    page = (small_site / "methods.html").read_text(encoding="utf-8")
    # Of two estimates, the one that moves more.
    assert re.search(r"Title of trust.*>2<.*West Midlands.*30\.41.*28\.20 to 32\.60.*30\.57", page)
    assert "30.45" not in page


def test_an_estimate_with_other_weights_is_beside_it(small_site: Path) -> None:
    page = (small_site / f"area-{small.LEAD}.html").read_text(encoding="utf-8")
    assert re.search(
        r'\[e\]</abbr><br> <span class="who">30\.41, by census weights 30\.57</span>', page
    )
    # A published figure has none beside it, whatever its members would give.
    other = (small_site / f"area-{small.OTHER}.html").read_text(encoding="utf-8")
    assert "y census weights" not in other


def test_england_is_shown_beside_an_area_in_the_same_edition(tmp_path: Path) -> None:
    path = small.build(tmp_path / "pulse.duckdb")
    with writing(path) as connection:
        connection.execute(
            "insert into marts.barometers by name select * replace ('2024-25' as edition, "
            "date '2025-03-31' as period_end, 50.0 as value) from marts.barometers "
            f"where barometer_id = 'trust' and area_code = '{small.ENGLAND}'"
        )
        connection.execute(
            "update marts.barometers set is_latest = false where barometer_id = 'trust' "
            f"and area_code = '{small.ENGLAND}' and edition = '2023-24'"
        )
    with reading(path) as connection:
        model = read.read_model(connection)
    trust = model.indicators["trust"]
    chat = model.latest(model.indicators["chat"], model.lead)
    beside = model.national(trust, model.latest(trust, model.lead))
    assert beside is not None
    assert beside["value"] == 41.0
    latest = model.national(trust, chat)
    assert latest is not None
    assert latest["value"] == 50.0
