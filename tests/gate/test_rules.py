"""Each rule of the gate on small marts that keep it, and on each fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache

import duckdb
import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from warehouse.contracts import Rule, rules
from warehouse.gate import FINDINGS, Found, Verdict, find, judge, prepare

AREAS = ("E08000001", "E08000002", "E47000001", "E92000001")
GOALS = {"near": frozenset({"trust", "belonging"}), "fair": frozenset({"prospects"})}
RULES = rules(GOALS)
FRAMEWORK = "inclusive_communities"


def barometers() -> pd.DataFrame:
    rows = [
        {
            "goal_id": goal,
            "barometer_id": barometer,
            "role": "supporting" if barometer == "belonging" else "key",
            "area_code": area,
            "dataset": "index" if goal == "fair" else "survey",
            "edition": "2025" if goal == "fair" else "2023-24",
            "period_end": date(2024, 3, 31),
            "unit": "z_score" if goal == "fair" else "percent",
            "value": -0.2 if goal == "fair" else 41.0,
            "lower_95": None if goal == "fair" else 38.0,
            "upper_95": None if goal == "fair" else 44.0,
            "group_number": 2 if goal == "fair" else None,
            "group_label": "Middling" if goal == "fair" else None,
            "status": "published",
            "status_reason": None,
            "origin": "publisher",
            "provenance_id": "p1",
        }
        for goal, codes in GOALS.items()
        for barometer in sorted(codes)
        for area in AREAS
    ]
    # England has no value of an index.
    rows[-1] |= {
        "value": None,
        "group_number": None,
        "group_label": None,
        "status": "not_applicable",
        "status_reason": "An index is never averaged.",
        "origin": None,
        "provenance_id": None,
    }
    frame = pd.DataFrame(rows).assign(framework=FRAMEWORK)
    numbers = ["value", "lower_95", "upper_95", "group_number"]
    return frame.astype(dict.fromkeys(numbers, float))


def marts() -> dict[str, pd.DataFrame]:
    cells = barometers()
    key = ["barometer_id", "area_code", "dataset", "edition", "period_end"]
    return {
        "barometers": cells,
        "context": cells.copy(),
        "breakdowns": cells.assign(breakdown="sex", category="Female"),
        "trends": pd.DataFrame(
            {
                "trend": ["increasing", "cannot_be_calculated"],
                "points": [5, 3],
                "slope": [0.4, None],
                "reason": [None, "A trend needs five yearly figures; there are 3."],
            }
        ),
        "goal_near": pd.DataFrame(
            {
                "area_code": AREAS,
                **{
                    f"{barometer}_{part}": 1
                    for barometer in ("trust", "belonging")
                    for part in ("value", "status")
                },
            }
        ),
        "goal_fair": pd.DataFrame(
            {"area_code": AREAS, "prospects_value": 1, "prospects_status": 1}
        ),
        "goal_areas": cells[["framework", "goal_id", "barometer_id", "area_code"]],
        "authority_profiles": pd.DataFrame({"area_code": AREAS[:2]}),
        "combined_authorities": cells.loc[cells["area_code"] == "E47000001", key],
        "comparisons": pd.DataFrame({"outcome": ["similar", "better"], "reason": [None, None]}),
        "changes": pd.DataFrame({"grade": ["open", "block"], "difference": [1.0, None]}),
        "ranks": pd.DataFrame({"rank": [1, 2], "areas_ranked": [2, 2], "reason": [None, None]}),
        "group_counts": pd.DataFrame(
            {
                "barometer_id": "prospects",
                "edition": "2025",
                "period_end": date(2024, 3, 31),
                "area_kind": "combined_authority",
                "area_code": "E47000001",
                "areas": [1, 1],
                "areas_with_group": 2,
            }
        ),
        "pulse": pd.DataFrame(
            {"goal_id": list(GOALS), "sentence": "Trust is 41%, similar to England's 41%."}
        ),
        "report_reconciliation": pd.DataFrame(
            {
                "claim_id": ["RC1", "RC2"],
                "verdict": ["agrees", "cannot_be_computed"],
                "explanation": "Both say 41%, as printed.",
                "our_origin": ["transcribed", "reported"],
            }
        ),
        "initiatives": pd.DataFrame(
            {
                "initiative_id": ["garden", "cafe"],
                "name": ["Garden", "Cafe"],
                "area_code": AREAS[0],
                "source": "A report, 2026",
                "origin": ["reported", "local"],
            }
        ),
        "evidence": pd.DataFrame(
            {
                "evidence_id": ["said", "counted", "persona"],
                "kind": ["quotation", "attendance_figure", "persona"],
                "summary": ["Neighbours met", "Many came", "Somebody made up"],
                "area_code": AREAS[0],
                "outcomes": ["near.do.1", "near.do.1", None],
                "source": "A report, 2026",
                "source_place": [None, "page 3", None],
                "consent": ["given", "not_needed", "not_needed"],
                "figure": [None, 62.0, None],
                "figure_unit": [None, "people", None],
                "is_fictional": [False, False, True],
                "origin": "local",
            }
        ),
        "outcome_evidence": pd.DataFrame(
            {
                "outcome_id": ["near.do.1", "near.do.2"],
                "items": [2, 0],
                "sentence": ["Said; Counted", "none yet"],
            }
        ),
        "local_surveys": pd.DataFrame(
            {
                "unit": "percent",
                "value": [41.0, None],
                "lower_95": [38.0, None],
                "upper_95": [44.0, None],
                "status": ["published", "suppressed"],
                "status_reason": [None, "fewer than 100 people answered"],
                "origin": "local",
                "wording_is": ["same", "similar"],
                "mode": "online",
                "national_mode": "online",
                "z": [1.0, None],
                "outcome": ["similar", "cannot_say"],
                "grade": ["caution", None],
                "reason": [None, "The survey withholds the figure."],
            }
        ),
        "pathways": pd.DataFrame(
            {
                "is_worse_than_england": [True, False],
                "has_got_worse": [False, True],
                "sentence": ["Below England.", None],
                "change_sentence": [None, "Below last year."],
            }
        ),
        "provenance": pd.DataFrame(
            {
                "provenance_id": ["p1", "p2"],
                "file_sha256": ["0" * 64, None],
                "row_number": [7, None],
                "column_letter": ["C", None],
                "citation": [None, "tables.csv, line 7"],
                "origin": ["publisher", "transcribed"],
            }
        ),
    }


REFERENCE = {
    "reference.areas": pd.DataFrame(
        {
            "area_code": AREAS,
            "area_level": ("lad", "lad", "cauth", "nation"),
            "current_code": AREAS,
            "valid_to": None,
        }
    ),
    "reference.small_areas": pd.DataFrame({"area_code": ["E01000001"]}),
    "reference.report_claims": pd.DataFrame({"claim_id": ["RC1", "RC2"]}),
    "reference.resident_outcomes": pd.DataFrame(
        {"goal_id": "near", "kind": "do", "outcome_order": [1, 2]}
    ),
    "reference.explained_losses": pd.DataFrame({"dataset": ["other"], "edition": ["2023-24"]}),
    "meta.editions": pd.DataFrame(
        {
            "dataset": ("survey", "index", "survey"),
            "edition": ("2023-24", "2025", "2015-16"),
        }
    ),
    "meta.indicator_roles": pd.DataFrame(
        [
            {
                "framework": FRAMEWORK,
                "goal_id": goal,
                "barometer_id": code,
                "role": "key",
                "is_report": True,
            }
            for goal, codes in GOALS.items()
            for code in codes
        ]
    ),
    "raw.editions": pd.DataFrame(
        {"dataset": ["survey"], "edition": ["2015-16"], "is_history": [True]}
    ),
    "raw.group_scales": pd.DataFrame(
        {
            "dataset": "index",
            "edition": "2025",
            "group_number": [1.0, 2.0, 3.0],
            "group_label": ["Unfavourable", "Middling", "Favourable"],
            "lower_limit": [None, -0.5, 0.5],
            "upper_limit": [-0.5, 0.5, None],
        }
    ),
}


@cache
def usual() -> dict[str, pd.DataFrame]:
    """Every table that a rule may read, by name, as rules want them."""
    return {
        **{f"marts.{name}": mart for name, mart in marts().items()},
        **REFERENCE,
        "previous.marts.barometers": barometers(),
        "previous.marts.context": barometers(),
        "previous.marts.breakdowns": marts()["breakdowns"],
    }


def make(connection: duckdb.DuckDBPyConnection, name: str, table: pd.DataFrame) -> None:
    empty = [c for c in table if table[c].isna().all() and table[c].dtype == object]
    connection.register("made", table.astype(dict.fromkeys(empty, "string")))
    connection.execute(f"create table {name} as from made")


@cache
def database(without: frozenset[str] = frozenset()) -> duckdb.DuckDBPyConnection:
    """The usual tables but some, with what the rules need beside them; made once, kept as it is."""
    connection = duckdb.connect(config={"python_enable_replacements": False, "threads": 1})
    connection.execute("attach ':memory:' as previous")
    for name, table in usual().items():
        connection.execute(f"create schema if not exists {name.rpartition('.')[0]}")
        if name not in without:
            make(connection, name, table)
    prepare(connection)
    return connection


def applied(rule: Rule, frame: pd.DataFrame | None, **others: pd.DataFrame | None) -> Verdict:
    """A rule on its mart in a database of the other marts; ``others`` replaces tables by name.

    A table without a frame is not made.
    """
    (verdict,) = judge([found(rule, frame, **others)])
    return verdict


def found(rule: Rule, frame: pd.DataFrame | None, **others: pd.DataFrame | None) -> Found:
    """What the rule finds there, before it is judged."""
    others = {name.replace("__", "."): other for name, other in others.items()}
    before = frozenset(name for name in others if name.startswith("previous."))
    connection = database(before)
    connection.begin()
    try:
        for name, table in {f"marts.{rule.mart}": frame, **others}.items():
            connection.execute(f"drop table if exists {name}")
            if table is not None:
                make(connection, name, table)
        return find(connection, rule)
    finally:
        connection.rollback()


Fault = Callable[[pd.DataFrame], "pd.DataFrame | None"]


def change(row: int, **values: object) -> Fault:
    """Other values in one row."""

    def fault(frame: pd.DataFrame) -> None:
        for column, value in values.items():
            frame[column] = frame[column].astype(object)
            frame.loc[frame.index[row], column] = value

    return fault


def drop(row: int) -> Fault:
    return lambda frame: frame.drop(frame.index[row])


def double(row: int) -> Fault:
    return lambda frame: pd.concat([frame, frame.iloc[[row]]], ignore_index=True)


# By rule: the faults that make it fail. Row 0 is a percentage, 8 an index value, 11 a gap.
FAULTS: dict[str, list[Fault]] = {
    "value_in_range_of_unit": [
        change(0, value=104.0, upper_95=105.0),
        change(0, lower_95=-1.0),
        change(8, value=-47.0),
        change(0, unit="furlongs"),
    ],
    "interval_contains_value": [
        change(0, lower_95=42.0),
        change(0, upper_95=40.0),
        change(0, lower_95=None),
    ],
    "value_or_reason_is_given": [
        change(11, status_reason=None),
        change(11, status_reason="  "),
        change(0, status="suppressed"),
        change(11, status="published"),
    ],
    "area_is_known": [change(0, area_code="E99999999"), change(0, area_code=None)],
    "edition_is_known": [change(0, edition="2031-32")],
    "authorities_are_complete": [drop(0), double(0)],
    "goals_are_complete": [
        lambda frame: frame[frame["barometer_id"] != "belonging"],
        lambda frame: frame.assign(role="supporting"),
    ],
    "group_fits_scale": [
        change(8, group_number=3.0, group_label="Favourable"),
        change(8, group_label="Favourable"),
        change(8, value=0.7),
        change(8, group_number=None, group_label=None),
        change(0, group_number=2.0, group_label="Middling"),
    ],
    "origin_is_releasable": [change(0, origin="synthetic")],
    "figure_has_provenance": [change(0, provenance_id="nowhere"), change(0, provenance_id=None)],
    "previous_figures_are_kept": [
        change(0, value=None, lower_95=None, upper_95=None, status="not_held"),
        drop(3),
    ],
    "goal_near_is_complete": [drop(0), lambda frame: frame.drop(columns="trust_status")],
    "goal_fair_is_complete": [drop(2)],
    "goal_areas_are_complete": [
        drop(0),
        double(0),
        lambda frame: frame[frame["barometer_id"] != "belonging"],
    ],
    "profiles_are_complete": [drop(1)],
    "combined_authorities_are_complete": [double(0), change(0, area_code="E47000009")],
    "verdict_or_reason_is_given": [
        change(0, outcome=None),
        change(0, outcome="cannot_say", reason=None),
    ],
    "no_change_across_a_break": [change(1, difference=1.0)],
    "rank_within_number_of_areas": [change(0, rank=3), change(0, rank=0), change(0, rank=None)],
    "group_counts_add_up": [change(0, areas=2), double(0)],
    "goal_has_sentence": [drop(0), change(0, sentence=None), change(0, sentence="None.")],
    "claims_are_answered": [drop(0), change(0, verdict="maybe"), change(0, explanation="yes")],
    "claim_is_not_its_own_evidence": [change(1, verdict="agrees")],
    "cell_or_citation_is_given": [change(0, row_number=None), change(1, citation=" ")],
    "part_origin_is_releasable": [change(0, origin="synthetic")],
    "initiative_has_source_and_area": [change(0, source=" "), change(1, area_code="E08000009")],
    "initiative_is_releasable": [change(0, origin="synthetic")],
    "initiative_has_no_personal_data": [change(0, name="Garden of Mrs Kaur")],
    "evidence_has_source_and_area": [change(0, source=None), change(1, area_code=None)],
    "evidence_is_releasable": [change(0, origin="synthetic")],
    "evidence_has_no_personal_data": [
        change(0, summary="Write to someone@example.org"),
        change(1, summary="Ring 01922 496123"),
        change(2, source="Notes from WS1 1TP"),
    ],
    "quotation_has_consent": [change(0, consent="not_needed"), change(0, consent=None)],
    "figure_has_place_in_source": [change(1, source_place=None), change(1, figure_unit=None)],
    "fiction_is_marked": [
        change(2, is_fictional=False),
        change(0, is_fictional=True),
        change(2, outcomes="near.do.1"),
    ],
    "local_value_in_range": [change(0, value=141.0), change(0, lower_95=-1.0)],
    "local_value_or_reason_is_given": [change(1, status_reason=None), change(0, value=None)],
    "local_survey_is_releasable": [change(0, origin="synthetic")],
    "local_test_needs_same_question": [
        change(0, wording_is="similar"),
        change(0, mode="telephone"),
        change(0, grade="open"),
        change(1, reason=None),
    ],
    "pathway_has_cause": [
        change(0, is_worse_than_england=False),
        change(0, sentence=None),
        change(1, change_sentence=" "),
    ],
    "outcomes_are_complete": [drop(1), double(0), change(1, sentence=None), change(0, items=0)],
}
# The marts of cells keep the same rules.
FAULTS |= {
    rule.name: FAULTS[rule.name.removeprefix("context_")]
    for rule in RULES
    if rule.mart == "context" and rule.name.startswith("context_")
}
FAULTS |= {
    rule.name: FAULTS[rule.name.removeprefix("breakdowns_")][:1]
    for rule in RULES
    if rule.name.startswith("breakdowns_")
}
FAULTS["breakdowns_previous_figures_are_kept"] = [change(0, category="Male")]
FAULTS["group_is_named"] = [change(0, breakdown="all", category="all")]
FAULTS["newest_context_is_complete"] = [drop(0), double(0)]
FAULTS["trend_or_reason_is_given"] = [
    change(0, points=4),
    change(0, slope=None),
    change(1, reason=None),
    change(1, slope=0.1),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.planted_fault
def test_a_rule_passes_what_keeps_it_and_refuses_each_fault(rule: Rule) -> None:
    mart = usual()[f"marts.{rule.mart}"]
    assert FAULTS[rule.name]
    frames: list[pd.DataFrame | None] = [mart, mart.head(0), None]
    for fault in FAULTS[rule.name]:
        frame = mart.copy()
        changed = fault(frame)
        frames.append(frame if changed is None else changed)
    # Each by itself in the database, and all judged in one go under names of their own.
    each = [
        found(replace(rule, name=f"{rule.name} {number}"), frame)
        for number, frame in enumerate(frames)
    ]
    kept, empty, missing, *verdicts = judge(each)
    assert kept.passed, kept.cases
    assert empty.passed is rule.may_be_empty
    assert not missing.passed
    for number, verdict in enumerate(verdicts):
        assert not verdict.passed, f"fault {number}"
        assert len(verdict.cases), f"fault {number} shows nothing"


def test_every_rule_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) == len(FAULTS)
    assert all(rule.sentence.endswith(".") and rule.remedy.endswith(".") for rule in RULES)


def test_no_rule_compares_every_row_with_every_other() -> None:
    """As DuckDB does for a join whose condition it cannot hash: minutes on the real marts."""
    for rule in RULES:
        plan = database().execute(f"explain {rule.broken}").fetchall()[0][1]
        assert "BLOCKWISE_NL_JOIN" not in plan, rule.name


def test_only_the_rows_that_break_a_rule_are_shown() -> None:
    (rule,) = (rule for rule in RULES if rule.name == "interval_contains_value")
    frame = barometers()
    change(4, lower_95=42.0)(frame)
    assert applied(rule, frame).cases["area_code"].tolist() == [AREAS[0]]


def test_an_explained_loss_and_an_edition_of_history_pass() -> None:
    """What is lost with an explanation, and an older edition that has only its figures."""
    known = {rule.name: rule for rule in RULES}
    frame = barometers()
    lost = frame.drop(frame.index[0])
    explained = pd.DataFrame({"dataset": ["survey"], "edition": ["2023-24"]})
    kept = known["previous_figures_are_kept"]
    assert applied(kept, lost, reference__explained_losses=explained).passed
    old = frame.iloc[[3]].assign(edition="2015-16")
    both = pd.concat([frame, old], ignore_index=True)
    assert applied(known["authorities_are_complete"], both).passed
    assert applied(kept, lost, previous__marts__barometers=None).passed


@pytest.mark.parametrize(("value", "passes"), [(0.5004, True), (0.502, False), (-0.5, True)])
def test_a_value_on_the_limit_of_a_group_may_belong_to_either(value: float, passes: bool) -> None:
    (rule,) = (rule for rule in RULES if rule.name == "group_fits_scale")
    frame = barometers()
    frame.loc[frame.index[8], "value"] = value
    assert applied(rule, frame).passed is passes


@pytest.mark.planted_fault
@pytest.mark.parametrize(
    "fault",
    [
        {"broken": 1},
        {"rows": 0},
        {"missing": "Table with name changes does not exist"},
    ],
)
def test_the_contract_of_the_findings_is_red_for_that_rule_alone(fault: dict[str, object]) -> None:
    """What breaks a rule, a mart without rows and a rule that cannot be asked, each by itself."""
    row = {"rows": 3, "may_be_empty": False, "broken": 0, "missing": None}
    found = pd.DataFrame([{"rule": "kept", **row}, {"rule": "broken", **row, **fault}])
    found["missing"] = found["missing"].astype(object)
    with pytest.raises(SchemaErrors) as errors:
        FINDINGS.validate(found, lazy=True)
    assert set(errors.value.failure_cases["index"].dropna()) == {1}
