"""The gate: every rule on every published mart, as blocking asset checks.

Nothing is exported or published while one of them is red: the exports depend on every gated mart.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.resources import PulseResource
from orchestration.defs.transform import require_build
from warehouse.contracts import rules
from warehouse.gate import run_gate, shown
from warehouse.release import previous_warehouse

GATED = tuple(dict.fromkeys(rule.mart for rule in rules()))
GATE_CHECKS = tuple(
    dg.AssetCheckKey(dg.AssetKey(["marts", rule.mart]), rule.name) for rule in rules()
)


@dg.definitions
def gate() -> dg.Definitions:
    """One check per rule."""
    known = {rule.name: rule for rule in rules()}
    specs = [
        dg.AssetCheckSpec(
            rule.name,
            asset=dg.AssetKey(["marts", rule.mart]),
            description=f"{rule.sentence} If red: {rule.remedy}",
            blocking=True,
            metadata={"remedy": rule.remedy},
        )
        for rule in known.values()
    ]

    @dg.multi_asset_check(specs=specs, name="gate", can_subset=True)
    def check_marts(
        context: dg.AssetCheckExecutionContext, pulse: PulseResource
    ) -> Iterator[dg.AssetCheckResult]:
        workspace = pulse.workspace
        require_build(workspace)
        asked = {key.name for key in context.selected_asset_check_keys}
        chosen = [rule for rule in known.values() if rule.name in asked]
        verdicts = run_gate(
            workspace.build_file.resolve(),
            previous_warehouse(workspace),
            only=chosen,
            demonstration=workspace.is_demonstration,
        )
        red = [verdict for verdict in verdicts if not verdict.passed]
        pulse.say(f"gated       {len(verdicts)} rules on {len(GATED)} marts, {len(red)} red")
        for verdict in verdicts:
            cases = shown(verdict)
            if not verdict.passed:
                pulse.say(
                    f"RED         {verdict.rule.mart}: {verdict.rule.sentence} "
                    f"({verdict.broken} failure cases) {verdict.rule.remedy}"
                )
            yield dg.AssetCheckResult(
                asset_key=["marts", verdict.rule.mart],
                check_name=verdict.rule.name,
                passed=verdict.passed,
                metadata={
                    "rows": verdict.rows,
                    "message": f"{verdict.rows} rows"
                    if verdict.passed
                    else f"{verdict.broken} failure cases. {verdict.rule.remedy}",
                    **(
                        {
                            "failure cases": dg.MetadataValue.table(
                                [
                                    dg.TableRecord({str(k): str(v) for k, v in row.items()})
                                    for row in cases.to_dict("records")
                                ]
                            ),
                            "what to do": verdict.rule.remedy,
                        }
                        if len(cases)
                        else {}
                    ),
                },
            )

    return dg.Definitions(asset_checks=[check_marts])
