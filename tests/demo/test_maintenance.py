"""Maintenance as a run of the real scheduler, after the demo's first runs."""

from __future__ import annotations

import pytest
from tests.demo.dag_runs import Runs
from tests.demo.served_demo import Demo

pytestmark = pytest.mark.timeout(900)
GOLD = 'headwater query "select sum(flights) as n from gold.flights.daily_departures" --json'


def test_tables_are_kept_and_readers_see_what_they_saw(demo: Demo) -> None:
    before = demo.shell(GOLD).stdout
    with demo.logged_in("admin") as api:
        runs = Runs(api, "headwater__maintenance")
        run_id = runs.start(tables=["bronze.flights.flights", "gold.flights.daily_departures"])
        assert runs.outcome(run_id) == "success"
        tasks = runs.tasks(run_id)
    assert {task["task_id"] for task in tasks} == {"plan_maintenance", "maintain", "sweep_leftovers"}
    assert demo.shell(GOLD).stdout == before
    assert demo.open_failures() == []
