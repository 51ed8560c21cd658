"""Stages on a real YARN: what it kills, what it has no room for, and drivers that outlive every worker."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psutil
import pytest
from tests.spark.engines.conftest import ArmedDrivers, Mode
from tests.spark.engines.standalone_cluster import arguments_of
from tests.spark.engines.test_engines import GOOD, branches, gold_job
from tests.spark.engines.test_rendered_application import KEY, MASKING
from tests.spark.engines.test_submit import COLUMNS, ROWS, left_over, wait_for
from tests.spark.engines.waiting import waiting_for
from tests.spark.engines.yarn_cluster import Yarn

from headwater.adapters.connections.environment import EnvironmentConnections
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_applications.exchange import Exchange, exchange_location, job_key
from headwater.adapters.spark_submit.resource_manager import ResourceManager, YarnReport
from headwater.adapters.spark_submit.submitting import yarn_tag
from headwater.adapters.spark_submit.yarn_drivers import YarnDrivers
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.names import Layer
from headwater.domain.settings import Settings
from headwater.domain.spec import ColumnRule
from headwater.ports import failpoints

ENDLESS = "SELECT sum(id % 7) AS k FROM range(1000000000000000)"


def engine_of(settings: Settings, **limits: timedelta) -> ApplicationEngine:
    """A fresh engine, as a task of its own has it."""
    spark = settings.spark.model_copy(update=limits)
    known = settings.model_copy(update={"spark": spark})
    return ApplicationEngine(known, ArmedDrivers(known, ask_seconds=2), poll_seconds=0.2)


def at_work(attempt: str) -> list[psutil.Process]:
    """Processes of this machine that work for an attempt: spark-submit, drivers, in containers or not."""
    return [process for process in psutil.process_iter() if attempt in arguments_of(process)]


def has_begun(settings: Settings, job: JobSpec) -> bool:
    exchange = Exchange.of(exchange_location(settings), job_key(job))
    return exchange.has_begun(job.attempt) and bool((exchange.claim() or exchange).application)  # type: ignore[union-attr]


def report_of(yarn: Yarn, job: JobSpec) -> YarnReport:
    found = ResourceManager(yarn.java, yarn.conf).report(yarn_tag(job.attempt))
    assert found is not None
    return found


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_what_yarn_kills_is_told_and_may_be_run_again(
    lake: Any, yarn: Yarn, yarn_settings: Callable[[Mode], Settings], mode: Mode
) -> None:
    settings, job = yarn_settings(mode), gold_job(lake, g=ENDLESS)
    with waiting_for(engine_of(settings), job) as raised:
        wait_for(lambda: has_begun(settings, job))
        yarn.told("-kill", report_of(yarn, job).application_id)
    assert [(error.code, error.retry_helps) for error in raised] == [("engine_down", True)]
    if mode == "cluster":
        assert "KILLED" in str(raised[0].got)
    assert left_over(settings, job) == []
    assert wait_for(lambda: not at_work(job.attempt))


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_cancelled_job_leaves_nothing_on_yarn(
    lake: Any, yarn: Yarn, yarn_settings: Callable[[Mode], Settings], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Airflow asks of a task that is to end."""
    settings, job = yarn_settings(mode), gold_job(lake, g=GOOD)
    monkeypatch.setenv(failpoints.VARIABLE, "gold.before_write:hang")
    engine = engine_of(settings)
    with waiting_for(engine, job) as raised:
        wait_for(lambda: has_begun(settings, job))
        engine.cancel()
    assert [error.code for error in raised] == ["engine_down"]
    assert report_of(yarn, job).has_ended
    assert wait_for(lambda: not at_work(job.attempt))
    assert left_over(settings, job) == []


def test_a_retry_on_another_worker_follows_the_driver_in_its_container(
    lake: Any, yarn: Yarn, yarn_settings: Callable[[Mode], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed worker loses spark-submit with the task; its driver works on, and no second one begins."""
    settings, job = yarn_settings("cluster"), gold_job(lake, g=GOOD)
    monkeypatch.setenv(failpoints.VARIABLE, "gold.before_write:pause")
    with waiting_for(_left_alone(settings), job):
        python = wait_for(lambda: [at for at in at_work(job.attempt) if at.status() == psutil.STATUS_STOPPED])[0]
        lines = [arguments_of(process) for process in psutil.process_iter()]
        submitting = int(_application(settings, job)["pid"])
        os.kill(submitting, signal.SIGKILL)
    monkeypatch.delenv(failpoints.VARIABLE)
    monkeypatch.setattr("socket.gethostname", lambda: "another-worker")
    python.send_signal(signal.SIGCONT)
    retry = gold_job(lake, g=GOOD)

    answer = engine_of(settings).run(retry)

    assert answer.attempt == job.attempt != retry.attempt
    assert branches(lake, lake.name(Layer.GOLD, "g")) == {f"hw_{job.attempt}"}
    assert left_over(settings, job) == []
    password = settings.catalog.jdbc_password.get_secret_value()
    assert [line for line in lines if password in line] == []  # rule 42
    assert password not in yarn.logs()


def test_a_queue_without_room_is_not_waited_for_for_ever_and_a_driver_that_takes_too_long_is_stopped(
    lake: Any, yarn: Yarn, yarn_settings: Callable[[Mode], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, first, second = yarn_settings("cluster"), gold_job(lake, g=GOOD), gold_job(lake, h=GOOD)
    monkeypatch.setenv(failpoints.VARIABLE, "gold.before_write:hang")
    with waiting_for(engine_of(settings), first):
        wait_for(lambda: has_begun(settings, first))
        with pytest.raises(EngineError, match="did not start within") as raised:
            engine_of(settings, start_timeout=timedelta(seconds=20)).run(second)
        assert "ACCEPTED" in str(raised.value.got)
        assert report_of(yarn, second).state == "KILLED"
        assert left_over(settings, second) == []
        with pytest.raises(EngineError, match="was stopped after"):
            engine_of(settings, job_timeout=timedelta(seconds=1)).run(first)
        assert report_of(yarn, first).has_ended


def test_a_masking_key_goes_to_a_driver_in_a_container_and_into_no_log(
    lake: Any, yarn: Yarn, yarn_settings: Callable[[Mode], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules 36, 42. What YARN writes of a container's environment is among its logs."""
    monkeypatch.setenv(MASKING, json.dumps({"conn_type": "generic", "password": KEY}))
    settings = yarn_settings("cluster")
    spec = lake.spec("append").model_copy(update={"columns": {"v": ColumnRule(classification="pii", mask="hash")}})
    source = lake.bronze(1, COLUMNS, ROWS[:1])
    job = lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))

    answer = ApplicationEngine(settings, YarnDrivers(settings, EnvironmentConnections()), poll_seconds=0.2).run(job)

    assert answer.tables[0].status == "staged", answer.tables[0].error
    lake.publish(answer.tables[0].staged)
    assert lake.rows(lake.name(Layer.SILVER))[0].v.startswith("1:")
    assert "launch_container" in yarn.logs()
    assert KEY not in yarn.logs()


def _application(settings: Settings, job: JobSpec) -> dict[str, str]:
    claim = Exchange.of(exchange_location(settings), job_key(job)).claim()
    assert claim is not None
    return claim.application


def _left_alone(settings: Settings) -> ApplicationEngine:
    """The engine of a task that dies with its spark-submit: it stops nothing."""
    engine = engine_of(settings)
    engine.cancel = lambda: None  # type: ignore[method-assign]
    return engine
