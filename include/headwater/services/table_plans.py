"""What a run decides to read of each table, and what a cleared run decides anew (rules 4 to 9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from headwater.domain.errors import NotPermittedError, SchemaDriftError, SourceDataError, SourceTableMissingError
from headwater.domain.names import Layer
from headwater.domain.run import RunPlan, RunRequest, TablePlan, Window
from headwater.domain.spec import SourceSpec, TableSpec
from headwater.domain.staging import TableState
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.chunking import chunked
from headwater.services.context import RunContext
from headwater.services.ledgers import read_ledger
from headwater.services.rebuilding import NOTHING_READ


def plan_table(
    platform: Platform, spec: SourceSpec, table: TableSpec, request: RunRequest, planned_at: datetime
) -> TablePlan:
    """The window of one table, or why it has none."""
    head = platform.catalog.head(spec.name_of(Layer.BRONZE, table.name))
    state = head.state if head else None
    problem = None
    try:
        window = plan_window(platform, spec, table, state, request, planned_at)
    except (NotPermittedError, SourceTableMissingError, SchemaDriftError, SourceDataError) as error:
        # one bad table never freezes its neighbours: its own extract task says what is wrong
        window, problem = Window(kind="nothing", note="could not be planned"), error.message
    return TablePlan(
        table=table.name,
        base_snapshot=head.main if head else None,
        batch=(state.batch if state else 0) + 1,
        window=window,
        spec_hash=platform.model.bronze_hash(spec, table.name),
        problem=problem,
    )


def plan_window(
    platform: Platform,
    spec: SourceSpec,
    table: TableSpec,
    state: TableState | None,
    request: RunRequest,
    planned_at: datetime,
) -> Window:
    """What the source has for one table now (rules 5, 6)."""
    if request.rebuild:
        return NOTHING_READ
    ledger = read_ledger(platform.catalog, state)
    extractor = platform.open_extractor(table, spec.connection)
    try:
        chunked(table, extractor)
        return extractor.plan(table, state, ledger, request, planned_at)
    finally:
        extractor.close()


def renewed(platform: Platform, run: RunContext, stored: RunPlan) -> RunPlan:
    """The plan of a run whose ``plan_run`` was cleared: windows stay frozen, the files count as they are now.

    A table is planned anew only when this run has published nothing of it, and its plan cannot be followed any more:
    it could not be planned, its extract was changed, or another run moved it. Tables that joined the YAML since wait
    for the next run. The same plan is returned when nothing changed, so that a retry does the same work (rule 5).
    """
    now = instant(platform, run)
    tables = stored.tables
    if isinstance(run.spec, SourceSpec):
        known = {table.name: table for table in run.spec.tables}
        done = {r.staged.table.table for r in platform.runs.staged(run.key, "extract_to_bronze") if _is_public(r)}
        tables = tuple(
            plan_table(platform, run.spec, known[plan.table], stored.request, now)
            if plan.table not in done and _is_outdated(platform, run.spec, plan)
            else plan
            for plan in stored.tables
            if plan.table in known
        )
    spec_hash = platform.model.spec_hash(run.spec)
    if (tables, spec_hash) == (stored.tables, stored.spec_hash):
        return stored
    planned_at = stored.planned_at if set(tables) <= set(stored.tables) else now
    return stored.model_copy(update={"tables": tables, "spec_hash": spec_hash, "planned_at": planned_at})


def instant(platform: Platform, run: RunContext) -> datetime:
    """The run's only clock: now, but after every earlier run of the pipeline, should the machine's clock go back."""
    now = platform.clock.now()
    earlier = platform.runs.runs(run.spec.name, limit=1)
    return max(now, earlier[0].planned_at + timedelta(microseconds=1)) if earlier else now


def _is_public(record: StagedRecord) -> bool:
    return record.staged.table.layer is Layer.BRONZE and record.status in {"published", "superseded"}


def _is_outdated(platform: Platform, spec: SourceSpec, plan: TablePlan) -> bool:
    if plan.problem is not None or plan.spec_hash != platform.model.bronze_hash(spec, plan.table):
        return True
    return is_moved(platform, spec, plan)


def is_moved(platform: Platform, spec: SourceSpec, plan: TablePlan) -> bool:
    """Whether ``main`` of the bronze table is no longer what the plan began from."""
    head = platform.catalog.head(spec.name_of(Layer.BRONZE, plan.table))
    return (head.state.batch if head and head.state else 0) + 1 != plan.batch
