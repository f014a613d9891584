"""Every rule of the contract: a row set that breaks it, and one that keeps it.

The figures are made up for the tests and are marked as such by the names of their areas.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.areas import Alias, Area, AreaBook
from sources.catalogue import Dataset
from sources.contract import Finding, check_rows
from sources.observation import OBSERVATION_COLUMNS, as_memberships, as_observations

LADS = [f"E0600{number:04d}" for number in range(1, 26)]
OLD, NEW = "E08000016", "E08000038"
MERGED, MERGED_FROM = "E06000063", ("E07000026", "E07000028")

AREAS = AreaBook(
    areas={
        area.code: area
        for area in (
            Area("E92000001", "England", "nation"),
            Area("E12000005", "Made-up region", "itl1"),
            Area("E47000007", "Made-up combined authority", "cauth"),
            Area("E47000008", "Another combined authority", "cauth"),
            *(Area(code, f"Made-up {code}", "lad") for code in LADS),
            Area(OLD, "Barnsley", "lad", None, date(2024, 12, 31)),
            Area(NEW, "Barnsley", "lad", date(2025, 1, 1)),
            Area(MERGED, "Cumberland", "lad", date(2023, 1, 1)),
            *(Area(code, f"Old {code}", "lad", None, date(2022, 12, 31)) for code in MERGED_FROM),
            Area("SMC:one", "One", "smc_area"),
        )
    },
    aliases=(
        Alias("demo_index", "2025", "One", "SMC:one"),
        Alias("demo_index", "2025", "Two", LADS[0]),
        Alias("demo_index", "2025", "Three", LADS[1]),
    ),
    changes={OLD: NEW, MERGED_FROM[0]: MERGED, MERGED_FROM[1]: MERGED},
)

COMMON = {
    "title": "t",
    "short_title": "t",
    "publisher": "p",
    "publisher_short": "p",
    "landing_page": "https://example.org",
    "licence": "OGL",
    "licence_url": None,
    "attribution": "{edition}",
    "cadence": "annual",
    "grace_days": 1,
}


def edition(code: str, start: str, end: str, **more: object) -> dict[str, object]:
    return {"edition": code, "title": code, "period_start": start, "period_end": end} | more


SURVEY = Dataset.model_validate(
    COMMON
    | {
        "code": "demo_survey",
        "shape": "observations",
        "measures": [
            {"code": "trust", "title": "Trust", "unit": "percent", "minimum": 0, "maximum": 100}
        ],
        "editions": [
            edition("2022-23", "2022-10-01", "2023-03-31"),
            edition("2023-24", "2023-10-01", "2024-03-31"),
            edition(
                "2024-25",
                "2024-10-01",
                "2025-03-31",
                levels=["nation", "itl1", "lad"],
                code_vintage=2025,
            ),
        ],
        "coverage": [
            {"edition": "2024-25", "level": "nation", "areas": 1},
            {"edition": "2024-25", "level": "lad", "areas": 27, "prefix": "E"},
        ],
        "jump": {"points": 15, "share": 0.05, "median": 8},
    }
)
INDEX = Dataset.model_validate(
    COMMON
    | {
        "code": "demo_index",
        "shape": "observations",
        "measures": [
            {
                "code": "prospects",
                "title": "Prospects",
                "unit": "z_score",
                "minimum": -10,
                "maximum": 10,
                "groups": {"2025": {"Low": 1, "Middle": 2, "High": 3}},
                "group_limits": {"2025": [-1.0, 1.0]},
            }
        ],
        "editions": [edition("2025", "2018-01-01", "2020-12-31")],
        "coverage": [{"edition": "2025", "level": "smc_area", "areas": 3}],
    }
)
LOOKUP = Dataset.model_validate(
    COMMON
    | {
        "code": "demo_lookup",
        "shape": "memberships",
        "editions": [edition("2025", "2025-05-01", "2025-05-31", code_vintage=2025)],
        "coverage": [
            {"edition": "2025", "level": "lad", "areas": 3},
            {"edition": "2025", "level": "cauth", "areas": 2, "prefix": "E47"},
        ],
    }
)


def survey_rows(code: str = "2024-25", shift: float = 0.0) -> pd.DataFrame:
    """England and every authority that stands in 2025, with figures that differ; to be changed."""
    return _survey_rows(code, shift).copy()


@cache
def _survey_rows(code: str, shift: float) -> pd.DataFrame:
    start, end = SURVEY.edition(code).period_start, SURVEY.edition(code).period_end
    rows = []
    for number, area in enumerate(["E92000001", *LADS, NEW, MERGED]):
        value = 40.0 + number % 7 + shift
        rows.append(
            {
                "dataset": "demo_survey",
                "edition": code,
                "revision": "0" * 12,
                "measure": "trust",
                "area_code": area,
                "area_name": AREAS.name(area),
                "area_level": AREAS.level(area),
                "period_start": pd.Timestamp(start),
                "period_end": pd.Timestamp(end),
                "unit": "percent",
                "value": value,
                "lower_95": value - 4,
                "upper_95": value + 4,
                "base": 500,
                "status": "published",
                "origin": "publisher",
                "file_sha256": "0" * 64,
                "sheet": "B4c",
                "row_number": 10 + number,
                "column_letter": "C",
            }
        )
    return as_observations(pd.DataFrame(rows))


def index_rows() -> pd.DataFrame:
    rows = []
    for number, (area, value) in enumerate((("SMC:one", -1.5), (LADS[0], 0.0), (LADS[1], 1.5))):
        rows.append(
            {
                "dataset": "demo_index",
                "edition": "2025",
                "revision": "0" * 12,
                "measure": "prospects",
                "area_code": area,
                "area_name": "x",
                "area_level": "smc_area",
                "period_start": "2018-01-01",
                "period_end": "2020-12-31",
                "unit": "z_score",
                "value": value,
                "group_number": number + 1,
                "group_label": ("Low", "Middle", "High")[number],
                "status": "published",
                "origin": "publisher",
                "file_sha256": "0" * 64,
                "row_number": number + 2,
                "column_letter": "P",
            }
        )
    return as_observations(pd.DataFrame(rows))


def lookup_rows() -> pd.DataFrame:
    rows = []
    for number, (member, parent) in enumerate(
        ((LADS[0], "E47000007"), (LADS[1], "E47000007"), (NEW, "E47000008"))
    ):
        rows.append(
            {
                "dataset": "demo_lookup",
                "edition": "2025",
                "revision": "0" * 12,
                "member_code": member,
                "member_name": AREAS.name(member),
                "parent_code": parent,
                "parent_name": AREAS.name(parent),
                "origin": "publisher",
                "file_sha256": "0" * 64,
                "row_number": number + 2,
                "column_letter": "A",
            }
        )
    return as_memberships(pd.DataFrame(rows))


def survey(rows: pd.DataFrame, previous: pd.DataFrame | None = None) -> list[Finding]:
    return check_rows(rows, SURVEY, SURVEY.edition("2024-25"), AREAS, previous=previous)


def index(rows: pd.DataFrame) -> list[Finding]:
    return check_rows(rows, INDEX, INDEX.edition("2025"), AREAS)


def lookup(rows: pd.DataFrame) -> list[Finding]:
    return check_rows(rows, LOOKUP, LOOKUP.edition("2025"), AREAS)


def codes(findings: list[Finding], severity: str = "error") -> set[str]:
    return {finding.code for finding in findings if finding.severity == severity}


def one(findings: list[Finding], code: str) -> Finding:
    (found,) = [finding for finding in findings if finding.code == code]
    return found


def test_good_rows_have_no_finding():
    assert survey(survey_rows()) == []
    assert survey(survey_rows(), survey_rows("2023-24", shift=1.5)) == []
    assert index(index_rows()) == []
    assert lookup(lookup_rows()) == []


# Each is planted in a row of its own; no two of a list are found under one code.
SURVEY_FAULTS = [
    [
        ("wrong_dataset", {"dataset": "other"}),
        ("wrong_edition", {"edition": "2023-24"}),
        ("unknown_measure", {"measure": "love"}),
        ("wrong_unit", {"unit": "per_100k"}),
        ("unknown_area", {"area_code": "E99999999"}),
        ("wrong_level", {"area_level": "cauth"}),
        ("period_outside_edition", {"period_start": pd.Timestamp("2023-10-01")}),
        ("out_of_range", {"value": 101.0, "upper_95": 102.0}),
        ("bounds_swapped", {"lower_95": 50.0, "upper_95": 30.0}),
        ("interval_excludes_value", {"value": 60.0}),
        ("half_interval", {"upper_95": None}),
        ("published_without_value", {"value": None}),
        ("value_where_none_is_published", {"status": "suppressed"}),
        ("no_provenance", {"row_number": None}),
        ("unknown_status", {"status": "[z]"}),
        ("unknown_origin", {"origin": "guess"}),
        ("malformed_file_sha256", {"file_sha256": "abc"}),
        ("missing_area_name", {"area_name": None}),
        ("out_of_range_base", {"base": -5}),
    ],
    [
        ("unknown_edition", {"edition": "1999"}),
        ("period_outside_edition", {"period_end": pd.Timestamp("2025-04-01")}),
        ("out_of_range", {"lower_95": -0.1}),
    ],
]


@pytest.mark.planted_fault
@pytest.mark.parametrize("faults", SURVEY_FAULTS)
def test_each_of_many_faults_is_found_named_and_shown(faults):
    rows = survey_rows()
    for at, (_, changes) in enumerate(faults, 3):
        for column, value in changes.items():
            rows.loc[at, column] = value
    findings = survey(rows)
    for at, (code, changes) in enumerate(faults, 3):
        finding = one(findings, code)
        assert finding.severity == "error"
        assert finding.message.startswith("demo_survey 2024-25: ")
        assert finding.failure_cases is not None
        assert len(finding.failure_cases) == 1
        assert " 1 rows" not in finding.message
        if "row_number" not in changes:
            assert finding.where == f"B4c!C{10 + at}"
            assert finding.where in finding.message


def test_an_empty_table_is_refused():
    assert codes(survey(survey_rows().iloc[:0])) == {"empty_table"}
    assert codes(lookup(lookup_rows().iloc[:0])) == {"empty_table"}


def test_a_column_too_few_or_too_many_is_refused():
    assert codes(survey(survey_rows().drop(columns="base"))) == {"missing_column"}
    assert "unknown_column" in codes(survey(survey_rows().assign(colour="red")))
    columns = list(survey_rows().columns[::-1])
    assert "column_order" in codes(survey(survey_rows()[columns]))


def test_values_that_are_words_are_refused():
    rows = survey_rows().astype({"value": "object"})
    rows.loc[3, "value"] = "forty"
    assert "bad_value" in codes(survey(rows))


def test_an_edition_that_is_not_catalogued_is_refused():
    other = SURVEY.edition("2024-25").model_copy(update={"edition": "2030-31"})
    rows = survey_rows().assign(edition="2030-31").astype({"edition": "string"})
    assert "unknown_edition" in codes(check_rows(rows, SURVEY, other, AREAS))


def test_an_area_of_another_country_is_refused():
    rows = survey_rows()
    rows.loc[3, "area_code"] = "W06000015"
    english = SURVEY.model_copy(update={"country": "E"})
    found = check_rows(rows, english, english.edition("2024-25"), AREAS)
    assert "outside_country" in codes(found)


def test_a_level_the_edition_does_not_publish_is_a_warning():
    rows = survey_rows()
    extra = rows.iloc[[0]].assign(
        area_code="E47000007", area_name="x", area_level="cauth", row_number=99
    )
    rows = as_observations(pd.concat([rows, extra], ignore_index=True))
    findings = survey(rows)
    assert codes(findings) == set()
    assert codes(findings, "warning") == {"unexpected_level"}


def test_a_code_of_another_vintage_is_followed_and_reported():
    rows = survey_rows()
    rows.loc[rows["area_code"].eq(NEW), "area_code"] = OLD
    findings = survey(rows)
    assert codes(findings) == set()
    assert "Barnsley" in one(findings, "code_vintage").message


def test_fractions_are_not_percentages():
    rows = survey_rows()
    for column in ("value", "lower_95", "upper_95"):
        rows[column] /= 100
    assert "percent_as_fraction" in codes(survey(rows))
    rows = survey_rows()
    rows.loc[3, ["value", "lower_95", "upper_95"]] /= 100
    rows["base"] = None  # not every publisher prints one that contradicts it
    assert "far_from_others" in codes(survey(rows))


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("interval_says_nothing", {"lower_95": 0.0, "upper_95": 100.0}),
        ("zero_in_place_of_symbol", {"value": 0.0, "lower_95": None, "upper_95": None}),
        ("figure_without_base", {"base": 0}),
        ("interval_contradicts_base", {"base": 50_000}),
        ("interval_contradicts_base", {"value": 4.3, "lower_95": 3.9, "upper_95": 4.7}),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(code, changes):
    rows = survey_rows()
    for column, value in changes.items():
        rows.loc[3, column] = value
    assert one(survey(rows), code).severity == "error"


def test_limits_of_another_level_are_a_warning():
    rows = survey_rows()
    rows["lower_95"], rows["upper_95"] = rows["value"] - 7.5, rows["value"] + 7.5
    assert codes(survey(rows)) == set()
    assert "interval_level_differs" in codes(survey(rows), "warning")


def test_a_value_outside_its_interval_by_its_own_rounding_is_a_warning():
    rows = survey_rows()
    rows.loc[3, ["lower_95", "upper_95"]] = [rows.loc[3, "value"] + 0.3, rows.loc[3, "value"] + 8]
    assert codes(survey(rows)) == set()
    assert "interval_excludes_value" in codes(survey(rows), "warning")
    rows.loc[4, "value"] += 0.1  # the column now has a decimal, so 0.3 is no rounding
    assert "interval_excludes_value" in codes(survey(rows))


def test_an_interval_of_no_width_is_an_error_for_an_authority_only():
    rows = survey_rows()
    rows.loc[3, ["lower_95", "upper_95"]] = rows.loc[3, "value"]
    assert codes(survey(rows)) == {"zero_width_interval"}
    rows = survey_rows()
    rows.loc[0, ["lower_95", "upper_95"]] = rows.loc[0, "value"]
    findings = survey(rows)
    assert codes(findings) == set()
    assert codes(findings, "warning") == {"zero_width_interval"}


def test_a_suppressed_figure_without_a_value_is_accepted():
    rows = survey_rows()
    rows.loc[3, ["value", "lower_95", "upper_95"]] = float("nan")
    rows.loc[3, "status"] = "suppressed"
    assert survey(rows) == []


@pytest.mark.parametrize(
    ("value", "code"), [(None, "doubled_area"), (41.5, "conflicting_area")], ids=["equal", "other"]
)
def test_an_authority_that_appears_twice_is_refused(value, code):
    rows = survey_rows()
    again = rows.iloc[[3]].assign(row_number=90)
    if value is not None:
        again["value"] = value
    rows = as_observations(pd.concat([rows, again], ignore_index=True))
    findings = survey(rows)
    assert codes(findings) == {code}
    assert LADS[2] in one(findings, code).message
    assert len(one(findings, code).failure_cases) == 2


def test_an_old_code_beside_its_successor_is_a_doubled_area():
    rows = survey_rows()
    again = rows[rows["area_code"].eq(NEW)].assign(area_code=OLD, value=41.5, row_number=90)
    rows = as_observations(pd.concat([rows, again], ignore_index=True))
    assert "conflicting_area" in codes(survey(rows))


def by_sex(rows: pd.DataFrame, **changes) -> pd.DataFrame:
    """The rows, and England's figures of women and men."""
    england = rows.iloc[[0]].assign(breakdown="sex")
    groups = [
        england.assign(category=sex, row_number=number, **changes)
        for sex, number in (("Female", 70), ("Male", 71))
    ]
    return as_observations(pd.concat([rows, *groups], ignore_index=True))


def test_figures_of_groups_are_checked_and_count_for_no_area():
    """They neither double England nor make up for it, and no earlier edition is compared with them."""
    assert survey(by_sex(survey_rows())) == []
    assert (
        survey(by_sex(survey_rows()), by_sex(survey_rows("2023-24", shift=1.0), value=80.0)) == []
    )
    alone = by_sex(survey_rows()).drop(index=0).reset_index(drop=True)
    assert "nation, trust: 0 areas" in one(survey(alone), "missing_area").message


@pytest.mark.planted_fault
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"value": 140.0}, "out_of_range"),
        ({"lower_95": 42.0}, "interval_excludes_value"),
        ({"base": 0}, "figure_without_base"),
        ({"base": 25_000}, "interval_contradicts_base"),
        ({"breakdown": "all"}, "group_without_breakdown"),
        ({"breakdown": "age", "category": "16 to 24"}, "doubled_area"),
    ],
)
def test_a_wrong_figure_of_a_group_is_refused_with_its_cell(changes, code):
    rows = by_sex(survey_rows())
    for column, value in changes.items():
        rows.loc[rows.index[-2:], column] = value
    found = one(survey(as_observations(rows)), code)
    assert found.severity == "error"
    assert "B4c!C7" in found.message


def test_predecessors_of_a_merger_may_stand_side_by_side():
    rows = survey_rows()
    merged = rows[rows["area_code"].eq(MERGED)]
    parts = [
        merged.assign(area_code=code, row_number=80 + number)
        for number, code in enumerate(MERGED_FROM)
    ]
    rest = rows[rows["area_code"].ne(MERGED)]
    findings = survey(as_observations(pd.concat([rest, *parts], ignore_index=True)))
    assert "doubled_area" not in codes(findings)
    assert "conflicting_area" not in codes(findings)


def test_a_missing_authority_is_named():
    findings = survey(survey_rows().drop(index=3).reset_index(drop=True))
    assert codes(findings) == {"missing_area"}
    finding = one(findings, "missing_area")
    assert f"Made-up {LADS[2]}" in finding.message
    assert list(finding.failure_cases["area_code"]) == [LADS[2]]


def test_a_missing_authority_hidden_by_another_is_still_named():
    rows = survey_rows()
    rows.loc[3, ["area_code", "area_level"]] = ["E12000005", "itl1"]
    assert codes(survey(rows)) == {"missing_area"}


def test_an_authority_too_many_is_refused():
    rows = survey_rows()
    areas = AreaBook(
        areas=dict(AREAS.areas) | {"E06000099": Area("E06000099", "Surplus", "lad")},
        changes=AREAS.changes,
    )
    extra = rows.iloc[[3]].assign(area_code="E06000099", row_number=90)
    rows = as_observations(pd.concat([rows, extra], ignore_index=True))
    findings = check_rows(rows, SURVEY, SURVEY.edition("2024-25"), areas)
    assert codes(findings) == {"unexpected_area"}


def test_bundled_figures_may_be_few():
    rows = survey_rows().iloc[[0]].assign(origin="transcribed", citation="a page")
    findings = survey(as_observations(rows))
    assert codes(findings) == set()
    assert codes(findings, "note") == {"missing_area"}


def test_an_index_area_that_is_missing_in_one_period_is_named():
    first = index_rows().assign(period_end=pd.Timestamp("2019-12-31"))
    second = index_rows().assign(period_start=pd.Timestamp("2020-01-01"))
    whole = pd.concat([first, second], ignore_index=True)
    assert index(whole) == []
    finding = one(index(whole.iloc[:-1]), "missing_area")
    assert "2020-01-01" in finding.message
    assert LADS[1] in finding.message
    for rows, absent in ((first, "2020-01-01 to 2020-12-31"), (second, "2018-01-01 to 2019-12-31")):
        assert absent in one(index(rows), "missing_period").message
        copied = rows.assign(origin="transcribed", citation="a copy").astype(rows.dtypes)
        assert index(copied) == []


INDEX_FAULTS = [
    ("group_contradicts_scale", {"group_number": 3}),
    ("group_contradicts_scale", {"group_label": "Middling"}),
    ("group_contradicts_scale", {"group_number": 7}),
    ("missing_group", {"group_number": None}),
    ("missing_group", {"group_label": None}),
    ("group_contradicts_value", {"value": -2.0}),
    ("group_contradicts_value", {"value": 2.0}),
]


@pytest.mark.parametrize(("code", "changes"), INDEX_FAULTS)
def test_a_group_that_contradicts_its_scale_is_refused(code, changes):
    rows = index_rows()
    for column, value in changes.items():
        rows.loc[1, column] = value
    assert code in codes(index(rows))


def test_too_large_a_jump_of_many_authorities_is_refused():
    previous = survey_rows("2023-24", shift=20)
    findings = survey(survey_rows(), previous)
    assert codes(findings) == {"implausible_jump"}
    assert "2023-24" in one(findings, "implausible_jump").message


def test_a_moderate_shift_of_all_is_refused_by_the_median():
    assert codes(survey(survey_rows(), survey_rows("2023-24", shift=9))) == {"implausible_jump"}


def test_one_authority_that_jumps_is_accepted():
    previous = survey_rows("2023-24", shift=2)
    previous.loc[3, "value"] = 90.0
    assert survey(survey_rows(), previous) == []


def test_a_jump_is_measured_against_the_edition_just_before():
    far = survey_rows("2022-23", shift=30)
    near = survey_rows("2023-24", shift=1.5)
    assert survey(survey_rows(), pd.concat([far, near], ignore_index=True)) == []


def test_a_jump_is_followed_across_a_change_of_code():
    previous = survey_rows("2023-24", shift=1.5)
    previous.loc[previous["area_code"].eq(NEW), "area_code"] = OLD
    assert survey(survey_rows(), previous) == []


@pytest.mark.parametrize("code", ["2022-23", "2023-24"])
def test_last_years_file_under_this_years_name_is_refused(code):
    findings = survey(survey_rows(), survey_rows(code))
    assert codes(findings) == {"last_years_file"}
    assert code in one(findings, "last_years_file").message


def test_one_figure_that_differs_is_another_file():
    previous = survey_rows("2023-24")
    previous.loc[3, "value"] += 1
    assert survey(survey_rows(), previous) == []


def test_later_editions_and_the_edition_itself_are_left_out_of_account():
    rows = survey_rows("2023-24")
    entry = SURVEY.edition("2023-24")
    later = survey_rows("2024-25")
    assert check_rows(rows, SURVEY, entry, AREAS, previous=later) == []
    assert survey(survey_rows(), survey_rows()) == []


LOOKUP_FAULTS = [
    ("unknown_area", {"member_code": "E99999999"}),
    ("unknown_area", {"parent_code": "E47999999"}),
    ("wrong_level", {"parent_code": "E12000005"}),
    ("wrong_level", {"member_code": "E12000005"}),
    ("doubled_member", {"member_code": LADS[1]}),
    ("missing_area", {"parent_code": "E47000007"}),
    ("member_of_itself", {"member_code": "E47000008"}),
    ("wrong_edition", {"edition": "2024"}),
    ("no_provenance", {"file_sha256": None}),
]


@pytest.mark.parametrize(("code", "changes"), LOOKUP_FAULTS)
def test_a_fault_in_a_lookup_is_found(code, changes):
    rows = lookup_rows()
    for column, value in changes.items():
        rows.loc[2, column] = value
    assert code in codes(lookup(rows))


def test_a_member_left_out_is_missed():
    assert codes(lookup(lookup_rows().drop(index=0).reset_index(drop=True))) == {"missing_area"}


def test_an_old_member_code_is_a_warning():
    rows = lookup_rows()
    rows.loc[2, "member_code"] = OLD
    findings = lookup(rows)
    assert codes(findings) == set()
    assert codes(findings, "warning") == {"code_vintage"}


def test_a_lookup_of_which_no_code_is_known_is_refused():
    """None of its codes can be judged by their year."""
    found = lookup(lookup_rows().assign(parent_code="E99999999"))
    assert "unknown_area" in codes(found)


def test_errors_come_first():
    rows = survey_rows()
    rows.loc[0, ["lower_95", "upper_95"]] = rows.loc[0, "value"]
    rows.loc[3, "value"] = 60.0
    severities = [finding.severity for finding in survey(rows)]
    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}


def test_the_rows_are_left_as_they_were():
    rows = survey_rows()
    before = rows.copy(deep=True)
    survey(rows, survey_rows("2023-24"))
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(
            column,
            marks=[] if column in ("area_code", "value") else pytest.mark.slow,
        )
        for column in OBSERVATION_COLUMNS
    ],
)
def test_a_column_that_is_null_in_one_row_or_in_all_never_crashes(column):
    rows = survey_rows().astype("object")
    rows.loc[3, column] = None
    assert all(finding.message.startswith("demo_survey") for finding in survey(rows))
    rows[column] = None
    assert all(finding.message.startswith("demo_survey") for finding in survey(rows))


@pytest.mark.slow
@given(
    st.sampled_from(OBSERVATION_COLUMNS),
    st.integers(0, 27),
    st.one_of(st.none(), st.text(max_size=8), st.floats(), st.integers(-(10**6), 10**6)),
)
def test_any_single_change_is_answered_with_findings_never_a_crash(column, at, value):
    rows = survey_rows().astype("object")
    rows.loc[at, column] = value
    for finding in survey(rows):
        assert finding.message.startswith("demo_survey 2024-25")
        assert finding.severity in ("error", "warning", "note")
