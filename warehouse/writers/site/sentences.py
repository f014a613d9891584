"""Figures and verdicts in words.

A sentence is a tuple of parts; a part that shows a figure carries its cell, so that the page can
link the number to the place it was read from. The words follow the verdict that the mart holds
and add nothing to it. Rounding is for display: half up, to whole percents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from warehouse.writers.site.model import (
    Area,
    Barometer,
    Cell,
    Change,
    GroupCount,
    Verdict,
)


@dataclass(frozen=True)
class Part:
    """A piece of a sentence; ``cell`` is the figure it shows, if it shows one."""

    text: str
    cell: Cell | None = None


Sentence = tuple[Part, ...]

# More names than this are not listed in a sentence.
_MOST_NAMES = 8

# Words in front of which a reason may lose its capital: anything else may be a name.
_COMMON_OPENINGS = ("No ", "There ", "The ", "Only ", "It ", "Neither ", "Both ", "Computed ")

_WHY_SHORT = {
    "not_held": "publisher’s file not held",
    "suppressed": "held back by the publisher",
    "not_available": "not published",
    "not_applicable": "does not exist",
}


def plain(sentence: Sentence) -> str:
    """The sentence as text."""
    return "".join(part.text for part in sentence)


def half_up(value: float) -> int:
    """The nearest whole number; a half goes up, whatever the sign."""
    shifted = Decimal(repr(value)) + Decimal("0.5")
    return int(shifted.to_integral_value(rounding="ROUND_FLOOR"))


def percent(value: float) -> str:
    """A share as a whole percent; nothing but 0 is told as 0%, nothing but 100 as 100%.

    >>> percent(84.5), percent(0.2), percent(99.7), percent(100.0)
    ('85%', 'under 1%', 'over 99%', '100%')
    """
    if 0 < value < 0.5:
        return "under 1%"
    if 99.5 <= value < 100:
        return "over 99%"
    return f"{half_up(value)}%"


def z_score(value: float) -> str:
    """A z-score to two decimals, half away from zero, with a true minus sign."""
    rounded = Decimal(repr(value)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"{abs(rounded):.2f}" if rounded >= 0 else f"−{abs(rounded):.2f}"


def points(value: float) -> str:
    """A difference in points, signed: ``+3 points``, ``−1 point``, ``0 points``."""
    whole = half_up(abs(value))
    sign = "" if whole == 0 else ("+" if value > 0 else "−")
    return f"{sign}{whole} point{'' if whole == 1 else 's'}"


def figure(cell: Cell) -> str:
    """The figure of a cell as it is shown: a percent, a group, or what stands in its place."""
    if cell.unit == "z_score":
        if cell.group_label is None:
            return short_reason(cell)
        return f"{cell.group_number} {cell.group_label}"
    if cell.value is None:
        return short_reason(cell)
    return percent(cell.value)


def interval(cell: Cell) -> str:
    """The 95% interval of a cell, or an empty text."""
    if cell.value is None or cell.lower is None or cell.upper is None:
        return ""
    return f"{percent(cell.lower)} to {percent(cell.upper)}"


def short_reason(cell: Cell) -> str:
    """Why a cell has no figure, in a few words."""
    return _WHY_SHORT.get(cell.status, "no figure")


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """``1 authority``, ``3 authorities``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def small_number(number: int) -> str:
    """Numbers under ten in words, as running text has them."""
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[number] if 0 <= number < len(words) else str(number)


def verdict_kind(verdict: Verdict | None, polarity: str) -> str:
    """``higher``, ``similar``, ``lower``, ``close`` or ``none``: the side, not the judgement."""
    if verdict is None or verdict.outcome == "cannot_say":
        return "none"
    if verdict.close_call:
        return "close"
    return side(verdict.outcome, polarity)


def side(outcome: str, polarity: str) -> str:
    """Better and worse back to higher and lower, by the polarity of the barometer."""
    if outcome in ("higher", "lower", "similar"):
        return outcome
    if outcome in ("better", "worse"):
        return "higher" if (outcome == "better") == (polarity != "low_good") else "lower"
    return "none"


def verdict_words(
    verdict: Verdict | None, polarity: str, area: Area | None = None, other: str = "England"
) -> str:
    """The verdict as it ends a sentence.

    ``lower than England``, ``similar to England``, ``too close to call against England``, or
    ``cannot be compared with England because …``.
    """
    kind = verdict_kind(verdict, polarity)
    if kind == "close":
        return f"too close to call against {other}"
    if kind == "similar":
        return f"similar to {other}"
    if kind in ("higher", "lower"):
        return f"{kind} than {other}"
    reason = verdict.reason if verdict is not None else None
    return f"cannot be compared with {other} because {because(reason, area)}"


def verdict_label(verdict: Verdict | None, polarity: str) -> str:
    """The verdict as a label: ``Lower``, ``Similar``, ``Too close to call``, ``Cannot say``."""
    kind = verdict_kind(verdict, polarity)
    if kind == "close":
        assert verdict is not None
        return f"Too close to call ({side(verdict.outcome, polarity)} by the test)"
    return {"higher": "Higher", "lower": "Lower", "similar": "Similar"}.get(kind, "Cannot say")


def because(reason: str | None, area: Area | None = None) -> str:
    """A reason of the mart as the end of a sentence, without its full stop."""
    if not reason:
        return "no reason is recorded"
    text = reason.strip().rstrip(".")
    if text.startswith(_COMMON_OPENINGS):
        text = text[0].lower() + text[1:]
    # The mart names the area by its short name, which three areas may share.
    if area is not None and area.in_words != area.name:
        text = text.replace(f" for {area.name}", f" for {area.in_words}")
    return text


def key_sentence(barometer: Barometer, cell: Cell, england: Cell | None) -> Sentence:
    """A barometer's figure for an area, against England, with its interval and its edition."""
    if barometer.is_index:
        return index_sentence(barometer, cell)
    if cell.value is None:
        return _without_figure(barometer, cell, england)
    parts = [
        Part(f"In {cell.area.in_words}, "),
        Part(percent(cell.value), cell),
        Part(f" of adults {barometer.statement}"),
    ]
    if interval(cell):
        parts.append(Part(f" (95% interval {interval(cell)})"))
    kind = verdict_kind(cell.verdict, barometer.polarity)
    against = None if england is None or england.value is None else england
    if cell.area.level == "nation" or (against is None and kind == "none"):
        pass
    elif against is None:
        parts.append(Part(f", {verdict_words(cell.verdict, barometer.polarity, cell.area)}"))
    else:
        assert against.value is not None
        number = Part(percent(against.value), against)
        if kind == "none":
            reason = cell.verdict.reason if cell.verdict is not None else None
            parts += [
                Part("; England’s figure is "),
                number,
                Part(f", and the two cannot be compared because {because(reason, cell.area)}"),
            ]
        else:
            words = {
                "higher": ", higher than England’s ",
                "lower": ", lower than England’s ",
                "similar": ", similar to England’s ",
                "close": ", too close to call against England’s ",
            }
            parts += [Part(words[kind]), number]
    parts.append(Part(f" ({cell.edition_title})."))
    return tuple(parts)


def _without_figure(barometer: Barometer, cell: Cell, england: Cell | None) -> Sentence:
    who = f"the share of adults in {cell.area.in_words} who {barometer.statement}"
    why = {
        "not_held": "the publisher’s tables for it are not held here",
        "suppressed": "the publisher holds it back",
        "not_available": "the publisher has none for this area",
        "not_applicable": "it does not exist for this area",
    }.get(cell.status, "none is published that can be used")
    parts = [Part(f"No figure can be given for {who} ({cell.edition_title}): {why}.")]
    if england is not None and england.value is not None and england.area.code != cell.area.code:
        parts += [
            Part(" England’s figure is "),
            Part(percent(england.value), england),
            Part(f" ({england.edition_title})."),
        ]
    return tuple(parts)


def index_sentence(barometer: Barometer, cell: Cell) -> Sentence:
    """An area's group in an index, which is a place among areas and never a share."""
    name = _index_name(barometer)
    if cell.group_label is None:
        if cell.status == "not_applicable":
            return (
                Part(
                    f"There is no figure on the {name} for {cell.area.in_words}: "
                    f"{because(cell.status_reason)}."
                ),
            )
        return (
            Part(
                f"No figure can be given on the {name} for {cell.area.in_words} "
                f"({cell.edition_title}): {short_reason(cell)}."
            ),
        )
    parts = [
        Part(f"On the {name}, {cell.area.in_words} is in group "),
        Part(f"{cell.group_number}, {cell.group_label}", cell),
    ]
    if cell.value is not None:
        parts.append(Part(f" (z-score {z_score(cell.value)})"))
    parts.append(Part(f", {cell.edition_title}, years {cell.period}."))
    return tuple(parts)


def counts_sentence(
    barometer: Barometer, counts: GroupCount, cells: Iterable[Cell], edition_title: str
) -> Sentence:
    """How the member authorities of a combined authority spread over the groups of an index."""
    by_label: dict[str, list[Cell]] = {}
    period = ""
    for cell in sorted(cells, key=lambda c: (c.area.name, c.area.code)):
        if cell.group_label is not None:
            by_label.setdefault(cell.group_label, []).append(cell)
            period = cell.period
    named = sum(len(found) for found in by_label.values()) == counts.authorities <= _MOST_NAMES
    parts = [
        Part(
            f"On the {_index_name(barometer)}, the {counts.authorities} areas of "
            f"{counts.area.in_words} with a value of their own are placed: "
        )
    ]
    for position, (number, label) in enumerate(counts.counts):
        parts.append(Part(f"{'; ' if position else ''}{number} in {label}"))
        if not named:
            continue
        for place, cell in enumerate(by_label.get(label, [])):
            parts.append(Part(", " if place else " ("))
            parts.append(Part(cell.area.name, cell))
        parts.append(Part(")"))
    years = f", years {period}" if period else ""
    parts.append(Part(f" ({edition_title}{years})."))
    return tuple(parts)


def _index_name(barometer: Barometer) -> str:
    title = barometer.title
    return title[0].lower() + title[1:]


def direction_label(change: Change | None, polarity: str) -> str:
    """Direction since the baseline as a label."""
    if change is None or change.outcome == "cannot_say":
        return "Cannot say"
    if change.outcome == "relative_position":
        moved = change.group_movement or 0
        return "Up by group" if moved > 0 else "Down by group" if moved < 0 else "Same group"
    if change.close_call:
        return "Too close to call"
    found = side(change.outcome, polarity)
    return {
        "higher": "Up since the baseline",
        "lower": "Down since the baseline",
        "similar": "No change beyond the margin of error",
    }.get(found, "Cannot say")


def direction_sentence(change: Change | None) -> Sentence:
    """Change since the baseline as ``marts.changes`` puts it, or why there is none."""
    if change is None:
        return (Part("No later edition than the baseline has a figure to compare."),)
    return (Part(change.sentence),)


def reasons_apart(text: str) -> str:
    """Reasons that the mart strings together with semicolons, as sentences of their own."""
    return re.sub(r"; (?=[A-Z0-9])", ". ", text)


def _edition(edition: str) -> str:
    return edition.replace("-", "/")


def _stop(text: str | None) -> str:
    said = reasons_apart(text or "The reason is not recorded").strip()
    return said if said.endswith(".") else said + "."


def tally_sentence(
    area: Area, higher: int, similar: int, lower: int, close: int, cannot_say: int
) -> str:
    """Counts of verdicts against England, with close calls told as part of them."""
    compared = higher + similar + lower
    if compared == 0:
        return (
            f"None of the {count_of(cannot_say, 'survey barometer')} can be compared with England "
            f"for {area.in_words}."
        )
    text = (
        f"Of {count_of(compared, 'survey barometer')} that can be compared with England, "
        f"{area.in_words} is better on {higher}, similar on {similar} and worse on {lower}"
    )
    if close:
        text += f"; {close} of these {'is' if close == 1 else 'are'} too close to call"
    text += "."
    if cannot_say:
        text += f" On {cannot_say} nothing can be said yet."
    return text


# --- titles of pictures: each states what the picture finds -------------------------------------


def title_by_combined_authority(
    barometer: Barometer, lead: Cell | None, england: Cell | None
) -> str:
    """Title of the picture by combined authority."""
    name = barometer.short_title
    if lead is None or lead.value is None:
        if england is not None and england.value is not None:
            where = lead.area.in_words if lead is not None else "the lead area"
            return f"{name}: England {percent(england.value)}, no figure for {where}"
        return f"{name}: no figures by combined authority are held yet"
    kind = verdict_kind(lead.verdict, barometer.polarity)
    place = lead.area.in_words
    if kind == "none":
        said = f"{name}: {percent(lead.value)} in {place}"
        if england is not None and england.value is not None:
            said += f", {percent(england.value)} in England, not tested"
        return said
    if kind == "close":
        return f"{name}: too close to call between {place} and England"
    return f"{name}: {place} is {verdict_words(lead.verdict, barometer.polarity)}"


def title_by_authority(barometer: Barometer, cells: Sequence[Cell], lead: Area) -> str:
    """Title of the picture by authority: counts of verdicts, else the range that is known."""
    name = barometer.short_title
    with_value = [cell for cell in cells if cell.value is not None]
    if not with_value:
        return f"{name}: no figures by authority are held yet"
    kinds = [verdict_kind(cell.verdict, barometer.polarity) for cell in with_value]
    if all(kind == "none" for kind in kinds):
        low = min(with_value, key=lambda c: (c.value, c.area.code))
        high = max(with_value, key=lambda c: (c.value, c.area.code))
        assert low.value is not None
        assert high.value is not None
        if low is high:
            return f"{name}: {percent(low.value)} in {low.area.name}, the only figure held"
        return (
            f"{name}: {percent(low.value)} in {low.area.name}, {percent(high.value)} in "
            f"{high.area.name}; {len(with_value)} of {len(cells)} authorities have a figure"
        )
    said = [
        f"{small_number(number)} {words}"
        for kind, words in (
            ("lower", "lower than England"),
            ("similar", "similar"),
            ("close", "too close to call"),
            ("higher", "higher"),
            ("none", "not compared"),
        )
        if (number := kinds.count(kind))
    ]
    if kinds.count("lower") == 0 and said:
        said[0] += " to England" if said[0].endswith("similar") else " than England"
        said[0] = said[0].replace("too close to call than England", "too close to call")
        said[0] = said[0].replace("not compared than England", "not compared with England")
    return f"{name}: of {len(cells)} authorities, {listed(said)}"


def title_groups(barometer: Barometer, counts: GroupCount | None, area: Area | None = None) -> str:
    """Title of the picture of groups: where most of the authorities are."""
    if counts is None or not counts.counts:
        return f"{barometer.title}: no figures are held yet"
    most = max(number for number, _ in counts.counts)
    labels = [label for number, label in counts.counts if number == most]
    each = " each" if len(labels) > 1 else ""
    where = f"in {area.in_words}, " if area is not None else ""
    return (
        f"{barometer.title}: {where}{most} of {count_of(counts.authorities, 'area')}{each} in "
        f"{listed(labels)}"
    )


def title_trend(barometer: Barometer, area: Area, change: Change | None) -> str:
    """Title of the picture over time."""
    if change is None or change.outcome == "cannot_say":
        return f"{barometer.short_title}: no change can be told yet for {area.in_words}"
    found = direction_label(change, barometer.polarity)
    return f"{barometer.short_title}, {area.in_words}: {found[0].lower() + found[1:]}"


def alt_of_cells(cells: Sequence[Cell]) -> str:
    """The figures of a picture in words, for those who do not see it."""
    said = [
        f"{cell.area.label} {figure(cell)}" + (f" ({interval(cell)})" if interval(cell) else "")
        for cell in cells
        if cell.has_figure
    ]
    without = len(cells) - len(said)
    text = "; ".join(said)
    if without:
        text += ("; " if text else "") + f"no figure for {count_of(without, 'area')}"
    return text + "."
