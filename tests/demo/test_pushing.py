"""``make demo-push`` on the served demo: Airflow's own Git bundle, DAG processor and scheduler."""

from __future__ import annotations

import json

import pytest
from tests.demo.served_demo import Demo

pytestmark = pytest.mark.timeout(1500)


def test_a_push_deploys_and_a_running_run_stays_on_its_own_commit(demo: Demo) -> None:
    """Rule 43. The command looks at all of it itself and fails when a claim does not hold."""
    shown = demo.shell("headwater demo push")
    assert shown.returncode == 0, shown.stdout[-4000:] + shown.stderr
    assert "✗" not in shown.stdout

    runs = json.loads(demo.shell("headwater runs carriers --json").stdout)
    first, second = (run["bundle_version"] for run in reversed(runs))
    assert [run["state"] for run in runs] == ["success", "success"]
    assert len({first, second}) == 2
    releases = json.loads(demo.shell("headwater releases carriers --json").stdout)
    assert {release["bundle_version"] for release in releases} == {first, second}
    flights = json.loads(demo.shell("headwater runs flights --limit 1 --json").stdout)
    assert flights[0]["bundle_version"] is None, "the folder it works in has no commit"
    asked = demo.shell('headwater query "select sum(carriers) as n from gold.carriers.initials" --json')
    assert '"n": 16' in asked.stdout, asked.stderr
