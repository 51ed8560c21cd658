"""Metrics of Airflow itself that panels and rules stand on; a test holds the names against Airflow's own list."""

from __future__ import annotations

from headwater.domain.metrics import Metric

IMPORT_ERRORS = Metric(
    name="dag_processing.import_errors", kind="gauge", labels=(), unit="files", help="DAG files that do not load.",
)  # fmt: skip
SCHEDULER_HEARTBEAT = Metric(
    name="scheduler_heartbeat", kind="counter", labels=(), unit="heartbeats", help="Signs of life of the scheduler.",
)  # fmt: skip
QUEUED_TASKS = Metric(
    name="executor.queued_tasks", kind="gauge", labels=(), unit="tasks", help="Tasks that wait for an executor's slot.",
)  # fmt: skip
STARVING_TASKS = Metric(
    name="scheduler.tasks.starving", kind="gauge", labels=(), unit="tasks", help="Tasks that wait for a pool's slot.",
)  # fmt: skip
AIRFLOW_METRICS = (IMPORT_ERRORS, SCHEDULER_HEARTBEAT, QUEUED_TASKS, STARVING_TASKS)
