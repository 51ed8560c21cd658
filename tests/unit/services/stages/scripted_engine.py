"""An engine that stages, and judges, as a test says."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.services.stages.shop import SCHEMA

from headwater.adapters.memory import MemoryCatalog
from headwater.domain.job import BuildTable, JobResult, JobSpec, RefineTable, TableResult, ValidateTable
from headwater.domain.names import Layer, PhysicalName, TableName
from headwater.domain.schema import QUARANTINE_COLUMNS, TableSchema
from headwater.domain.staging import CheckResult, StagedTable, TableState, Verdict, branch_of
from headwater.ports.catalog import DataFile


class Engine:
    """Stages and judges what a job asks for. Tables are dotted names.

    :param failing: refining or building these fails; ``broken`` ones break a rule at their gate; ``erring`` ones
        cannot be judged; ``silent`` ones get no answer at all; ``diverting`` ones set a row aside, and
        count what ``diverted`` says: rows set aside, rows read.
    """

    def __init__(self, catalog: MemoryCatalog) -> None:
        self.catalog = catalog
        self.jobs: list[JobSpec] = []
        self.failing: set[str] = set()
        self.cause = "transform_failed"
        self.said: dict[str, str] = {"error": "division by zero"}
        self.broken: set[str] = set()
        self.erring: set[str] = set()
        self.silent: set[str] = set()
        self.diverting: set[str] = set()
        self.diverted: dict[str, tuple[int, int]] = {}
        self.predicate: str | None = "id < 0"
        self.twist: Callable[[Verdict], Verdict] = lambda verdict: verdict

    def run(self, job: JobSpec) -> JobResult:
        self.jobs.append(job)
        made = [(item.silver, item) for item in job.refine] + [(item.gold, item) for item in job.build]
        results = [self._stage(job, table, item) for table, item in made if table.dotted not in self.silent]
        results += [self._judge(request) for request in job.validate_ if request.table.dotted not in self.silent]
        return JobResult(kind=job.kind, run_key=job.run_key, attempt=job.attempt, tables=tuple(results), seconds=0)

    def kinds(self) -> list[str]:
        return [job.kind for job in self.jobs]

    def _stage(self, job: JobSpec, table: TableName, item: RefineTable | BuildTable) -> TableResult:
        if table.dotted in self.failing:
            return TableResult(table=table, status="failed", error_code=self.cause, **self.said)
        aside = TableName(layer=Layer.QUARANTINE, source=table.source, table=table.table)
        diverted = self._commit(job, aside, TableSchema(columns=QUARANTINE_COLUMNS), item.state)
        aside_rows, rows = self.diverted.get(table.dotted, (0, 1))
        home = table.at(branch_of(job.attempt)) if item.new_table else table
        staged = self._commit(job, home, SCHEMA, item.state).model_copy(update={"quarantined": aside_rows})
        if isinstance(home, PhysicalName):
            staged = staged.model_copy(update={"table": table, "base": item.base, "physical": home.mark})
        quarantine = diverted if table.dotted in self.diverting else None
        return TableResult(table=table, status="staged", staged=staged, quarantine=quarantine, rows_read=rows)

    def _commit(self, job: JobSpec, table: TableName, schema: TableSchema, state: TableState) -> StagedTable:
        base, branch = self.catalog.create(table, schema).main, branch_of(job.attempt)
        self.catalog.cut_branch(table, branch, base)
        file = DataFile(path=f"{table}/{job.attempt}", rows=1, size_bytes=1)
        staged = self.catalog.stage_files(table, branch, [file], {"headwater.run-key": job.run_key})
        return StagedTable(
            table=table, attempt=job.attempt, branch=branch, base=base, staged=staged, state=state, rows=1
        )

    def _judge(self, request: ValidateTable) -> TableResult:
        table = request.table.dotted
        if table in self.failing:
            return TableResult(table=request.table, status="failed", error_code=self.cause, **self.said)
        if table in self.erring:
            outcome, reason = "not_evaluated", "the gate's session died"
        else:
            outcome, reason = ("failed", "1 check failed") if table in self.broken else ("passed", "")
        check = CheckResult.model_validate(
            {"name": "id is positive", "type": "invalid", "outcome": outcome, "predicate": self.predicate}
        )
        self.catalog.summary(request.home, request.snapshot_id)
        verdict = Verdict(
            table=request.table,
            snapshot_id=request.snapshot_id,
            contract_hash=request.contract_hash,
            passed=not reason,
            reason=reason,
            checks_declared=1,
            checks=(check,),
        )
        return TableResult(table=request.table, status="judged", verdict=self.twist(verdict))
