"""The DAG that maintains tables: compaction, expiry, replaced tables, orphans, dead branches."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param, get_parsing_context
from airflow.sdk.definitions.param import ParamsDict

from headwater.domain.maintenance import STEPS
from headwater.domain.names import MAINTENANCE
from headwater_airflow.dag_factory.defaults import START_DATE, starts_paused, task_defaults
from headwater_airflow.operators.maintaining import (
    MaintainTablesOperator,
    PlanMaintenanceOperator,
    SweepLeftoversOperator,
)

SCHEDULE = "HEADWATER_MAINTENANCE_SCHEDULE"
DEFAULT_SCHEDULE = "15 3 * * *"
_DOCUMENT = """
Keeps tables small and quick, beside running pipelines: drops branches of dead attempts and tables that others took the
place of, brings small files together, expires snapshots, removes orphans, sweeps what killed processes left.

- Nothing goes that a release within the retention, a run, a held table or a consumer needs (`maintenance` in the
  environment profile).
- A run takes a table over from it at once, and it leaves tables that a run holds. Where much has piled up behind runs
  that leave no gap, a run waits for at most one turn (`maintenance.turn`, two minutes).
- Killed at any instant, everything stays readable; the next run goes on from there.

The same by hand: `headwater maintain`; what it would do: `headwater maintain --dry-run`.
"""


def register_maintenance(module: dict[str, object]) -> None:
    """Put the DAG into the calling module.

    :raises ValueError: when the environment names a schedule that is none.
    """
    if get_parsing_context().dag_id in {None, MAINTENANCE}:
        module[MAINTENANCE] = _maintenance()


def _maintenance() -> DAG:
    with DAG(
        dag_id=MAINTENANCE,
        description="Keeps tables small and quick, and lets go of what nothing needs.",
        doc_md=_DOCUMENT,
        schedule=_schedule(),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        max_active_tasks=1,
        is_paused_upon_creation=starts_paused(),
        default_args=task_defaults("headwater") | {"execution_timeout": timedelta(hours=12)},
        tags=["operations", "headwater"],
    ) as dag:
        plan = PlanMaintenanceOperator(task_id="plan_maintenance")
        MaintainTablesOperator.partial(task_id="maintain", map_index_template="{{ task.shown }}").expand(
            tables=plan.output
        )
        SweepLeftoversOperator(task_id="sweep_leftovers")
    dag.params = ParamsDict(_form())  # only now: a task copies the params its DAG has
    dag.validate()  # type: ignore[no-untyped-call]  # what Airflow thinks of the schedule is met here
    return dag


def _schedule() -> CronTriggerTimetable | None:
    """By the clock in UTC; ``manual`` for none."""
    cron = os.environ.get(SCHEDULE) or DEFAULT_SCHEDULE
    return None if cron == "manual" else CronTriggerTimetable(cron, timezone="UTC")


def _form() -> dict[str, Param]:
    return {
        "tables": Param(
            [],
            type=["array", "null"],
            items={"type": "string"},
            title="Tables",
            description_md="Such as `bronze.flights.flights`, one a line. Empty: every table.",
        ),
        "steps": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "enum": list(STEPS)},
            examples=list(STEPS),
            uniqueItems=True,
            title="Steps",
            description_md="Empty: all; orphans of a table on its day of the week.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description_md="Only show in the logs what would be done. Nothing is changed.",
        ),
    }
