"""Airflow's REST API, as far as the command line and the watchdog need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import AwareDatetime, JsonValue

from headwater.domain.base import Value


class DagState(Value):
    """A DAG as Airflow has it. ``has_import_errors`` is true while its file fails to parse."""

    dag_id: str
    is_paused: bool
    has_import_errors: bool = False


class DagRun(Value):
    """A run; ``state`` is Airflow's word: queued, running, success or failed."""

    dag_id: str
    run_id: str
    state: str
    run_type: str = ""
    queued_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    bundle_version: str | None = None
    """Commit of the DAG bundle the run is pinned to; None where the bundle has no versions."""

    @property
    def ended(self) -> bool:
        return self.state in {"success", "failed"}


class TaskRun(Value):
    """One task instance of a run; ``map_index`` is -1 unless the task is expanded; ``state`` None is not begun."""

    task_id: str
    map_index: int = -1
    try_number: int = 0
    state: str | None = None
    queued_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None


class AirflowApi(Protocol):
    """Implementations raise AirflowDownError when Airflow does not answer within ten seconds or refuses."""

    def dag(self, dag_id: str) -> DagState | None:
        """The DAG, or None when Airflow does not know it."""
        ...

    def runs(self, dag_id: str, states: Sequence[str] = (), limit: int = 25) -> tuple[DagRun, ...]:
        """Newest first; of any state unless ``states`` names some."""
        ...

    def run(self, dag_id: str, run_id: str) -> DagRun | None: ...

    def tasks(self, dag_id: str, run_id: str) -> tuple[TaskRun, ...]:
        """Every task instance of the run."""
        ...

    def trigger(self, dag_id: str, conf: Mapping[str, JsonValue] | None = None, run_id: str | None = None) -> DagRun:
        """Start a run without a logical date. :raises NotFoundError: when there is no such DAG."""
        ...

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str] = ()) -> int:
        """Clear the failed tasks of a run, or the named ones with what is downstream; returns how many."""
        ...

    def unpause(self, dag_id: str) -> None: ...
