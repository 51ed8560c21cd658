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
from headwater.domain.spec import SourceSpec
from headwater.domain.staging import StagedTable, TableState
from headwater.ports.extractor import Extracted
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.bronze import stage_batch, stage_rejects
from headwater.services.chunking import forget_ledger
from headwater.services.context import RunContext, planned, source_of
from headwater.services.drift_notices import announce, noted
from headwater.services.external_jobs import delivered
from headwater.services.extracting import Extraction, read_window
from headwater.services.leasing import holding
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
        work = Extraction(platform, run, spec.table(table), plan, ready)
        staged = None if quiet else _stage(work, inputs_hash)
    if staged is None:
        note = ready.window.note if quiet else "the content is what bronze already holds"
        return _report(name, "quiet" if quiet else "unchanged", 0, started, note)
    note = f"{staged.quarantined} rows set aside as unreadable" if staged.quarantined else ""
    return _report(name, "staged", staged.rows, started, note)


def _stage(work: Extraction, inputs_hash: str) -> StagedTable | None:
    platform, run, table = work.platform, work.run, work.table
    failpoint("extract.begin")
    with ExitStack() as files:
        head, source, extracted = read_window(work, files)
        announce(platform, run, head.table, work.origin.relation, table.drift, list(extracted.noticed))
        if _nothing_new(extracted, head.state):
            forget_ledger(platform.runs, run.key, table, head.table)
            return None
        failpoint("extract.before_commit")
        note = (
            noted(platform.catalog, head.table, head.state, source, work.attempt) if work.origin.in_database else None
        )
        staged = stage_batch(work, head, extracted, note)
        failpoint("extract.after_commit")
        rejects = stage_rejects(work, extracted)
    for item in (staged, rejects):
        if item is not None:
            platform.runs.save_staged(_record(platform, run, item, inputs_hash))
    forget_ledger(platform.runs, run.key, table, head.table)
    failpoint("extract.end")
    return staged


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


def _report(name: TableName, status: str, rows: int, started: float, note: str) -> StageReport:
    outcome = TableOutcome(table=name.dotted, status=status, rows=rows, seconds=time.monotonic() - started, note=note)
    return StageReport(stage=STAGE, outcomes=(outcome,))
