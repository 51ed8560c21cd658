"""Starting runs through Airflow's REST API and waiting for their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from headwater.adapters.airflow_rest import RestAirflowApi
from headwater.domain.errors import AirflowDownError, RunNotGreenError
from headwater.ports.airflow_api import AirflowApi, DagRun, TaskRun

if TYPE_CHECKING:
    from pydantic import JsonValue

    from headwater.domain.settings import AirflowSettings

LOOK_EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
ACTIVE = ("queued", "running")
Answer = TypeVar("Answer")
Progress = Callable[[DagRun, Sequence[TaskRun]], None]


def open_airflow(settings: AirflowSettings) -> RestAirflowApi:
    """Airflow's API as the profile's user. :raises AirflowDownError: when the profile does not say where it is."""
    return RestAirflowApi(settings)


def start_run(api: AirflowApi, pipeline: str, conf: Mapping[str, JsonValue]) -> DagRun:
    """Trigger a run. A paused DAG would never start it, so it is refused.

    :raises AirflowDownError: when Airflow does not answer, or the DAG is paused.
    """
    _refuse_paused(api, pipeline)
    return api.trigger(pipeline, conf)


def run_through_airflow(settings: AirflowSettings, pipeline: str, conf: Mapping[str, JsonValue], wait: bool) -> DagRun:
    """Start a run, and wait for its end where that is wanted. :raises AirflowDownError: as ``start_run``."""
    api = open_airflow(settings)
    try:
        started = start_run(api, pipeline, conf)
        return wait_for_run(api, started) if wait else started
    finally:
        api.close()


def clear_run(api: AirflowApi, dag_id: str, run_id: str, task_ids: Sequence[str]) -> int:
    """Clear tasks of a run with everything downstream, or what failed in it where none is named; returns how many.

    :raises AirflowDownError: when Airflow does not answer, or the DAG is paused.
    """
    _refuse_paused(api, dag_id)
    return api.clear(dag_id, run_id, task_ids)


def _refuse_paused(api: AirflowApi, pipeline: str) -> None:
    state = api.dag(pipeline)
    if state is not None and state.is_paused:
        remedy = f"Unpause {pipeline} in Airflow, then run again."
        raise AirflowDownError(f"The DAG {pipeline} is paused; a run of it would wait for ever.", remedy=remedy)


def wait_for_run(
    api: AirflowApi, run: DagRun, progress: Progress = lambda *_: None, timeout_seconds: float = 3600.0
) -> DagRun:
    """Look every half second until the run has ended, telling ``progress`` what its tasks do.

    :raises AirflowDownError: when it has not ended in time, or is gone.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        found = patiently(lambda: api.run(run.dag_id, run.run_id))
        if found is None:
            raise AirflowDownError(f"The run {run.run_id} of {run.dag_id} is gone: somebody deleted it.")
        progress(found, patiently(lambda: api.tasks(run.dag_id, run.run_id)))
        if found.ended:
            return found
        if time.monotonic() > deadline:
            raise AirflowDownError(f"The run {run.run_id} of {run.dag_id} did not end in {timeout_seconds:.0f} s.")
        time.sleep(LOOK_EVERY_SECONDS)


def patiently(ask: Callable[[], Answer], patience_seconds: float = PATIENCE_SECONDS) -> Answer:
    """What Airflow answers. A server that is busy or restarting is asked again for a while: a look changes nothing.

    :raises AirflowDownError: when it has not answered in all that time.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return ask()
        except AirflowDownError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_EVERY_SECONDS)


def demand_green(run: DagRun) -> None:
    """:raises RunNotGreenError: when the run ended red."""
    if run.state != "success":
        raise RunNotGreenError(
            f"The run {run.run_id} of {run.dag_id} ended as {run.state}.",
            remedy="`headwater incidents` says what is wrong and what to do.",
            facts={"pipeline": run.dag_id, "run_id": run.run_id},
        )
