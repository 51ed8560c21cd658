"""A shop whose runs go through the real stages over the memory stores, with a scripted source and engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.adapters.memory import MemoryCatalog, MemoryRunStore
from headwater.domain.change import SpecChange
from headwater.domain.errors import HeadwaterError, RunNotGreenError, SourceTableMissingError
from headwater.domain.external import ExternalJob
from headwater.domain.incident import Failure, Incident
from headwater.domain.job import BuildTable, JobResult, JobSpec, RefineTable, TableResult, ValidateTable
from headwater.domain.names import Layer, PhysicalName, TableName
from headwater.domain.run import RunKey, RunPlan, RunRequest, Window
from headwater.domain.schema import QUARANTINE_COLUMNS, Column, TableSchema
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import GoldSpec, Owner, PipelineSpec, Schedule, Silver, SourceSpec, SqlExtract, TableSpec
from headwater.domain.staging import CheckResult, StagedTable, TableState, Verdict, branch_of
from headwater.model.changes import table_changes
from headwater.model.groups import publish_groups
from headwater.ports.catalog import DataFile
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.services.context import RunContext
from headwater.services.report import StageReport
from headwater.services.stages import building, closing, extraction, planning, publishing, refinement, validation

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCHEMA = TableSchema(columns=(Column(name="id", type="int"),))
TABLES = ("orders", "customers", "stock")


def name(dotted: str) -> TableName:
    return TableName.parse(dotted)


def shop(*foreign: str) -> SourceSpec:
    """Gold ``revenue`` ties orders and customers into one publish group; stock is a group of its own."""
    inputs = ("silver.shop.orders", "silver.shop.customers", *foreign)
    gold = GoldSpec(name="revenue", grain=("day",), sql="SELECT 1", inputs=tuple(name(text) for text in inputs))
    tables = (
        TableSpec(name=table, key=("id",), extract=SqlExtract(), silver=Silver(mode="upsert")) for table in TABLES
    )
    return SourceSpec(
        name="shop",
        file="dags/sources/shop.yaml",
        description="Orders.",
        owner=Owner(team="sales", email=("sales@example.com",)),
        schedule=Schedule(manual=True),
        connection="shop_db",
        tables=tuple(tables),
        gold=(gold,),
        contracts={f"silver.shop.{table}": "checks: []" for table in TABLES},
    )


class Clock:
    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        self.instant += timedelta(seconds=1)
        return self.instant

    def data_now(self) -> datetime:
        return self.instant


class Model:
    """What the repository's files say; ``code`` is the hash of all SQL and contracts."""

    def __init__(self, spec: PipelineSpec) -> None:
        self.spec = spec
        self.code = "v1"
        self.fixtures_green = True

    def load(self, pipeline: str) -> PipelineSpec:
        assert pipeline == self.spec.name
        return self.spec

    def publish_groups(self, spec: PipelineSpec) -> tuple[tuple[TableName, ...], ...]:
        return publish_groups(spec)

    def table_changes(self, old: PipelineSpec, new: PipelineSpec, table: TableName) -> tuple[SpecChange, ...]:
        return table_changes(old, new, table)

    def quarantine_rules(self, contract: str) -> dict[str, str]:
        return {}

    def spec_hash(self, spec: PipelineSpec) -> str:
        return self.code

    def bronze_hash(self, spec: SourceSpec, table: str) -> str:
        return self.code

    silver_hash = bronze_hash
    gold_hash = bronze_hash


class Source:
    """Tables that grow: ``rows`` of each is its cursor. ``rejecting`` tables hand over an unreadable row."""

    def __init__(self) -> None:
        self.rows = dict.fromkeys(TABLES, 1)
        self.missing: set[str] = set()
        self.rejecting: set[str] = set()
        self.read: list[str] = []

    def inspect(self, table: TableSpec) -> TableSchema:
        return SCHEMA

    def plan(
        self, table: TableSpec, state: TableState | None, ledger: bytes | None, request: RunRequest, now: datetime
    ) -> Window:
        if table.name in self.missing:
            raise SourceTableMissingError(f"public.{table.name} is gone")
        low, high = state.watermark if state else None, str(self.rows[table.name])
        if low == high and not request.window_from:
            return Window(kind="nothing")
        return Window(kind="incremental", low=low, high=high, advances_watermark=not request.window_from)

    def extract(
        self, table: TableSpec, window: Window, stamp: BatchStamp, schema: TableSchema, folder: str, *_: object
    ) -> Extracted:
        self.read.append(table.name)
        file = DataFile(path=f"{folder}/{stamp.attempt}.parquet", rows=1, size_bytes=1)
        bad = DataFile(path=f"{folder}/{stamp.attempt}-rejects.parquet", rows=1, size_bytes=1)
        rejects = (bad,) if table.name in self.rejecting else ()
        return Extracted(files=(file,), rejects=rejects, rows=1, rejected=len(rejects), watermark=window.high)

    def close(self) -> None:
        self.read.append("closed")


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
            return TableResult(table=table, status="failed", error_code="transform_failed", error="division by zero")
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


class Incidents:
    """Open ones, as a test put them there; what was closed, and why."""

    def __init__(self) -> None:
        self.open: list[Incident] = []
        self.closed: dict[int, str] = {}

    def list(self, status: str, pipeline: str, limit: int) -> tuple[Incident, ...]:
        return tuple(item for item in self.open if item.id not in self.closed)

    def close(self, incident_id: int, why: str, at: datetime) -> None:
        self.closed[incident_id] = why


class Scheduler:
    def __init__(self) -> None:
        self.over: set[str] = set()

    def is_terminal(self, run_key: RunKey) -> bool:
        return run_key.run_id in self.over


class World:
    """The platform, and runs of its one pipeline. Stages are called as their tasks would call them."""

    def __init__(self, spec: PipelineSpec) -> None:
        self.clock = Clock()
        self.model: Any = Model(spec)
        self.catalog = MemoryCatalog()
        self.runs = MemoryRunStore()
        self.engine = Engine(self.catalog)
        self.incidents: Any = Incidents()
        self.run_states = Scheduler()
        self.source = Source()
        self.reported: list[Failure] = []
        self.commit: str | None = None
        self.settings = Settings(
            home="home",
            repository="repository",
            run_store="sqlite://",
            catalog=CatalogSettings(uri="sqlite://", jdbc_uri="jdbc:sqlite:", warehouse="warehouse"),
            spark=SparkSettings(jars="jars"),
        )

    @property
    def connections(self) -> Any:
        return self

    def resolve(self, connection_id: str) -> ConnectionInfo:
        return ConnectionInfo(id=connection_id, kind="postgres")

    @property
    def emitter(self) -> Any:
        raise AssertionError("no stage under test emits lineage")

    def open_extractor(self, table: TableSpec, connection_id: str) -> Any:
        return self.source

    def open_job_runner(self, job: ExternalJob) -> Any:
        raise AssertionError("no table of the shop is delivered by a job")

    def report(self, failure: Failure, spec: PipelineSpec | None) -> Incident:
        self.reported.append(failure)
        return incident(failure.table or "")

    def context(self, run_id: str) -> RunContext:
        key = RunKey(installation="i", dag_id=self.model.spec.name, run_id=run_id)
        return RunContext(spec=self.model.spec, run_key=key, holder=run_id, bundle_version=self.commit)

    def plan(self, run_id: str, **request: Any) -> RunPlan:
        return planning.run(self, self.context(run_id), RunRequest(**request))

    def extract(self, run_id: str, table: str) -> StageReport:
        return extraction.run(self, self.context(run_id), table)

    def validate(self, run_id: str, layer: Layer) -> StageReport:
        return validation.run(self, self.context(run_id), layer)

    def bronze(self, run_id: str, **request: Any) -> StageReport:
        """The chain up to published bronze; a table whose extract fails does not stop the others."""
        for table in self.plan(run_id, **request).tables:
            if table.problem is None:
                self.extract(run_id, table.table)
        self.validate(run_id, Layer.BRONZE)
        return publishing.publish_bronze(self, self.context(run_id))

    def silver(self, run_id: str) -> StageReport:
        report = refinement.run(self, self.context(run_id))
        self.validate(run_id, Layer.SILVER)
        return report

    def gold(self, run_id: str) -> StageReport:
        report = building.run(self, self.context(run_id))
        self.validate(run_id, Layer.GOLD)
        return report

    def publish(self, run_id: str) -> StageReport:
        return publishing.publish(self, self.context(run_id))

    def close(self, run_id: str, **states: str) -> StageReport:
        self.run_states.over.add(run_id)
        return closing.run(self, self.context(run_id), states)

    def whole(self, run_id: str) -> HeadwaterError | None:
        """Every stage in order; what ``close_run`` raised. A red gate stops nothing but what needs it."""
        self.bronze(run_id)
        failed: dict[str, str] = {}
        for stage, work in (("silver", self.silver), ("gold", self.gold)):
            try:
                work(run_id)
            except HeadwaterError:
                failed[stage] = "failed"
        self.publish(run_id)
        try:
            self.close(run_id, **failed)
        except RunNotGreenError as error:
            return error
        return None

    def mains(self) -> Mapping[str, int | None]:
        heads = (self.catalog.head(table) for table in self.catalog.list_tables())
        return {head.table.dotted: head.main for head in heads if head is not None}

    def main(self, dotted: str) -> int | None:
        return self.mains().get(dotted)

    def batch(self, dotted: str) -> int:
        """How far the published table has come; 0 before its first publish."""
        head = self.catalog.head(name(dotted))
        return head.state.batch if head and head.state else 0

    def status(self, run_id: str, dotted: str) -> str:
        """What became of the run's newest staging of a table."""
        staged = self.runs.staged(self.context(run_id).key)
        return next(record.status for record in staged if record.staged.table.dotted == dotted)


def incident(dotted: str) -> Incident:
    """An open incident about a held table."""
    return Incident(
        id=7,
        kind="held",
        cause="contract_broken",
        pipeline="shop",
        table=dotted,
        title="held",
        error_line="held",
        likely_cause="rows",
        steps=(),
        owner=Owner(team="sales"),
        first_seen=NOON,
        last_seen=NOON,
    )


@pytest.fixture
def world() -> World:
    return World(shop())


@pytest.fixture
def world_of() -> Callable[[PipelineSpec], World]:
    return World


@pytest.fixture
def incident_of() -> Callable[[str], Incident]:
    return incident


@pytest.fixture
def shop_reading() -> Callable[..., SourceSpec]:
    return shop
