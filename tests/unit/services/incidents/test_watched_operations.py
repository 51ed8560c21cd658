"""The watchdog looks at comparisons, offloads and maintenance, too: DAGs that are no pipelines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.services.incidents.watched import EARLIER, FAILED_RUN, KILLED, NOON, Airflow

from headwater.domain.errors import RequestError
from headwater.domain.names import MAINTENANCE, OFFLOAD
from headwater.domain.spec import Reconcile, Schedule
from headwater.ports.airflow_api import DagRun
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.failure import FailureContext, failure_from_exception
from headwater.services.incidents.recovery import close_all
from headwater.services.incidents.watchdog import run_watchdog


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
