"""Which snapshot of each input a gold table is built from, and in which order tables that read one another are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef, RunPlan
from headwater.domain.spec import GoldSpec, PipelineSpec
from headwater.domain.staging import StageName, TableState
from headwater.ports.platform import Platform
from headwater.services.context import RunContext
from headwater.services.holding import broken_tables, is_open


def waves(spec: PipelineSpec) -> Iterator[tuple[GoldSpec, ...]]:
    """The pipeline's gold, in the order of the YAML, cut so that each wave reads only gold of earlier ones.

    :raises ValueError: when tables read one another in a circle, which no loaded spec does.
    """
    left: Sequence[GoldSpec] = spec.gold
    while left:
        waiting = {spec.name_of(Layer.GOLD, gold.name) for gold in left}
        ready = tuple(gold for gold in left if not waiting.intersection(gold.inputs))
        if not ready:
            raise ValueError(f"gold tables of {spec.name} read one another in a circle")
        yield ready
        left = [gold for gold in left if gold not in ready]


def gold_input(platform: Platform, run: RunContext, plan: RunPlan, table: TableName) -> InputRef | None:
    """The snapshot to read: what this run staged of its own pipeline, else the released one.

    Silver has passed its gate by then. Gold of the same run is judged together with what is made of it, and released
    together with it or not at all (rule 20). None when the run staged the table but its gate is closed, when it failed,
    or when it was never released.
    """
    if table.source != run.spec.name:
        snapshot = plan.inputs.get(table.dotted)
        unknown = InputRef(snapshot_id=snapshot, batch=0) if snapshot is not None else None
        return plan.input_refs.get(table.dotted, unknown)
    if table in broken_tables(platform, run):
        return None
    head = platform.catalog.head(table)
    stage: StageName = "build_gold" if table.layer is Layer.GOLD else "refine_to_silver"
    for record in platform.runs.staged(run.key, stage):
        if record.staged.table == table and record.status in {"staged", "held"}:
            if table.layer is Layer.SILVER and not is_open(platform, run, record):
                return None
            if table.layer is Layer.SILVER or (head and record.staged.branch in head.branches):
                return _ref(record.staged.staged, record.staged.state)
    if head is None or head.main is None or head.state is None:
        return None
    return _ref(head.published or head.main, head.state)


def _ref(snapshot_id: int, state: TableState) -> InputRef:
    return InputRef(snapshot_id=snapshot_id, batch=state.batch, generation=state.generation)
