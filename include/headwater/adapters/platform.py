"""The adapters of an installation, each opened on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.clock import SystemClock
from headwater.adapters.profile import load_settings
from headwater.adapters.recorded_states import RecordedRunStates
from headwater.adapters.spark_submit.opening import submitted_applications
from headwater.domain.incident import Failure, Incident
from headwater.domain.settings import Settings
from headwater.domain.spec import PipelineSpec, TableSpec
from headwater.model.repository_model import RepositoryModel
from headwater.ports.connections import Connections
from headwater.ports.extractor import Extractor
from headwater.ports.lineage import LineageEmitter
from headwater.ports.notifier import Notifier
from headwater.ports.run_states import RunStates

if TYPE_CHECKING:
    from headwater.adapters.iceberg import IcebergCatalog
    from headwater.adapters.iceberg.dropping import DroppedFolders
    from headwater.adapters.iceberg.upkeep import IcebergUpkeep
    from headwater.adapters.incident_store import SqlIncidentStore
    from headwater.adapters.run_store import SqlRunStore
    from headwater.adapters.spark_applications.applications import Applications
    from headwater.adapters.spark_applications.engine import ApplicationEngine
    from headwater.adapters.spark_connect.engine import ConnectEngine
    from headwater.domain.external import ExternalJob
    from headwater.ports.jobs import JobRunner
    from headwater.ports.leftovers import Leftovers
    from headwater.services.incidents.desk import IncidentDesk

QUICK_SEND_SECONDS = 8.0
"""What one failing task may spend on sending: Airflow gives all its callbacks twenty seconds."""


class LocalPlatform:
    """``ports.platform.Platform`` for an installation's profile.

    :param connections: where connections come from; default: environment and the profile's file.
    :param run_states: who knows whether a run is over; default: the run store's record.
    :param applications: where Spark applications run; default: what spark-submit can start.
    """

    def __init__(
        self,
        settings: Settings,
        connections: Connections | None = None,
        run_states: Callable[[LocalPlatform], RunStates] = RecordedRunStates,
        repository: Path | None = None,
        applications: Callable[[LocalPlatform], Applications] = submitted_applications,
    ) -> None:
        self._applications = applications
        self.settings = settings
        self._connections = connections
        self._run_states = run_states
        self._repository = repository or Path(settings.repository)

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock(Path(self.settings.clock_file) if self.settings.clock_file else None)

    @cached_property
    def model(self) -> RepositoryModel:
        return RepositoryModel(self._repository)

    @cached_property
    def catalog(self) -> IcebergCatalog:
        from headwater.adapters.iceberg import IcebergCatalog

        return IcebergCatalog(self.settings.catalog)

    @cached_property
    def upkeep(self) -> IcebergUpkeep:
        from headwater.adapters.iceberg.upkeep import IcebergUpkeep

        return IcebergUpkeep(self.settings.catalog)

    @cached_property
    def dropped(self) -> DroppedFolders:
        from headwater.adapters.iceberg.dropping import DroppedFolders

        return DroppedFolders(self.settings.catalog)

    @property
    def leftovers(self) -> tuple[Leftovers, ...]:
        from headwater.adapters.job_folders import LeftJobFolders
        from headwater.adapters.spark_applications.left_jobs import LeftJobs

        # with the engine connect nothing is put there, and a bucket may not be reached as the others do
        shared = () if self.settings.spark.mode == "connect" else (LeftJobs(self.settings),)
        return (self.dropped, *shared, LeftJobFolders(self.settings))

    @cached_property
    def runs(self) -> SqlRunStore:
        from headwater.adapters.run_store import SqlRunStore

        return SqlRunStore(self.settings.run_store.get_secret_value())

    @cached_property
    def incidents(self) -> SqlIncidentStore:
        from headwater.adapters.incident_store import SqlIncidentStore

        return SqlIncidentStore(self.settings.run_store.get_secret_value())

    @cached_property
    def connections(self) -> Connections:
        if self._connections is not None:
            return self._connections
        from headwater.adapters.connections import EnvironmentConnections

        path = self.settings.connections_file
        return EnvironmentConnections(Path(path) if path else None)

    @cached_property
    def engine(self) -> ConnectEngine | ApplicationEngine:
        if self.settings.spark.mode == "connect":
            from headwater.adapters.spark_connect.engine import ConnectEngine

            return ConnectEngine(self.settings, self.connections)
        from headwater.adapters.spark_applications.engine import ApplicationEngine

        return ApplicationEngine(self.settings, self._applications(self))

    def defer_stages(self, waited_for: str | None = None) -> None:
        """Hand drivers back that need nobody who stands by, where the engine has such.

        :param waited_for: attempt whose driver was waited for.
        """
        place = self.settings.spark.kubernetes
        if self.settings.spark.mode == "kubernetes" and place is not None and place.deferrable:
            from headwater.adapters.spark_applications.deferring import DeferringEngine

            self.engine = DeferringEngine(self.settings, self._applications(self), waited_for=waited_for)

    def stop_work(self) -> None:
        """End the Spark job at work, if any: the task that waits for it is to end."""
        if "engine" in vars(self):
            self.engine.cancel()

    @cached_property
    def emitter(self) -> LineageEmitter:
        home = Path(self.settings.home)
        if self.settings.lineage.mode == "file":
            from headwater.adapters.datahub.file_emitter import FileLineageEmitter

            return FileLineageEmitter(home / "lineage")
        from headwater.adapters.datahub.rest_emitter import DataHubLineageEmitter

        return DataHubLineageEmitter(self.connections, self.settings.lineage.connection, home / "lineage_spool")

    @cached_property
    def run_states(self) -> RunStates:
        return self._run_states(self)

    @cached_property
    def notifiers(self) -> Mapping[str, Notifier]:
        """Channel -> notifier, of the channels the profile names."""
        from headwater.adapters.notifiers import open_notifiers

        return open_notifiers(self.settings, self.connections)

    def open_extractor(self, table: TableSpec, connection_id: str) -> Extractor:
        from headwater.adapters.sources.opening import open_extractor

        return open_extractor(table, self.connections.resolve(connection_id))

    def open_job_runner(self, job: ExternalJob) -> JobRunner:
        from headwater.adapters.jobs.opening import open_job_runner

        return open_job_runner(job, self.connections.resolve(job.connection))

    def close(self) -> None:
        """Close the stores that were opened, before the servers they are on may go."""
        opened = vars(self)  # looking at a property would open it
        if "runs" in opened:
            self.runs.close()
        if "incidents" in opened:
            self.incidents.close_database()
        for name in ("catalog", "upkeep", "dropped"):
            if name in opened:
                opened[name].close()

    def desk(self, specs: Mapping[str, PipelineSpec] | None = None) -> IncidentDesk:
        """Where failures become incidents.

        :param specs: pipelines whose owners and consumers are known; default: every one that loads.
        """
        from headwater.adapters.incident_desk import incident_desk

        known = specs if specs is not None else {spec.name: spec for spec in self.model.pipelines()}
        return incident_desk(self, known, self._repository / "include" / "runbooks")

    def report(self, failure: Failure, spec: PipelineSpec | None) -> Incident:
        from headwater.services.incidents.sending import send_due

        specs = {item.name: item for item in self.model.pipelines()}
        if spec is not None:
            # a task knows its pipeline by the YAML alone, which does not say what the SQL of its gold reads
            specs.setdefault(spec.name, spec)
        incident, _ = self.desk(specs).report(failure)
        send_due(self.incidents, self.notifiers, self.clock, QUICK_SEND_SECONDS)
        return incident


def open_platform(
    settings: Settings | None = None,
    connections: Connections | None = None,
    run_states: Callable[[LocalPlatform], RunStates] = RecordedRunStates,
    repository: Path | None = None,
    applications: Callable[[LocalPlatform], Applications] = submitted_applications,
) -> LocalPlatform:
    """The platform of the profile in force. :raises SpecError: when the profile is missing or wrong."""
    return LocalPlatform(settings or load_settings(), connections, run_states, repository, applications)
