"""A fault planted in a build, the gate and the release run through Dagster: readers see no change.

Each rule and its faults are tested on small marts in ``test_rules``; here, that the rules hold on the
real marts, and that a red one stops everything behind it.
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import duckdb
import pytest

from orchestration.definitions import defs
from warehouse.connection import attach, writing
from warehouse.contracts import rules
from warehouse.gate import apply, prepare
from warehouse.release import hash_tree
from warehouse.workspace import Workspace

pytestmark = pytest.mark.slow

# On the real marts: what the tests on small marts cannot show, that the columns are as a rule reads them.
FAULTS = {
    "interval_contains_value": "update marts.barometers set lower_95 = 101 where value is not null",
    "group_fits_scale": "update marts.barometers set group_number = 7 where group_number = 4",
    "authorities_are_complete": "delete from marts.barometers where area_code = 'E08000030'",
    "previous_figures_are_kept": "delete from marts.barometers where area_code = 'E12000005'",
    "goal_supportive_is_complete": "delete from marts.goal_supportive where area_code = 'E08000030'",
    "goal_areas_are_complete": "delete from marts.goal_areas where area_code = 'E08000030'",
    "verdict_or_reason_is_given": "update marts.comparisons set outcome = null",
    "rank_within_number_of_areas": "update marts.ranks set rank = areas_ranked + 1",
    "group_counts_add_up": "update marts.group_counts set areas = areas + 1",
    "goal_has_sentence": "update marts.pulse set sentence = null",
    "claims_are_answered": "delete from marts.report_reconciliation where claim_id = 'RC03'",
    "cell_or_citation_is_given": "update marts.provenance set citation = null, row_number = null",
    "profiles_are_complete": "drop table marts.authority_profiles",
}


def republish(workspace: Workspace) -> dg.ExecuteInProcessResult:
    """Gate and publish the current build, as after every build."""
    job = defs().resolve_job_def("republish")
    with dg.DagsterInstance.ephemeral() as instance, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULSE_HOME", str(workspace.root))
        return job.execute_in_process(instance=instance, raise_on_error=False)


@pytest.mark.planted_fault
def test_each_fault_is_red_on_the_real_marts(own_workspace: Callable[[], Workspace]) -> None:
    workspace = own_workspace()
    with writing(workspace.build_file.resolve()) as connection:
        attach(connection, workspace.warehouse_file.resolve(), "previous")
        prepare(connection)
        assert all(verdict.passed for verdict in apply(connection, rules()))
        for name, statement in FAULTS.items():
            connection.begin()
            try:
                connection.execute(statement)
                verdicts = apply(connection, rules())
                red = {verdict.rule.name for verdict in verdicts if not verdict.passed}
                assert name in red, f"{name}: red were {sorted(red)}"
            except duckdb.ConstraintException:
                # The contract of the mart refuses the fault before the gate sees it.
                pass
            connection.rollback()


@pytest.mark.planted_fault
def test_a_red_rule_stops_the_release_and_shows_its_cases(
    own_workspace: Callable[[], Workspace],
) -> None:
    workspace = own_workspace()
    before = hash_tree(workspace.current_release.resolve())
    with writing(workspace.build_file.resolve()) as connection:
        connection.execute(FAULTS["interval_contains_value"])

    result = republish(workspace)

    red = {e.check_name: e for e in result.get_asset_check_evaluations() if not e.passed}
    assert not result.success
    assert "failure cases" in red["interval_contains_value"].metadata
    assert "what to do" in red["interval_contains_value"].metadata
    assert hash_tree(workspace.current_release.resolve()) == before
    assert [folder.name for folder in workspace.releases.iterdir()] == ["0001"]


def test_an_untouched_build_passes_and_changes_nothing(
    own_workspace: Callable[[], Workspace],
) -> None:
    workspace = own_workspace()
    before = hash_tree(workspace.current_release.resolve())
    result = republish(workspace)
    assert result.success
    assert all(e.passed for e in result.get_asset_check_evaluations())
    assert hash_tree(workspace.current_release.resolve()) == before
