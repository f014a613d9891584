"""The contracts of the published marts: what is refused before anything is published.

Each rule is one asset check: one thing that a person would act on, named for what must hold. A rule
is a query for what breaks it, which DuckDB answers where the mart is, so that no mart is ever read
into Python. Beside the tables of the build a rule may use the views that ``warehouse.gate`` makes.

Not here: keys, types and not-null columns (constraints and tests of the dbt models), how marts are
computed (``dbt_project``), and when the gate runs (``orchestration``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

# SQL writes a list of texts as Python writes a tuple of them.
STATUSES_WITH_VALUE = ("published", "low_reliability")
CONFIRMING_ORIGINS = ("publisher", "transcribed", "derived", "synthetic")
RELEASABLE_ORIGINS = ("publisher", "transcribed", "reported", "derived")
UNIT_RANGES: Mapping[str, tuple[float, float]] = {
    "percent": (0.0, 100.0),
    # Standardised over some 200 areas: the largest published is 6.8; beyond 12 something was misread.
    "z_score": (-12.0, 12.0),
    "score": (0.0, 10.0),
    **dict.fromkeys(("count", "per_10k", "per_100k", "ratio"), (0.0, float("inf"))),
    **dict.fromkeys(("pounds", "pounds_million", "years", "minutes"), (0.0, float("inf"))),
}
VERDICTS = (
    *("agrees", "differs", "possible", "impossible", "too_close_to_call"),
    *("contradicted_within_report", "cannot_be_computed"),
)
_NOT_SYNTHETIC = (
    "Remove the synthetic file from the landing store; the demonstration has its own folder."
)
# Index values are printed to three decimals: one on a limit may belong to either group.
_ON_A_LIMIT = 0.0006


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of one mart.

    ``name`` is the asset check's name, ``sentence`` says in plain words what must hold and
    ``remedy`` what to do where it does not. ``broken`` is a query: each row it finds breaks the rule.
    A mart without rows breaks a rule too, unless it ``may_be_empty``.
    """

    mart: str
    name: str
    sentence: str
    remedy: str
    broken: str
    may_be_empty: bool = False


def _each(mart: str, name: str, sentence: str, remedy: str, condition: str) -> Rule:
    """A rule that is broken by the rows for which a condition is false, or cannot be said."""
    return Rule(mart, name, sentence, remedy, _unless(mart, condition))


def _unless(mart: str, condition: str) -> str:
    return f"select * from marts.{mart} where ({condition}) is not true"


def _filled(column: str, length: int = 1) -> str:
    """Whether a text column says something, of at least so many characters."""
    return f"length(trim(coalesce({column}, ''))) >= {length}"


def _value_in_range(mart: str) -> str:
    within = " and ".join(
        f"coalesce({column} between low and high, {column} is null)"
        for column in ("value", "lower_95", "upper_95")
    )
    return (
        f"select cells.* from marts.{mart} as cells left join unit_ranges using (unit) "
        f"where not ({within})"
    )


def _complete(
    cells: str, key: str, *, per: str, areas: str = "authorities", but: str = "true"
) -> str:
    """The cells that are there twice, and of each group the key where one of the areas is missing.

    ``cells``: a query for the rows that are looked at; ``key``: the columns of which no two of them
    have the same; ``per``: those of a group that has each of the ``areas``, a view; ``but``: which
    groups are meant.
    """
    return f"""
        with cells as ({cells})
        select {key} from cells group by all having count(*) > 1
        union all by name
        select {per} from cells group by all
        having
            {but} and count(distinct area_code) filter (area_code in (from {areas}))
            < (select count(*) from {areas})
    """


# An older edition of a national series has its figures and no gaps.
_NO_HISTORY = "(any_value(dataset), edition) not in (from history)"
_GOALS_ARE_COMPLETE = """
    with found as (
        select goal_id, barometer_id, any_value(role) as role from marts.barometers
        where framework in (select framework from report_indicators)
        group by goal_id, barometer_id
    )
    select goal_id, barometer_id, role, wanted.framework
    from found full join report_indicators as wanted using (goal_id, barometer_id)
    qualify
        wanted.framework is null
        or role is null
        or count(*) filter (role = 'key') over (partition by goal_id) != 1
"""

_GROUP_FITS_SCALE = f"""
    select cells.*
    from marts.barometers as cells
    left join raw.group_scales as scales using (dataset, edition, group_number)
    where
        case
            when unit = 'z_score' and value is not null
                then
                    cells.group_label = scales.group_label
                    and coalesce(value >= lower_limit - {_ON_A_LIMIT}, true)
                    and coalesce(value <= upper_limit + {_ON_A_LIMIT}, true)
            else group_number is null and cells.group_label is null
        end is not true
"""


# What a figure is found by in the next release.
CELL = ("barometer_id", "area_code", "dataset", "edition", "period_end")
CELL_MARTS: Mapping[str, tuple[str, ...]] = {
    "barometers": CELL,
    "context": CELL,
    "breakdowns": (*CELL, "breakdown", "category"),
}


def _figures_are_kept(mart: str) -> str:
    """The figures of the release before that the mart lacks.

    All conditions compare one side with the other, so that DuckDB hashes the cells; an ``or`` would
    have it compare every cell with every other.
    """
    key = CELL_MARTS[mart]
    same = " and ".join(f"before.{column} is not distinct from now.{column}" for column in key)
    return f"""
    from previous_{mart} as before
    anti join (select {", ".join(key)}, value from marts.{mart}) as now
        on {same} and (now.value is not null) >= (before.value is not null)
    where (dataset, edition) not in (select (dataset, edition) from reference.explained_losses)
    """


_NEWEST_IS_COMPLETE = _complete(
    "from marts.context qualify edition = max(edition) over (partition by barometer_id)",
    "framework, barometer_id, area_code",
    per="framework, barometer_id",
)


def _goal_is_complete(goal: str) -> str:
    """The areas and the columns that the pivot of a goal lacks."""
    return f"""
        select area_code from authorities
        where area_code not in (select area_code from marts.goal_{goal})
        union all by name
        select barometer_id || '_' || part as missing_column
        from report_indicators
        cross join (values ('value'), ('status')) as parts (part)
        where
            goal_id = '{goal}'
            and missing_column not in (
                select column_name from duckdb_columns()
                where schema_name = 'marts' and table_name = 'goal_{goal}'
            )
    """


_GOAL_AREAS_ARE_COMPLETE = f"""
    from ({
    _complete(
        "from marts.goal_areas",
        "framework, goal_id, barometer_id, area_code",
        per="framework, goal_id, barometer_id",
    )
})
    union all by name
    select goal_id, barometer_id from report_indicators
    where (goal_id, barometer_id) not in (select (goal_id, barometer_id) from marts.goal_areas)
"""

_COUNTS_ADD_UP = """
    select * from marts.group_counts
    qualify
        sum(areas) over (partition by barometer_id, edition, period_end, area_kind, area_code)
        is distinct from areas_with_group
"""


def _all_of(mart: str, column: str, wanted: str, condition: str) -> str:
    """The rows that break a condition, and the values that are missing or not wanted."""
    return f"""
        {_unless(mart, condition)}
        union all by name
        select {column} from (from ({wanted}) as wanted anti join marts.{mart} using ({column}))
        union all by name
        select {column} from marts.{mart} where {column} not in (from ({wanted}) as wanted)
    """


def _cell_rules(mart: str) -> list[Rule]:
    """What holds of every mart of cells; a check's name is its mart's own, save of barometers."""
    prefix = "" if mart == "barometers" else f"{mart}_"
    return [
        Rule(
            mart,
            f"{prefix}value_in_range_of_unit",
            "Percentages are between 0 and 100, index values within twelve standard deviations.",
            "Look at the cell in the file: the column or the scale was misread.",
            _value_in_range(mart),
        ),
        _each(
            mart,
            f"{prefix}interval_contains_value",
            "A 95% interval has both limits, in order, around its value.",
            "Look at the cell in the file: a published interval that excludes its value is not used.",
            # A comparison with a null is null: one limit alone does not pass.
            "(lower_95 is null and upper_95 is null) or value between lower_95 and upper_95",
        ),
        _each(
            mart,
            f"{prefix}value_or_reason_is_given",
            "A cell has a value and a status of one, or no value and the reason.",
            "Give the status a reason where the mart is computed.",
            f"(status in {STATUSES_WITH_VALUE}) = (value is not null) "
            f"and (value is not null or {_filled('status_reason')})",
        ),
        _each(
            mart,
            f"{prefix}area_is_known",
            "Every area code is in the list of areas.",
            "Add the area to dbt_project/seeds/areas.csv, or its new code to area_code_changes.csv.",
            "area_code in (from areas)",
        ),
        _each(
            mart,
            f"{prefix}edition_is_known",
            "Every dataset and edition is in the catalogue.",
            "Add the edition to sources/catalogue/<dataset>.yaml.",
            "(dataset, edition) in (select (dataset, edition) from meta.editions)",
        ),
        _each(
            mart,
            f"{prefix}origin_is_releasable",
            "No figure is synthetic, that is, made up to show the platform at work.",
            _NOT_SYNTHETIC,
            "origin is null or origin in (from releasable)",
        ),
        _each(
            mart,
            f"{prefix}figure_has_provenance",
            "Every value has a provenance that names file and cell, or a citation.",
            "Look at the parser's row_number and column_letter, or cite the transcribed row.",
            "value is null or provenance_id in (select p.provenance_id from marts.provenance as p)",
        ),
        Rule(
            mart,
            f"{prefix}previous_figures_are_kept",
            "Every figure of the release before is still there, or its loss is explained.",
            "Restore the landed file, or explain the loss in dbt_project/seeds/explained_losses.csv.",
            _figures_are_kept(mart),
        ),
    ]


def rules(
    goals: Iterable[str] = ("connected", "supportive", "inclusive", "equitable"),
) -> list[Rule]:
    """Every rule of the gate, in the order in which a reader would ask."""
    return [
        *(rule for mart in CELL_MARTS for rule in _cell_rules(mart)),
        _each(
            "breakdowns",
            "group_is_named",
            "Each row is of a group of people, never of everybody.",
            "Look at the model: figures of everybody belong to barometers and context.",
            "breakdown != 'all' and category != 'all'",
        ),
        Rule(
            "context",
            "newest_context_is_complete",
            "Each authority and combined authority has one row per indicator's newest edition.",
            "Look for the authority in int_barometer_grid: no figure needs a row with the reason.",
            _NEWEST_IS_COMPLETE,
        ),
        _each(
            "trends",
            "trend_or_reason_is_given",
            "A trend rests on five yearly figures; without one there is the reason.",
            "Look at int_trends: a year is missing, or lacks its interval.",
            "case when trend = 'cannot_be_calculated' then slope is null and "
            f"{_filled('reason', 6)} else points = 5 and slope is not null end",
        ),
        Rule(
            "barometers",
            "authorities_are_complete",
            "Each authority and combined authority has one row per barometer, edition and period.",
            "Look for the authority in the observations of that edition: left out or printed twice.",
            _complete(
                "from marts.barometers",
                "framework, barometer_id, area_code, dataset, edition, period_end",
                per="barometer_id, edition",
                but=_NO_HISTORY,
            ),
        ),
        Rule(
            "barometers",
            "goals_are_complete",
            "Each goal has its barometers, exactly one of them key.",
            "Compare the seeds of goals, barometers and measures in dbt_project/seeds.",
            _GOALS_ARE_COMPLETE,
        ),
        Rule(
            "barometers",
            "group_fits_scale",
            "An index group has the name, number and limits that its edition's scale gives it.",
            "Look at the file: group and value come from different rows, or the scale changed.",
            _GROUP_FITS_SCALE,
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
            _GOAL_AREAS_ARE_COMPLETE,
        ),
        Rule(
            "authority_profiles",
            "profiles_are_complete",
            "Every authority has its profile.",
            "Look for the authority in dbt_project/seeds/areas.csv.",
            "select area_code from local_authorities "
            "where area_code not in (select area_code from marts.authority_profiles)",
        ),
        Rule(
            "combined_authorities",
            "combined_authorities_are_complete",
            "Every combined authority is there, once per barometer, edition and period.",
            "Look at the lookup of members (ons_combined_authorities) of that edition.",
            _complete(
                "from marts.combined_authorities",
                "barometer_id, area_code, dataset, edition, period_end",
                per="barometer_id, edition",
                areas="combined_authorities",
                but=_NO_HISTORY,
            ),
        ),
        _each(
            "comparisons",
            "verdict_or_reason_is_given",
            "A comparison has an outcome and, where that is 'cannot say', the reason.",
            "Look at the model's reason for this pair of areas.",
            f"outcome != 'cannot_say' or {_filled('reason', 6)}",
        ),
        _each(
            "changes",
            "no_change_across_a_break",
            "Across a break that blocks, there is a reason and no difference.",
            "Look at dbt_project/seeds/series_breaks.csv and the model of changes.",
            "grade != 'block' or difference is null",
        ),
        _each(
            "ranks",
            "rank_within_number_of_areas",
            "A rank is between 1 and the number of areas ranked; without a rank there is a reason.",
            "Look at int_ranks: an area is ranked twice, or among others than its peers.",
            f"rank between 1 and areas_ranked or (rank is null and {_filled('reason')})",
        ),
        Rule(
            "group_counts",
            "group_counts_add_up",
            "The counts of an area's groups add up to its areas with a group.",
            "Look at the area's members in int_group_counts: one is lost or counted twice.",
            _COUNTS_ADD_UP,
        ),
        Rule(
            "pulse",
            "goal_has_sentence",
            "The pulse has a sentence for each goal.",
            "Look at the goal's key barometer.",
            _all_of(
                "pulse",
                "goal_id",
                "select distinct goal_id from report_indicators",
                _filled("sentence", 20),
            ),
        ),
        Rule(
            "report_reconciliation",
            "claims_are_answered",
            "Each claim of the report has a verdict and an explanation.",
            "Look at the claim's statistic: a new kind needs a branch in the model.",
            _all_of(
                "report_reconciliation",
                "claim_id",
                "select claim_id from reference.report_claims",
                f"verdict in {VERDICTS} and {_filled('explanation', 10)}",
            ),
        ),
        _each(
            "report_reconciliation",
            "claim_is_not_its_own_evidence",
            "A claim agrees or differs by a figure of the publisher or a copy of it, never a reported one.",
            "Exclude reported figures where the claim is answered.",
            f"verdict not in ('agrees', 'differs') or our_origin in {CONFIRMING_ORIGINS}",
        ),
        _each(
            "provenance",
            "cell_or_citation_is_given",
            "Each row of provenance has file, row and column, or a citation.",
            "Look at the parser, or cite the transcribed row.",
            "(file_sha256 is not null and row_number is not null and column_letter is not null)"
            f" or {_filled('citation')}",
        ),
        _each(
            "provenance",
            "part_origin_is_releasable",
            "No figure that another is made of is synthetic.",
            _NOT_SYNTHETIC,
            "origin is null or origin in (from releasable)",
        ),
        *_register_rules(),
    ]


_LOCAL_IS_RELEASABLE = "origin = 'local' or origin in (from releasable)"
# What somebody wrote, of whatever mart.
_WORDS = (
    "select columns(name -> not suffix(name, '_id') and name not in ('figure', 'source_url', "
    "'open_referral_service', 'open_referral_organisation'))"
)


def _register_rules() -> list[Rule]:
    """The rules of what communities and councils hand in."""
    look = "Correct the entry in sources/evidence, or in the file that its column register names."
    both = []
    for mart, name in (("initiatives", "initiative"), ("evidence", "evidence")):
        both += [
            _each(
                mart,
                f"{name}_has_source_and_area",
                "Each row names its source and an area of the list.",
                look,
                f"{_filled('source')} and area_code in (from areas)",
            ),
            _each(
                mart,
                f"{name}_is_releasable",
                "No row is synthetic, that is, made up to show the platform at work.",
                "Remove the file from the inbox; the demonstration has its own folder.",
                _LOCAL_IS_RELEASABLE,
            ),
            Rule(
                mart,
                f"{name}_has_no_personal_data",
                "No text has an e-mail address, a telephone number, a full postcode or a person's name.",
                look,
                f"select rows.* from marts.{mart} as rows positional join ({_WORDS} from marts.{mart}) "
                "as words where has_personal_data(cast(words as varchar))",
            ),
        ]
    return [
        *both,
        _each(
            "evidence",
            "quotation_has_consent",
            "A quotation has consent, given or published by its source.",
            look,
            "kind != 'quotation' or consent in ('given', 'published_by_source')",
        ),
        _each(
            "evidence",
            "figure_has_place_in_source",
            "A figure has its place in the source and says what it counts.",
            look,
            f"figure is null or ({_filled('source_place')} and {_filled('figure_unit')})",
        ),
        _each(
            "evidence",
            "fiction_is_marked",
            "A persona is marked as fictional, and is evidence of no outcome.",
            look,
            "(kind = 'persona') = is_fictional and (kind != 'persona' or outcomes is null)",
        ),
        Rule(
            "outcome_evidence",
            "outcomes_are_complete",
            "Each outcome for residents is there once, with its evidence or 'none yet'.",
            "Look at the model: an outcome is lost or doubled when its items are joined.",
            _all_of(
                "outcome_evidence",
                "outcome_id",
                "select concat_ws('.', goal_id, kind, outcome_order) as outcome_id "
                "from reference.resident_outcomes",
                "(items > 0) = (sentence != 'none yet') and outcome_id not in ("
                "select o.outcome_id from marts.outcome_evidence as o group by all having count(*) > 1)",
            ),
        ),
        *(replace(rule, may_be_empty=True) for rule in _optional_rules()),
    ]


def _optional_rules() -> list[Rule]:
    """The rules of marts that have no rows where no council handed in a survey, or nothing is worse."""
    return [
        Rule(
            "local_surveys",
            "local_value_in_range",
            "Percentages and their limits are between 0 and 100.",
            "Look at the row of the survey's results.csv in the inbox.",
            _value_in_range("local_surveys"),
        ),
        _each(
            "local_surveys",
            "local_value_or_reason_is_given",
            "A cell has a value and a status of one, or no value and the reason.",
            "Look at sources/surveys.py: a cell was withheld without its reason.",
            f"case when value is null then status = 'suppressed' and {_filled('status_reason')} "
            "else status = 'published' end",
        ),
        _each(
            "local_surveys",
            "local_survey_is_releasable",
            "No row is synthetic, that is, made up to show the platform at work.",
            "Remove the folder from the inbox; the demonstration has its own.",
            _LOCAL_IS_RELEASABLE,
        ),
        _each(
            "local_surveys",
            "local_test_needs_same_question",
            "A test needs the same wording and mode, and is graded as caution.",
            "Look at the model local_surveys.",
            f"case when z is null then outcome = 'cannot_say' and {_filled('reason')} "
            "else wording_is = 'same' and mode = national_mode and grade = 'caution' end",
        ),
        _each(
            "pathways",
            "pathway_has_cause",
            "A barometer is listed because it is worse than England, or got worse, in words.",
            "Look at the model pathways, then at the comparison or change that it names.",
            "(is_worse_than_england or has_got_worse) "
            f"and is_worse_than_england = ({_filled('sentence')}) "
            f"and has_got_worse = ({_filled('change_sentence')})",
        ),
    ]
