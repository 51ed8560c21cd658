"""Airflow, a clock and releases as the tests of the watchdog say they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pydantic import JsonValue

from headwater.domain.errors import AirflowDownError
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.ports.airflow_api import DagRun, DagState, TaskRun

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(minutes=30)


class Clock(Protocol):
    data_instant: datetime | None

    def now(self) -> datetime: ...
    def data_now(self) -> datetime: ...
    def pass_by(self, **span: float) -> None: ...


class Airflow:
    """Airflow's answers as the tests say; nothing is started."""

    def __init__(self, runs: Sequence[DagRun] = (), tasks: Sequence[TaskRun] = (), down: bool = False) -> None:
        self._runs, self._tasks, self.is_down = tuple(runs), tuple(tasks), down

    def dag(self, dag_id: str) -> DagState | None:
        return DagState(dag_id=dag_id, is_paused=False)

    def runs(self, dag_id: str, states: Sequence[str] = (), limit: int = 25) -> tuple[DagRun, ...]:
        if self.is_down:
            raise AirflowDownError("no answer", facts={"host": "http://airflow", "reason": "ConnectError"})
        return tuple(run for run in self._runs if run.dag_id == dag_id and (not states or run.state in states))

    def run(self, dag_id: str, run_id: str) -> DagRun | None:
        return next((run for run in self._runs if run.run_id == run_id), None)

    def tasks(self, dag_id: str, run_id: str) -> tuple[TaskRun, ...]:
        return self._tasks

    def trigger(self, dag_id: str, conf: Mapping[str, JsonValue] | None = None, run_id: str | None = None) -> DagRun:
        raise AssertionError("the watchdog starts nothing")

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str] = ()) -> int:
        raise AssertionError("the watchdog clears nothing")

    def unpause(self, dag_id: str) -> None:
        raise AssertionError("the watchdog unpauses nothing")


FAILED_RUN = DagRun(dag_id="flights", run_id="r1", state="failed", ended_at=EARLIER)
KILLED = TaskRun(task_id="extract_to_bronze", map_index=1, try_number=1, state="failed", ended_at=EARLIER)
RED_CLOSE = TaskRun(task_id="close_run", try_number=1, state="failed", ended_at=EARLIER)


def release(kind: str, at: datetime, *tables: str) -> Release:
    return Release.model_validate(
        {
            "id": f"r-{at:%Y%m%dT%H%M%S}-0000000{len(tables)}",
            "run_key": "i/flights/r",
            "pipeline": "flights",
            "kind": kind,
            "status": "published",
            "created_at": at,
            "published_at": at,
            "tables": [
                ReleasedTable(table=TableName.parse(name), snapshot_id=1, metadata_location="m") for name in tables
            ],
        }
    )
