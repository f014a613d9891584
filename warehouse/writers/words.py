"""How one figure, interval or verdict is written in a table or a label. Sentences are the marts'."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from warehouse.connection import Row

OUTCOMES: Final = {
    "better": ("up", "Better"),
    "higher": ("up", "Higher"),
    "similar": ("same", "Similar"),
    "worse": ("down", "Worse"),
    "lower": ("down", "Lower"),
    "cannot_say": ("none", "Cannot say"),
}
"""Outcome of a test as the marts name it: kind of shape, label."""

CLOSE: Final = "Too close to call"

_STATUS: Final = {
    "not_held": (
        "not added to Pulse yet",
        "the publisher has figures, but its file has not been added to Pulse yet.",
    ),
    "suppressed": (
        "held back by the publisher",
        "the publisher holds the figure back, because too few people answered or to keep their "
        "answers private.",
    ),
    "not_available": (
        "not published for this area",
        "the publisher gives no figure for this area.",
    ),
    "not_applicable": (
        "does not exist for this area",
        "the figure does not exist for an area of this kind.",
    ),
}


def rounded(value: float, digits: int) -> Decimal:
    """A figure with so many decimals, halves away from zero, as people round; never minus zero."""
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return abs(exact) if exact.is_zero() else exact


def percent(value: float | None) -> str:
    """A whole percent; "under 1%" and "over 99%" where rounding would say none or all."""
    if value is None:
        return "–"
    if 0 < value < 0.5:
        return "under 1%"
    if 99.5 <= value < 100:
        return "over 99%"
    return f"{rounded(value, 0)}%"


_UNITS: Final = {
    "percent": "{}%",
    "per_10k": "{} per 10,000",
    "per_100k": "{} per 100,000",
    "pounds": "£{}",
    "pounds_million": "£{} million",
    "years": "{} years",
    "minutes": "{} minutes",
}

#: What an axis is in, where the unit is not already in the name of the indicator.
AXES: Final = {
    **{unit: words.replace("{}", "").strip() for unit, words in _UNITS.items()},
    "percent": "Percent",
}


def quantity(value: float | None, unit: str, decimals: int | None) -> str:
    """A context figure in its unit, with as many decimals as its indicator has."""
    if value is None:
        return "–"
    return _UNITS.get(unit, "{}").format(f"{rounded(value, decimals or 0):,f}")


def figure(row: Row) -> str:
    """The figure of a cell: a percent, or the group of an index."""
    if row["unit"] == "z_score":
        return f"{row['group_number']} {row['group_label']}" if row["group_label"] else "–"
    return percent(row["value"])


def interval(row: Row | None) -> str:
    """The 95% interval of a cell in whole percents; empty where none is published."""
    if row is None or row["lower_95"] is None or row["unit"] != "percent":
        return ""
    return f"{percent(row['lower_95'])} to {percent(row['upper_95'])}"


def between(row: Row) -> str:
    """A figure in its unit with its 95% interval, where one is published."""
    if row["unit"] == "percent":
        limits = interval(row)
        return f"{percent(row['value'])} ({limits})" if limits else percent(row["value"])
    return in_unit(row)


def in_unit(row: Row) -> str:
    """A context figure with its 95% interval, with as many decimals as its indicator has."""
    value = quantity(row["value"], row["unit"], row["decimals"])
    if row["lower_95"] is None:
        return value
    unit = row["unit"] if row["unit"] in ("percent", "pounds") else ""
    lower, upper = (quantity(row[name], unit, row["decimals"]) for name in ("lower_95", "upper_95"))
    return f"{value} ({lower} to {upper})"


def verdict(row: Row | None) -> dict[str, Any]:
    """Shape, label and whether it survives its family, of a row's verdict.

    A verdict that common tests would disagree on is labelled as too close to call.
    """
    if row is None or row["outcome"] is None:
        return {"kind": "none", "label": "–", "uncertain": False}
    if row["close_call"]:
        return {"kind": "close", "label": CLOSE, "uncertain": False}
    kind, label = OUTCOMES.get(row["outcome"], ("none", "Cannot say"))
    tested = kind in ("up", "down")
    return {
        "kind": kind,
        "label": label,
        "uncertain": tested and row.get("survives_family") is False,
    }


def change_label(row: Row | None) -> str:
    """A change in a few words: the verdict of its test, or the move between groups of an index."""
    if row is None:
        return "–"
    if row["group_movement"] is not None:
        if row["group_movement"] == 0:
            return "Same group"
        return f"Group {row['from_group_number']} to {row['to_group_number']}"
    found = verdict(row)
    if found["kind"] == "same":
        return "No change found"
    return str(found["label"])


def plain_status(row: Row, *, long: bool = False) -> str:
    """Why a cell has no figure, in a few words or in a sentence for those who do not know data."""
    short, sentence = _STATUS.get(row["status"], ("no figure", "there is no figure."))
    return sentence if long else short


def period(row: Row) -> str:
    """Years of the reference period."""
    first, last = row["period_start"].year, row["period_end"].year
    return str(last) if first == last else f"{first} to {last}"


def slash(edition: str | None) -> str:
    """An edition as publishers print it: 2023/24. A break that names none is of any."""
    if edition is None:
        return "any edition"
    return edition.replace("-", "/") if len(edition) == 7 else edition


def day(value: date | datetime | None) -> str:
    """A day as people write it: 4 December 2024."""
    return f"{value.day} {value:%B %Y}" if value is not None else ""
