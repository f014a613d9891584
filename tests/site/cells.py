"""Cells, verdicts and a barometer for tests that need no warehouse."""

from __future__ import annotations

from datetime import date
from typing import Any

from warehouse.writers.site.model import Area, Barometer, Cell, Change, Verdict

ENGLAND = Area("E92000001", "England", "nation")
WMCA = Area("E47000007", "West Midlands", "cauth")
REGION = Area("E12000005", "West Midlands", "itl1")
WALSALL = Area("E08000030", "Walsall", "lad")


def barometer(**changed: Any) -> Barometer:
    """A survey barometer, high good."""
    given: dict[str, Any] = {
        "id": "library_engagement",
        "goal_id": "supportive",
        "role": "key",
        "order": 1,
        "title": "Library engagement",
        "short_title": "Library visits",
        "statement": "visited a library",
        "unit": "percent",
        "polarity": "high_good",
        "dataset": "dcms_participation",
        "table_code": "C3",
        "response": "Visited",
        "definition": "Share of adults who visited a library",
        "caution": None,
    }
    return Barometer(**{**given, **changed})


def index() -> Barometer:
    """A banded index."""
    return barometer(
        id="promising_prospects",
        title="Promising prospects index",
        short_title="Promising prospects",
        unit="z_score",
    )


def cell(area: Area = WALSALL, value: float | None = 24.0, **changed: Any) -> Cell:
    """A cell of a survey barometer."""
    given: dict[str, Any] = {
        "barometer_id": "library_engagement",
        "area": area,
        "dataset": "dcms_participation",
        "edition": "2023-24",
        "edition_title": "Participation Survey 2023/24",
        "period_start": date(2023, 5, 1),
        "period_end": date(2024, 3, 31),
        "is_baseline": True,
        "is_latest": True,
        "unit": "percent",
        "value": value,
        "lower": None,
        "upper": None,
        "base": None,
        "group_number": None,
        "group_label": None,
        "status": "published" if value is not None else "not_held",
        "status_reason": None,
        "origin": "publisher",
        "method": "published",
        "provenance_id": f"p{area.code}",
        "source_dataset": "dcms_participation",
        "verdict": None,
    }
    return Cell(**{**given, **changed})


def verdict(outcome: str, close: bool = False, reason: str | None = None) -> Verdict:
    """A verdict against England."""
    return Verdict(outcome, close, reason, -1.0, -2.0, 0.0, -1.96)


def change(outcome: str, **changed: Any) -> Change:
    """A change between two editions."""
    given: dict[str, Any] = {
        "barometer_id": "library_engagement",
        "area_code": WALSALL.code,
        "kind": "baseline_to_latest",
        "from_edition": "2023-24",
        "to_edition": "2024-25",
        "from_end": date(2024, 3, 31),
        "to_end": date(2025, 3, 31),
        "from_value": 21.0,
        "to_value": 29.5,
        "difference": 8.5,
        "lower": 1.0,
        "upper": 16.0,
        "minimum_detectable": 6.2,
        "outcome": outcome,
        "close_call": False,
        "reason_code": None,
        "reason": None,
        "grade": "open",
        "group_movement": None,
        "sentence": "Up.",
    }
    return Change(**{**given, **changed})
