"""How old each layer is, by the data clock, and when that is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.unit.services.incidents.watched import NOON, Clock, release

from headwater.adapters.memory.run_store import MemoryRunStore
from headwater.domain.names import Layer
from headwater.domain.run import RunKey
from headwater.ports.run_store import RunRecord
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.freshness import layer_ages
from headwater.services.incidents.watchdog import run_watchdog


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
