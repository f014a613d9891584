"""Two printed pages about one area, to take to a meeting: PDF/UA by typst, from the published marts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typst

from sources.errors import PulseError
from warehouse.connection import Row
from warehouse.writers.read import Area, Indicator, Model, has_figure
from warehouse.writers.words import CLOSE, day, figure, interval, plain_status, verdict

_TEMPLATE = Path(__file__).with_name("briefing.typ")
PAGES = 2
# Points; a smaller size is taken where a long name or sentence needs it.
SIZES = (9.5, 8.75, 8.0)


def write_briefings(model: Model, folder: Path, codes: Sequence[str] | None = None) -> list[Path]:
    """Write ``folder/briefing-<code>.pdf`` for some areas.

    ``codes``: of areas with a page; every combined authority and the members of the lead area where
    None. Raises PulseError ``no_such_area`` when a code has no page, ``too_long`` as below.
    """
    if codes is None:
        areas = [*model.current("cauth"), *model.members(model.lead)]
    else:
        unknown = [code for code in codes if not model.has_page(model.areas.get(code))]
        if unknown:
            raise PulseError(
                "no such area",
                code="no_such_area",
                expected="the code of an English area that exists today, for example E08000030",
                found=", ".join(unknown),
                todo="look the code up on the page of areas, or in reference.areas",
            )
        areas = [model.areas[code] for code in codes]
    newest = model.release
    release = f"release {newest['release']} of {day(newest['made_at'])}" if newest else "no release"
    return [
        write_briefing(model, area, folder / f"briefing-{area.code}.pdf", release=release)
        for area in areas
    ]


def write_briefing(model: Model, area: Area, path: Path, *, release: str) -> Path:
    """Write the briefing of an area as a PDF of at most two pages.

    ``release``: as the page names it, for example "release 3 of 2 May 2026". Raises PulseError
    ``too_long`` when it does not fit on two pages.
    """
    inputs = {"data": json.dumps(briefing_data(model, area, release), ensure_ascii=False)}
    pages = 0
    for size in SIZES:
        inputs["size"] = str(size)
        document = typst.Compiler(_TEMPLATE, sys_inputs=inputs)
        pages = int(document.query("<pages>", field="value", one=True))
        if pages <= PAGES:
            break
    else:
        raise PulseError(
            "the briefing does not fit on two pages",
            code="too_long",
            expected=f"{PAGES} pages",
            found=f"{pages} pages for {area.label}",
            todo="shorten the sentences of the marts or the template warehouse/writers/briefing.typ",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    document.compile(output=path, pdf_standards=["ua-1"])
    return path


def briefing_data(model: Model, area: Area, release: str) -> dict[str, Any]:
    """What the template prints: texts only, every sentence and verdict as the marts have them."""
    titles = {"up": "Better than England", "down": "Worse than England", "close": CLOSE}
    lists: dict[str, list[str]] = {kind: [] for kind in titles}
    changed, unknown, sources, goals = [], [], set(), []
    for goal in model.goals:
        rows = []
        for indicator in goal.indicators:
            row = model.latest(indicator, area)
            if indicator.role == "context" or row is None:
                continue
            found = verdict(row)
            national = model.national(indicator, row)
            england = "–"
            if has_figure(national) and not indicator.is_index:
                england = figure(national)
                if not has_figure(row) or national["edition"] != row["edition"]:
                    england += f" ({national['edition'].replace('-', '/')})"
            if not has_figure(row):
                if not model.group_counts(indicator, area):
                    unknown.append(indicator.short_title)
            elif found["kind"] in lists:
                lists[found["kind"]].append(indicator.short_title)
            change = model.change(indicator, area)
            if change is not None and verdict(change)["kind"] in ("up", "down"):
                changed.append(change["sentence"])
            if has_figure(row):
                sources.add(model.attributions.get((row["dataset"], row["edition"]), ""))
            rows.append(
                {
                    "title": indicator.short_title,
                    "key": indicator.role == "key",
                    "figure": _figure(model, indicator, area, row),
                    "mark": row["mark"] or "",
                    "interval": interval(row),
                    "england": england,
                    "verdict": found["label"] if not indicator.is_index else "–",
                    "sentence": row["sentence"] if indicator.role == "key" else "",
                }
            )
        goals.append({"title": goal.title, "rows": rows})
    return {
        "title": area.label,
        "release": release,
        "made_up": model.made_up,
        "goals": goals,
        "lists": [{"title": titles[kind], "items": items} for kind, items in lists.items()],
        "changed": changed[:4],
        "unknown": unknown,
        "sources": sorted(filter(None, sources)),
    }


def _figure(model: Model, indicator: Indicator, area: Area, row: Row) -> str:
    """The figure, or for an index of a combined authority how many areas are in each group."""
    counts = [each for each in model.group_counts(indicator, area) if each["areas"]]
    if counts:
        return ", ".join(f"{each['areas']} in {each['group_label']}" for each in counts)
    return figure(row) if has_figure(row) else plain_status(row)
