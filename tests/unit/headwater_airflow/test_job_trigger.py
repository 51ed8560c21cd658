"""Waiting for a job elsewhere without a worker slot, asked of a real service."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from pydantic import SecretStr

from headwater.adapters.jobs.opening import open_job_runner
from headwater.domain.external import ExternalExtract, ExternalJob, JobRecord
from headwater.domain.spec import Owner, Schedule, Silver, SourceSpec, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.jobs import JobRunner
from headwater.services.external_jobs import JobRunningError
from headwater.services.stages import extraction
from headwater_airflow.operators.stages import ExtractToBronzeOperator
from headwater_airflow.triggers import job as module
from headwater_airflow.triggers.job import JobTrigger

sys.path.append(str(Path(__file__).parents[3]))

NOW = datetime.now(UTC)
KEY = "i/shop/r"
JOB = ExternalJob(connection="jobs", start="/jobs", status="/jobs/{id}")


class Platform:
    """The part of a task's platform that a trigger opens."""

    def __init__(self, port: int) -> None:
        self.port, self.beats, self.is_closed = port, set[str](), False
        self.settings = SimpleNamespace(lease_ttl=timedelta(seconds=60))
        self.runs = SimpleNamespace(heartbeat=lambda run_key, _: self.beats.add(run_key))

    def close(self) -> None:
        self.is_closed = True

    def open_job_runner(self, job: ExternalJob) -> JobRunner:
        from tests.integration.sources.external.job_service import TOKEN

        address = f"http://127.0.0.1:{self.port}"
        return open_job_runner(job, ConnectionInfo(id="jobs", kind="http", host=address, password=SecretStr(TOKEN)))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from tests.integration.sources.external.job_service import serving

    with serving() as running:
        running.start({"key": "k"}, {})
        watched: Any = running
        watched.platform = Platform(running.port)
        monkeypatch.setattr(module, "open_task_platform", lambda: watched.platform)
        yield watched


def fired(until: datetime, meanwhile: Any = None) -> list[Any]:
    job = JOB.model_dump(mode="json")
    trigger = JobTrigger(job=job, job_id="job-1", until=until.isoformat(), poll_seconds=0.01, run_key=KEY)

    async def collect() -> list[Any]:
        async def later() -> None:
            await asyncio.sleep(0.2)
            if meanwhile is not None:
                meanwhile()

        waiting = asyncio.create_task(later())
        found = [event.payload async for event in trigger.run()]
        await waiting
        return found

    return asyncio.run(collect())


def test_it_fires_with_the_services_word_once_the_job_has_ended(service: Any) -> None:
    assert fired(NOW + timedelta(hours=1), service.end) == [{"said": "succeeded"}]
    assert (service.platform.beats, service.platform.is_closed) == ({KEY}, True), "rule 23: it kept the run's leases"


def test_a_service_that_does_not_answer_is_asked_again(service: Any) -> None:
    service.refuse = {"/jobs/": (503, {})}

    def mend() -> None:
        service.refuse = {}
        service.end("failed", "disk full")

    assert fired(NOW + timedelta(hours=1), mend) == [{"said": "failed: disk full"}]


def test_what_no_wait_mends_is_left_to_the_task_that_explains_it(service: Any) -> None:
    service.refuse = {"/jobs/": (403, {})}
    [event] = fired(NOW + timedelta(hours=1))
    assert "may not tell the state of the job" in event["said"]


def test_it_fires_when_time_is_up(service: Any) -> None:
    assert fired(NOW) == [{"said": "time is up"}]


def test_a_trigger_is_made_again_from_what_it_serializes() -> None:
    job = JOB.model_dump(mode="json")
    trigger = JobTrigger(job=job, job_id="7", until=NOW.isoformat(), poll_seconds=7.0, run_key=KEY)
    path, arguments = trigger.serialize()
    assert path == "headwater_airflow.triggers.job.JobTrigger"
    assert JobTrigger(**arguments).serialize() == (path, arguments)
    assert ExternalJob.model_validate(arguments["job"]) == JOB


def test_the_task_defers_while_the_job_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    record = JobRecord(run_key="k", table="bronze.shop.orders", key="x", id="7", since=NOW, until=NOW)

    def run(*_: object) -> None:
        raise JobRunningError("at work", record=record)

    monkeypatch.setattr(extraction, "run", run)
    extract = ExternalExtract(path="in", columns={"id": "int"}, manifest="{key}", job=JOB)
    table = TableSpec(name="orders", extract=extract, silver=Silver(mode="append"))
    spec = SourceSpec(name="shop", file="f", description="d", owner=Owner(team="t"), schedule=Schedule(manual=True),
                      connection="landing", tables=(table,))  # fmt: skip
    operator = ExtractToBronzeOperator(task_id="extract_to_bronze", file="f", pipeline="shop", table="orders")
    stage: Any = SimpleNamespace(platform=None, run=SimpleNamespace(spec=spec, key=KEY))
    with pytest.raises(TaskDeferred) as deferred:
        operator.run_stage(stage)
    assert isinstance(deferred.value.trigger, JobTrigger)
    assert (deferred.value.trigger.job_id, deferred.value.method_name) == ("7", "execute_after_wait")
    assert (deferred.value.trigger.poll_seconds, deferred.value.trigger.run_key) == (30, KEY)
