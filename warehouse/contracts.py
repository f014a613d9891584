"""The contracts of the published marts: what pandera refuses before anything is published.

Each rule is one asset check: one thing that a person would act on, named for what must hold. Rules
see what else the warehouse knows (areas, editions, scales, the previous release) through
:class:`Reference`, which is read once per gate.

Not here: keys, types and not-null columns (constraints and tests of the dbt models), how marts are
computed (``dbt_project``), and when the gate runs (``orchestration``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd
import pandera.pandas as pa

from sources.evidence.model import personal_data

STATUSES_WITH_VALUE = ("published", "low_reliability")
CONFIRMING_ORIGINS = ("publisher", "transcribed", "derived", "synthetic")
RELEASABLE_ORIGINS = ("publisher", "transcribed", "reported", "derived", "local")
UNIT_RANGES: Mapping[str, tuple[float, float]] = {
    "percent": (0.0, 100.0),
    # Standardised over some 200 areas: the largest published is 6.8; beyond 12 something was misread.
    "z_score": (-12.0, 12.0),
    "count": (0.0, float("inf")),
}
VERDICTS = (
    "agrees",
    "differs",
    "possible",
    "impossible",
    "too_close_to_call",
    "contradicted_within_report",
    "cannot_be_computed",
)
BAROMETER_KEY = ["barometer_id", "area_code", "dataset", "edition", "period_end"]
# Index values are printed to three decimals: one on a limit may belong to either group.
_ON_A_LIMIT = 0.0006


@dataclass(frozen=True)
class Reference:
    """What a rule may compare a mart with.

    ``scales``: a row per dataset, edition and group, with ``group_number``, ``group_label``, and
    ``lower_limit`` and ``upper_limit`` of the group's values where the publisher fixes them.
    """

    areas: frozenset[str]
    authorities: frozenset[str]
    combined_authorities: frozenset[str]
    editions: frozenset[tuple[str, str]]
    history: frozenset[tuple[str, str]]
    goals: Mapping[str, frozenset[str]]
    claims: frozenset[str]
    provenance: frozenset[str]
    scales: pd.DataFrame
    outcomes: frozenset[str] = frozenset()
    previous: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    explained_losses: frozenset[tuple[str, str]] = frozenset()
    releasable_origins: tuple[str, ...] = RELEASABLE_ORIGINS


# True for each row that keeps the rule, or one truth about the mart as a whole.
Check = Callable[[pd.DataFrame, Reference], "pd.Series | bool"]


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of one mart.

    ``name`` is the asset check's name, ``sentence`` says in plain words what must hold and
    ``remedy`` what to do where it does not.
    """

    mart: str
    name: str
    sentence: str
    remedy: str
    check: Check


@dataclass(frozen=True)
class Verdict:
    """A rule applied: it passed, or ``failures`` has the rows that broke it."""

    rule: Rule
    passed: bool
    failures: pd.DataFrame
    rows: int


def apply(rule: Rule, frame: pd.DataFrame, reference: Reference) -> Verdict:
    """Apply a rule to a mart; nothing is raised. A mart without rows breaks every rule."""
    if frame.empty:
        return Verdict(rule, False, pd.DataFrame({"found": ["a mart without rows"]}), 0)
    check = pa.Check(lambda rows: rule.check(rows, reference), name=rule.name, ignore_na=False)
    try:
        pa.DataFrameSchema(checks=[check]).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        broken = sorted({int(i) for i in cases["index"].dropna() if str(i).isdigit()})
        shown = (
            frame.loc[[i for i in broken if i in frame.index]].copy()
            if broken
            else cases[["column", "check", "failure_case"]].astype(str)
        )
        return Verdict(rule, False, shown.reset_index(drop=True), len(frame))
    return Verdict(rule, True, frame.head(0), len(frame))


def lost_figures(frame: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Rows of the previous release whose key, or whose figure, the new mart does not have."""
    before = reference.previous.get("barometers")
    if before is None:
        return frame.head(0)
    columns = [*BAROMETER_KEY, "value"]
    joined = before[columns].merge(
        frame[columns],
        on=BAROMETER_KEY,
        how="left",
        suffixes=("_before", "_now"),
        indicator=True,
    )
    lost = joined[
        (joined["_merge"] == "left_only")
        | (joined["value_before"].notna() & joined["value_now"].isna())
    ]
    explained = _pairs(lost, "dataset", "edition").isin(reference.explained_losses)
    return lost[~explained].drop(columns="_merge")


def _pairs(frame: pd.DataFrame, *columns: str) -> pd.Series:
    values = zip(*(frame[column] for column in columns), strict=True)
    return pd.Series(list(values), index=frame.index, dtype=object)


def _filled(column: pd.Series, length: int = 1) -> pd.Series:
    """Whether a text column says something, of at least so many characters."""
    return column.fillna("").str.strip().str.len() >= length


# ---------------------------------------------------------------- the rules


def _value_in_range(frame: pd.DataFrame, _: Reference) -> pd.Series:
    low = frame["unit"].map(lambda unit: UNIT_RANGES.get(unit, (float("nan"),) * 2)[0])
    high = frame["unit"].map(lambda unit: UNIT_RANGES.get(unit, (float("nan"),) * 2)[1])
    good = pd.Series(True, index=frame.index)
    for column in ("value", "lower_95", "upper_95"):
        good &= frame[column].isna() | ((frame[column] >= low) & (frame[column] <= high))
    return good


def _interval_contains_value(frame: pd.DataFrame, _: Reference) -> pd.Series:
    neither = frame["lower_95"].isna() & frame["upper_95"].isna()
    # A comparison with a null is false: one limit alone does not pass.
    inside = (frame["lower_95"] <= frame["value"]) & (frame["value"] <= frame["upper_95"])
    return neither | inside


def _value_or_reason(frame: pd.DataFrame, _: Reference) -> pd.Series:
    has_value = frame["value"].notna()
    says_value = frame["status"].isin(STATUSES_WITH_VALUE)
    return (has_value & says_value) | (~has_value & ~says_value & _filled(frame["status_reason"]))


def _are_complete(wanted: Callable[[Reference], frozenset[str]]) -> Check:
    """Every area that is wanted has one row per barometer, edition and period."""

    def check(frame: pd.DataFrame, reference: Reference) -> pd.Series:
        short = {
            cell
            for cell, rows in frame.groupby(["barometer_id", "edition"], sort=False)
            # An older edition of a national series has its figures and no gaps.
            if (rows["dataset"].iloc[0], cell[1]) not in reference.history
            and not wanted(reference) <= set(rows["area_code"])
        }
        key = [name for name in ("framework", *BAROMETER_KEY) if name in frame]
        doubled = frame.duplicated(key, keep=False)
        return ~doubled & ~_pairs(frame, "barometer_id", "edition").isin(short)

    return check


def _goals_are_complete(frame: pd.DataFrame, reference: Reference) -> bool:
    for goal, wanted in reference.goals.items():
        rows = frame[frame["goal_id"] == goal]
        keys = rows.loc[rows["role"] == "key", "barometer_id"].nunique()
        if set(rows["barometer_id"]) != set(wanted) or keys != 1:
            return False
    return True


def _group_fits_scale(frame: pd.DataFrame, reference: Reference) -> pd.Series:
    key = ["dataset", "edition", "group_number"]
    columns = [*key, "group_label", "value"]
    fits = frame[columns].merge(reference.scales, on=key, how="left", suffixes=("", "_of_scale"))
    fits.index = frame.index
    named = fits["group_label"] == fits["group_label_of_scale"]
    above = ~(fits["value"] < fits["lower_limit"] - _ON_A_LIMIT)
    below = ~(fits["value"] > fits["upper_limit"] + _ON_A_LIMIT)
    banded = (frame["unit"] == "z_score") & frame["value"].notna()
    unbanded = frame["group_number"].isna() & frame["group_label"].isna()
    return (banded & named & above & below) | (~banded & unbanded)


def _goal_is_complete(goal: str) -> Check:
    def check(frame: pd.DataFrame, reference: Reference) -> bool:
        columns = {
            f"{barometer}_{part}"
            for barometer in reference.goals[goal]
            for part in ("value", "status")
        }
        wanted = reference.authorities | reference.combined_authorities
        return columns <= set(frame.columns) and wanted <= set(frame["area_code"])

    return check


def _goal_areas_are_complete(frame: pd.DataFrame, reference: Reference) -> pd.Series | bool:
    for goal, barometers in reference.goals.items():
        if not barometers <= set(frame.loc[frame["goal_id"] == goal, "barometer_id"]):
            return False
    indicator = ["framework", "goal_id", "barometer_id"]
    wanted = reference.authorities | reference.combined_authorities
    areas = frame["area_code"].where(frame["area_code"].isin(wanted))
    complete = areas.groupby([frame[name] for name in indicator]).transform("nunique")
    return ~frame.duplicated([*indicator, "area_code"], keep=False) & complete.eq(len(wanted))


def _counts_add_up(frame: pd.DataFrame, _: Reference) -> pd.Series:
    key = ["barometer_id", "edition", "period_end", "area_kind", "area_code"]
    return frame.groupby(key)["areas"].transform("sum").eq(frame["areas_with_group"])


def _claims_are_answered(frame: pd.DataFrame, reference: Reference) -> pd.Series | bool:
    if set(frame["claim_id"]) != set(reference.claims):
        return False
    return frame["verdict"].isin(VERDICTS) & _filled(frame["explanation"], 10)


def _goal_has_sentence(frame: pd.DataFrame, reference: Reference) -> pd.Series | bool:
    if set(frame["goal_id"]) != set(reference.goals):
        return False
    return _filled(frame["sentence"], 20)


def rules(
    goals: Iterable[str] = ("connected", "supportive", "inclusive", "equitable"),
) -> list[Rule]:
    """Every rule of the gate, in the order in which a reader would ask."""
    origin = Rule(
        "barometers",
        "origin_is_releasable",
        "No figure is synthetic, that is, made up to show the platform at work.",
        "Remove the synthetic file from the landing store; the demonstration has its own folder.",
        lambda frame, r: frame["origin"].isna() | frame["origin"].isin(r.releasable_origins),
    )
    return [
        Rule(
            "barometers",
            "value_in_range_of_unit",
            "Percentages are between 0 and 100, index values within twelve standard deviations.",
            "Look at the cell in the file: the column or the scale was misread.",
            _value_in_range,
        ),
        Rule(
            "barometers",
            "interval_contains_value",
            "A 95% interval has both limits, in order, around its value.",
            "Look at the cell in the file: a published interval that excludes its value is not used.",
            _interval_contains_value,
        ),
        Rule(
            "barometers",
            "value_or_reason_is_given",
            "A cell has a value and a status of one, or no value and the reason.",
            "Give the status a reason where the mart is computed.",
            _value_or_reason,
        ),
        Rule(
            "barometers",
            "area_is_known",
            "Every area code is in the list of areas.",
            "Add the area to dbt_project/seeds/areas.csv, or its new code to area_code_changes.csv.",
            lambda frame, r: frame["area_code"].isin(r.areas),
        ),
        Rule(
            "barometers",
            "edition_is_known",
            "Every dataset and edition is in the catalogue.",
            "Add the edition to sources/catalogue/<dataset>.yaml.",
            lambda frame, r: _pairs(frame, "dataset", "edition").isin(r.editions),
        ),
        Rule(
            "barometers",
            "authorities_are_complete",
            "Each authority and combined authority has one row per barometer, edition and period.",
            "Look for the authority in the observations of that edition: left out or printed twice.",
            _are_complete(lambda r: r.authorities | r.combined_authorities),
        ),
        Rule(
            "barometers",
            "goals_are_complete",
            "Each goal has its barometers, exactly one of them key.",
            "Compare the seeds of goals, barometers and measures in dbt_project/seeds.",
            _goals_are_complete,
        ),
        Rule(
            "barometers",
            "group_fits_scale",
            "An index group has the name, number and limits that its edition's scale gives it.",
            "Look at the file: group and value come from different rows, or the scale changed.",
            _group_fits_scale,
        ),
        origin,
        Rule(
            "barometers",
            "figure_has_provenance",
            "Every value has a provenance that names file and cell, or a citation.",
            "Look at the parser's row_number and column_letter, or cite the transcribed row.",
            lambda frame, r: frame["value"].isna() | frame["provenance_id"].isin(r.provenance),
        ),
        Rule(
            "barometers",
            "previous_figures_are_kept",
            "Every figure of the release before is still there, or its loss is explained.",
            "Restore the landed file, or explain the loss in dbt_project/seeds/explained_losses.csv.",
            lambda frame, r: lost_figures(frame, r).empty,
        ),
        *(
            Rule(
                f"goal_{goal}",
                f"goal_{goal}_is_complete",
                "Every authority has a row with the goal's barometers.",
                "Look at marts.barometers first: this is a pivot of its rows.",
                _goal_is_complete(goal),
            )
            for goal in goals
        ),
        Rule(
            "goal_areas",
            "goal_areas_are_complete",
            "Every authority and combined authority has one row per goal and indicator.",
            "Look at marts.barometers first: these are its latest rows.",
            _goal_areas_are_complete,
        ),
        Rule(
            "authority_profiles",
            "profiles_are_complete",
            "Every authority has its profile.",
            "Look for the authority in dbt_project/seeds/areas.csv.",
            lambda frame, r: r.authorities <= set(frame["area_code"]),
        ),
        Rule(
            "combined_authorities",
            "combined_authorities_are_complete",
            "Every combined authority is there, once per barometer, edition and period.",
            "Look at the lookup of members (ons_combined_authorities) of that edition.",
            _are_complete(lambda r: r.combined_authorities),
        ),
        Rule(
            "comparisons",
            "verdict_or_reason_is_given",
            "A comparison has an outcome and, where that is 'cannot say', the reason.",
            "Look at the model's reason for this pair of areas.",
            lambda frame, _: (
                frame["outcome"].notna()
                & ((frame["outcome"] != "cannot_say") | _filled(frame["reason"], 6))
            ),
        ),
        Rule(
            "changes",
            "no_change_across_a_break",
            "Across a break that blocks, there is a reason and no difference.",
            "Look at dbt_project/seeds/series_breaks.csv and the model of changes.",
            lambda frame, _: (frame["grade"] != "block") | frame["difference"].isna(),
        ),
        Rule(
            "ranks",
            "rank_within_number_of_areas",
            "A rank is between 1 and the number of areas ranked; without a rank there is a reason.",
            "Look at int_ranks: an area is ranked twice, or among others than its peers.",
            lambda frame, _: (
                frame["rank"].between(1, frame["areas_ranked"])
                | (frame["rank"].isna() & _filled(frame["reason"]))
            ),
        ),
        Rule(
            "group_counts",
            "group_counts_add_up",
            "The counts of an area's groups add up to its areas with a group.",
            "Look at the area's members in int_group_counts: one is lost or counted twice.",
            _counts_add_up,
        ),
        Rule(
            "pulse",
            "goal_has_sentence",
            "The pulse has a sentence for each goal.",
            "Look at the goal's key barometer.",
            _goal_has_sentence,
        ),
        Rule(
            "report_reconciliation",
            "claims_are_answered",
            "Each claim of the report has a verdict and an explanation.",
            "Look at the claim's statistic: a new kind needs a branch in the model.",
            _claims_are_answered,
        ),
        Rule(
            "report_reconciliation",
            "claim_is_not_its_own_evidence",
            "A claim agrees or differs by a figure of the publisher or a copy of it, never a reported one.",
            "Exclude reported figures where the claim is answered.",
            lambda frame, _: (
                ~frame["verdict"].isin(["agrees", "differs"])
                | frame["our_origin"].isin(CONFIRMING_ORIGINS)
            ),
        ),
        Rule(
            "provenance",
            "cell_or_citation_is_given",
            "Each row of provenance has file, row and column, or a citation.",
            "Look at the parser, or cite the transcribed row.",
            lambda frame, _: (
                frame[["file_sha256", "row_number", "column_letter"]].notna().all(axis=1)
                | _filled(frame["citation"])
            ),
        ),
        Rule(
            "provenance",
            "part_origin_is_releasable",
            "No figure that another is made of is synthetic.",
            origin.remedy,
            origin.check,
        ),
        *_register_rules(origin.check),
    ]


def _register_rules(origin_is_releasable: Check) -> list[Rule]:
    """The rules of what communities and councils hand in."""
    look = "Correct the entry in sources/evidence, or in the file that its column register names."
    both = []
    for mart, name in (("initiatives", "initiative"), ("evidence", "evidence")):
        both += [
            Rule(
                mart,
                f"{name}_has_source_and_area",
                "Each row names its source and an area of the list.",
                look,
                lambda frame, r: _filled(frame["source"]) & frame["area_code"].isin(r.areas),
            ),
            Rule(
                mart,
                f"{name}_is_releasable",
                "No row is synthetic, that is, made up to show the platform at work.",
                "Remove the file from the inbox; the demonstration has its own folder.",
                origin_is_releasable,
            ),
            Rule(
                mart,
                f"{name}_has_no_personal_data",
                "No text has an e-mail address, a telephone number, a full postcode or a person's name.",
                look,
                _has_no_personal_data,
            ),
        ]
    return [
        *both,
        Rule(
            "evidence",
            "quotation_has_consent",
            "A quotation has consent, given or published by its source.",
            look,
            lambda frame, _: (
                frame["kind"].ne("quotation")
                | frame["consent"].isin(["given", "published_by_source"])
            ),
        ),
        Rule(
            "evidence",
            "figure_has_place_in_source",
            "A figure has its place in the source and says what it counts.",
            look,
            lambda frame, _: (
                frame["figure"].isna()
                | (_filled(frame["source_place"]) & _filled(frame["figure_unit"]))
            ),
        ),
        Rule(
            "evidence",
            "fiction_is_marked",
            "A persona is marked as fictional, and is evidence of no outcome.",
            look,
            lambda frame, _: (
                frame["kind"].eq("persona").eq(frame["is_fictional"])
                & (frame["kind"].ne("persona") | frame["outcomes"].isna())
            ),
        ),
        Rule(
            "outcome_evidence",
            "outcomes_are_complete",
            "Each outcome for residents is there once, with its evidence or 'none yet'.",
            "Look at the model: an outcome is lost or doubled when its items are joined.",
            lambda frame, r: (
                ~frame["outcome_id"].duplicated(keep=False)
                & (frame["items"].gt(0) ^ frame["sentence"].eq("none yet"))
                & bool(set(frame["outcome_id"]) == r.outcomes)
            ),
        ),
    ]


def _has_no_personal_data(frame: pd.DataFrame, _: Reference) -> pd.Series:
    words = frame.select_dtypes("object").drop(
        columns=["source_url", "open_referral_service", "open_referral_organisation"],
        errors="ignore",
    )
    ids = [name for name in words if str(name).endswith("_id")]
    texts = words.drop(columns=ids).fillna("").astype(str).agg("; ".join, axis=1)
    return ~texts.map(lambda text: any(True for _ in personal_data(text))).astype(bool)
