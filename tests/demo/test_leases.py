"""Two runs of one pipeline in the real scheduler: never twice at once (rule 23)."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest
from tests.demo.dag_runs import Runs, until
from tests.demo.delivered_alert import Alert
from tests.demo.served_demo import Demo
from tests.living_processes import lives

from headwater.cli.demo import alerts

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture
def runs(demo: Demo) -> Iterator[Runs]:
    with demo.logged_in("admin") as api:
        yield Runs(api, "flights")


def start(runs: Runs, reason: str) -> str:
    """One that reads everything again, so that it has work to do."""
    return runs.start(full_refresh=True, reason=reason)


def holder_and_waiter(runs: Runs) -> tuple[str, str]:
    """A run that has its tables, and one that waits for them."""
    holder = start(runs, "holds")
    until("the holder has planned", lambda: runs.is_in("success", holder, "plan_run"))
    waiter = start(runs, "waits")
    until("the other one waits", lambda: runs.is_in("deferred", waiter, "plan_run"))
    return holder, waiter


def test_a_run_that_waited_in_vain_ends_with_an_alert_that_names_the_holder(demo: Demo, runs: Runs) -> None:
    file = demo.repository / "dags" / "sources" / "flights.yaml"
    before, arrived = file.read_text(), alerts.arrived(demo.mailbox)
    file.write_text(before.replace("schedule:", "lease_wait: 1s\nschedule:", 1))
    holder, waiter = holder_and_waiter(runs)
    assert runs.outcome(waiter) == "failed"
    file.write_text(before)
    assert demo.shell("headwater watchdog").returncode == 0
    alert = Alert(*sorted(alerts.arrived(demo.mailbox) - arrived))

    assert alert.cause == "lease_held"
    assert f"flights / {holder} / " in alert.text
    assert "was busy for longer than lease_wait" in alert.subject
    runs.outcome(holder)
    for step in alert.steps:
        if step.command:
            done = demo.shell(step.command)
            assert done.returncode == 0, done.stdout + done.stderr
    assert demo.open_failures() == []


def test_a_killed_holder_passes_its_lease_on_to_the_run_that_waits(demo: Demo, runs: Runs) -> None:
    holder, waiter = holder_and_waiter(runs)
    # deferred: no process waits (its state is written shortly before it ends), and the log says for whom
    until("the waiting task's process has ended", lambda: not lives(int(runs.task(waiter, "plan_run")["pid"])))
    assert f"flights / {holder} / " in runs.log(waiter, "plan_run")

    until("it refines", lambda: runs.is_in("running", holder, "refine_to_silver"))
    process = psutil.Process(int(runs.task(holder, "refine_to_silver")["pid"]))
    process.kill()
    # a death that Airflow has not seen yet is retried even after its run was ended, and that ends the run green
    until("its death is seen", lambda: not runs.is_in("running", holder, "refine_to_silver"))
    runs.end(holder)

    assert runs.outcome(waiter) == "success"
    assert runs.state(holder) == "failed"
    assert (
        '"n": 27004'
        in demo.shell('headwater query "select sum(flights) as n from gold.flights.daily_departures" --json').stdout
    )
