"""The watchdog finds what no callback told, judges freshness, and closes what healed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from pydantic import JsonValue

from headwater.adapters.memory.run_store import MemoryRunStore
from headwater.domain.errors import AirflowDownError, RequestError
from headwater.domain.incident import Failure
from headwater.domain.names import MAINTENANCE, OFFLOAD, Layer, TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.run import RunKey, RunKind, RunPlan, RunRequest, TablePlan, Window
from headwater.domain.spec import Reconcile, Schedule
from headwater.ports.airflow_api import DagRun, DagState, TaskRun
from headwater.ports.run_store import RunRecord
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.failure import FailureContext, failure_from_exception
from headwater.services.incidents.freshness import layer_ages
from headwater.services.incidents.recovery import close_all
from headwater.services.incidents.watchdog import run_watchdog

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


def test_a_killed_task_is_told_once(desk: IncidentDesk) -> None:
    """Fault 23: no callback runs in a killed task."""
    airflow = Airflow([FAILED_RUN], [KILLED, RED_CLOSE])
    assert run_watchdog(desk, airflow, {}).found == 1
    assert run_watchdog(desk, airflow, {}).found == 0
    (incident,) = desk.store.list("open")
    assert (incident.cause, incident.facts["task"]) == ("task_killed", "extract_to_bronze")
    assert "extract_to_bronze[1]" in incident.error_line


@pytest.mark.parametrize(
    ("task_id", "map_index"), [("extract_to_bronze", 1), ("extract_to_bronze:silver.flights.flights", -1)]
)
def test_what_a_callback_or_a_gate_told_is_not_told_again(desk: IncidentDesk, task_id: str, map_index: int) -> None:
    desk.report(
        Failure(
            pipeline="flights", run_id="r1", task_id=task_id, map_index=map_index, kind="held", cause="source_data",
            table="silver.flights.flights", message="m", seen_at=EARLIER,
        )
    )  # fmt: skip
    assert run_watchdog(desk, Airflow([FAILED_RUN], [KILLED, RED_CLOSE]), {}).found == 0


def test_a_run_ended_from_outside_is_told(desk: IncidentDesk) -> None:
    done = TaskRun(task_id="plan_run", try_number=1, state="success")
    assert run_watchdog(desk, Airflow([FAILED_RUN], [done]), {}).found == 1


def test_a_callback_gets_a_minute_to_speak_first(desk: IncidentDesk) -> None:
    fresh = FAILED_RUN.model_copy(update={"ended_at": NOON - timedelta(seconds=30)})
    assert run_watchdog(desk, Airflow([fresh], [KILLED]), {}).found == 0


def test_a_killed_comparison_is_told_to_the_owner_of_its_source(desk: IncidentDesk) -> None:
    """Its DAG has another id than the source, and the link leads there."""
    spec = desk.specs["flights"].model_copy(update={"reconcile": Reconcile(schedule=Schedule(manual=True))})
    asked = replace(desk, specs={"flights": spec})
    run = FAILED_RUN.model_copy(update={"dag_id": "flights__reconcile"})
    assert run_watchdog(asked, Airflow([run], [KILLED]), {}).found == 1
    assert run_watchdog(asked, Airflow([run], [KILLED]), {}).found == 0
    (incident,) = desk.store.list("open")
    assert (incident.pipeline, incident.owner.team) == ("flights", "aviation")
    assert "/dags/flights__reconcile/runs/" in next(link.url for link in incident.links if link.label == "run")


def test_a_killed_maintenance_is_told_with_the_steps_of_maintenance(desk: IncidentDesk) -> None:
    run = FAILED_RUN.model_copy(update={"dag_id": MAINTENANCE})
    killed = KILLED.model_copy(update={"task_id": "maintain"})
    assert run_watchdog(desk, Airflow([run], [killed]), {}).found == 1
    assert run_watchdog(desk, Airflow([run], [killed]), {}).found == 0
    (incident,) = desk.store.list("open")
    assert (incident.pipeline, incident.cause) == (MAINTENANCE, "maintenance_failed")
    assert incident.owner.team == "platform"


def test_a_killed_comparison_of_history_is_told_with_its_own_steps(desk: IncidentDesk) -> None:
    run = FAILED_RUN.model_copy(update={"dag_id": OFFLOAD})
    killed = KILLED.model_copy(update={"task_id": "verify_offload", "map_index": -1})
    assert run_watchdog(desk, Airflow([run], [killed]), {}).found == 1
    assert run_watchdog(desk, Airflow([run], [killed]), {}).found == 0
    (incident,) = desk.store.list("open")
    assert (incident.pipeline, incident.cause, incident.owner.team) == (OFFLOAD, "offload_killed", "platform")
    assert any("r1" in step.text for step in incident.steps), "nothing of it is cleared: its form is filled in again"
    close_all(desk.store, OFFLOAD, "compared since", NOON)
    assert desk.store.list("open") == ()


def test_a_comparison_that_says_no_is_red_and_nobody_is_alerted(desk: IncidentDesk) -> None:
    """Whoever asked reads it in the task; the watchdog must not take it for a killed one."""
    run = FAILED_RUN.model_copy(update={"dag_id": OFFLOAD})
    red = KILLED.model_copy(update={"task_id": "verify_offload", "map_index": -1})
    context = FailureContext(pipeline=OFFLOAD, run_id="r1", task_id="verify_offload", try_number=1, seen_at=EARLIER)
    desk.note(failure_from_exception(RequestError("some of it has to stay"), context))
    assert run_watchdog(desk, Airflow([run], [red]), {}).found == 0
    assert desk.store.list("open") == ()
    assert desk.store.due(NOON + timedelta(days=1)) == ()


def test_a_long_comparison_is_not_stuck(desk: IncidentDesk) -> None:
    running = DagRun(dag_id=OFFLOAD, run_id="r1", state="running", started_at=NOON - timedelta(hours=9))
    task = KILLED.model_copy(update={"state": "running", "started_at": NOON - timedelta(hours=9), "ended_at": None})
    assert run_watchdog(desk, Airflow([running], [task]), {}).found == 0


@pytest.mark.parametrize(
    ("dag_id", "command"),
    [
        ("flights", "uv run headwater run flights --wait"),
        ("flights__reconcile", "uv run headwater reconcile flights"),
        (MAINTENANCE, "uv run headwater maintain"),
    ],
)
def test_what_does_not_end_is_done_again_by_its_own_command(desk: IncidentDesk, dag_id: str, command: str) -> None:
    compared = desk.specs["flights"].model_copy(
        update={"reconcile": Reconcile(schedule=Schedule(every=timedelta(days=1)))}
    )
    desk = replace(desk, specs={"flights": compared})
    running = DagRun(dag_id=dag_id, run_id="r1", state="running", started_at=NOON - timedelta(hours=4))
    hanging = KILLED.model_copy(update={"state": "running", "started_at": NOON - timedelta(hours=3), "ended_at": None})
    run_watchdog(desk, Airflow([running], [hanging]), {})
    assert desk.store.list("open")[-1].steps[-1].command == command


def test_a_task_that_does_not_end_is_told_and_its_later_death_too(desk: IncidentDesk) -> None:
    running = DagRun(dag_id="flights", run_id="r1", state="running", started_at=NOON - timedelta(hours=4))
    hanging = KILLED.model_copy(update={"state": "running", "started_at": NOON - timedelta(hours=3), "ended_at": None})
    assert run_watchdog(desk, Airflow([running], [hanging]), {}).found == 1
    assert run_watchdog(desk, Airflow([FAILED_RUN], [KILLED]), {}).found == 1
    assert {item.cause for item in desk.store.list("open")} == {"run_stuck", "task_killed"}


def test_airflow_down_is_an_incident_that_closes_when_it_answers(desk: IncidentDesk) -> None:
    report = run_watchdog(desk, Airflow(down=True), {})
    assert report.airflow == "no answer"
    (incident,) = desk.store.list("open")
    assert (incident.cause, incident.owner.team) == ("airflow_down", "platform")
    run_watchdog(desk, Airflow(), {})
    assert desk.store.list("open") == ()


def test_ages_are_told_of_what_was_promised_and_released(
    desk: IncidentDesk, runs: MemoryRunStore, clock: Clock
) -> None:
    assert layer_ages(desk) == ()
    runs.save_release(release("bronze", NOON - timedelta(hours=7), "bronze.flights.flights"))
    (bronze,) = (age for age in layer_ages(desk) if age.layer is Layer.BRONZE)
    assert (bronze.pipeline, bronze.age, bronze.allowed) == ("flights", timedelta(hours=7), timedelta(hours=6))
    clock.data_instant = datetime(2013, 2, 1, tzinfo=UTC)
    assert {age.age for age in layer_ages(desk)} == {timedelta()}


def test_late_is_judged_by_the_data_clock_and_closes_when_fresh(
    desk: IncidentDesk, runs: MemoryRunStore, clock: Clock
) -> None:
    runs.save_release(release("bronze", NOON - timedelta(hours=7), "bronze.flights.flights"))
    clock.data_instant = datetime(2013, 2, 1, tzinfo=UTC)
    assert run_watchdog(desk, None, {}).late == 0
    clock.data_instant = None
    assert run_watchdog(desk, None, {}).late == 1
    assert run_watchdog(desk, None, {}).late == 1
    (incident,) = desk.store.list("open")
    assert incident.count == 1
    assert incident.title == "bronze.flights is late: 7 h 0 min old, allowed 6h"
    runs.save_release(release("bronze", NOON, "bronze.flights.flights"))
    run_watchdog(desk, None, {})
    assert desk.store.list("open") == ()


def test_a_pipeline_that_never_released_is_late_from_its_first_run(desk: IncidentDesk, runs: MemoryRunStore) -> None:
    key = RunKey(installation="i", dag_id="flights", run_id="r")
    runs.save_run(RunRecord(run_key=key, state="failed", planned_at=NOON - timedelta(days=2)))
    assert run_watchdog(desk, None, {}).late == 2
    assert {item.title for item in desk.store.list("open")} == {"flights is late: nothing was ever released"}


def test_a_release_heals_the_tables_it_moved_and_a_green_run_the_rest(desk: IncidentDesk, runs: MemoryRunStore) -> None:
    for table in ("silver.flights.flights", "silver.flights.planes", None):
        desk.report(
            Failure(pipeline="flights", run_id="r0", task_id="t", kind="held", cause="gate_unsure", table=table,
                    message="m", seen_at=EARLIER)
        )  # fmt: skip
    runs.save_release(release("audited", EARLIER - timedelta(hours=1), "silver.flights.planes"))
    runs.save_release(release("audited", NOON - timedelta(minutes=1), "silver.flights.flights"))
    assert run_watchdog(desk, None, {}).closed == 1
    assert {item.table for item in desk.store.list("open")} == {"silver.flights.planes", None}
    key = RunKey(installation="i", dag_id="flights", run_id="r2")
    runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
    assert run_watchdog(desk, None, {}).closed == 2
    assert desk.store.list("open") == ()


@pytest.mark.parametrize(
    ("request_", "healed"),
    [
        (RunRequest(), {"source_unreachable", "gate_unsure", "request_invalid"}),
        (RunRequest(dry_run=True), set()),
        (RunRequest(tables=("planes",)), {"request_invalid"}),
        (RunRequest(rebuild=("silver.flights.flights",)), {"gate_unsure", "request_invalid"}),
        (RunRequest(rebuild=("silver.flights.planes",)), {"request_invalid"}),
    ],
)
def test_a_green_run_heals_what_it_did(
    desk: IncidentDesk, runs: MemoryRunStore, request_: RunRequest, healed: set[str]
) -> None:
    """A rebuild reads nothing: it cannot say that the source answers again."""
    for cause, table in (
        ("source_unreachable", None),
        ("gate_unsure", "silver.flights.flights"),
        ("request_invalid", None),
    ):
        desk.report(
            Failure(
                pipeline="flights", run_id=cause, task_id="t", cause=cause, table=table, message="m", seen_at=EARLIER
            )
        )
    key = RunKey(installation="i", dag_id="flights", run_id="r2")
    runs.save_plan(RunPlan(run_key=key, planned_at=EARLIER, kind=RunKind.SCHEDULED, tables=(), spec_hash="h",
                           request=request_, inputs={}), "{}")  # fmt: skip
    runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
    run_watchdog(desk, None, {})
    assert {item.cause for item in desk.store.list("closed")} == healed


def test_a_note_of_a_changed_source_closes_with_the_first_run_that_reads_and_does_not_meet_it(
    desk: IncidentDesk, runs: MemoryRunStore
) -> None:
    """Neither the run that bore the change heals it, nor one that read nothing, nor one that met it again."""

    def met(run_id: str) -> None:
        desk.report(
            Failure(pipeline="flights", run_id=run_id, task_id="t", kind="notice", cause="schema_changed",
                    table="bronze.flights.flights", message="m", seen_at=EARLIER)
        )  # fmt: skip

    def ended(run_id: str, window: Window) -> int:
        key = RunKey(installation="i", dag_id="flights", run_id=run_id)
        plan = TablePlan(table="flights", base_snapshot=None, batch=1, window=window, spec_hash="h")
        runs.save_plan(RunPlan(run_key=key, planned_at=EARLIER, kind=RunKind.SCHEDULED, tables=(plan,), spec_hash="h",
                               request=RunRequest(), inputs={}), "{}")  # fmt: skip
        runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
        return run_watchdog(desk, None, {}).closed

    met("r1")
    assert ended("r1", Window(kind="snapshot")) == 0
    assert ended("r2", Window(kind="nothing")) == 0
    met("r3")
    assert ended("r3", Window(kind="snapshot")) == 0
    assert ended("r4", Window(kind="snapshot")) == 1


def test_what_reconcile_found_is_healed_by_no_run_and_no_release(desk: IncidentDesk, runs: MemoryRunStore) -> None:
    """A green run says nothing of rows that no run reads: the next comparison closes it."""
    desk.report(
        Failure(pipeline="flights", run_id="r0", task_id="reconcile:flights", cause="source_differs", message="m",
                table="silver.flights.flights", seen_at=EARLIER)
    )  # fmt: skip
    runs.save_release(release("audited", NOON - timedelta(minutes=1), "silver.flights.flights"))
    key = RunKey(installation="i", dag_id="flights", run_id="r2")
    runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
    assert run_watchdog(desk, None, {}).closed == 0
    assert len(desk.store.list("open")) == 1
