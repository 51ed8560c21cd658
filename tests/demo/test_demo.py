"""``make demo`` as a newcomer sees it: gold with the source's numbers, and the analyst's login."""

from __future__ import annotations

import time

import httpx
import pytest
from tests.demo.served_demo import Demo

pytestmark = pytest.mark.timeout(1500)


def test_the_demo_releases_gold(demo: Demo) -> None:
    # the numbers were proved against SQL over the source, or the demo would have said so
    assert "✗" not in demo.text(), demo.text()[-4000:]
    asked = demo.shell('headwater query "select sum(flights) as n from gold.flights.daily_departures" --json')
    assert '"n": 27004' in asked.stdout, asked.stderr
    assert demo.open_failures() == []


def test_an_analyst_may_trigger_and_nothing_else(demo: Demo) -> None:
    with demo.logged_in("analyst") as analyst:
        body = {"logical_date": None, "conf": {"dry_run": True, "reason": "how much is there?"}}
        started = analyst.post("/api/v2/dags/flights/dagRuns", json=body)
        assert started.status_code == 200, started.text
        run_id = started.json()["dag_run_id"]
        refused = analyst.post(
            "/api/v2/dags/flights/dagRuns", json={"logical_date": None, "conf": {"tables": ["evil"]}}
        )
        assert 400 <= refused.status_code < 500
        run = f"/api/v2/dags/flights/dagRuns/{run_id}"
        forbidden = {
            "pause": analyst.patch("/api/v2/dags/flights", json={"is_paused": True}),
            "clear": analyst.post(f"{run}/clear", json={"dry_run": False}),
            "mark": analyst.patch(run, json={"state": "failed"}),
            "connections": analyst.get("/api/v2/connections"),
            "variables": analyst.get("/api/v2/variables"),
            "config": analyst.get("/api/v2/config"),
            "audit log": analyst.get("/api/v2/eventLogs"),
        }
        assert {what: answer.status_code for what, answer in forbidden.items()} == dict.fromkeys(forbidden, 403)
        assert httpx.get(f"{demo.address}/headwater/", timeout=30).status_code == 401
        deadline = time.monotonic() + 300
        while (state := analyst.get(run).json()["state"]) not in {"success", "failed"}:
            assert time.monotonic() < deadline, state
            time.sleep(1)
        assert state == "success"
