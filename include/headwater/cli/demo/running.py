"""Runs of the demo's pipelines through Airflow's scheduler, shown while they work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from rich.console import Console

from headwater.cli.awaiting import ACTIVE, patiently, start_run, wait_for_run
from headwater.domain.errors import StackError
from headwater.ports.airflow_api import AirflowApi, DagRun, TaskRun

SOURCES = ("flights", "weather")
PRODUCT = "flight_delays_by_weather"
KNOWN_SECONDS = 90.0
ADOPT_SECONDS = 8.0
PRODUCT_SECONDS = 60.0
_SHOWN = {"success": "✓", "failed": "✗", "upstream_failed": "✗", "skipped": "·"}


class Teller:
    """Tells each finished task once, in one line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[tuple[str, str, str, int]] = set()

    def __call__(self, run: DagRun, tasks: Sequence[TaskRun]) -> None:
        for task in sorted(tasks, key=lambda item: item.ended_at or datetime.now(UTC)):
            sign = _SHOWN.get(task.state or "")
            place = (run.dag_id, run.run_id, task.task_id, task.map_index)
            if sign is None or place in self._told:
                continue
            self._told.add(place)
            index = f" {task.map_index}" if task.map_index >= 0 else ""
            self._console.print(
                f"  {sign} {run.dag_id}: {task.task_id}{index} {seconds_of(task):.1f} s", highlight=False
            )


def seconds_of(task: TaskRun) -> float:
    """How long a task worked; 0 while it has not ended."""
    if task.started_at is None or task.ended_at is None:
        return 0.0
    return (task.ended_at - task.started_at).total_seconds()


def wait_until_known(api: AirflowApi, pipelines: Sequence[str]) -> None:
    """Wait until Airflow has parsed the DAGs.

    :raises StackError: naming those it does not know after a while.
    """
    deadline = time.monotonic() + KNOWN_SECONDS
    while missing := [name for name in pipelines if patiently(partial(api.dag, name)) is None]:
        if time.monotonic() > deadline:
            remedy = "`uv run headwater validate`; Airflow's import errors are on its first page."
            raise StackError("Airflow does not know these DAGs.", got=", ".join(missing), remedy=remedy)
        time.sleep(0.5)
    for name in pipelines:
        api.unpause(name)


def first_runs(api: AirflowApi) -> list[DagRun]:
    """The runs a scheduler starts by itself when a schedule begins; where it does not, runs of our own."""
    deadline = time.monotonic() + ADOPT_SECONDS
    adopted: dict[str, DagRun] = {}
    while len(adopted) < len(SOURCES) and time.monotonic() < deadline:
        for name in SOURCES:
            active = api.runs(name, states=ACTIVE)
            if active:
                adopted[name] = active[-1]
        time.sleep(0.3)
    return [adopted.get(name) or start_run(api, name, {"reason": "demo"}) for name in SOURCES]


def follow(api: AirflowApi, runs: Sequence[DagRun], console: Console) -> list[DagRun]:
    """Wait for all runs, telling what their tasks do; returns them as they ended."""
    teller = Teller(console)
    open_runs = {run.dag_id: run for run in runs}
    ended: dict[str, DagRun] = {}
    while len(ended) < len(open_runs):
        for name, run in open_runs.items():
            found = api.run(name, run.run_id)
            if name in ended or found is None:
                continue
            teller(found, api.tasks(name, run.run_id))
            if found.ended:
                ended[name] = found
        time.sleep(0.5)
    return list(ended.values())


def follow_product(api: AirflowApi, since: datetime, console: Console) -> DagRun | None:
    """Wait for the product's runs that the sources' releases started; returns the newest, or None without any."""
    deadline = time.monotonic() + PRODUCT_SECONDS
    teller = Teller(console)
    newest: DagRun | None = None
    quiet_until = 0.0
    while time.monotonic() < deadline or newest is not None:
        fresh = [run for run in api.runs(PRODUCT) if run.queued_at is not None and run.queued_at >= since]
        active = [run for run in fresh if not run.ended]
        if active:
            newest = wait_for_run(api, active[-1], teller)
            quiet_until = time.monotonic() + 3.0  # the other source's release may start one more
        elif fresh:
            newest = fresh[0]
            if time.monotonic() > quiet_until > 0:
                return newest
            quiet_until = quiet_until or time.monotonic() + 3.0
        time.sleep(0.5)
    return newest
