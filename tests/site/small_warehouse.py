"""A small warehouse made by hand: every kind of cell that a page can meet.

It has the columns that the pages read and no more, and figures that are plainly invented. Two
combined authorities, one survey barometer told in every way there is, one index.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

LEAD, OTHER, ENDED, ENGLAND = "E47000091", "E47000092", "E47000090", "E92000001"
ALFA, BRAVO, CHARLIE, DELTA = "E08000091", "E08000092", "E08000093", "E08000094"
COUNTY = "E10000091"
SURVEY, INDEX = "dcms_community_life", "smc_promising_prospects"
HOSTILE = "<script>alert(1)</script>"
REMEDY = (
    "Hand the file in. It is at https://example.org/a-very-long-address-that-has-no-place-to-break-"
    "and-yet-must-fit-a-narrow-window-without-a-scroll-bar/annual-publication."
)

_OLD, _NEW = "2023-24", "2024-25"
_PERIODS = {
    _OLD: (date(2023, 10, 1), date(2024, 3, 31)),
    _NEW: (date(2024, 4, 1), date(2025, 3, 31)),
}
_NAMES = {
    LEAD: ("Twin Towns", "cauth"),
    OTHER: ("Other Shires", "cauth"),
    ENDED: ("Gone", "cauth"),
    ENGLAND: ("England", "nation"),
    ALFA: ("Alfa", "lad"),
    BRAVO: ("Bravo & Co", "lad"),
    CHARLIE: ("Charlie", "lad"),
    DELTA: ("Delta", "lad"),
    COUNTY: ("Deltashire", "utla"),
}
_GOALS = ("connected", "supportive", "inclusive", "equitable")

# area, edition, value, lower, upper, status, origin, outcome, close call, reason
_CELLS: tuple[tuple[Any, ...], ...] = (
    (ENGLAND, _NEW, 43.5, 42.9, 44.0, "published", "publisher", None, False, None),
    (LEAD, _NEW, 38.5, 36.4, 40.6, "published", "derived", "worse", False, None),
    (OTHER, _NEW, 45.2, 43.0, 47.4, "published", "derived", "similar", True, None),
    (ALFA, _NEW, 30.0, 26.0, 34.0, "published", "publisher", "worse", False, None),
    (BRAVO, _NEW, None, None, None, "suppressed", None, "cannot_say", False, "Held back."),
    (CHARLIE, _NEW, 55.0, 50.0, 60.0, "published", "publisher", "better", False, None),
    (DELTA, _NEW, 44.0, None, None, "published", "publisher", "cannot_say", False,
     "No usable interval is published for Delta."),
    (ENGLAND, _OLD, 42.0, 41.5, 42.5, "published", "publisher", None, False, None),
    (LEAD, _OLD, 37.0, 35.0, 39.0, "published", "derived", "worse", False, None),
    (OTHER, _OLD, None, None, None, "not_held", None, "cannot_say", False, "There is no figure."),
    (ALFA, _OLD, 31.0, 27.0, 35.0, "published", "publisher", "worse", False, None),
)  # fmt: skip
_GROUPS = (
    (ALFA, 2, "Unfavourable", -1.25),
    (BRAVO, 4, "Middling", 0.004),
    (CHARLIE, 7, "Most Favourable", 2.0),
    (COUNTY, 5, "Upper Middling", 0.7),
)


def build(path: Path, *, synthetic: bool = False) -> Path:
    """Write the warehouse to ``path``; ``synthetic`` gives its survey figures that origin."""
    connection = duckdb.connect(str(path))
    for schema in ("marts", "meta", "reference"):
        connection.execute(f"create schema {schema}")
    _reference(connection)
    _marts(connection, synthetic)
    _meta(connection)
    connection.close()
    return path


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Sequence[Sequence[Any]]
) -> None:
    connection.execute(f"create table {name} ({columns})")
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into {name} values ({marks})", [list(r) for r in rows])


def _barometer_id(goal: str) -> str:
    return {"connected": "trust_in_neighbours", "equitable": "promising_prospects"}.get(
        goal, f"{goal}_barometer"
    )


def _reference(connection: duckdb.DuckDBPyConnection) -> None:
    _table(
        connection,
        "reference.goals",
        "goal_id text, goal_order int, title text, concept text, definition text, "
        "for_residents text, citation text",
        [
            (
                g,
                i,
                f"A {g} region",
                "Concept",
                f"What {HOSTILE} means",
                "Ties",
                "C",
            )
            for i, g in enumerate(_GOALS, start=1)
        ],
    )
    _table(
        connection,
        "meta.indicator_roles",
        "barometer_id text, goal_id text, role text, barometer_order int, title text, "
        "short_title text, statement text, unit text, polarity text, dataset text, "
        "table_code text, question text, question_source text, response text, definition text, caution text, comparator text, "
        "is_report bool",
        [
            (
                _barometer_id(g),
                g,
                "key",
                1,
                "Promising prospects index" if g == "equitable" else f"Trust ({g})",
                "Prospects" if g == "equitable" else f"Trust ({g})",
                "trust many of the people in their neighbourhood",
                "z_score" if g == "equitable" else "percent",
                "high_good",
                INDEX if g == "equitable" else SURVEY,
                None if g == "equitable" else "B4",
                None if g == "equitable" else "To what extent can they be trusted?",
                None if g == "equitable" else "Question column of table B4",
                None if g == "equitable" else "Many can be trusted",
                "Share of adults who trust many",
                HOSTILE,
                "England",
                True,
            )
            for g in _GOALS
        ],
    )
    _table(
        connection,
        "reference.resident_outcomes",
        "goal_id text, kind text, outcome_order int, outcome text",
        [(g, k, 1, f"{k} something") for g in _GOALS for k in ("think", "feel", "do")],
    )
    _table(
        connection,
        "reference.areas",
        "area_code text, area_name text, area_level text, valid_to int, county_code text",
        [
            (c, n, lv, 2023 if c == ENDED else None, COUNTY if c == DELTA else None)
            for c, (n, lv) in _NAMES.items()
        ],
    )
    _table(
        connection,
        "reference.status_codes",
        "status text, symbol text, meaning text, explanation text",
        [("suppressed", "[c]", "confidential", "Held back"), ("published", None, "a figure", None)],
    )
    _table(
        connection,
        "reference.series_breaks",
        "dataset text, barometer_id text, from_edition text, to_edition text, area_code text, "
        "kind text, grade text, reason text, said_by text, citation text, said_on date",
        [
            (
                SURVEY,
                None,
                _OLD,
                _NEW,
                None,
                "wording",
                "block",
                "The question changed",
                "DCMS",
                "A report",
                date(2025, 12, 10),
            ),
        ],
    )


def _marts(connection: duckdb.DuckDBPyConnection, synthetic: bool) -> None:
    cells, verdicts, provenance = [], [], []
    for goal in _GOALS[:3]:
        barometer = _barometer_id(goal)
        for area, edition, value, low, high, status, origin, outcome, close, reason in _CELLS:
            if goal == "inclusive":
                value = low = high = origin = None
                status, outcome, close = "not_held", "cannot_say", False
            start, end = _PERIODS[edition]
            name, level = _NAMES[area]
            key = f"{goal}-{area}-{edition}" if value is not None else None
            cells.append((
                barometer, area, name, level, SURVEY, edition, f"Survey {edition.replace('-', '/')}",
                start, end, edition == _OLD, edition == _NEW, "percent", value, low, high, 500, None,
                None, status, None if value is not None else REMEDY,
                "synthetic" if synthetic and origin == "publisher" else origin,
                "published", key, SURVEY,
            ))  # fmt: skip
            if outcome:
                verdicts.append((
                    barometer, edition, end, area, "england", outcome, close, reason, -5.0, -7.0,
                    -3.0, -4.0,
                ))  # fmt: skip
            if key:
                provenance += _origins(key, area, edition, barometer, value, origin, synthetic)
    start, end = date(2021, 1, 1), date(2024, 12, 31)
    by_area = {area: (number, label, z) for area, number, label, z in _GROUPS}
    for area, (name, level) in _NAMES.items():
        number, label, z = by_area.get(area, (None, None, None))
        key = f"index-{area}" if number else None
        cells.append((
            "promising_prospects", area, name, level, INDEX, "2025", "State 2025", start, end,
            False, True, "z_score", z, None, None, None, number, label,
            "published" if number else "not_applicable",
            None if number else "The index has no value for it.",
            "transcribed" if number else None, "published", key, INDEX,
        ))  # fmt: skip
        if key:
            provenance.append((
                key, "figure", None, INDEX, "2025", "bundled", "transcribed", area,
                "promising_prospects", z, None, "2025.csv", None, None, None, None, "Commission, line 3.",
            ))  # fmt: skip
    _table(
        connection,
        "marts.barometers",
        "barometer_id text, area_code text, area_name text, area_level text, dataset text, "
        "edition text, edition_title text, period_start date, period_end date, is_baseline bool, "
        "is_latest bool, unit text, value double, lower_95 double, upper_95 double, base bigint, "
        "group_number int, group_label text, status text, status_reason text, origin text, "
        "method text, provenance_id text, source_dataset text",
        cells,
    )
    _table(
        connection,
        "marts.comparisons",
        "barometer_id text, edition text, period_end date, area_code text, comparator_kind text, "
        "outcome text, close_call bool, reason text, difference double, "
        "difference_lower_95 double, difference_upper_95 double, z double",
        verdicts,
    )
    _table(
        connection,
        "marts.provenance",
        "provenance_id text, part text, made_of text, dataset text, edition text, revision text, "
        "origin text, area_code text, measure text, value double, file_sha256 text, "
        "file_name text, source_url text, sheet text, row_number int, column_letter text, "
        "citation text",
        provenance,
    )
    _table(
        connection,
        "marts.changes",
        "barometer_id text, area_code text, change_kind text, from_edition text, to_edition text, "
        "from_period_end date, to_period_end date, from_value double, to_value double, "
        "difference double, difference_lower_95 double, difference_upper_95 double, "
        "minimum_detectable_change double, outcome text, close_call bool, reason_code text, "
        "reason text, grade text, group_movement int, sentence text",
        [
            (
                "trust_in_neighbours", area, kind, _OLD, _NEW, date(2024, 3, 31), date(2025, 3, 31),
                37.0, 38.5, None, None, None, None, "cannot_say", False, "break_in_series",
                "The question changed.", "block", None, "No test: The question changed.",
            )
            for area in (LEAD, ENGLAND)
            for kind in ("consecutive", "baseline_to_latest")
        ],
    )  # fmt: skip
    _table(
        connection,
        "marts.group_counts",
        "barometer_id text, edition text, period_end date, area_kind text, area_code text, "
        "group_number int, group_label text, areas int, areas_with_group int",
        [
            ("promising_prospects", "2025", end, "combined_authority", LEAD, n, label, areas, 2)
            for n, label, areas in (
                (1, "Least Favourable", 0),
                (2, "Unfavourable", 1),
                (4, "Middling", 1),
            )
        ],
    )
    _table(
        connection,
        "marts.authority_profiles",
        "area_code text, area_name text, area_level text, region_name text, "
        "combined_authority_code text, population_16_plus bigint, population_vintage int, "
        "better_than_england int, similar_to_england int, worse_than_england int, "
        "close_calls int, cannot_say int",
        [
            (c, n, lv, "Midshire", {ALFA: LEAD, BRAVO: LEAD, CHARLIE: OTHER, DELTA: OTHER}.get(c),
             200_000, 2023, 0, 0, 1, 0, 2)
            for c, (n, lv) in _NAMES.items()
            if lv != "nation"
        ],
    )  # fmt: skip
    _table(connection, "marts.pulse", "goal_id text, area_code text", [("connected", LEAD)])
    _table(
        connection,
        "marts.report_reconciliation",
        "claim_id text, section text, barometer_id text, area_code text, area_name text, "
        "statistic text, unit text, claimed_value text, our_value text, our_edition text, verdict text, "
        "explanation text, note text, provenance_id text",
        [
            ("RC01", "S", "trust_in_neighbours", LEAD, "Twin", "value", "percent", "29", "39", _NEW, "differs",
             f"Ours is 39% {HOSTILE}.", "A note", f"connected-{LEAD}-{_NEW}"),
            ("RC02", "S", "trust_in_neighbours", LEAD, "Twin", "comparison", "none", "lower", "worse", _NEW,
             "agrees", "By the test.", None, f"connected-{LEAD}-{_NEW}"),
            ("RC03", "S", "promising_prospects", None, "Regions", "group", "none", "close_to_average", None,
             None, "cannot_be_computed", "No regions.", None, None),
        ],
    )  # fmt: skip


def _origins(
    key: str, area: str, edition: str, barometer: str, value: float, origin: str, synthetic: bool
) -> list[tuple[Any, ...]]:
    read_as = "synthetic" if synthetic else "publisher"
    file = (
        "f" * 64, "tables.ods", "https://example.org/tables.ods", "B4b", 14, "C", None,
    )  # fmt: skip
    if origin != "derived":
        return [(key, "figure", None, SURVEY, edition, "abcdef123456", read_as, area, barometer,
                 value, *file)]  # fmt: skip
    members = (ALFA, BRAVO) if area == LEAD else (CHARLIE, DELTA)
    weight = (None, "mid-2023.csv", None, None, None, None, "Populations, line 1.")
    rows: list[tuple[Any, ...]] = []
    for m in members:
        rows.append((key, "member figure", f"of-{m}", SURVEY, edition, "abcdef123456", read_as, m,
                     barometer, 30.0, *file))  # fmt: skip
        rows.append((key, "weight: population aged 16 and over", f"pop-{m}", "ons_population",
                     "mid-2023", "bundled", "transcribed", m, "population_16_plus", 1e5, *weight))  # fmt: skip
    return rows


def _meta(connection: duckdb.DuckDBPyConnection) -> None:
    _table(
        connection,
        "meta.editions",
        "dataset text, dataset_title text, publisher text, edition text, edition_title text, "
        "published_on date, is_baseline bool, state text, origin text, revision text, "
        "file_name text, source_url text, retrieved_at timestamp, figures bigint, notes text, "
        "files_refused int, refusals text, licence text, attribution text, landing_page text, "
        "how_to_obtain text",
        [
            (SURVEY, "Survey", "Department", e, f"Survey {e}", date(2025, 12, 4), e == _OLD,
             "accepted", "publisher", "abcdef123456", "tables.ods", "https://example.org/tables.ods",
             "2025-12-05 09:30:00", 99, None, 0, None, "OGL v3.0",
             "Source: Department, Survey {edition}, OGL v3.0", "https://example.org", "Get it.")
            for e in (_OLD, _NEW)
        ]
        + [
            (INDEX, "Index", "Commission", "2025", "State 2025", None, False, "accepted",
             "transcribed", "bundled", "2025.csv", None, None, 3, "A note", 1, "Two columns match.",
             "OGL v3.0", "Source: Commission {edition}", None, "Get it."),
        ],
    )  # fmt: skip
    _table(
        connection,
        "meta.gap_reasons",
        "dataset text, edition text, area_level text, status text, reason text, cells bigint",
        [(SURVEY, _OLD, "cauth", "not_held", "Hand the file in.", 2)],
    )
    _table(
        connection,
        "meta.checks",
        "kind text, subject text, check_name text, passed bool, severity text, message text",
        [
            ("gate", "barometers", "one_row_a_cell", True, "error", "9 rows"),
            ("contract", "survey", "zero_width", True, "warning", "1 row"),
        ],
    )
    _table(
        connection,
        "meta.revisions",
        "dataset text, edition text, from_revision text, to_revision text, measure text, "
        "area_code text, period_end date, kind text, old_value double, new_value double",
        [(SURVEY, _NEW, "a1", "b2", "trust_in_neighbours", ALFA, None, "changed", 29.0, 30.0)],
    )
    _table(
        connection,
        "meta.changed_figures",
        "barometer_id text, area_code text, area_name text, dataset text, edition text, "
        "period_end date, value_before double, value_after double, status_before text, "
        "status_after text, why text",
        [
            ("trust_in_neighbours", ALFA, "Alfa", SURVEY, _NEW, date(2025, 3, 31), 29.0, 30.0,
             "published", "published", "revision"),
            ("trust_in_neighbours", "E06000001", "Elsewhere", SURVEY, _NEW, date(2025, 3, 31),
             None, 31.0, None, "published", "new edition"),
        ],
    )  # fmt: skip
    _table(
        connection,
        "meta.releases",
        "release int, made_at timestamp, code_version text, content_sha256 text, is_one_before bool, "
        "is_this_one bool",
        [
            (1, "2025-12-05 09:00:00", "0.1.0", "aa", True, False),
            (2, "2025-12-06 09:00:00", "0.1.0", None, False, True),
        ],
    )
