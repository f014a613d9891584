"""Write the pages: one folder of plain HTML, pictures and a style sheet.

The pages need no script, no network and no server; every link is relative. The same warehouse
gives the same bytes. Sources are written last, for the figures that some page shows.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from warehouse.workspace import PROJECT
from warehouse.writers.site import figures, sentences
from warehouse.writers.site.methods_page import methods_as_html
from warehouse.writers.site.model import (
    ENGLAND,
    Area,
    Barometer,
    Cell,
    Change,
    Goal,
    Range,
    Region,
    SiteError,
    in_order,
)
from warehouse.writers.tables import csv_name

_HERE = Path(__file__).resolve().parent
METHODS = PROJECT / "docs" / "methods.md"
_OGL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
_OGL_LINE = (
    "Contains public sector information licensed under the Open Government Licence v3.0. "
    "Analysis of official statistics, not itself official statistics."
)
# The figures of the report, in its order: number, barometers, by what.
REPORT_FIGURES: tuple[tuple[int, tuple[str, ...], str], ...] = (
    (1, ("trust_in_neighbours",), "combined_authority"),
    (2, ("trust_in_neighbours",), "authority"),
    (3, ("area_attractiveness",), "combined_authority"),
    (4, ("area_attractiveness",), "authority"),
    (5, ("arts_engagement", "library_engagement"), "england"),
    (6, ("green_space_satisfaction",), "combined_authority"),
    (7, ("green_space_satisfaction",), "authority"),
    (8, ("neighbourhood_belonging",), "combined_authority"),
    (9, ("neighbourhood_belonging",), "authority"),
    (
        10,
        (
            "promising_prospects",
            "conditions_of_childhood",
            "youth_labour_market",
            "innovation_and_growth",
        ),
        "groups",
    ),
)
_VERDICTS_OF_CLAIMS = {
    "agrees": "Agrees with ours",
    "differs": "Differs from ours",
    "too_close_to_call": "Too close to call",
    "cannot_be_computed": "Cannot be checked yet",
    "contradicted_within_report": "The report contradicts itself",
}
_WHY_CHANGED = {
    "new edition": "an edition that is new here",
    "edition gone": "an edition that is no longer here",
    "revision": "the publisher sent another revision",
    "other source": "read from another source",
    "method": "another version of the method",
}
_STATES = {"accepted": "Held", "nothing_held": "Nothing held"}
_KINDS_OF_CHECK = {
    "contract": "Contract: what a publisher’s file must look like",
    "test": "Tests on the tables while they are built",
    "gate": "Gate: what every published table must hold",
}


# What lies beside the pages in a release: path from the folder of exports, name, what it is.
FORMS = (
    ("spreadsheet/pulse.ods", "Spreadsheet (ODS)", "one table a sheet, for any office program."),
    ("spreadsheet/pulse.xlsx", "Spreadsheet (XLSX)", "the same for Excel."),
    ("datapackage.json", "Data package", "what every file and column is, for programs."),
)


def write_site(region: Region, folder: Path, *, in_release: bool = False) -> list[Path]:
    """Write ``folder/site``: the pages of one combined authority and its members.

    Args:
        region: what the pages are about, as ``read_region`` reads it.
        folder: The folder of exports; ``site`` is made in it.
        in_release: whether the other forms of the release lie beside the pages, to be linked.

    Returns:
        The files made.

    Raises:
        SiteError: when the warehouse lacks what the pages need.
    """
    return _Site(region, folder / "site", in_release=in_release).write()


def write_figures(region: Region, folder: Path) -> list[Path]:
    """Write ``folder/figures/figure-01.svg`` to ``figure-10.svg`` and the same as PNG.

    They are the ten figures of the report, drawn from the current edition. Arguments, errors and
    result are those of ``write_site``.
    """
    pictures = Pictures(region)
    target = folder / "figures"
    target.mkdir(parents=True)
    made = []
    for number, picture in pictures.of_the_report():
        svg = target / f"figure-{number:02d}.svg"
        svg.write_text(picture.svg, encoding="utf-8")
        png = target / f"figure-{number:02d}.png"
        png.write_bytes(figures.to_png(picture.svg))
        text = target / f"figure-{number:02d}.txt"
        text.write_text(picture.alt + "\n", encoding="utf-8")
        made += [svg, png, text]
    return made


def source_line(region: Region, cells: Iterable[Cell | None]) -> str:
    """The source of a picture or table: attribution of each edition shown, and the licence."""
    lines = sorted({region.attribution(cell) for cell in cells if cell is not None})
    return " ".join([*(line.rstrip(".") + "." for line in lines if line), _OGL_LINE])


class Pictures:
    """The pictures of one lead area, each for two widths."""

    def __init__(self, region: Region) -> None:
        self.region = region

    def _frame(
        self, title: str, subtitle: str, cells: Iterable[Cell | None], description: str
    ) -> figures.Frame:
        return figures.Frame(
            title,
            subtitle,
            source_line(self.region, cells),
            description,
            synthetic=self.region.is_synthetic,
        )

    def combined_authority_cells(self, barometer: Barometer) -> list[Cell]:
        """The combined authorities of today in the edition at hand, highest first."""
        key = self.region.at_hand(barometer)
        found = [self.region.cell(barometer, key, a.code) for a in self.region.combined_authorities]
        return in_order([cell for cell in found if cell is not None])

    def member_cells(self, barometer: Barometer) -> list[Cell]:
        """The members of the lead area in the edition at hand, highest first."""
        key = self.region.at_hand(barometer)
        found = [self.region.cell(barometer, key, a.code) for a in self.region.places(barometer)]
        return in_order([cell for cell in found if cell is not None])

    def england(self, barometer: Barometer) -> Cell | None:
        """England in the edition at hand."""
        return self.region.cell(barometer, self.region.at_hand(barometer), ENGLAND)

    def _with_england(self, cells: list[Cell], england: Cell | None) -> list[Cell]:
        return cells if england is None or england.value is None else in_order([*cells, england])

    def by_combined_authority(self, barometer: Barometer, width: int) -> figures.Picture:
        """The edition at hand by combined authority."""
        region = self.region
        if barometer.is_index:
            return self._counts(barometer, width)
        england = self.england(barometer)
        cells = self._with_england(self.combined_authority_cells(barometer), england)
        lead = region.cell(barometer, region.at_hand(barometer), region.lead.code)
        frame = self._frame(
            sentences.title_by_combined_authority(barometer, lead, england),
            f"Percentage of adults who {barometer.statement}, by combined authority, "
            f"{self.edition_title(barometer)}. Lines are 95% intervals. "
            f"{figures.scale_words(cells)}",
            cells,
            sentences.alt_of_cells(cells),
        )
        return figures.dot_plot(
            frame,
            cells,
            england=england,
            lead_code=region.lead.code,
            polarity=barometer.polarity,
            width=width,
            names=[cell.area.name for cell in cells],
        )

    def by_authority(self, barometer: Barometer, width: int) -> figures.Picture:
        """The edition at hand for the member authorities."""
        region = self.region
        members = self.member_cells(barometer)
        if barometer.is_index:
            key = region.at_hand(barometer)
            counts = region.counts(barometer, key, region.lead.code)
            frame = self._frame(
                sentences.title_groups(barometer, counts),
                f"Group of each authority, {self.edition_title(barometer)}, years "
                f"{members[0].period if members else ''}. A group is a place among the areas of "
                "the United Kingdom, not a share.",
                members,
                figures.describe_groups(members),
            )
            groups = region.group_labels.get((barometer.id, key[0]), ())
            return figures.group_boxes(frame, members, groups, width=width)
        england = self.england(barometer)
        lead = region.cell(barometer, region.at_hand(barometer), region.lead.code)
        cells = self._with_england(
            [*members, lead] if lead is not None and lead.value is not None else members, england
        )
        cells = in_order(cells)
        frame = self._frame(
            sentences.title_by_authority(barometer, members, region.lead),
            f"Percentage of adults who {barometer.statement}, by authority, "
            f"{self.edition_title(barometer)}. Lines are 95% intervals. "
            f"{figures.scale_words(cells)}",
            cells,
            sentences.alt_of_cells(cells),
        )
        return figures.dot_plot(
            frame,
            cells,
            england=england,
            lead_code=region.lead.code,
            polarity=barometer.polarity,
            width=width,
        )

    def _counts(self, barometer: Barometer, width: int) -> figures.Picture:
        region = self.region
        key = region.at_hand(barometer)
        rows, words = [], []
        for area in region.combined_authorities:
            found = region.counts(barometer, key, area.code)
            counts = {} if found is None else {label: number for number, label in found.counts}
            rows.append((area.name, area.code == region.lead.code, counts))
            said = sentences.listed([f"{n} in {label}" for label, n in counts.items()])
            words.append(f"{area.label}: {said or 'no figure'}")
        lead = region.counts(barometer, key, region.lead.code)
        cells = self.member_cells(barometer)
        frame = self._frame(
            sentences.title_groups(barometer, lead, region.lead),
            f"Number of areas in each group, by combined authority, "
            f"{self.edition_title(barometer)}, years {cells[0].period if cells else ''}. The index "
            "has one value for a county, however many districts it has.",
            cells,
            "; ".join(words) + ".",
        )
        return figures.count_table(
            frame, rows, region.group_labels.get((barometer.id, key[0]), ()), width=width
        )

    def over_time(self, barometer: Barometer, width: int) -> figures.Picture:
        """The lead area and England over the editions; for an index its members' groups."""
        region = self.region
        editions = region.editions(barometer)
        if barometer.is_index:
            return self._groups_over_time(barometer, editions, width)
        lead = tuple(region.cell(barometer, key, region.lead.code) for key in editions)
        england = tuple(region.cell(barometer, key, ENGLAND) for key in editions)
        breaks = self.breaks(barometer, editions, region.lead.code)
        change = region.change(barometer, region.lead.code, "baseline_to_latest")
        told = [
            f"{self.label_of(barometer, key)}: {region.lead.label} "
            f"{sentences.figure(a) if a else 'no figure'}, England "
            f"{sentences.figure(b) if b else 'no figure'}"
            for key, a, b in zip(editions, lead, england, strict=True)
        ]
        if any(breaks):
            told.append("The series breaks where the picture has a gap marked [b]")
        frame = self._frame(
            sentences.title_trend(barometer, region.lead, change),
            f"Percentage of adults who {barometer.statement}, by edition. Lines are 95% "
            "intervals; [b] marks a break in the series, which no line crosses.",
            [*lead, *england],
            "; ".join(told) + ".",
        )
        return figures.trend(
            frame,
            [key[0].replace("-", "/") for key in editions],
            (
                figures.Series(region.lead.label, lead, True),
                figures.Series("England", england, False),
            ),
            breaks,
            width=width,
        )

    def _groups_over_time(
        self, barometer: Barometer, editions: Sequence[tuple[str, date]], width: int
    ) -> figures.Picture:
        region = self.region
        rows: list[tuple[str, list[Cell | None]]] = [
            (area.label, [region.cell(barometer, key, area.code) for key in editions])
            for area in region.places(barometer)
        ]
        every = [cell for _, cells in rows for cell in cells if cell is not None]
        breaks = [i + 1 for i in range(len(editions) - 1) if editions[i][0] != editions[i + 1][0]]
        words = [
            f"{name}: "
            + ", ".join(
                f"{self.label_of(barometer, key)} {sentences.figure(cell) if cell else 'no figure'}"
                for key, cell in zip(editions, cells, strict=True)
            )
            for name, cells in rows
        ]
        frame = self._frame(
            f"{barometer.title}: groups may be compared within an edition, not between editions",
            "Group of each authority by edition and years. Filled box: the group, from 1 the least "
            "favourable. [b] marks a break in the series.",
            every,
            "; ".join(words) + ".",
        )
        return figures.group_table(
            frame,
            rows,
            [self.label_of(barometer, key) for key in editions],
            [region.group_labels.get((barometer.id, key[0]), ()) for key in editions],
            breaks=breaks,
            width=width,
        )

    def spine(self, area: Area, width: int) -> figures.Picture:
        """An area on every survey barometer."""
        region = self.region
        rows = spine_rows(region, area)
        cells = [cell for _, cell, _, _ in rows]
        told = [
            f"{b.short_title} {sentences.figure(cell)}"
            + (
                f", {sentences.verdict_words(cell.verdict, b.polarity, area)}"
                if cell.value is not None
                else ""
            )
            for b, cell, _, _ in rows
        ]
        frame = self._frame(
            sentences.tally_sentence(area, **tally(region, area)).split(". ")[0].rstrip("."),
            "Percentage of adults, newest edition with a figure for the area. Blue lines are 95% "
            "intervals, where they are published.",
            cells,
            "; ".join(told) + ".",
        )
        return figures.spine(
            frame,
            [(b.short_title, b.polarity, cell, eng, found) for b, cell, eng, found in rows],
            width=width,
        )

    def against_england(self, barometers: Sequence[Barometer], width: int) -> figures.Picture:
        """The lead area beside England on several barometers (figure 5 of the report)."""
        region = self.region
        cells: list[Cell] = []
        names: list[str] = []
        for barometer in barometers:
            key = region.at_hand(barometer)
            for code in (region.lead.code, ENGLAND):
                cell = region.cell(barometer, key, code)
                if cell is not None:
                    cells.append(cell)
                    where = region.lead.name if code == region.lead.code else "England"
                    names.append(f"{barometer.short_title}: {where}")
        said = [
            f"{b.short_title.lower()} "
            + sentences.verdict_words(cell.verdict, b.polarity, region.lead)
            for b in barometers
            if (cell := region.cell(b, region.at_hand(b), region.lead.code)) is not None
        ]
        title = f"In {region.lead.in_words}: {sentences.listed(said)}"
        frame = self._frame(
            title,
            f"Percentage of adults, {self.edition_title(barometers[0])}. Lines are 95% intervals. "
            f"{figures.scale_words(cells)}",
            cells,
            "; ".join(
                f"{name} {sentences.figure(cell)}" for name, cell in zip(names, cells, strict=True)
            )
            + ".",
        )
        return figures.dot_plot(
            frame,
            cells,
            england=None,
            lead_code=region.lead.code,
            polarity=barometers[0].polarity,
            width=width,
            names=names,
        )

    def groups_of_members(self, barometers: Sequence[Barometer], width: int) -> figures.Picture:
        """The members' groups on the four indices (figure 10 of the report)."""
        region = self.region
        rows: list[tuple[str, list[Cell | None]]] = [
            (area.label, [region.cell(b, region.at_hand(b), area.code) for b in barometers])
            for area in region.places(barometers[0])
        ]
        every = [cell for _, cells in rows for cell in cells if cell is not None]
        low = sum(1 for c in every if c.group_number is not None and c.group_number <= 2)
        frame = self._frame(
            f"{low} of {sum(1 for c in every if c.group_number is not None)} placings of the "
            f"authorities are in the two least favourable groups",
            f"Group on each index, {self.edition_title(barometers[0])}. A group is a place among "
            "the areas of the United Kingdom, not a share. Filled box: the group, from 1 the least "
            "favourable.",
            every,
            "; ".join(
                f"{name}: "
                + ", ".join(
                    f"{b.short_title} {sentences.figure(c) if c else 'no figure'}"
                    for b, c in zip(barometers, cells, strict=True)
                )
                for name, cells in rows
            )
            + ".",
        )
        return figures.group_table(
            frame,
            rows,
            [b.short_title for b in barometers],
            [region.group_labels.get((b.id, region.at_hand(b)[0]), ()) for b in barometers],
            width=width,
        )

    def of_the_report(self, width: int = figures.WIDE) -> list[tuple[int, figures.Picture]]:
        """The ten figures of the report, for the edition at hand."""
        found = []
        for number, ids, kind in REPORT_FIGURES:
            barometers = [self.region.barometers[i] for i in ids if i in self.region.barometers]
            if not barometers:
                continue
            if kind == "combined_authority":
                picture = self.by_combined_authority(barometers[0], width)
            elif kind == "authority":
                picture = self.by_authority(barometers[0], width)
            elif kind == "england":
                picture = self.against_england(barometers, width)
            else:
                picture = self.groups_of_members(barometers, width)
            found.append((number, picture))
        return found

    def edition_title(self, barometer: Barometer) -> str:
        """Title of the edition at hand."""
        for cell in self.region.cells[barometer.id][self.region.at_hand(barometer)].values():
            return cell.edition_title
        return ""

    def label_of(self, barometer: Barometer, key: tuple[str, date]) -> str:
        """An edition, with the years where an edition has several periods."""
        if not barometer.is_index:
            return key[0].replace("-", "/")
        cell = next(iter(self.region.cells[barometer.id][key].values()))
        return f"{key[0]}: {cell.period}"

    def breaks(
        self, barometer: Barometer, editions: Sequence[tuple[str, date]], code: str
    ) -> list[Change | None]:
        """The registered break between each edition and the next."""
        return [
            self.region.break_between(barometer, code, editions[i], editions[i + 1])
            or self.region.break_between(barometer, ENGLAND, editions[i], editions[i + 1])
            for i in range(len(editions) - 1)
        ]


def spine_rows(
    region: Region, area: Area
) -> list[tuple[Barometer, Cell, Cell | None, Range | None]]:
    """Survey barometers of an area: its newest figure, England's and the range in that edition."""
    rows = []
    for barometer in region.barometers.values():
        if barometer.is_index:
            continue
        cell = region.newest_of(barometer, area.code)
        if cell is None:
            continue
        england = region.cell(barometer, cell.key, ENGLAND)
        rows.append((barometer, cell, england, region.range_of(barometer, cell.key)))
    return rows


def tally(region: Region, area: Area) -> dict[str, int]:
    """Counts of verdicts against England, as ``marts.authority_profiles`` has them."""
    row = region.profiles.get(area.code, {})
    return {
        "higher": int(row.get("better_than_england") or 0),
        "similar": int(row.get("similar_to_england") or 0),
        "lower": int(row.get("worse_than_england") or 0),
        "close": int(row.get("close_calls") or 0),
        "cannot_say": int(row.get("cannot_say") or 0),
    }


@dataclass
class _Site:
    """One run over all pages; collects which figures were shown, to write their sources."""

    region: Region
    folder: Path
    in_release: bool = False
    made: list[Path] = field(default_factory=list)
    shown: dict[str, dict[str, Cell | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.region)
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self.environment.filters.update(
            percent=sentences.percent,
            z=sentences.z_score,
            figure=sentences.figure,
            interval=sentences.interval,
            short_reason=sentences.short_reason,
            say=self._say,
            day=_day,
            edition=lambda text: str(text).replace("-", "/"),
            apart=sentences.reasons_apart,
            breakable=lambda text: Markup("_<wbr>").join(str(text).split("_")),
            shown=lambda value: f"{value:.4g}",
            words=lambda text: str(text).replace("_", " "),
        )
        self.environment.globals.update(
            csv_name=csv_name,
            region=self.region,
            lead=self.region.lead,
            ogl=_OGL,
            ogl_line=_OGL_LINE,
            href=self._href,
            mark=self._mark,
            verdict_kind=sentences.verdict_kind,
            verdict_label=sentences.verdict_label,
            strip=lambda *given: Markup(figures.strip(*given)),
            page_of=self._page_of,
            reasons_of=reasons_of,
            wide=figures.WIDE,
            in_release=self.in_release,
        )

    def write(self) -> list[Path]:
        self.folder.mkdir(parents=True)
        for name in ("assets", "figures", "data"):
            (self.folder / name).mkdir()
        for asset in sorted((_HERE / "assets").iterdir()):
            self._bytes(f"assets/{asset.name}", asset.read_bytes())
        cards = {b.id: self._card(b) for b in self.region.barometers.values()}
        self._page("index.html", "index", cards=cards)
        for goal in self.region.goals:
            self._goal(goal, cards)
        for barometer in self.region.barometers.values():
            self._barometer(barometer, cards[barometer.id])
        self._page(
            "areas.html",
            "areas",
            rows=[(area, tally(self.region, area)) for area in self.region.pages_of_areas],
        )
        for area in self.region.pages_of_areas:
            self._area(area)
        self._report()
        self._quality()
        self._page(
            "methods.html",
            "methods",
            breaks=self.region.tables["breaks"],
            symbols=sorted(self.region.symbols.items()),
        )
        self._page(
            "methods_in_full.html",
            "methods_in_full",
            text=methods_as_html(METHODS.read_text(encoding="utf-8")),
        )
        if self.in_release:
            self._page("data.html", "data", forms=FORMS, marts=self.region.tables["marts"])
        changed = self.region.tables["changed_figures"]
        shown = {area.code for area in self.region.pages_of_areas} | {ENGLAND}
        self._page(
            "changes.html",
            "changes",
            changed=[c for c in changed if c["area_code"] in shown],
            changed_elsewhere=sum(c["area_code"] not in shown for c in changed),
            reasons=sorted(Counter(c["why"] for c in changed).items()),
            why=_WHY_CHANGED,
            follows=next(
                (r["release"] for r in self.region.tables["releases"] if r["is_one_before"]), None
            ),
            revisions=self.region.tables["revisions"],
            releases=self.region.tables["releases"],
            breaks=self.region.tables["breaks"],
        )
        self._sources()
        return self.made

    # --- pieces ---------------------------------------------------------------------------------

    def _card(self, barometer: Barometer) -> dict[str, Any]:
        region = self.region
        key = region.at_hand(barometer)
        lead = region.cell(barometer, key, region.lead.code)
        if lead is None:
            raise SiteError(
                "the lead area has no row",
                code="no_row",
                found=f"{barometer.id}, {key[0]}, {region.lead.code} in marts.barometers",
                todo="build the warehouse again",
            )
        england = region.cell(barometer, key, ENGLAND)
        counts = region.counts(barometer, key, region.lead.code)
        members = self.pictures.member_cells(barometer)
        sentence = (
            sentences.counts_sentence(barometer, counts, members, lead.edition_title)
            if barometer.is_index and counts is not None
            else sentences.key_sentence(barometer, lead, england)
        )
        change = region.change(barometer, region.lead.code, "baseline_to_latest")
        if change is None and barometer.is_index and members:
            change = region.change(barometer, members[0].area.code, "baseline_to_latest")
        newest = region.editions(barometer)[-1]
        newer = region.cell(barometer, newest, region.lead.code) if newest[0] != key[0] else None
        return {
            "barometer": barometer,
            "lead": lead,
            "england": england,
            "counts": counts,
            "members": members,
            "sentence": sentence,
            "kind": sentences.verdict_kind(lead.verdict, barometer.polarity),
            "label": sentences.verdict_label(lead.verdict, barometer.polarity),
            "direction_label": sentences.direction_label(change, barometer.polarity),
            "direction": sentences.direction_sentence(change),
            "newer": newer,
            "newer_england": region.cell(barometer, newest, ENGLAND) if newer else None,
        }

    def _of_edition(self, barometer: Barometer, edition: str | None) -> Cell | None:
        for key in reversed(self.region.editions(barometer)):
            if key[0] == edition:
                return self.region.cell(barometer, key, self.region.lead.code)
        return None

    def _picture(self, name: str, draw: Any) -> dict[str, Any]:
        wide, narrow = draw(figures.WIDE), draw(figures.NARROW)
        self._text(f"figures/{name}.svg", wide.svg)
        self._text(f"figures/{name}-narrow.svg", narrow.svg)
        return {"name": name, "wide": wide, "narrow": narrow}

    def _goal(self, goal: Goal, cards: dict[str, Any]) -> None:
        key = goal.key
        picture = f"{key.slug}-by-authority"
        drawn = self.pictures.by_authority(key, figures.WIDE)
        narrow = self.pictures.by_authority(key, figures.NARROW)
        self._page(
            goal.page,
            "goal",
            goal=goal,
            cards=[cards[b.id] for b in goal.barometers],
            picture={"name": picture, "wide": drawn, "narrow": narrow},
        )

    def _barometer(self, barometer: Barometer, card: dict[str, Any]) -> None:
        region, pictures = self.region, self.pictures
        editions = region.editions(barometer)
        places = region.places(barometer)
        england = pictures.england(barometer)
        authorities = pictures.combined_authority_cells(barometer)
        members = pictures.member_cells(barometer)
        beside = [c for c in (card["lead"], england) if c is not None and not barometer.is_index]
        over_time = [
            (
                pictures.label_of(barometer, key),
                [
                    region.cell(barometer, key, area.code)
                    for area in (places if barometer.is_index else (region.lead, region.england))
                ],
            )
            for key in editions
        ]
        shown = [*authorities, *members, *beside]
        shown += [cell for _, cells in over_time for cell in cells if cell is not None]
        data = f"data/{barometer.slug}.csv"
        self._text(data, table_of(shown))
        key = region.at_hand(barometer)
        self._page(
            barometer.page,
            "barometer",
            barometer=barometer,
            goal=region.goal_of[barometer.id],
            card=card,
            edition=card["lead"].edition_title,
            period=card["members"][0].period if card["members"] else card["lead"].period,
            by_combined_authority=self._picture(
                f"{barometer.slug}-by-combined-authority",
                lambda width: pictures.by_combined_authority(barometer, width),
            ),
            by_authority=self._picture(
                f"{barometer.slug}-by-authority",
                lambda width: pictures.by_authority(barometer, width),
            ),
            over_time=self._picture(
                f"{barometer.slug}-over-time",
                lambda width: pictures.over_time(barometer, width),
            ),
            authorities=in_order([*authorities, england]) if england else authorities,
            members=in_order([*members, *beside]),
            counts=[
                (area, region.counts(barometer, key, area.code))
                for area in region.combined_authorities
            ],
            groups=region.group_labels.get((barometer.id, key[0]), ()),
            time_areas=places if barometer.is_index else (region.lead, region.england),
            time_rows=over_time,
            breaks=[
                (
                    pictures.label_of(barometer, editions[i]),
                    pictures.label_of(barometer, editions[i + 1]),
                    found,
                )
                for i, found in enumerate(
                    pictures.breaks(
                        barometer,
                        editions,
                        places[0].code if barometer.is_index else region.lead.code,
                    )
                )
                if found is not None
            ],
            movements=[
                (area, change)
                for area in places
                if barometer.is_index
                and (change := region.change(barometer, area.code, "within_edition_first_to_last"))
            ],
            data=data,
            source=source_line(region, [card["lead"], *members]),
        )

    def _area(self, area: Area) -> None:
        region = self.region
        rows = spine_rows(region, area)
        indices: list[tuple[Barometer, Cell | None, Any]] = []
        for barometer in region.barometers.values():
            if not barometer.is_index:
                continue
            key = region.at_hand(barometer)
            counts = region.counts(barometer, key, area.code) if area.level == "cauth" else None
            cell = region.cell(barometer, key, area.code)
            sentence = None
            if counts is not None:
                found = [
                    region.cell(barometer, key, code)
                    for code, profile in sorted(region.profiles.items())
                    if profile.get("combined_authority_code") == area.code
                ]
                sentence = sentences.counts_sentence(
                    barometer,
                    counts,
                    [c for c in found if c is not None],
                    self.pictures.edition_title(barometer),
                )
            elif cell is not None:
                sentence = sentences.index_sentence(barometer, cell)
            indices.append((barometer, cell, sentence))
        data = f"data/{area.code}.csv"
        cells = [c for _, c, _, _ in rows] + [c for _, c, _ in indices if c is not None]
        self._text(data, table_of(cells))
        profile = region.profiles.get(area.code, {})
        parent = region.areas.get(profile.get("combined_authority_code") or "")
        self._page(
            area.page,
            "area",
            area=area,
            parent=parent,
            tally=sentences.tally_sentence(area, **tally(region, area)),
            counts=tally(region, area),
            rows=rows,
            indices=indices,
            sentences=[
                sentences.key_sentence(b, cell, england)
                for b, cell, england, _ in rows
                if cell.value is not None
            ],
            without=[(b, cell) for b, cell, _, _ in rows if cell.value is None],
            untested=[
                (b, cell)
                for b, cell, _, _ in rows
                if cell.value is not None
                and sentences.verdict_kind(cell.verdict, b.polarity) == "none"
            ],
            because=sentences.because,
            picture=self._picture(
                f"area-{area.code}", lambda width: self.pictures.spine(area, width)
            ),
            data=data,
            source=source_line(region, cells),
        )

    def _report(self) -> None:
        claims = self.region.tables["claims"]
        verdicts: dict[str, int] = {}
        for claim in claims:
            verdicts[claim["verdict"]] = verdicts.get(claim["verdict"], 0) + 1
            barometer = self.region.barometers.get(claim["barometer_id"] or "")
            claim["link"] = None
            if claim["provenance_id"] and barometer is not None:
                self.shown.setdefault(barometer.id, {}).setdefault(claim["provenance_id"], None)
                claim["link"] = f"{barometer.source_page}#{anchor(claim['provenance_id'])}"
            claim["barometer"] = barometer
            if claim["statistic"] == "comparison" and claim["our_value"] and barometer is not None:
                claim["our_value"] = sentences.side(claim["our_value"], barometer.polarity)
        pictures = []
        narrow = dict(self.pictures.of_the_report(figures.NARROW))
        for number, wide in self.pictures.of_the_report():
            _, ids, kind = REPORT_FIGURES[number - 1]
            if kind in ("combined_authority", "authority"):
                # The same picture as on the barometer's page: not written twice.
                name = f"{ids[0].replace('_', '-')}-by-{kind.replace('_', '-')}"
            else:
                name = f"report-{number:02d}"
                self._text(f"figures/{name}.svg", wide.svg)
                self._text(f"figures/{name}-narrow.svg", narrow[number].svg)
            pictures.append((number, {"name": name, "wide": wide, "narrow": narrow[number]}))
        self._page(
            "report.html",
            "report",
            claims=claims,
            verdicts=[(v, _VERDICTS_OF_CLAIMS.get(v, v), n) for v, n in sorted(verdicts.items())],
            names=_VERDICTS_OF_CLAIMS,
            pictures=pictures,
            ids={number: ids for number, ids, _ in REPORT_FIGURES},
        )

    def _quality(self) -> None:
        tables = self.region.tables
        kinds: dict[str, list[dict[str, Any]]] = {}
        for check in tables["checks"]:
            kinds.setdefault(check["kind"], []).append(check)
        self._page(
            "quality.html",
            "quality",
            editions=tables["editions"],
            states=_STATES,
            gaps=tables["gap_reasons"],
            checks=[(k, _KINDS_OF_CHECK.get(k, k), found) for k, found in sorted(kinds.items())],
            failed=[c for c in tables["checks"] if not c["passed"]],
            noted=[
                c
                for c in tables["checks"]
                if c["kind"] == "contract" and c["severity"] in ("warning", "note")
            ],
            revisions=tables["revisions"],
            releases=tables["releases"],
            barometers=list(self.region.barometers.values()),
        )

    def _sources(self) -> None:
        files = {
            (e["dataset"], e["edition"], e["revision"]): e for e in self.region.tables["editions"]
        }
        titles = {(e["dataset"], e["edition"]): e for e in self.region.tables["editions"]}
        names = {code: area.label for code, area in self.region.areas.items()}
        for barometer in self.region.barometers.values():
            shown = self.shown.get(barometer.id, {})
            figures_: list[dict[str, Any]] = []
            derived: list[dict[str, Any]] = []
            used: dict[tuple[str, str, str], dict[str, Any]] = {}
            for provenance_id in shown:
                rows = self.region.provenance.get(provenance_id)
                if not rows:
                    raise SiteError(
                        "a figure shown has no source",
                        code="no_source",
                        found=f"{barometer.id}, {provenance_id}",
                        expected="a row in marts.provenance",
                        todo="build the warehouse again",
                    )
                for row in rows:
                    key = (row["dataset"], row["edition"], row["revision"])
                    used[key] = {
                        "row": row,
                        "edition": files.get(key) or titles.get(key[:2]),
                    }
                cell = shown[provenance_id]
                item = {
                    "id": anchor(provenance_id),
                    "cell": cell,
                    "rows": rows,
                    "area": cell.area.label if cell else names.get(rows[0]["area_code"], ""),
                }
                (derived if rows[0]["made_of"] else figures_).append(item)
            order = {key: number for number, key in enumerate(sorted(used, key=str), start=1)}
            by_key = sorted(
                figures_,
                key=lambda i: (i["rows"][0]["edition"], i["area"], i["id"]),
            )
            self._page(
                barometer.source_page,
                "source",
                barometer=barometer,
                figures=by_key,
                derived=sorted(
                    derived,
                    key=lambda i: (i["cell"].edition if i["cell"] else "", i["area"], i["id"]),
                ),
                files=[(order[key], key, used[key]) for key in sorted(used, key=str)],
                number_of=lambda row, order=order: order[
                    (row["dataset"], row["edition"], row["revision"])
                ],
                names=names,
                members=members_of,
            )

    # --- links and marks ------------------------------------------------------------------------

    def _href(self, cell: Cell) -> str:
        barometer = self.region.barometers[cell.barometer_id]
        if cell.provenance_id is None:
            return barometer.page
        self.shown.setdefault(barometer.id, {})[cell.provenance_id] = cell
        return f"{barometer.source_page}#{anchor(cell.provenance_id)}"

    def _mark(self, cell: Cell) -> str:
        """Shorthand in square brackets behind a figure."""
        marks = []
        if cell.origin == "synthetic":
            marks.append("[made up]")
        if cell.has_figure and cell.origin == "derived":
            marks.append("[e]")
        if cell.status == "low_reliability":
            marks.append("[u]")
        return " ".join(marks)

    def _say(self, sentence: sentences.Sentence) -> Markup:
        said = Markup("")
        for part in sentence:
            if part.cell is not None and part.cell.provenance_id is not None:
                said += Markup('<a class="figure" href="{}">{}</a>').format(
                    self._href(part.cell), part.text
                )
            else:
                said += part.text
        return said

    def _page_of(self, code: str) -> str | None:
        return next((a.page for a in self.region.pages_of_areas if a.code == code), None)

    # --- files ----------------------------------------------------------------------------------

    def _page(self, name: str, template: str, **context: Any) -> None:
        self._text(
            name, self.environment.get_template(f"{template}.html.j2").render(page=name, **context)
        )

    def _text(self, name: str, text: str) -> None:
        self._bytes(name, text.encode("utf-8"))

    def _bytes(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.write_bytes(content)
        self.made.append(path)


def anchor(provenance_id: str) -> str:
    """Where the source of a figure stands on its page."""
    return f"p-{provenance_id}"


def members_of(
    rows: Sequence[dict[str, Any]],
) -> list[tuple[str, list[dict[str, Any]], list[dict[str, Any]]]]:
    """The parts of a computed figure by member: its figures and its populations."""
    found: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
    for row in rows:
        figures_, weights = found.setdefault(row["area_code"], ([], []))
        (weights if str(row["part"]).startswith("weight") else figures_).append(row)
    return [(code, *found[code]) for code in sorted(found)]


def reasons_of(cells: Iterable[Cell | None]) -> list[tuple[str, list[str]]]:
    """Why cells have no figure: each reason once, with the areas it holds for."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        if cell is not None and not cell.has_figure and cell.status_reason:
            areas = found.setdefault(cell.status_reason, [])
            if cell.area.label not in areas:
                areas.append(cell.area.label)
    return sorted(found.items())


def table_of(cells: Iterable[Cell]) -> str:
    """The rows behind a page as CSV, each cell once."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(
        (
            "barometer_id",
            "area_code",
            "area_name",
            "area_level",
            "dataset",
            "edition",
            "period_start",
            "period_end",
            "unit",
            "value",
            "lower_95",
            "upper_95",
            "base",
            "group_number",
            "group_label",
            "against_england",
            "close_call",
            "status",
            "status_reason",
            "origin",
            "method",
            "provenance_id",
        )
    )
    seen = set()
    for cell in cells:
        key = (cell.barometer_id, cell.area.code, cell.key)
        if key in seen:
            continue
        seen.add(key)
        writer.writerow(
            (
                cell.barometer_id,
                cell.area.code,
                cell.area.name,
                cell.area.level,
                cell.dataset,
                cell.edition,
                cell.period_start,
                cell.period_end,
                cell.unit,
                cell.value,
                cell.lower,
                cell.upper,
                cell.base,
                cell.group_number,
                cell.group_label,
                cell.verdict.outcome if cell.verdict else None,
                str(cell.verdict.close_call).lower() if cell.verdict else None,
                cell.status,
                cell.status_reason,
                cell.origin,
                cell.method,
                cell.provenance_id,
            )
        )
    return stream.getvalue()


def _day(value: date | datetime | None) -> str:
    """A day as people write it: ``4 December 2024``."""
    if value is None:
        return ""
    return f"{value.day} {value:%B %Y}"
