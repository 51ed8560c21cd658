"""A pass of the watchdog that was lost needs nothing once a later one got through."""

from __future__ import annotations

from headwater.domain.incident import Failure
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.failure import FailureContext, failure
from headwater.services.incidents.watchdog import run_watchdog

WATCHDOG = "headwater_watchdog"


def killed(desk: IncidentDesk, pipeline: str) -> Failure:
    """As the callback of a task tells it that its executor never started."""
    context = FailureContext(pipeline=pipeline, run_id="r1", task_id="watch_runs", seen_at=desk.clock.now())
    return failure(context, "task_killed", "watch_runs failed without a word", {})


def test_the_next_pass_closes_the_incident_of_a_lost_one(desk: IncidentDesk) -> None:
    desk.report(killed(desk, WATCHDOG))
    run_watchdog(desk, None, {}, own_dag=WATCHDOG)
    assert desk.store.list(status="open", pipeline=WATCHDOG) == ()


def test_a_pass_from_outside_airflow_says_nothing_of_the_dag(desk: IncidentDesk) -> None:
    desk.report(killed(desk, WATCHDOG))
    run_watchdog(desk, None, {})
    assert len(desk.store.list(status="open", pipeline=WATCHDOG)) == 1


def test_a_pass_closes_no_killed_task_of_a_pipeline(desk: IncidentDesk) -> None:
    desk.report(killed(desk, "flights"))
    run_watchdog(desk, None, {}, own_dag=WATCHDOG)
    assert [incident.cause for incident in desk.store.list(status="open", pipeline="flights")] == ["task_killed"]
