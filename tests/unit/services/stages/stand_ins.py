"""What stages ask besides their stores: the clock, the files, incidents, the scheduler."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.unit.services.stages.shop import NOON

from headwater.domain.change import SpecChange
from headwater.domain.incident import Incident
from headwater.domain.names import TableName
from headwater.domain.run import RunKey
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.model.changes.comparing import table_changes
from headwater.model.groups import publish_groups


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
