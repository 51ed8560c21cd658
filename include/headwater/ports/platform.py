"""Everything a use case may reach, wired by a composition root."""

from __future__ import annotations

from typing import Protocol

from headwater.domain.external import ExternalJob
from headwater.domain.incident import Failure, Incident
from headwater.domain.settings import Settings
from headwater.domain.spec import PipelineSpec, TableSpec
from headwater.ports.catalog import Catalog
from headwater.ports.clock import Clock
from headwater.ports.connections import Connections
from headwater.ports.engine import SparkEngine
from headwater.ports.extractor import Extractor
from headwater.ports.incident_store import IncidentStore
from headwater.ports.jobs import JobRunner
from headwater.ports.lineage import LineageEmitter
from headwater.ports.model import PipelineModel
from headwater.ports.run_states import RunStates
from headwater.ports.run_store import RunStore


class Platform(Protocol):
    """Adapters are opened on first use: a stage that needs no catalog never imports one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def model(self) -> PipelineModel: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def runs(self) -> RunStore: ...
    @property
    def incidents(self) -> IncidentStore: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def engine(self) -> SparkEngine: ...
    @property
    def emitter(self) -> LineageEmitter: ...
    @property
    def run_states(self) -> RunStates: ...

    def open_extractor(self, table: TableSpec, connection_id: str) -> Extractor:
        """An extractor for the table's kind over the named connection.

        :raises ConnectionMissingError: when the connection does not exist.
        """
        ...

    def open_job_runner(self, job: ExternalJob) -> JobRunner:
        """The service that runs a job elsewhere.

        :raises ConnectionMissingError: when its connection does not exist.
        """
        ...

    def report(self, failure: Failure, spec: PipelineSpec | None) -> Incident:
        """Record a failure, open or count up its incident, queue its alerts and try one quick send."""
        ...
