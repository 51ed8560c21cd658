"""Jobs whose driver stops where a failpoint says, so that something can befall it there."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psutil
from tests.kubernetes.node.processes import Processes

from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.settings import Settings
from headwater.ports import failpoints
from headwater_airflow.hooks.spark_applications import KubernetesApplications

ANSWER_SECONDS = 300.0
PAUSED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class PausedJob:
    """A job whose driver waits, and the task that waits for it.

    :param python: of the driver, in its pod: its processes are seen from the node.
    """

    python: psutil.Process
    task: Future[JobResult]

    def go_on(self) -> None:
        self.python.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """All that works in the driver's container."""
        for process in reversed(self.python.parents()[:-1]):
            if process.name() == "tini":
                process.kill()

    def answer(self) -> JobResult:
        return self.task.result(ANSWER_SECONDS)


def paused_job(settings: Settings, job: JobSpec, point: str, node: Processes, tasks: ThreadPoolExecutor) -> PausedJob:
    """Start it and wait until its driver has stopped at the failpoint."""
    conf = {**settings.spark.conf, f"spark.kubernetes.driverEnv.{failpoints.VARIABLE}": f"{point}:pause"}
    armed = settings.model_copy(update={"spark": settings.spark.model_copy(update={"conf": conf})})
    engine = ApplicationEngine(armed, KubernetesApplications(armed), poll_seconds=0.5)
    task = tasks.submit(engine.run, job)

    def look() -> psutil.Process | None:
        if task.done():
            raise AssertionError(f"the job ended before it paused: {task.exception() or task.result()}")
        return next(filter(_is_paused, psutil.process_iter()), None)

    return PausedJob(node.wait_for(look, "no driver paused", PAUSED_SECONDS), task)


def end_paused() -> None:
    """What a test that failed left: its task waits for it."""
    for process in filter(_is_paused, psutil.process_iter()):
        process.kill()


def _is_paused(process: psutil.Process) -> bool:
    try:
        stopped = process.status() == psutil.STATUS_STOPPED
        return stopped and "run_application.py" in " ".join(process.cmdline()) and process.pid != os.getpid()
    except psutil.NoSuchProcess:
        return False
