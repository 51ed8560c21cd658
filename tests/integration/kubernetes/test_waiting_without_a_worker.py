"""A stage's task leaves its worker to its driver, the triggerer waits and keeps the leases, and the task comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from tests.integration.kubernetes.api_server import Cluster

from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.platform import LocalPlatform
from headwater.adapters.spark_applications.exchange import Exchange, job_key
from headwater.domain.engine_errors import DriverAtWork
from headwater.domain.errors import EngineError
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.names import TableName
from headwater.domain.settings import Settings
from headwater.domain.staging import new_attempt
from headwater_airflow.hooks.spark_applications import KubernetesApplications
from headwater_airflow.operators import base
from headwater_airflow.operators.base import Stage, StageOperator
from headwater_airflow.triggers import driver as module
from headwater_airflow.triggers.driver import DriverTrigger

TABLE = TableName.parse("gold.shop.sales")
KEY = "i/shop/r"
CONTEXT: Any = SimpleNamespace()
"""Of Airflow; what opens the platform here asks nothing of it."""


class RunsFixtures(StageOperator):
    """A stage of one Spark job."""

    def run_stage(self, stage: Stage) -> str:
        asked = JobSpec(
            kind="preflight", run_key=KEY, pipeline="shop", attempt=new_attempt(), planned_at=datetime.now(UTC)
        )
        return stage.platform.engine.run(asked).attempt


@pytest.fixture
def patient(settings: Settings) -> Settings:
    spark = settings.spark.model_copy(update={"start_timeout": timedelta(minutes=5)})
    return settings.model_copy(update={"spark": spark, "lease_ttl": timedelta(seconds=0.3)})


@pytest.fixture
def runs(patient: Settings, monkeypatch: pytest.MonkeyPatch) -> MemoryRunStore:
    """The platform of task and triggerer, but for Postgres."""
    store = MemoryRunStore()

    def opened(*_: object) -> LocalPlatform:
        platform = LocalPlatform(patient, applications=lambda mine: KubernetesApplications(mine.settings))
        vars(platform)["runs"] = store
        return platform

    monkeypatch.setattr(module, "open_task_platform", opened)

    def stage_of(self: StageOperator, _: object, waited_for: str | None = None) -> Any:
        platform = opened()
        platform.defer_stages(waited_for)
        return SimpleNamespace(platform=platform)

    monkeypatch.setattr(base.StageOperator, "open", stage_of)
    vars(store)["close"] = lambda: None
    return store


def operator() -> RunsFixtures:
    return RunsFixtures(task_id="preflight", file="f", pipeline="shop")


def deferred(work: Callable[[], object]) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as raised:
        work()
    return raised.value


def fired(trigger: Any, meanwhile: Callable[[], None] = lambda: None) -> list[Any]:
    """What a trigger says, made again from what is kept of it, with something that happens after a while."""
    _, arguments = trigger.serialize()
    again = DriverTrigger(driver=arguments["driver"], poll_seconds=0.02)

    async def collect() -> list[Any]:
        async def later() -> None:
            await asyncio.sleep(0.5)
            meanwhile()

        waiting = asyncio.create_task(later())
        found = [event.payload async for event in again.run()]
        await waiting
        return found

    return asyncio.run(collect())


def answer(settings: Settings, driver: DriverAtWork) -> None:
    """What a driver does."""
    asked = JobSpec(kind="preflight", run_key=KEY, pipeline="shop", attempt="x", planned_at=datetime.now(UTC))
    exchange = Exchange.of(f"{settings.catalog.warehouse}/jobs", job_key(asked))
    result = JobResult(kind="preflight", run_key=KEY, attempt=driver.attempt, tables=(), seconds=1)
    exchange.answer(driver.attempt, result)


def test_a_task_leaves_waits_and_comes_back_for_the_answer(
    cluster: Cluster, patient: Settings, runs: MemoryRunStore
) -> None:
    """Rule 23: the leases are renewed while nobody works, although their time to live passes twice."""
    cluster.states = [{"state": "SUBMITTED"}, {"state": "RUNNING"}]
    runs.acquire([TABLE], KEY, "h", 0.3)
    left = deferred(lambda: operator().execute(CONTEXT))
    assert isinstance(left.trigger, DriverTrigger)
    driver = DriverAtWork.model_validate(left.trigger.driver)
    assert (left.method_name, left.kwargs) == ("execute_after_driver", {"attempt": driver.attempt})

    def end() -> None:
        (lease,) = runs.leases()
        assert lease.expires_at > datetime.now(UTC)
        answer(patient, driver)
        cluster.states = [{"state": "COMPLETED"}]

    (event,) = fired(left.trigger, end)
    assert "has ended" in event["said"]
    assert operator().execute_after_driver(CONTEXT, event, attempt=driver.attempt) == driver.attempt
    assert len(cluster.made) == 1
    assert cluster.deleted == []


def test_a_driver_that_died_fails_the_try_and_no_other_is_begun_in_it(cluster: Cluster, runs: MemoryRunStore) -> None:
    left = deferred(lambda: operator().execute(CONTEXT))

    def die() -> None:
        cluster.states = [{"state": "FAILED", "errorMessage": "OOMKilled"}]

    fired(left.trigger, die)
    with pytest.raises(EngineError, match="ended without an answer"):
        operator().execute_after_driver(CONTEXT, None, attempt=str((left.kwargs or {})["attempt"]))
    assert len(cluster.made) == 1
    assert runs.leases() == ()


def test_a_driver_that_does_not_start_is_given_up_in_time(cluster: Cluster, runs: MemoryRunStore) -> None:
    cluster.states = [{"state": "SUBMITTED"}]
    left = deferred(lambda: operator().execute(CONTEXT))
    trigger: Any = left.trigger
    trigger.driver["starts_by"] = datetime.now(UTC).isoformat()
    assert "time is up" in fired(trigger)[0]["said"]
    cluster.states = [{"state": "RUNNING"}]

    def end() -> None:
        cluster.states = [{"state": "COMPLETED"}]

    assert "has ended" in fired(trigger, end)[0]["said"], "one that has started may work on"
    assert runs.leases() == ()


def test_a_task_that_somebody_fails_or_clears_while_it_waits_takes_its_driver_with_it(
    cluster: Cluster, runs: MemoryRunStore
) -> None:
    left = deferred(lambda: operator().execute(CONTEXT))
    asyncio.run(left.trigger.on_kill())
    assert cluster.deleted == cluster.made != []
    again = deferred(lambda: operator().execute(CONTEXT))
    assert again.kwargs != left.kwargs, "a cleared task begins anew"
    assert runs.leases() == ()


def test_an_api_server_that_does_not_answer_is_asked_again_and_one_that_refuses_is_told_of(
    cluster: Cluster, runs: MemoryRunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = deferred(lambda: operator().execute(CONTEXT))
    cluster.cut = 8

    def end() -> None:
        cluster.states = [{"state": "COMPLETED"}]

    assert "has ended" in fired(left.trigger, end)[0]["said"]
    monkeypatch.setattr(module, "BLIND_SECONDS", 0.0)
    cluster.cut = 1000
    assert "does not answer" in fired(left.trigger)[0]["said"]
    assert runs.leases() == ()


def test_a_profile_may_keep_tasks_in_their_workers(patient: Settings) -> None:
    place = patient.spark.kubernetes
    assert place is not None
    kept = patient.model_copy(
        update={
            "spark": patient.spark.model_copy(update={"kubernetes": place.model_copy(update={"deferrable": False})})
        }
    )
    for settings, expected in ((patient, "DeferringEngine"), (kept, "ApplicationEngine")):
        platform = LocalPlatform(settings, applications=lambda mine: KubernetesApplications(mine.settings))
        platform.defer_stages()
        assert type(platform.engine).__name__ == expected
