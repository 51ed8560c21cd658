"""A stage of the spine in pods: the operator's driver and its executors really run, with our image and our rights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.node.paused_jobs import PausedJob
from tests.spark.engines.test_engines import branches

from headwater.adapters.spark_applications.deferring import DeferringEngine
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.domain.engine_errors import StageRunningError
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.names import Layer
from headwater.domain.settings import Settings

COLUMNS = "k bigint, v string, u timestamp"
ROWS = [f"{k}, 'v{k}', TIMESTAMP '2026-01-05 00:00:00Z'" for k in range(20)]
SPARK = "headwater-spark"
Pausing = Callable[[JobSpec, str], PausedJob]


def pods(cluster: Cluster, role: str, job: JobSpec) -> list[dict[str, Any]]:
    """Of the job's attempt."""
    chosen = f"--selector=spark-role={role},headwater.io/attempt={job.attempt}"
    found = json.loads(cluster.kubectl("get", "pods", f"--namespace={SPARK}", chosen, "--output=json"))
    return list(found["items"])


def refine_job(lake: Any) -> JobSpec:
    source = lake.bronze(1, COLUMNS, ROWS)
    made: JobSpec = lake.job("refine", 1, refine=(lake.refine_spec(lake.spec("upsert"), source),))
    return made


def test_a_stage_done_by_pods_is_answered_and_published(
    lake: Any, engine: ApplicationEngine, cluster: Cluster, in_pods: Settings
) -> None:
    job = refine_job(lake)
    answer = engine.run(job)
    assert answer.attempt == job.attempt
    assert answer.tables[0].status == "staged", answer.tables[0].error
    silver = lake.name(Layer.SILVER)
    assert branches(lake, silver) == {f"hw_{job.attempt}"}
    lake.publish(answer.tables[0].staged)
    assert [row.k for row in lake.rows(silver, order="k")] == list(range(20))
    (driver,) = pods(cluster, "driver", job)
    assert driver["spec"]["nodeName"] == "node"
    assert driver["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "200m", "as `conf` of the profile asks"
    events = "".join(path.read_text() for path in (Path(in_pods.home) / "events").rglob("events_*"))
    assert "SparkListenerExecutorAdded" in events


def test_a_task_leaves_its_driver_and_another_try_takes_the_answer(
    lake: Any, deferring_engine: DeferringEngine, engine: ApplicationEngine, cluster: Cluster
) -> None:
    """Rule 2. As tasks that are deferred do, or as a retry after the first try's pod was evicted."""
    first = refine_job(lake)
    with pytest.raises(StageRunningError) as left:
        deferring_engine.run(first)
    assert left.value.driver is not None
    assert left.value.driver.attempt == first.attempt
    retry = first.model_copy(update={"attempt": uuid4().hex})
    answer = engine.run(retry)
    assert answer.attempt == first.attempt
    assert answer.tables[0].status == "staged", answer.tables[0].error
    assert pods(cluster, "driver", retry) == []


def test_a_lost_executor_is_replaced_and_the_stage_answers(lake: Any, paused_job: Pausing, cluster: Cluster) -> None:
    job = refine_job(lake)
    waiting = paused_job(job, "refine.before_write")
    (lost,) = pods(cluster, "executor", job)
    cluster.kubectl("delete", "pod", lost["metadata"]["name"], f"--namespace={SPARK}", "--grace-period=0", "--force")
    waiting.go_on()
    answer = waiting.answer()
    assert answer.tables[0].status == "staged", answer.tables[0].error
    lake.publish(answer.tables[0].staged)
    assert len(lake.rows(lake.name(Layer.SILVER))) == len(ROWS)


def test_a_drivers_pod_that_is_deleted_is_an_error_and_the_next_try_answers(
    lake: Any, paused_job: Pausing, engine: ApplicationEngine, cluster: Cluster
) -> None:
    """Rules 2, 10."""
    dead = refine_job(lake)
    waiting = paused_job(dead, "refine.before_write")
    (driver,) = pods(cluster, "driver", dead)
    cluster.kubectl("delete", "pod", driver["metadata"]["name"], f"--namespace={SPARK}", "--grace-period=0", "--force")
    with pytest.raises(EngineError, match="driver") as raised:
        waiting.answer()
    assert raised.value.retry_helps
    job = dead.model_copy(update={"attempt": uuid4().hex})
    answer = engine.run(job)
    assert answer.attempt == job.attempt
    assert answer.tables[0].status == "staged", answer.tables[0].error


def test_a_driver_that_dies_is_said_with_its_exit_status(lake: Any, paused_job: Pausing, cluster: Cluster) -> None:
    waiting = paused_job(refine_job(lake), "refine.before_write")
    waiting.kill()
    with pytest.raises(EngineError, match="ended without an answer") as raised:
        waiting.answer()
    assert raised.value.facts["state"] == "FAILED"
    assert raised.value.facts["exit_status"] == "137"
