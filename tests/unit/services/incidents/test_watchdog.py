"""The watchdog finds what no callback told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.services.incidents.watched import EARLIER, FAILED_RUN, KILLED, NOON, RED_CLOSE, Airflow

from headwater.domain.incident import Failure
from headwater.ports.airflow_api import DagRun, TaskRun
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.watchdog import run_watchdog


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
