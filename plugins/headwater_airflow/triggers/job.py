"""Waits until a job elsewhere has ended, and keeps the run's leases meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from headwater.domain.errors import HeadwaterError
from headwater.domain.external import ExternalJob
from headwater_airflow.platform import open_task_platform
from headwater_airflow.triggers.waiting import LeaseKeepingWait

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform


class JobTrigger(BaseTrigger):
    """Fires when the job is no longer at work, when it cannot be looked at any more, or when time is up.

    :param job: the ``job`` of the table's extract, as JSON: where and how it is looked at.
    :param until: ISO instant after which waiting ends.
    :param run_key: the run that waits.
    """

    def __init__(self, *, job: dict[str, Any], job_id: str, until: str, poll_seconds: float, run_key: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow gives it no types
        self.job, self.job_id, self.until, self.poll_seconds, self.run_key = job, job_id, until, poll_seconds, run_key

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this trigger again."""
        arguments = {"job": self.job, "job_id": self.job_id, "until": self.until, "poll_seconds": self.poll_seconds}
        return (f"{__name__}.{type(self).__name__}", {**arguments, "run_key": self.run_key})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every few seconds, in a thread; a service that does not answer is asked again."""
        job, until = ExternalJob.model_validate(self.job), datetime.fromisoformat(self.until)
        platform = await asyncio.to_thread(open_task_platform)
        waiting = LeaseKeepingWait(platform, self.run_key)
        try:
            while True:
                await waiting.sleep(self.poll_seconds)
                try:
                    said = await asyncio.to_thread(said_of, platform, job, self.job_id)
                except HeadwaterError as error:
                    self.log.warning("cannot look at job %s: %s", self.job_id, error)
                    said = None if error.retry_helps else error.message
                if said is not None or datetime.now(until.tzinfo) >= until:
                    yield TriggerEvent({"said": said or "time is up"})  # type: ignore[no-untyped-call]  # Airflow gives it no types
                    return
        finally:
            await asyncio.to_thread(platform.close)


def said_of(platform: LocalPlatform, job: ExternalJob, job_id: str) -> str | None:
    """What the service says of a job that has ended; None while it is at work."""
    runner = platform.open_job_runner(job)
    try:
        found = runner.look(job_id)
    finally:
        runner.close()
    return None if found.state == "running" else found.said
