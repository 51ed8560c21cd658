"""The watchdog as a task."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater_airflow.metrics import tell_watchdog
from headwater_airflow.operators.failing import airflow_errors
from headwater_airflow.platform import open_task_platform

if TYPE_CHECKING:
    from airflow.sdk import Context


class WatchRunsOperator(BaseOperator):
    """One pass of the watchdog: find failures nobody told, judge freshness, close what healed, send what waits."""

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's form
        """Make one pass and return its numbers."""
        from headwater.adapters.airflow_rest import RestAirflowApi
        from headwater.services.incidents.watchdog import run_watchdog

        with airflow_errors():
            platform = open_task_platform(Path(self.dag.fileloc).resolve().parent.parent)
            settings = platform.settings.airflow
            with ExitStack() as opened:
                airflow = None
                if settings.base_url is not None:
                    airflow = opened.enter_context(closing(RestAirflowApi(settings)))
                desk = platform.desk()
                errors = platform.model.repository.errors
                report = run_watchdog(desk, airflow, platform.notifiers, refused=errors, own_dag=self.dag_id)
                tell_watchdog(desk, report)
        self.log.info("%s", report)
        return report.model_dump(mode="json")
