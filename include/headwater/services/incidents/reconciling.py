"""Finds in Airflow what no callback told: killed tasks, runs that were ended from outside, runs that do not end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from headwater.domain.incident import Failure, IncidentKind
from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.names import MAINTENANCE, OFFLOAD, RECONCILE_SUFFIX, pipeline_of
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.ports.airflow_api import AirflowApi, DagRun, TaskRun
from headwater.services.incidents.context import task_of
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.failure import FailureContext, failure

LOOK_BACK = timedelta(days=2)
STUCK_AFTER = timedelta(hours=2)
SETTLING = timedelta(minutes=1)
"""A callback gets this long to speak first; it runs after the state is already failed."""
STUCK_KIND: IncidentKind = "notice"
"""Not ``failed``: the same try may still fail, and that is news of its own."""
KILLED: Mapping[str, str] = {MAINTENANCE: MaintenanceError.code, OFFLOAD: "offload_killed"}
"""DAG -> cause of its killed tasks, where none is cleared like a run of the chain: runbooks of their own."""
_LOOKED_AT = ("failed", "running", "queued")
CLOSING_TASK = "close_run"
"""Ends red whenever anything else did; never news of its own."""


def reconcile(desk: IncidentDesk, airflow: AirflowApi, spec: PipelineSpec) -> int:
    """Report what went wrong in recent runs of a pipeline and was not told yet; returns how many failures were new.

    :raises AirflowDownError: when Airflow does not answer.
    """
    return reconcile_dags(desk, airflow, _dag_ids(spec))


def reconcile_dags(desk: IncidentDesk, airflow: AirflowApi, dag_ids: Sequence[str]) -> int:
    """The same for DAGs by their ids. :raises AirflowDownError: when Airflow does not answer."""
    now = desk.clock.now()
    new = 0
    for run in (run for dag_id in dag_ids for run in airflow.runs(dag_id, states=_LOOKED_AT)):
        if run.state == "failed":
            recent = run.ended_at is not None and SETTLING < now - run.ended_at < LOOK_BACK
            found = _untold(desk, run, airflow.tasks(run.dag_id, run.run_id), now) if recent else []
        elif run.dag_id == OFFLOAD:
            found = []  # ten years of a table take their time, and whoever asked looks at it
        else:
            found = _stuck(run, airflow.tasks(run.dag_id, run.run_id), now)
        new += sum(desk.report(item)[1] for item in found)
    return new


def _dag_ids(spec: PipelineSpec) -> tuple[str, ...]:
    """The DAGs that work for a pipeline."""
    compared = isinstance(spec, SourceSpec) and spec.reconcile is not None
    return (spec.name, f"{spec.name}{RECONCILE_SUFFIX}") if compared else (spec.name,)


def _untold(desk: IncidentDesk, run: DagRun, tasks: tuple[TaskRun, ...], now: datetime) -> list[Failure]:
    seen = desk.store.failures_seen(pipeline_of(run.dag_id), run.run_id)
    told = [item for item in seen if item.kind != STUCK_KIND]
    tries = {(item.task_id, item.map_index): item.try_number for item in sorted(told, key=lambda item: item.try_number)}
    held_in = {task_of(item) for item in told if item.task_id != task_of(item)}
    failed = [task for task in tasks if task.state == "failed" and task.task_id != CLOSING_TASK]
    untold = [
        task
        for task in failed
        if task.task_id not in held_in and tries.get((task.task_id, task.map_index), 0) < max(task.try_number, 1)
    ]
    if failed or told:
        return [
            failure(_context(run, task, now), KILLED.get(run.dag_id, "task_killed"), _killed(task), _dag(run))
            for task in untold
        ]
    closing = next((task for task in tasks if task.task_id == CLOSING_TASK), TaskRun(task_id="the run"))
    message = "the run was ended from outside: a time limit, or a person who marked it failed"
    return [failure(_context(run, closing, now), KILLED.get(run.dag_id, "task_killed"), message, _dag(run))]


def _stuck(run: DagRun, tasks: tuple[TaskRun, ...], now: datetime) -> list[Failure]:
    found = []
    for task in tasks:
        began = task.queued_at if task.state == "queued" else task.started_at
        if task.state in {"queued", "running"} and began is not None and now - began > STUCK_AFTER:
            lasted = f"{(now - began).total_seconds() / 3600:.1f} h"
            facts = {"state": str(task.state), "duration": lasted} | _dag(run)
            message = f"{task.task_id} has been {task.state} for {lasted}"
            found.append(failure(_context(run, task, now, STUCK_KIND), "run_stuck", message, facts))
    waiting = run.queued_at or run.started_at
    if run.state == "queued" and waiting is not None and now - waiting > STUCK_AFTER and not found:
        lasted = f"{(now - waiting).total_seconds() / 3600:.1f} h"
        context = _context(run, TaskRun(task_id="the run"), now, STUCK_KIND)
        facts = {"duration": lasted, "state": "queued"} | _dag(run)
        found.append(failure(context, "run_stuck", f"the run has been queued for {lasted}", facts))
    return found


def _dag(run: DagRun) -> dict[str, str]:
    """What a run beside the chain did, and its DAG for links, where it is not the pipeline's own."""
    if run.dag_id == MAINTENANCE:
        return {"maintained": "the tables"}
    pipeline = pipeline_of(run.dag_id)
    return {} if pipeline == run.dag_id else {"dag_id": run.dag_id, "compared": pipeline}


def _context(run: DagRun, task: TaskRun, now: datetime, kind: IncidentKind = "failed") -> FailureContext:
    return FailureContext(
        kind=kind,
        pipeline=pipeline_of(run.dag_id),
        run_id=run.run_id,
        task_id=task.task_id,
        map_index=task.map_index,
        try_number=max(task.try_number, 1),
        seen_at=task.ended_at or run.ended_at or now,
    )


def _killed(task: TaskRun) -> str:
    which = task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"
    return f"{which} failed without a word: its process was killed, or a person marked it failed"
