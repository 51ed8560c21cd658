"""What rules and dashboards ask for is what a serving demo sends."""

from __future__ import annotations

import time

import pytest
from tests.demo.served_demo import Demo

from headwater.adapters.monitoring.airflow_metrics import AIRFLOW_METRICS
from headwater.domain.metrics import METRICS, PREFIX, TABLE_HELD

pytestmark = pytest.mark.timeout(1500)


def test_every_metric_that_is_asked_for_arrives(demo: Demo) -> None:
    # a table is held only by the tests that break something
    asked = {f"{PREFIX}.{metric.name}" for metric in (*METRICS, *AIRFLOW_METRICS) if metric is not TABLE_HELD}
    deadline = time.monotonic() + 180  # the watchdog passes every minute
    while missing := asked - demo.metrics.names:
        assert time.monotonic() < deadline, missing
        time.sleep(1)
