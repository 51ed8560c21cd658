"""One Spark job over several tables: run it, keep what it staged, and tell of each table what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence

from headwater.domain.base import Value
from headwater.domain.errors import (
    CatalogError,
    ContractBrokenError,
    HeadwaterError,
    SchemaDriftError,
    TransformError,
)
from headwater.domain.extract_errors import ExtractShrunkError
from headwater.domain.job import BuildTable, JobSpec, RefineTable, TableResult
from headwater.domain.names import TableName
from headwater.domain.staging import StageName
from headwater.domain.storage_errors import CatalogRefusedError, WarehouseDownError, WarehouseRefusedError
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.context import RunContext
from headwater.services.holding import broken_tables, remember_broken, report_held
from headwater.services.leasing import holding
from headwater.services.quarantined_share import share_checks
from headwater.services.quarantining import publish_quarantine
from headwater.services.report import TableOutcome
from headwater.services.staged import awaiting, reusable

_ERRORS: dict[str, type[HeadwaterError]] = {
    error.code: error
    for error in (
        CatalogError,
        ContractBrokenError,
        ExtractShrunkError,
        SchemaDriftError,
        TransformError,
        CatalogRefusedError,
        WarehouseDownError,
        WarehouseRefusedError,
    )
}


class TableJob(Value):
    """One table's part of a job; ``inputs_hash`` is what a later try compares (rule 8)."""

    table: TableName
    item: RefineTable | BuildTable

    @property
    def inputs_hash(self) -> str:
        # without the base: a first try creates the table, and a staging whose base moved is never reused anyway;
        # without the homes: a snapshot is what it is wherever it lies
        document = json.dumps(self.item.model_dump(mode="json", exclude={"base", "homes"}), sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()


class JobsDone(Value):
    """Outcomes of all tables, and the tables that failed."""

    outcomes: tuple[TableOutcome, ...]
    failed: tuple[TableName, ...]


def or_earlier(platform: Platform, run: RunContext, stage: StageName, job: TableJob) -> TableJob | TableOutcome:
    """The job, or the outcome of an earlier try of this run whose staging still stands."""
    earlier = reusable(platform, run, stage, job.table, job.inputs_hash)
    if earlier is None:
        return job
    note = "by an earlier try of this run"
    return TableOutcome(table=job.table.dotted, status=earlier.status, rows=earlier.staged.rows, note=note)


def run_jobs(
    platform: Platform, run: RunContext, stage: StageName, jobs: Sequence[TableJob], spec: JobSpec
) -> JobsDone:
    """Run ``spec`` while holding the leases; keep stagings, report failed tables, close their groups.

    :raises HeadwaterError: the first table's error, when every table failed.
    """
    with holding(platform, run):
        results = platform.engine.run(spec)
    outcomes: list[TableOutcome] = []
    failed: dict[TableName, HeadwaterError] = {}
    for job in jobs:
        result = results.table(job.table)
        if result is None or result.staged is None:
            failed[job.table] = error_of(job.table, result)
            outcomes.append(TableOutcome(table=job.table.dotted, status="failed", note=failed[job.table].message))
            continue
        outcomes.append(_outcome(job, result))
        _save(platform, run, stage, job, result)
    tried = {job.table for job in jobs}
    remember_broken(platform, run, (*(broken_tables(platform, run) - tried), *failed))
    _drop_outdated(platform, run, stage, failed)
    for table, error in failed.items():
        report_held(platform, run, table, error, stage)
    if failed and len(failed) == len(jobs):
        publish_quarantine(platform, run, stage)  # no gate follows that would do it
        first = next(iter(failed.values()))
        first.reported = True
        raise first
    return JobsDone(outcomes=tuple(outcomes), failed=tuple(failed))


def _drop_outdated(platform: Platform, run: RunContext, stage: StageName, failed: Collection[TableName]) -> None:
    """Stagings of earlier tries, made of other inputs or by other SQL than the try that failed now."""
    for record in awaiting(platform, run, stage):
        if record.staged.table in failed:
            platform.runs.mark_staged(record.staged.attempt, record.staged.table, "discarded")


def error_of(table: TableName, result: TableResult | None) -> HeadwaterError:
    """What became of a table that a job did not do."""
    own = {"table": table.dotted}
    if result is None:
        return TransformError(f"{table}: the job gave no answer for this table", facts=own)
    kind = _ERRORS.get(result.error_code or "", TransformError)
    message = result.error or "the job does not say what failed"
    named = message if table.dotted in message else f"{table}: {message}"
    facts = ({"got": result.got} if result.got else {}) | result.facts | own
    return kind(named, got=result.got, allowed=result.allowed, remedy=result.remedy, facts=facts)


def _save(platform: Platform, run: RunContext, stage: StageName, job: TableJob, result: TableResult) -> None:
    for staged in (result.quarantine, result.staged):
        if staged is not None:
            record = StagedRecord(
                run_key=run.key,
                stage=stage,
                staged=staged,
                status="staged",
                inputs_hash=job.inputs_hash,
                created_at=platform.clock.now(),
                checks=share_checks(job.item, result) if staged is result.staged else (),
            )
            platform.runs.save_staged(record)


def _outcome(job: TableJob, result: TableResult) -> TableOutcome:
    note = result.facts.get("how", "")
    if isinstance(job.item, RefineTable):
        note = f"+{result.rows_inserted} ~{result.rows_updated} -{result.rows_deleted}"
        note += f", {result.quarantine.rows} to quarantine" if result.quarantine else ""
        note += ", in a new table" if job.item.new_table else ""
    rows = result.rows_read if isinstance(job.item, RefineTable) else result.staged.rows if result.staged else 0
    return TableOutcome(table=job.table.dotted, status=result.status, rows=rows, seconds=result.seconds, note=note)
