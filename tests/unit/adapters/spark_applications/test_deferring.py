"""The engine of tasks that leave their worker: it never waits, and goes on with the driver that was waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.adapters.spark_applications.test_engine import (
    AT,
    GONE,
    RUNNING,
    ScriptedCluster,
    exchange_of,
    job,
    result,
)

from headwater.adapters.spark_applications.applications import ApplicationState
from headwater.adapters.spark_applications.deferring import DeferringEngine
from headwater.adapters.spark_applications.exchange import Claim, job_key
from headwater.domain.engine_errors import DriverAtWork, EngineRefusedError, StageRunningError
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

STARTING = ApplicationState("starting")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    catalog = CatalogSettings(uri="x", jdbc_uri="y", warehouse=(tmp_path / "warehouse").as_uri())
    spark = SparkSettings(jars="j", mode="submit", start_timeout=timedelta(minutes=1), job_timeout=timedelta(hours=1))
    return Settings(home="h", repository="r", run_store="x", catalog=catalog, spark=spark)


def left(settings: Settings, cluster: ScriptedCluster, asked: JobSpec, waited_for: str | None = None) -> DriverAtWork:
    """What a task leaves its worker for."""
    with pytest.raises(StageRunningError) as raised:
        DeferringEngine(settings, cluster, waited_for=waited_for).run(asked)
    assert raised.value.driver is not None
    return raised.value.driver


def answered(settings: Settings, asked: JobSpec) -> None:
    exchange_of(settings, asked).answer(asked.attempt, result(asked))


def test_a_task_leaves_as_soon_as_its_driver_is_started_and_comes_back_for_the_answer(settings: Settings) -> None:
    cluster, first, again = ScriptedCluster([STARTING, RUNNING], answers=False), job(), job()
    driver = left(settings, cluster, first)
    assert (driver.attempt, driver.application, driver.run_key) == (first.attempt, {"name": first.attempt}, "i/shop/r")
    assert driver.until - driver.starts_by == timedelta(minutes=59)
    assert (cluster.started, cluster.stopped) == ([first.attempt], []), "nobody stops what works"
    assert left(settings, cluster, again, first.attempt) == driver, "woken too early, it waits on"

    answered(settings, first)
    assert DeferringEngine(settings, cluster, waited_for=first.attempt).run(again) == result(first)
    assert cluster.started == [first.attempt]
    assert exchange_of(settings, first).claim() is None


@pytest.mark.parametrize("state", [GONE, ApplicationState("ended", "OOMKilled")])
def test_a_driver_that_ended_without_an_answer_fails_the_try_that_waited_and_the_next_begins_anew(
    settings: Settings, state: ApplicationState
) -> None:
    """Rule 2: a try that has failed is never begun again in itself, or it would never end."""
    cluster, first, retry = ScriptedCluster([RUNNING, state, RUNNING], answers=False), job(), job()
    left(settings, cluster, first)
    with pytest.raises(EngineError, match="driver"):
        DeferringEngine(settings, cluster, waited_for=first.attempt).run(job())
    assert cluster.started == [first.attempt]
    assert left(settings, cluster, retry).attempt == retry.attempt


@pytest.mark.parametrize("successor", [None, "another"])
def test_a_claim_that_was_taken_back_or_over_meanwhile_fails_the_try(settings: Settings, successor: str | None) -> None:
    cluster, first = ScriptedCluster([RUNNING], answers=False), job()
    left(settings, cluster, first)
    exchange = exchange_of(settings, first)
    exchange.forget()
    if successor is not None:
        exchange.write_claim(Claim(attempt=successor, since=AT))
    with pytest.raises(EngineError, match="lost"):
        DeferringEngine(settings, cluster, waited_for=first.attempt).run(job())
    assert len(cluster.started) == 1
    claim = exchange.claim()
    assert (claim.attempt if claim else None) == successor, "what another one claims is theirs"


def test_a_retry_of_a_killed_task_follows_its_driver_without_waiting(settings: Settings) -> None:
    cluster, first, retry = ScriptedCluster([RUNNING], answers=False), job(), job()
    left(settings, cluster, first)
    assert left(settings, cluster, retry).attempt == first.attempt
    answered(settings, first)
    assert DeferringEngine(settings, cluster).run(retry) == result(first)


def test_an_answer_on_another_base_is_thrown_away_and_the_work_begun_anew(settings: Settings) -> None:
    cluster, first, again = ScriptedCluster([RUNNING], answers=False), job(), job(base=9)
    left(settings, cluster, first)
    answered(settings, first)
    assert left(settings, cluster, again, first.attempt).attempt == again.attempt


def test_only_the_first_job_of_a_stage_was_waited_for(settings: Settings) -> None:
    """Gold that reads other gold is built by a job of its own after it."""
    cluster, first, second = ScriptedCluster([RUNNING], answers=False), job(), job(sql="SELECT 2 AS k")
    left(settings, cluster, first)
    answered(settings, first)
    engine = DeferringEngine(settings, cluster, waited_for=first.attempt)
    engine.run(first)
    with pytest.raises(StageRunningError):
        engine.run(second)
    assert cluster.started == [first.attempt, second.attempt]


@pytest.mark.parametrize(("state", "age"), [(STARTING, timedelta(minutes=2)), (RUNNING, timedelta(hours=2))])
def test_time_is_counted_from_the_claim_and_what_is_late_is_stopped(
    settings: Settings, state: ApplicationState, age: timedelta
) -> None:
    cluster, first = ScriptedCluster([state], answers=False), job()
    exchange = exchange_of(settings, first)
    exchange.place(first)
    since = datetime.now(UTC) - age
    exchange.write_claim(Claim(attempt=first.attempt, since=since, application={"name": first.attempt}))
    with pytest.raises(EngineError, match=r"did not start|was stopped"):
        DeferringEngine(settings, cluster, waited_for=first.attempt).run(job())
    assert (cluster.stopped, exchange.claim()) == ([first.attempt], None)


def test_a_cluster_that_does_not_answer_for_a_moment_is_waited_for_and_one_that_refuses_is_not(
    settings: Settings,
) -> None:
    away, refused, asked = EngineError("away"), EngineRefusedError("no rights"), job()
    cluster = ScriptedCluster([away, refused], answers=False)
    left(settings, cluster, asked)
    with pytest.raises(EngineRefusedError):
        DeferringEngine(settings, cluster, waited_for=asked.attempt).run(job())


def test_fixtures_are_the_same_work_whenever_they_are_tried() -> None:
    """Before there is a plan each try has its own clock; a task that comes back must find what it left."""
    made = [
        JobSpec(kind="preflight", run_key="i/shop/r", pipeline="shop", attempt=name, planned_at=at)
        for name, at in (("a", AT), ("b", AT + timedelta(hours=1)))
    ]
    assert job_key(made[0]) == job_key(made[1])
    assert job_key(job()) != job_key(job().model_copy(update={"planned_at": AT + timedelta(hours=1)}))
