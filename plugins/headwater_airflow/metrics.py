"""Sends Headwater's metrics the way Airflow sends its own: StatsD or OpenTelemetry, whatever ``[metrics]`` says."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

from airflow.sdk.exceptions import DownstreamTasksSkipped, TaskDeferred
from airflow.sdk.observability import stats

from headwater.domain import metrics
from headwater.domain.incident import IncidentKind

if TYPE_CHECKING:
    from headwater.domain.metrics import Metric
    from headwater.services.incidents.desk import IncidentDesk
    from headwater.services.incidents.watchdog import WatchdogReport
    from headwater.services.report import StageReport

_MOST = 1000
"""Open incidents that are counted."""


@contextmanager
def measured_stage(pipeline: str, stage: str) -> Iterator[None]:
    """Tell how long the block worked and how it ended; a block that defers its task has not ended."""
    started = time.monotonic()
    outcome = "failed"
    try:
        yield
        outcome = "green"
    except DownstreamTasksSkipped:
        outcome = "green"
        raise
    except TaskDeferred:
        outcome = "waits"
        raise
    finally:
        if outcome != "waits":
            _time(metrics.STAGE_DURATION, time.monotonic() - started, pipeline=pipeline, stage=stage)
            _count(metrics.STAGE_FINISHED, 1, pipeline=pipeline, stage=stage, outcome=outcome)


def tell_report(pipeline: str, report: StageReport) -> None:
    """Tell what a green stage did, table by table."""
    place = {"pipeline": pipeline, "stage": report.stage}
    for outcome in report.outcomes:
        _count(metrics.TABLE_ROWS, outcome.rows, **place, table=outcome.table)
        _time(metrics.TABLE_DURATION, outcome.seconds, **place, table=outcome.table)
    for table in report.held:
        _count(metrics.TABLE_HELD, 1, **place, table=table)
    if report.release is not None:
        _count(metrics.RELEASED, 1, **place)


def tell_watchdog(desk: IncidentDesk, report: WatchdogReport) -> None:
    """Tell what a pass of the watchdog found: ages, what is open, and that it lives."""
    from headwater.services.incidents.freshness import layer_ages

    for age in layer_ages(desk):
        place = {"pipeline": age.pipeline, "layer": age.layer.value}
        _gauge(metrics.RELEASE_AGE, age.age.total_seconds(), **place)
        _gauge(metrics.RELEASE_AGE_ALLOWED, age.allowed.total_seconds(), **place)
    kinds = Counter(incident.kind for incident in desk.store.list(status="open", limit=_MOST))
    for kind in get_args(IncidentKind):
        # also none: a gauge keeps its last value until it gets another
        _gauge(metrics.INCIDENTS_OPEN, kinds[kind], kind=kind)
    _count(metrics.ALERTS_SENT, report.sent, result="sent")
    _count(metrics.ALERTS_SENT, report.postponed, result="postponed")
    answers = report.airflow if report.airflow in {"answers", "not asked"} else "silent"
    _count(metrics.WATCHDOG_PASSES, 1, airflow=answers.replace(" ", "_"))


def _count(metric: Metric, value: int, **labels: str) -> None:
    stats.incr(metric.name, value, tags=metric.tags(labels))


def _gauge(metric: Metric, value: float, **labels: str) -> None:
    stats.gauge(metric.name, value, tags=metric.tags(labels))


def _time(metric: Metric, seconds: float, **labels: str) -> None:
    stats.timing(metric.name, 1000 * seconds, tags=metric.tags(labels))
