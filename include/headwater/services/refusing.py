"""Tables whose files changed in a way that may not happen by itself: held, while their neighbours go on (14, 20)."""

from __future__ import annotations

from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunPlan
from headwater.domain.spec import PipelineSpec
from headwater.ports.platform import Platform
from headwater.services.changes import refusals
from headwater.services.context import RunContext
from headwater.services.holding import broken_tables, remember_broken, report_held
from headwater.services.report import TableOutcome

STATUS = "refused"


def hold_refused(
    platform: Platform, run: RunContext, plan: RunPlan, layer: Layer, stage: str
) -> dict[TableName, TableOutcome]:
    """Close the groups of the layer's refused tables and tell who is responsible; what is made of them waits.

    :raises ChangeRefusedError: when the run has no other table in this layer.
    """
    refused = {table: error for table, error in refusals(run.spec, plan.changes).items() if table.layer is layer}
    if not refused:
        return {}
    remember_broken(platform, run, tuple({*broken_tables(platform, run), *refused}))
    for table, error in refused.items():
        report_held(platform, run, table, error, stage)
    asked = {table for table in run.tables(layer) if layer is Layer.GOLD or plan.table(table.table) is not None}
    if asked <= refused.keys():
        first = next(iter(refused.values()))
        first.reported = True
        raise first
    return {
        table: TableOutcome(table=table.dotted, status=STATUS, note=error.message) for table, error in refused.items()
    }


def forget_refused(platform: Platform, run: RunContext, spec: PipelineSpec, before: RunPlan, now: RunPlan) -> None:
    """Open the groups of tables that the plan of before refused and the renewed one does not."""
    healed = refusals(spec, before.changes).keys() - refusals(run.spec, now.changes).keys()
    if healed:
        remember_broken(platform, run, tuple(broken_tables(platform, run) - healed))
