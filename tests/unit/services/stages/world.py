"""The platform, with stores in memory, and runs of its one pipeline through the real stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.unit.services.stages.scripted_engine import Engine
from tests.unit.services.stages.scripted_source import Source
from tests.unit.services.stages.shop import incident, name
from tests.unit.services.stages.stand_ins import Clock, Incidents, Model, Scheduler

from headwater.adapters.memory import MemoryCatalog, MemoryRunStore
from headwater.domain.errors import HeadwaterError, RunNotGreenError
from headwater.domain.external import ExternalJob
from headwater.domain.incident import Failure, Incident
from headwater.domain.names import Layer
from headwater.domain.run import RunKey, RunPlan, RunRequest
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import PipelineSpec, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.services.context import RunContext
from headwater.services.report import StageReport
from headwater.services.stages import building, closing, extraction, planning, publishing, refinement, validation


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
