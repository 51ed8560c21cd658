"""Jobs elsewhere that deliver a table's files: started once per run, waited for, and their delivery checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from headwater.domain.errors import HeadwaterError, SourceUnreachableError
from headwater.domain.external import ExternalExtract, JobRecord
from headwater.domain.job_errors import JobFailedError, JobOverdueError, JobUncertainError
from headwater.domain.names import Layer
from headwater.domain.run import RunPlan, TablePlan
from headwater.domain.spec import TableSpec
from headwater.ports.failpoints import failpoint
from headwater.ports.jobs import DeliveryReader, JobRequest, JobRunner, RemoteJob
from headwater.ports.platform import Platform
from headwater.services.context import RunContext, source_of
from headwater.services.ledgers import read_ledger


@dataclass(slots=True)
class JobRunningError(JobOverdueError):
    """The job is at work. Waiting helps; ``record`` says for what and until when."""

    record: JobRecord | None = field(default=None, kw_only=True)

    retry_helps = True


def delivered(platform: Platform, run: RunContext, table: TableSpec, plan: RunPlan, planned: TablePlan) -> TablePlan:
    """The table's plan with the files that its job delivered; starts the job, or goes on with the one that is started.

    :raises JobRunningError: while the job is at work: wait without a worker slot, and call again.
    :raises JobFailedError: when it failed. :raises JobOverdueError: when it did not end in time.
    :raises JobUncertainError: when nobody can tell whether it was started.
    """
    extract = table.extract
    if not isinstance(extract, ExternalExtract):
        return planned
    runner = platform.open_job_runner(extract.job)
    try:
        record = _started(platform, run, table, extract, plan, runner)
        job = runner.look(str(record.id))
    finally:
        runner.close()
    _check_ended(platform, record, job)
    return _delivery(platform, run, table, plan, planned, record)


def job_key(run_key: str, table: str) -> str:
    """What a job is started under: safe in headers and file names, the same for every try of a run."""
    return hashlib.sha256(f"{run_key}|{table}".encode()).hexdigest()[:32]


def _started(
    platform: Platform, run: RunContext, table: TableSpec, extract: ExternalExtract, plan: RunPlan, runner: JobRunner
) -> JobRecord:
    """The record of a job that is known to be started; kept before anybody waits for it."""
    name, now = run.spec.name_of(Layer.BRONZE, table.name).dotted, platform.clock.now()
    record = platform.runs.job(run.key, name) or JobRecord(
        run_key=run.key, table=name, key=job_key(run.key, name), since=now, until=now + extract.job.timeout
    )
    if record.id is not None:
        return record
    request = JobRequest(key=record.key, run_key=run.key, table=name, planned_at=plan.planned_at, since=record.since)
    found = runner.find(request) if record.asked and not extract.job.repeatable else None
    if found is None:
        platform.runs.save_job(record.model_copy(update={"asked": True}))
        failpoint("job.before_start")
        found = _start(platform, record, request, runner)
        failpoint("job.after_start")
    record = record.model_copy(update={"asked": True, "id": found})
    platform.runs.save_job(record)
    return record


def _start(platform: Platform, record: JobRecord, request: JobRequest, runner: JobRunner) -> str:
    try:
        return runner.start(request)
    except JobUncertainError as error:
        lost = error
    except HeadwaterError:
        # it is known that nothing was started: the next try need not look for it
        platform.runs.save_job(record.model_copy(update={"asked": False}))
        raise
    found = runner.find(request)
    if found is not None:
        return found
    raise SourceUnreachableError(
        f"the answer to the start of the job of {request.table} was lost, and the service knows no job of its key",
        got=lost.got,
        remedy="The next try looks for the job again before it starts one.",
        facts={**lost.facts, "key": request.key},
    ) from lost


def _check_ended(platform: Platform, record: JobRecord, job: RemoteJob) -> None:
    facts = {"table": record.table, "job": job.id, "said": job.said, "key": record.key, "job_url": job.url or ""}
    facts = {name: value for name, value in facts.items() if value}
    if job.state == "failed":
        raise JobFailedError(
            f"job {job.id} of {record.table} failed where it runs: {job.said}",
            got=job.said,
            allowed="a job that succeeds",
            remedy="Mend the job where it runs, then start a new run: a run never starts its job twice.",
            facts=facts,
        )
    if job.state == "succeeded":
        return
    until = f"{record.until:%Y-%m-%d %H:%M} UTC"
    if platform.clock.now() >= record.until:
        raise JobOverdueError(
            f"job {job.id} of {record.table} has not ended by {until}",
            got=job.said,
            remedy="Look at the job where it runs. Clear this task to look again; raise `timeout` of the job if it "
            "needs longer.",
            facts={**facts, "held_until": until},
        )
    raise JobRunningError(
        f"job {job.id} of {record.table} is at work: {job.said}", got=job.said, facts=facts, record=record
    )


def _delivery(
    platform: Platform, run: RunContext, table: TableSpec, plan: RunPlan, planned: TablePlan, record: JobRecord
) -> TablePlan:
    head = platform.catalog.head(run.spec.name_of(Layer.BRONZE, table.name))
    ledger = read_ledger(platform.catalog, head.state if head else None)
    extractor = platform.open_extractor(table, source_of(run).connection)
    try:
        if not isinstance(extractor, DeliveryReader):
            raise TypeError(f"{type(extractor).__name__} reads no deliveries")
        window = extractor.delivered(table, record.key, ledger, full_refresh=plan.request.full_refresh)
    finally:
        extractor.close()
    return planned.model_copy(update={"window": window})
