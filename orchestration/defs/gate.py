"""The gate: every rule on every published mart, as blocking asset checks.

Nothing is exported or published while one of them is red: the exports depend on every gated mart.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.defs.ingest import table
from orchestration.defs.resources import PulseResource
from orchestration.defs.transform import current_build
from warehouse.contracts import rules
from warehouse.gate import run_gate, shown
from warehouse.release import previous_warehouse

RULES = {rule.name: rule for rule in rules()}
GATED = tuple(dict.fromkeys(rule.mart for rule in RULES.values()))
SPECS = [
    dg.AssetCheckSpec(
        rule.name,
        asset=["marts", rule.mart],
        description=f"{rule.sentence} If red: {rule.remedy}",
        blocking=True,
        metadata={"remedy": rule.remedy},
    )
    for rule in RULES.values()
]
GATE_CHECKS = tuple(spec.key for spec in SPECS)


@dg.multi_asset_check(specs=SPECS, name="gate", can_subset=True)
def check_marts(
    context: dg.AssetCheckExecutionContext, pulse: PulseResource
) -> Iterator[dg.AssetCheckResult]:
    """Apply the rules that were chosen to the current build."""
    workspace = pulse.workspace
    asked = {key.name for key in context.selected_asset_check_keys}
    verdicts = run_gate(
        current_build(workspace),
        previous_warehouse(workspace),
        only=[rule for name, rule in RULES.items() if name in asked],
        demonstration=workspace.is_demonstration,
    )
    red = sum(not verdict.passed for verdict in verdicts)
    pulse.say(f"gated       {len(verdicts)} rules on {len(GATED)} marts, {red} red")
    for verdict in verdicts:
        rule, message = verdict.rule, f"{verdict.rows} rows"
        if not verdict.passed:
            message = f"{verdict.broken} failure cases. {rule.remedy}"
            pulse.say(
                f"RED         {rule.mart}: {rule.sentence} "
                f"({verdict.broken} failure cases) {rule.remedy}"
            )
        metadata: dict[str, Any] = {"rows": verdict.rows, "message": message}
        if len(cases := shown(verdict)):
            metadata["failure cases"] = table(cases.to_dict("records"))
            metadata["what to do"] = rule.remedy
        yield dg.AssetCheckResult(
            asset_key=["marts", rule.mart],
            check_name=rule.name,
            passed=verdict.passed,
            metadata=metadata,
        )
