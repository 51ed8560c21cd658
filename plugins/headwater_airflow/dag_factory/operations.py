"""The DAGs Headwater brings itself."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, get_parsing_context

from headwater.domain.names import OFFLOAD
from headwater_airflow.dag_factory.defaults import START_DATE, starts_paused, task_defaults
from headwater_airflow.dag_factory.offloading import build_offload_dag
from headwater_airflow.operators.watchdog import WatchRunsOperator

WATCHDOG = "headwater_watchdog"
_DOCUMENT = """
Every minute: finds failed, killed, stuck and late runs that no callback told about, judges freshness, closes
incidents that recovered, and sends alerts that could not be sent.

It cannot notice that Airflow itself is down: run `headwater watchdog` from outside Airflow for that.

A failed run of this DAG needs nothing while the next one is green.
"""


def register_operations(module: dict[str, object]) -> None:
    """Put Headwater's own DAGs into the calling module."""
    wanted = get_parsing_context().dag_id
    if wanted in {None, WATCHDOG}:
        module[WATCHDOG] = _watchdog()
    if wanted in {None, OFFLOAD}:
        module[OFFLOAD] = build_offload_dag()


def _watchdog() -> DAG:
    defaults = task_defaults("headwater") | {"retries": 0, "execution_timeout": timedelta(minutes=2)}
    with DAG(
        dag_id=WATCHDOG,
        description="Finds what nobody told, and sends what waits.",
        doc_md=_DOCUMENT,
        schedule=timedelta(minutes=1),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=starts_paused(),
        default_args=defaults,
        tags=["operations", "headwater"],
    ) as dag:
        WatchRunsOperator(task_id="watch_runs")
    return dag
