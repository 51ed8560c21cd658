"""Stages by spark-submit on a real cluster: drivers outlive killed tasks, jobs outlive lost executors."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from tests.living_processes import living
from tests.spark.engines.standalone_cluster import Cluster, arguments_of
from tests.spark.engines.test_engines import GOOD, branches, gold_job
from tests.spark.engines.waiting import waiting_for

from headwater.adapters.job_folders import LeftJobFolders
from headwater.adapters.profile import write_profile
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_applications.exchange import Exchange, exchange_location, job_key
from headwater.adapters.spark_submit.local_drivers import LocalDrivers
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.names import Layer
from headwater.domain.settings import Settings
from headwater.domain.spark_settings import StageSize
from headwater.ports import failpoints

TASK = Path(__file__).with_name("waiting_task.py")
COLUMNS = "k bigint, v string, u timestamp"
ROWS = [f"{k}, 'v{k}', TIMESTAMP '2026-01-05 00:00:00Z'" for k in range(20)]


def left_over(settings: Settings, job: JobSpec) -> list[str]:
    """What is left of a job in the folder that tasks and drivers share."""
    folder = Path(urlsplit(exchange_location(settings)).path) / job_key(job)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 120
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def waiting_task(settings: Settings, job: JobSpec, folder: Path, armed: str) -> psutil.Popen:
    """A task of its own that waits for the job, whose driver has a failpoint armed."""
    write_profile(settings, folder / "profile.yaml")
    (folder / "job.json").write_text(job.model_dump_json(by_alias=True))
    environ = {**os.environ, "HEADWATER_PROFILE": str(folder / "profile.yaml"), failpoints.VARIABLE: armed}
    return psutil.Popen([sys.executable, str(TASK), str(folder / "job.json")], env=environ)


def driver_of(settings: Settings, job: JobSpec) -> psutil.Process:
    """The driver that the claim names, once it does."""
    exchange = Exchange.of(exchange_location(settings), job_key(job))
    claim = wait_for(lambda: (found := exchange.claim()) and found.application and found)
    return psutil.Process(int(claim.application["pid"]))


def paused(driver: psutil.Process) -> psutil.Process | None:
    stopped = [child for child in driver.children(recursive=True) if _is_stopped(child)]
    return stopped[0] if stopped else None


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def started() -> Iterator[list[psutil.Process | psutil.Popen]]:
    """Processes of a test, which end with it however it ends."""
    found: list[psutil.Process | psutil.Popen] = []
    yield found
    for process in found:
        if process.is_running():
            process.kill()
            process.wait(60)


def test_a_retry_follows_the_driver_of_its_killed_task_though_an_executor_is_lost(
    lake: Any,
    submit_settings: Settings,
    submit_engine: Callable[[], ApplicationEngine],
    cluster: Cluster,
    started: list[psutil.Process | psutil.Popen],
    tmp_path: Path,
) -> None:
    spec, silver = lake.spec("upsert"), lake.name(Layer.SILVER)
    source = lake.bronze(1, COLUMNS, ROWS)
    first = lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))
    task = waiting_task(submit_settings, first, tmp_path, "refine.before_write:pause")
    started.append(task)
    driver = driver_of(submit_settings, first)
    started.append(driver)
    python = wait_for(lambda: paused(driver))
    executors = wait_for(cluster.executors)
    family = [driver, *driver.children(recursive=True), *cluster.executors()]
    assert [left for left in LeftJobFolders(submit_settings).found() if left.run_keys == (first.run_key,)] == []
    lines = [arguments_of(process) for process in (psutil.Process(task.pid), *family)]

    task.send_signal(signal.SIGKILL)
    task.wait()
    executors[0].send_signal(signal.SIGKILL)
    python.send_signal(signal.SIGCONT)
    retry = lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))
    answer = submit_engine().run(retry)

    assert answer.attempt == first.attempt != retry.attempt
    assert answer.tables[0].status == "staged", answer.tables[0].error
    assert branches(lake, silver) == {f"hw_{first.attempt}"}  # no second driver was at work
    lake.publish(answer.tables[0].staged)
    assert len(lake.rows(silver)) == len(ROWS)
    driver.wait(60)
    assert first.run_key in {run for left in LeftJobFolders(submit_settings).found() for run in left.run_keys}
    password = submit_settings.catalog.jdbc_password.get_secret_value()
    assert [line for line in lines if password in line] == []  # rule 42
    assert left_over(submit_settings, first) == []
    logs = [path.read_text() for path in Path(submit_settings.home).glob("events/**/*") if path.is_file()]
    assert any(first.attempt in log and "SparkListenerApplicationEnd" in log for log in logs)
    assert [log[:80] for log in logs if password in log] == []


def test_a_cancelled_job_leaves_no_driver_and_no_claim(
    lake: Any,
    submit_settings: Settings,
    submit_engine: Callable[[], ApplicationEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What Airflow asks of a task that is to end."""
    engine, job = submit_engine(), gold_job(lake, g=GOOD)
    monkeypatch.setenv(failpoints.VARIABLE, "gold.before_write:hang")
    with waiting_for(engine, job) as raised:
        driver = driver_of(submit_settings, job)
        family = wait_for(lambda: driver.children(recursive=True))
        engine.cancel()

    assert [error.code for error in raised] == ["engine_down"]
    assert living((driver, *family)) == []
    assert left_over(submit_settings, job) == []


def test_a_cluster_without_room_is_said_in_words_and_not_waited_for_for_ever(
    lake: Any, submit_settings: Settings
) -> None:
    larger = {"default": StageSize(driver_memory="1g", executor_memory="9g")}
    spark = submit_settings.spark.model_copy(update={"sizes": larger, "start_timeout": timedelta(seconds=1)})
    known = submit_settings.model_copy(update={"spark": spark})
    job = gold_job(lake, g=GOOD)
    with pytest.raises(EngineError) as raised:
        ApplicationEngine(known, LocalDrivers(known), poll_seconds=0.2).run(job)
    assert "no executor came within 1 s" in (raised.value.got or "")
    assert left_over(known, job) == []
