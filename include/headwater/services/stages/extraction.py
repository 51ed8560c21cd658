"""extract_to_bronze: move one table's frozen window into files and stage them on a branch."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import ExitStack
from typing import Final

from headwater.domain.errors import HeadwaterError, StaleBaseError
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunPlan, TablePlan
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.spec import FilesExtract, SourceSpec, SqlExtract, TableSpec
from headwater.domain.staging import StagedTable, TableState, new_attempt
from headwater.ports.catalog import TableHead
from headwater.ports.chunks import ChunkClaim
from headwater.ports.extractor import BatchStamp, Extracted, Extractor
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.bronze import stage_batch, stage_rejects
from headwater.services.chunking import RunChunks, chunked, forget_ledger, plan_hash
from headwater.services.context import RunContext, planned, source_of
from headwater.services.drift import reconcile
from headwater.services.drift_notices import announce, changes_of, noted, seen_before
from headwater.services.external_jobs import delivered
from headwater.services.leasing import holding
from headwater.services.ledgers import read_ledger
from headwater.services.report import StageReport, TableOutcome
from headwater.services.staged import is_superseded, reusable
from headwater.services.table_plans import plan_window

STAGE: Final = "extract_to_bronze"


def run(platform: Platform, run: RunContext, table: str) -> StageReport:
    """Stage one table's window, unless this run staged or published it already.

    :raises StaleBaseError: when ``main`` moved since the plan; clear ``plan_run``.
    :raises SchemaDriftError: when the source's columns no longer fit and the policy is to stop.
    :raises JobRunningError: while the job that delivers the table's files is at work.
    """
    started = time.monotonic()
    spec, plan = source_of(run), planned(platform, run)
    table_plan = plan.table(table)
    name = spec.name_of(Layer.BRONZE, table)
    if table_plan is None:
        return _report(name, "not asked", 0, started, "left out by the run's parameters")
    if table_plan.problem is not None:
        raise _unplanned(platform, spec, plan, table_plan)
    if table_plan.window.kind == "nothing":
        return _report(name, "quiet", 0, started, table_plan.window.note or "nothing new in the source")
    inputs_hash = _inputs_hash(table_plan)
    earlier = reusable(platform, run, STAGE, name, inputs_hash)
    if earlier is not None:
        return _report(name, earlier.status, earlier.staged.rows, started, "by an earlier try of this run")
    if is_superseded(platform, run, STAGE, name):
        return _report(name, "superseded", 0, started, "a later run has read and published this window")
    with holding(platform, run):
        ready = delivered(platform, run, spec.table(table), plan, table_plan)
        quiet = ready.window.kind == "nothing"
        staged = None if quiet else _stage(platform, run, spec.table(table), plan, ready, inputs_hash)
    if staged is None:
        note = ready.window.note if quiet else "the content is what bronze already holds"
        return _report(name, "quiet" if quiet else "unchanged", 0, started, note)
    note = f"{staged.quarantined} rows set aside as unreadable" if staged.quarantined else ""
    return _report(name, "staged", staged.rows, started, note)


def _stage(
    platform: Platform, run: RunContext, table: TableSpec, plan: RunPlan, table_plan: TablePlan, inputs_hash: str
) -> StagedTable | None:
    attempt = new_attempt()
    failpoint("extract.begin")
    with ExitStack() as files:
        head, source, extracted = _read(platform, run, table, plan, table_plan, attempt, files)
        announce(platform, run, head.table, relation_of(table), table.drift, list(extracted.noticed))
        if _nothing_new(extracted, head.state):
            forget_ledger(platform.runs, run.key, table, head.table)
            return None
        failpoint("extract.before_commit")
        in_database = isinstance(table.extract, SqlExtract)
        note = noted(platform.catalog, head.table, head.state, source, attempt) if in_database else None
        staged = stage_batch(platform, run, table_plan, plan, head, extracted, attempt, note)
        failpoint("extract.after_commit")
        rejects = stage_rejects(platform, run, table, extracted, attempt)
    for item in (staged, rejects):
        if item is not None:
            platform.runs.save_staged(_record(platform, run, item, inputs_hash))
    forget_ledger(platform.runs, run.key, table, head.table)
    failpoint("extract.end")
    return staged


def _read(
    platform: Platform,
    run: RunContext,
    table: TableSpec,
    plan: RunPlan,
    table_plan: TablePlan,
    attempt: str,
    files: ExitStack,
) -> tuple[TableHead, TableSchema, Extracted]:
    """The bronze table, the source's columns, and the window's rows in files that stay until ``files`` closes."""
    extractor = platform.open_extractor(table, source_of(run).connection)
    try:
        source = extractor.inspect(table)
        head = _prepare(platform, run, table, source)
        if (head.state.batch if head.state else 0) + 1 != table_plan.batch:
            raise _stale(head)
        folder = files.enter_context(platform.catalog.files_folder(head))
        return head, source, _extract(platform, run, table, plan, table_plan, head, extractor, attempt, folder)
    finally:
        extractor.close()


def _prepare(platform: Platform, run: RunContext, table: TableSpec, source: TableSchema) -> TableHead:
    """The live bronze table, made or evolved to take what the source has (rules 13, 14)."""
    name, relation = run.spec.name_of(Layer.BRONZE, table.name), relation_of(table)
    head = platform.catalog.head(name)
    if head is None or head.main is None:
        columns = (*(c.model_copy(update={"required": False}) for c in source.columns), *BRONZE_SYSTEM_COLUMNS)
        return platform.catalog.create(name, TableSchema(columns=columns, primary_key=table.key))
    in_database = isinstance(table.extract, SqlExtract)
    change = reconcile(
        name, head.schema_, source, table.drift, relation, database=in_database, fixed=table.identifying_columns
    )
    before = seen_before(platform.catalog, head.state) if in_database else None
    announce(platform, run, name, relation, table.drift, changes_of(head.schema_, source, before, change))
    if change.add or change.widen:
        return platform.catalog.evolve(name, change.add, change.widen)
    return head


def relation_of(table: TableSpec) -> str:
    """What people call the table at the source: its relation, or its landing path."""
    if isinstance(table.extract, FilesExtract):
        return table.extract.path
    return table.extract.relation or f"public.{table.name}"


def _extract(
    platform: Platform,
    run: RunContext,
    table: TableSpec,
    plan: RunPlan,
    table_plan: TablePlan,
    head: TableHead,
    extractor: Extractor,
    attempt: str,
    folder: str,
) -> Extracted:
    stamp = BatchStamp(run_key=run.key, planned_at=plan.planned_at, batch=table_plan.batch, attempt=attempt)
    in_chunks = chunked(table, extractor)
    if in_chunks is not None:
        plan_ = plan_hash(table, table_plan, plan.planned_at, head.schema_)
        claim = ChunkClaim(run_key=run.key, table=head.table.dotted, plan=plan_, attempt=attempt)
        chunks = RunChunks(platform.runs, claim)
        return in_chunks.extract_in_chunks(table, table_plan.window, stamp, head.schema_, folder, chunks, print)
    ledger = read_ledger(platform.catalog, head.state)
    return extractor.extract(table, table_plan.window, stamp, head.schema_, folder, ledger, print)


def _nothing_new(extracted: Extracted, state: TableState | None) -> bool:
    """A snapshot of the same digest, or a window without rows, rejects, ledger or a watermark to remember."""
    if extracted.files or extracted.rejects:
        return False
    if extracted.ledger is not None:
        return False
    return extracted.watermark is None or (state is not None and extracted.watermark == state.watermark)


def _record(platform: Platform, run: RunContext, staged: StagedTable, inputs_hash: str) -> StagedRecord:
    return StagedRecord(
        run_key=run.key,
        stage=STAGE,
        staged=staged,
        status="staged",
        inputs_hash=inputs_hash,
        created_at=platform.clock.now(),
    )


def _unplanned(platform: Platform, spec: SourceSpec, plan: RunPlan, table_plan: TablePlan) -> HeadwaterError:
    """The error that kept the table from being planned, told anew with all its facts; or that it is gone by now."""
    head = platform.catalog.head(spec.name_of(Layer.BRONZE, table_plan.table))
    state = head.state if head else None
    try:
        plan_window(platform, spec, spec.table(table_plan.table), state, plan.request, plan.planned_at)
    except HeadwaterError as error:
        return error
    return StaleBaseError(
        f"{table_plan.table} could not be planned ({table_plan.problem}), but could be now",
        remedy="Clear plan_run with everything downstream: it plans the table again.",
        facts={"table": spec.name_of(Layer.BRONZE, table_plan.table).dotted},
    )


def _inputs_hash(plan: TablePlan) -> str:
    return hashlib.sha256(json.dumps(plan.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _stale(head: TableHead) -> StaleBaseError:
    return StaleBaseError(
        f"{head.table} moved since this run planned it",
        got=f"batch {head.state.batch if head.state else 0} on main",
        allowed="the batch the plan was made on",
        remedy="Clear plan_run with everything downstream: it plans again from what is published now.",
        facts={"table": head.table.dotted},
    )


def _report(name: TableName, status: str, rows: int, started: float, note: str) -> StageReport:
    outcome = TableOutcome(table=name.dotted, status=status, rows=rows, seconds=time.monotonic() - started, note=note)
    return StageReport(stage=STAGE, outcomes=(outcome,))
