"""Each fault that the gate exists for, planted in a build, and the release that readers keep.

The build is changed where it lies, the gate and the release run through Dagster as they do after
every build, and afterwards every byte that readers can reach is compared with what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.definitions import defs
from orchestration.defs.resources import PulseResource
from warehouse.release import hash_tree
from warehouse.workspace import Workspace

pytestmark = pytest.mark.slow

ONE = "barometer_id = 'arts_engagement' and area_code = 'E08000030' and edition = '2023-24'"
INDEX = (
    "barometer_id = 'promising_prospects' and area_code = 'E08000028' and edition = '2025' "
    "and is_latest"
)
FAULTS: dict[str, tuple[str, str]] = {
    "a value above its unit's range": (
        f"update marts.barometers set value = 104, upper_95 = 105 where {ONE}",
        "every_value_is_within_the_range_of_its_unit",
    ),
    "a value below its unit's range": (
        f"update marts.barometers set lower_95 = -1 where {ONE}",
        "every_value_is_within_the_range_of_its_unit",
    ),
    "an index value that cannot be": (
        f"update marts.barometers set value = -47 where {INDEX}",
        "every_value_is_within_the_range_of_its_unit",
    ),
    "an interval that does not contain its value": (
        f"update marts.barometers set lower_95 = 86, upper_95 = 90 where {ONE}",
        "every_interval_contains_its_value",
    ),
    "an interval with one limit": (
        f"update marts.barometers set lower_95 = null where {ONE}",
        "every_interval_contains_its_value",
    ),
    "a missing authority": (
        f"delete from marts.barometers where {ONE}",
        "every_authority_stands_once_in_each_edition",
    ),
    "a doubled authority": (
        f"insert into marts.barometers select * from marts.barometers where {ONE}",
        "every_authority_stands_once_in_each_edition",
    ),
    "a barometer missing for a goal": (
        "delete from marts.barometers where barometer_id = 'civic_engagement'",
        "every_goal_has_its_four_barometers",
    ),
    "an unknown area code": (
        f"insert into marts.barometers select * replace ('E99999999' as area_code) "
        f"from marts.barometers where {ONE}",
        "every_area_is_known",
    ),
    "an edition that is not in the catalogue": (
        f"insert into marts.barometers select * replace ('2031-32' as edition) "
        f"from marts.barometers where {ONE}",
        "every_edition_is_in_the_catalogue",
    ),
    "a group that contradicts its scale": (
        f"update marts.barometers set group_number = 7, group_label = 'Most Favourable' "
        f"where {INDEX}",
        "every_group_fits_its_scale",
    ),
    "a group name and number that disagree": (
        f"update marts.barometers set group_label = 'Middling' where {INDEX}",
        "every_group_fits_its_scale",
    ),
    "a synthetic origin": (
        f"update marts.barometers set origin = 'synthetic' where {ONE}",
        "no_figure_is_synthetic",
    ),
    "a synthetic part of a derived figure": (
        "update marts.provenance set origin = 'synthetic' where part = 'member figure' "
        "and area_code = 'E08000030'",
        "provenance_holds_nothing_synthetic",
    ),
    "a value whose provenance leads nowhere": (
        f"update marts.barometers set provenance_id = 'nowhere' where {ONE}",
        "every_figure_leads_to_its_source",
    ),
    "a provenance without cell or citation": (
        "update marts.provenance set citation = null, file_sha256 = null "
        "where area_code = 'E08000030'",
        "every_provenance_names_a_cell_or_a_citation",
    ),
    "a figure that the last release had": (
        f"update marts.barometers set value = null, lower_95 = null, upper_95 = null, "
        f"status = 'not_held', status_reason = 'gone' where {ONE}",
        "no_figure_of_the_last_release_is_lost",
    ),
    "rows that the last release had": (
        "delete from marts.barometers where area_code = 'E12000005' and edition = '2023-24' "
        "and barometer_id = 'arts_engagement'",
        "no_figure_of_the_last_release_is_lost",
    ),
    "no reason where there is no figure": (
        "update marts.barometers set status_reason = null where value is null",
        "every_cell_has_a_figure_or_a_reason",
    ),
    "a claim left unanswered": (
        "delete from marts.report_reconciliation where claim_id = 'RC03'",
        "every_claim_of_the_report_is_answered",
    ),
    "a claim that proves itself": (
        "update marts.report_reconciliation set verdict = 'agrees', "
        "our_source_dataset = 'young_foundation_report' where claim_id = 'RC08'",
        "no_claim_is_verified_by_itself",
    ),
    "an area of an index counted twice": (
        "update marts.group_counts set areas = areas + 1 where group_count_id = "
        "(select min(group_count_id) from marts.group_counts where area_code = 'E47000007')",
        "every_area_of_an_index_is_counted_once",
    ),
    "a doubled count": (
        "insert into marts.group_counts select * from marts.group_counts "
        "where areas = 0 and area_code = 'E47000007' limit 1",
        "group_counts_has_one_row_a_count",
    ),
    "a goal without its sentence": (
        "update marts.pulse set sentence = null where goal_id = 'inclusive'",
        "every_goal_has_its_sentence",
    ),
    "a goal table that lost an authority": (
        "delete from marts.goal_supportive where area_code = 'E08000030'",
        "goal_supportive_has_every_authority_and_barometer",
    ),
    "a doubled profile": (
        "insert into marts.authority_profiles select * from marts.authority_profiles "
        "where area_code = 'E08000030'",
        "authority_profiles_has_one_row_a_area",
    ),
    "a change across a break": (
        "update marts.changes set difference = 1.0 where change_id = "
        "(select min(change_id) from marts.changes where break_kind is not null)",
        "no_change_is_computed_across_a_break",
    ),
    "a comparison without a verdict": (
        "update marts.comparisons set outcome = null where comparison_id = "
        "(select min(comparison_id) from marts.comparisons)",
        "every_comparison_has_a_verdict_or_a_reason",
    ),
    "a comparison that cannot say why": (
        "update marts.comparisons set reason = null where outcome = 'cannot_say'",
        "every_comparison_has_a_verdict_or_a_reason",
    ),
    "an emptied mart": ("delete from marts.ranks", "ranks_has_one_row_a_rank"),
    "a mart that is not there": ("drop table marts.changes", "changes_has_one_row_a_change"),
}


def reachable(workspace: Workspace) -> dict[str, str]:
    """The sha256 of everything that readers can reach."""
    return hash_tree(workspace.current_release.resolve())


def republish(workspace: Workspace) -> dg.ExecuteInProcessResult:
    """Gate and publish the build at hand, as after every build."""
    job = defs().resolve_job_def("republish")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            resources={"pulse": PulseResource(root=str(workspace.root))},
        )


def red_checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """Failed checks by name."""
    return {e.check_name: e for e in result.get_asset_check_evaluations() if not e.passed}


def break_build(path: Path, statement: str) -> None:
    """Change the build as a bug would."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)
        connection.execute("checkpoint")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_stops_before_readers(
    fault: str, own_workspace: Callable[[], Workspace]
) -> None:
    statement, check = FAULTS[fault]
    workspace = own_workspace()
    before = reachable(workspace)
    break_build(workspace.build_file.resolve(), statement)

    result = republish(workspace)

    red = red_checks(result)
    assert not result.success
    assert check in red, f"{fault}: red were {sorted(red)}"
    assert "failure cases" in red[check].metadata
    assert "what to do" in red[check].metadata
    assert reachable(workspace) == before
    assert [folder.name for folder in workspace.releases.iterdir()] == ["0001"]


def test_an_untouched_build_passes_and_changes_nothing(
    own_workspace: Callable[[], Workspace],
) -> None:
    workspace = own_workspace()
    before = reachable(workspace)
    result = republish(workspace)
    assert result.success
    assert not red_checks(result)
    assert reachable(workspace) == before


def test_every_rule_has_a_fault_that_makes_it_fail() -> None:
    from warehouse.contracts import rules

    by_design = {rule.name for rule in rules()}
    planted = {check for _, check in FAULTS.values()}
    untested = {
        name
        for name in by_design - planted
        # The generated pairs (one row a key; goal tables) are proved on one mart each.
        if not name.startswith(("goal_",)) and "_has_one_row_a_" not in name
    }
    assert not untested
