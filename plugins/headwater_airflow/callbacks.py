"""What happens when a task has failed for good: an incident is opened and one quick send is tried.

Airflow gives callbacks 20 seconds after the task's end and swallows what they raise. So the failure is only
inserted; what could not be sent is sent by the watchdog, which also finds runs whose callback never ran because
the process was killed.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import conf as airflow_conf

from headwater.domain.errors import HeadwaterError
from headwater.domain.names import pipeline_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headwater.domain.incident import Incident
    from headwater.domain.spec import PipelineSpec
    from headwater.services.incidents.failure import FailureContext

BUDGET_SECONDS = 14.0
"""Below Airflow's 20 s (`task_success_overtime`), so that later callbacks still run."""
log = logging.getLogger(__name__)


def report_failure(context: Context) -> None:
    """Open or count up the incident of this failure. Never raises, and returns within ``BUDGET_SECONDS``."""
    worker = threading.Thread(target=_report, args=(context,), daemon=True, name="headwater-report-failure")
    worker.start()
    worker.join(BUDGET_SECONDS)
    if worker.is_alive():
        log.error("the incident was not sent within %s s; the watchdog reconciles this run", BUDGET_SECONDS)


def _report(context: Context) -> None:
    try:
        error: Any = context.get("exception")
        if _reported_already(error):
            return
        incident = open_incident(context, error)
    except Exception:
        log.exception("no incident could be opened; the watchdog reconciles this run")
    else:
        log.info("incident %s: %s", incident.id, incident.title)


def open_incident(context: Context, error: BaseException | None) -> Incident:
    """Record the failure a callback was called for, and try one quick send of its alerts.

    :raises HeadwaterError: when the profile or the run store cannot be read.
    """
    from headwater.services.incidents.failure import failure_from_exception
    from headwater_airflow.platform import open_task_platform

    repository = Path(context["dag"].fileloc).resolve().parent.parent
    platform = open_task_platform(repository)
    failure = failure_from_exception(error, failure_context(context))
    return platform.report(failure, _spec(repository, context))


def failure_context(context: Context) -> FailureContext:
    """Where the failure was seen, in the words of an incident."""
    from headwater.services.incidents.failure import FailureContext

    instance = context["ti"]
    pipeline = pipeline_of(instance.dag_id)
    base = airflow_conf.get("api", "base_url", fallback="").rstrip("/")
    return FailureContext(
        pipeline=pipeline,
        run_id=instance.run_id,
        task_id=instance.task_id,
        map_index=-1 if instance.map_index is None else instance.map_index,
        try_number=max(instance.try_number, 1),
        seen_at=datetime.now(UTC),
        log_url=getattr(instance, "log_url", None),
        run_url=f"{base}/dags/{instance.dag_id}/runs/{quote(instance.run_id, safe='')}" if base else None,
        dag_id=None if instance.dag_id == pipeline else instance.dag_id,
    )


def _spec(repository: Path, context: Context) -> PipelineSpec | None:
    """The pipeline's spec, or None when its file is the very thing that is broken."""
    from headwater.model.repository import load_pipeline

    file = getattr(context["task"], "file", None)
    if file is None:
        return None
    try:
        return load_pipeline(repository, repository / file, deep=False)
    except HeadwaterError as error:
        log.warning("the incident goes to the platform team, because the YAML cannot be read: %s", error)
        return None


def _reported_already(error: BaseException | None) -> bool:
    cause = error if isinstance(error, HeadwaterError) else getattr(error, "__cause__", None)
    return isinstance(cause, HeadwaterError) and cause.reported
