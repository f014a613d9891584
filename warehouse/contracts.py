"""The contracts of the published marts: what pandera refuses before anything leaves the building.

A contract is a list of rules. Each rule is one pandera schema with one name that reads as a
sentence, so that a red check says by itself what is wrong; the rows that break it are its failure
cases. Rules see what else the warehouse knows (areas, editions, the previous release) through
:class:`Reference`, which is read once a gate.

Not here: how marts are computed (``dbt_project``) and when the gate runs (``orchestration``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import pandera.pandas as pa

STATUSES_WITH_VALUE = ("published", "low_reliability")
RELEASABLE_ORIGINS = ("publisher", "transcribed", "reported", "derived")
UNIT_RANGES: Mapping[str, tuple[float, float]] = {
    "percent": (0.0, 100.0),
    # Standardised over some 200 areas: the largest published lies at 6.8, so beyond 12 something was misread.
    "z_score": (-12.0, 12.0),
    "count": (0.0, float("inf")),
}
GROUPS_2024 = (
    "Least Favourable",
    "Unfavourable",
    "Middle Group",
    "Favourable",
    "Most Favourable",
)
GROUPS_2025 = (
    "Least Favourable",
    "Unfavourable",
    "Lower Middling",
    "Middling",
    "Upper Middling",
    "Favourable",
    "Most Favourable",
)
BAROMETER_KEY = ("barometer_id", "area_code", "dataset", "edition", "period_end")


@dataclass(frozen=True)
class Reference:
    """What a rule may hold a mart against."""

    areas: frozenset[str]
    authorities: frozenset[str]
    combined_authorities: frozenset[str]
    editions: frozenset[tuple[str, str]]
    history: frozenset[tuple[str, str]]
    goals: Mapping[str, frozenset[str]]
    claims: frozenset[str]
    provenance: frozenset[str]
    previous: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    explained_losses: frozenset[tuple[str, str]] = frozenset()
    releasable_origins: tuple[str, ...] = RELEASABLE_ORIGINS


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of one mart.

    ``name`` is the asset check's name, ``sentence`` says in plain words what must hold, ``remedy``
    what to do where it does not, and ``schema`` makes the pandera schema that decides.
    """

    mart: str
    name: str
    sentence: str
    remedy: str
    schema: Callable[[Reference], pa.DataFrameSchema]


@dataclass(frozen=True)
class Verdict:
    """A rule applied: it passed, or ``failures`` holds the rows that broke it."""

    rule: Rule
    passed: bool
    failures: pd.DataFrame
    rows: int


def apply(rule: Rule, frame: pd.DataFrame, reference: Reference) -> Verdict:
    """Hold one mart against one rule; nothing is raised, the verdict says it."""
    try:
        rule.schema(reference).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        rows = sorted({int(i) for i in cases["index"].dropna() if str(i).isdigit()})
        if rows:
            shown = frame.loc[[i for i in rows if i in frame.index]].copy()
        else:
            shown = cases[["column", "check", "failure_case"]].astype(str)
        return Verdict(rule, False, shown.reset_index(drop=True), len(frame))
    return Verdict(rule, True, frame.head(0), len(frame))


def _over_rows(check: Callable[[pd.DataFrame], pd.Series], name: str) -> pa.DataFrameSchema:
    """A rule that decides row by row."""
    return pa.DataFrameSchema(checks=[pa.Check(check, name=name, ignore_na=False)])


def _over_frame(check: Callable[[pd.DataFrame], bool], name: str) -> pa.DataFrameSchema:
    """A rule that decides on the mart as a whole."""
    return pa.DataFrameSchema(checks=[pa.Check(check, name=name)])


def _counts_add_up(frame: pd.DataFrame) -> pd.Series:
    key = ["barometer_id", "edition", "period_end", "area_kind", "area_code"]
    return frame.groupby(key)["areas"].transform("sum").eq(frame["areas_with_group"])


# ---------------------------------------------------------------- rules on the barometers


def _in_range(frame: pd.DataFrame) -> pd.Series:
    low = frame["unit"].map(lambda unit: UNIT_RANGES.get(unit, (float("nan"),) * 2)[0])
    high = frame["unit"].map(lambda unit: UNIT_RANGES.get(unit, (float("nan"),) * 2)[1])
    good = pd.Series(True, index=frame.index)
    for column in ("value", "lower_95", "upper_95"):
        good &= frame[column].isna() | ((frame[column] >= low) & (frame[column] <= high))
    return good


def _interval_contains_value(frame: pd.DataFrame) -> pd.Series:
    both = frame["lower_95"].notna() & frame["upper_95"].notna()
    neither = frame["lower_95"].isna() & frame["upper_95"].isna()
    inside = (frame["lower_95"] <= frame["value"]) & (frame["value"] <= frame["upper_95"])
    return neither | (both & inside)


def _status_tells_the_truth(frame: pd.DataFrame) -> pd.Series:
    has_value = frame["value"].notna()
    says_value = frame["status"].isin(STATUSES_WITH_VALUE)
    reason = frame["status_reason"].fillna("").str.strip() != ""
    return (has_value & says_value) | (~has_value & ~says_value & reason)


def _known_edition(reference: Reference) -> Callable[[pd.DataFrame], pd.Series]:
    def check(frame: pd.DataFrame) -> pd.Series:
        pairs = pd.Series(
            list(zip(frame["dataset"], frame["edition"], strict=True)), index=frame.index
        )
        return pairs.isin(list(reference.editions))

    return check


def _each_authority_once(reference: Reference) -> Callable[[pd.DataFrame], pd.Series]:
    """Every current authority and combined authority stands once in each barometer and edition."""
    wanted = reference.authorities | reference.combined_authorities

    def check(frame: pd.DataFrame) -> pd.Series:
        duplicated = frame.duplicated(list(BAROMETER_KEY), keep=False)
        short = set()
        for cell, rows in frame.groupby(["barometer_id", "edition"], sort=False):
            # An older edition of a national series has its figures and no gaps.
            history = (rows["dataset"].iloc[0], cell[1]) in reference.history
            if not history and not wanted <= set(rows["area_code"]):
                short.add(cell)
        cells = pd.Series(
            list(zip(frame["barometer_id"], frame["edition"], strict=True)), index=frame.index
        )
        return ~duplicated & ~cells.isin(list(short))

    return check


def _goals_complete(reference: Reference) -> Callable[[pd.DataFrame], bool]:
    def check(frame: pd.DataFrame) -> bool:
        for goal, wanted in reference.goals.items():
            rows = frame[frame["goal_id"] == goal]
            if set(rows["barometer_id"]) != set(wanted):
                return False
            if rows.loc[rows["role"] == "key", "barometer_id"].nunique() != 1:
                return False
        return set(frame["goal_id"]) == set(reference.goals)

    return check


def _group_fits_scale(frame: pd.DataFrame) -> pd.Series:
    """Groups against the thresholds of their edition.

    2025: the seven bands start at -1.5, -1, -0.5, 0.5, 1 and 1.5; 2024: five bands of which only
    the middle one (within one standard deviation) has fixed limits.
    """
    good = pd.Series(True, index=frame.index)
    index = frame["unit"] == "z_score"
    good &= index | (frame["group_number"].isna() & frame["group_label"].isna())
    rows = frame[index & frame["value"].notna()]
    for labels, is_scale in (
        (GROUPS_2024, rows["edition"] == "2024"),
        (GROUPS_2025, rows["edition"] != "2024"),
    ):
        part = rows[is_scale]
        if part.empty:
            continue
        named = part["group_number"].map(dict(enumerate(labels, start=1)))
        fits = named == part["group_label"]
        value = part["value"]
        if labels is GROUPS_2025:
            # Printed to three decimals: a value on a limit may lie on either side of it.
            band = pd.cut(
                value,
                [-float("inf"), -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, float("inf")],
                labels=False,
                right=True,
            )
            near = ((value.abs() % 0.5) < 0.0006) | ((value.abs() % 0.5) > 0.4994)
            fits &= near | (band + 1 == part["group_number"])
        else:
            fits &= (value.abs() < 1.0) == (part["group_label"] == "Middle Group")
            fits &= (value > 0) | (part["group_number"] <= 3)
            fits &= (value < 0) | (part["group_number"] >= 3)
        good.loc[part.index] &= fits
    return good


def _provenance_leads_somewhere(reference: Reference) -> Callable[[pd.DataFrame], pd.Series]:
    def check(frame: pd.DataFrame) -> pd.Series:
        return frame["value"].isna() | frame["provenance_id"].isin(reference.provenance)

    return check


def _nothing_lost(reference: Reference) -> Callable[[pd.DataFrame], bool]:
    """No key and no figure of the previous release is gone without an explanation."""

    def check(frame: pd.DataFrame) -> bool:
        return lost_figures(frame, reference).empty

    return check


def lost_figures(frame: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Rows of the previous release whose key, or whose figure, the new mart does not have."""
    before = reference.previous.get("barometers")
    if before is None:
        return frame.head(0)
    key = list(BAROMETER_KEY)
    columns = [*key, "value"]
    joined = before[columns].merge(
        frame[columns], on=key, how="left", suffixes=("_before", "_now"), indicator=True
    )
    lost = joined[
        (joined["_merge"] == "left_only")
        | (joined["value_before"].notna() & joined["value_now"].isna())
    ]
    explained = pd.Series(
        list(zip(lost["dataset"], lost["edition"], strict=True)), index=lost.index, dtype=object
    ).isin(list(reference.explained_losses))
    return lost[~explained].drop(columns="_merge")


def _known_areas(reference: Reference, *columns: str) -> Callable[[pd.DataFrame], pd.Series]:
    def check(frame: pd.DataFrame) -> pd.Series:
        good = pd.Series(True, index=frame.index)
        for column in columns:
            good &= frame[column].isna() | frame[column].isin(reference.areas)
        return good

    return check


def _barometer_rules() -> list[Rule]:
    mart = "barometers"
    return [
        Rule(
            mart,
            "every_value_is_within_the_range_of_its_unit",
            "Percentages lie between 0 and 100, index values within twelve standard deviations.",
            "Look at the cell in the file: the column or the scale was misread.",
            lambda _: _over_rows(_in_range, "within the range of its unit"),
        ),
        Rule(
            mart,
            "every_interval_contains_its_value",
            "A 95% interval has both limits, in order, around its value.",
            "Look at the cell in the file; a published interval that excludes its value is not carried.",
            lambda _: _over_rows(_interval_contains_value, "interval contains value"),
        ),
        Rule(
            mart,
            "every_cell_has_a_figure_or_a_reason",
            "A cell has a value and says published, or has none and says why.",
            "Give the status a reason where the mart is computed.",
            lambda _: _over_rows(_status_tells_the_truth, "figure or reason"),
        ),
        Rule(
            mart,
            "every_area_is_known",
            "Every area code stands in the list of areas.",
            "Add the area to dbt_project/seeds/areas.csv, or its new code to area_code_changes.csv.",
            lambda r: _over_rows(_known_areas(r, "area_code"), "known area"),
        ),
        Rule(
            mart,
            "every_edition_is_in_the_catalogue",
            "Every dataset and edition is declared in the catalogue.",
            "Add the edition to sources/catalogue/<dataset>.yaml.",
            lambda r: _over_rows(_known_edition(r), "edition in the catalogue"),
        ),
        Rule(
            mart,
            "every_authority_stands_once_in_each_edition",
            "Each authority and combined authority has one row a barometer, edition and period.",
            "Look for the authority in the observations of that edition: left out or printed twice.",
            lambda r: _over_rows(_each_authority_once(r), "each authority once"),
        ),
        Rule(
            mart,
            "every_goal_has_its_four_barometers",
            "Each goal has its one key and three supporting barometers.",
            "Compare dbt_project/seeds/barometer_definitions.csv with barometer_measures.csv.",
            lambda r: _over_frame(_goals_complete(r), "four barometers a goal, one of them key"),
        ),
        Rule(
            mart,
            "every_group_fits_its_scale",
            "An index group has the name, number and position that its edition's scale gives it.",
            "Look at the file: group and value come from different rows, or the scale changed.",
            lambda _: _over_rows(_group_fits_scale, "group fits its scale"),
        ),
        Rule(
            mart,
            "no_figure_is_synthetic",
            "Nothing made up for demonstration stands among the figures.",
            "Remove the synthetic file from the landing store; the demonstration has its own folder.",
            lambda r: pa.DataFrameSchema(
                {"origin": pa.Column(checks=pa.Check.isin(r.releasable_origins), nullable=True)}
            ),
        ),
        Rule(
            mart,
            "every_figure_leads_to_its_source",
            "Every value has a provenance that names file and cell, or a citation.",
            "Look at the parser's row_number and column_letter, or cite the transcribed row.",
            lambda r: _over_rows(_provenance_leads_somewhere(r), "provenance leads somewhere"),
        ),
        Rule(
            mart,
            "no_figure_of_the_last_release_is_lost",
            "Every figure of the release before is still there, or its loss is explained.",
            "Restore the landed file, or explain the loss in dbt_project/seeds/explained_losses.csv.",
            lambda r: _over_frame(_nothing_lost(r), "nothing lost without an explanation"),
        ),
    ]


# ---------------------------------------------------------------- rules on the other marts


def _unique(mart: str, key: Sequence[str], grain: str) -> Rule:
    return Rule(
        mart,
        f"{mart}_has_one_row_a_{grain}",
        f"{mart} has one row a {grain.replace('_', ' ')}, and at least one row.",
        "Look for a doubled row in what the mart is made of.",
        lambda _: pa.DataFrameSchema(
            {name: pa.Column(nullable=False) for name in key},
            unique=list(key),
            checks=[pa.Check(lambda frame: len(frame) > 0, name="not empty")],
        ),
    )


def _wide_goal_rules(goal: str) -> list[Rule]:
    mart = f"goal_{goal}"

    def complete(reference: Reference) -> pa.DataFrameSchema:
        columns = {
            f"{barometer}_{part}": pa.Column(nullable=True)
            for barometer in sorted(reference.goals[goal])
            for part in ("value", "status")
        }
        wanted = reference.authorities | reference.combined_authorities
        return pa.DataFrameSchema(
            columns,
            checks=[
                pa.Check(
                    lambda frame: wanted <= set(frame["area_code"]),
                    name="every authority has a row",
                )
            ],
        )

    return [
        _unique(mart, ["area_code"], "area"),
        Rule(
            mart,
            f"{mart}_has_every_authority_and_barometer",
            "Every authority has a row with the goal's four barometers across.",
            "Look at marts.barometers first: the goal table is the same cells, turned.",
            complete,
        ),
    ]


def _claims_complete(reference: Reference) -> pa.DataFrameSchema:
    verdicts = (
        "agrees",
        "differs",
        "too_close_to_call",
        "contradicted_within_report",
        "cannot_be_computed",
    )
    return pa.DataFrameSchema(
        {
            "verdict": pa.Column(checks=pa.Check.isin(verdicts)),
            "explanation": pa.Column(checks=pa.Check.str_length(min_value=10)),
        },
        checks=[
            pa.Check(
                lambda frame: set(frame["claim_id"]) == set(reference.claims),
                name="every claim is answered",
            )
        ],
    )


def _no_claim_proves_itself(frame: pd.DataFrame) -> pd.Series:
    return ~(
        frame["verdict"].isin(["agrees", "differs"])
        & (frame["our_source_dataset"] == "young_foundation_report")
    )


def _provenance_is_complete(frame: pd.DataFrame) -> pd.Series:
    cell = (
        frame["file_sha256"].notna() & frame["row_number"].notna() & frame["column_letter"].notna()
    )
    cited = frame["citation"].fillna("").str.strip() != ""
    return cell | cited


def rules() -> list[Rule]:
    """Every rule of the gate, in the order in which a reader would ask."""
    return [
        *_barometer_rules(),
        *(
            rule
            for goal in ("connected", "supportive", "inclusive", "equitable")
            for rule in _wide_goal_rules(goal)
        ),
        _unique("authority_profiles", ["area_code"], "area"),
        _unique(
            "combined_authorities",
            ["barometer_id", "area_code", "dataset", "edition", "period_end"],
            "combined_authority_barometer_and_edition",
        ),
        _unique("changes", ["change_id"], "change"),
        _unique("comparisons", ["comparison_id"], "comparison"),
        Rule(
            "comparisons",
            "every_comparison_has_a_verdict_or_a_reason",
            "A comparison has an outcome; where it says 'cannot say', it says why.",
            "Look at the model's reason for this pair of areas.",
            lambda _: _over_rows(
                lambda frame: (
                    frame["outcome"].notna()
                    & (
                        (frame["outcome"] != "cannot_say")
                        | (frame["reason"].fillna("").str.len() > 5)
                    )
                ),
                "verdict or reason",
            ),
        ),
        Rule(
            "changes",
            "no_change_is_computed_across_a_break",
            "Across a registered break there is a reason and no difference.",
            "Look at dbt_project/seeds/series_breaks.csv and the model of changes.",
            lambda _: _over_rows(
                lambda frame: frame["break_kind"].isna() | frame["difference"].isna(),
                "no change across a break",
            ),
        ),
        _unique("ranks", ["rank_id"], "rank"),
        _unique("group_counts", ["group_count_id"], "count"),
        Rule(
            "group_counts",
            "every_area_of_an_index_is_counted_once",
            "The counts of an area's groups add up to its areas with a group.",
            "Look at the area's members in int_group_counts: one is lost or counted twice.",
            lambda _: _over_rows(_counts_add_up, "counts add up"),
        ),
        _unique("pulse", ["goal_id"], "goal"),
        Rule(
            "pulse",
            "every_goal_has_its_sentence",
            "The pulse has a sentence for each goal.",
            "Look at the goal's key barometer.",
            lambda r: pa.DataFrameSchema(
                {"sentence": pa.Column(checks=pa.Check.str_length(min_value=20))},
                checks=[
                    pa.Check(lambda frame: set(frame["goal_id"]) == set(r.goals), name="four goals")
                ],
            ),
        ),
        _unique("report_reconciliation", ["claim_id"], "claim"),
        Rule(
            "report_reconciliation",
            "every_claim_of_the_report_is_answered",
            "Each claim of the report has a verdict and an explanation.",
            "Look at the claim's statistic: a new kind needs a branch in the model.",
            _claims_complete,
        ),
        Rule(
            "report_reconciliation",
            "no_claim_is_verified_by_itself",
            "A claim is not confirmed by a figure that was transcribed from the report.",
            "Exclude the report's own figures where the claim is answered.",
            lambda _: _over_rows(_no_claim_proves_itself, "not verified by itself"),
        ),
        Rule(
            "provenance",
            "every_provenance_names_a_cell_or_a_citation",
            "Each row of provenance has file, row and column, or a citation.",
            "Look at the parser, or cite the transcribed row.",
            lambda _: _over_rows(_provenance_is_complete, "cell or citation"),
        ),
        Rule(
            "provenance",
            "provenance_holds_nothing_synthetic",
            "No figure that another is made of was made up.",
            "Remove the synthetic file from the landing store.",
            lambda r: pa.DataFrameSchema(
                {"origin": pa.Column(checks=pa.Check.isin(r.releasable_origins))}
            ),
        ),
    ]
