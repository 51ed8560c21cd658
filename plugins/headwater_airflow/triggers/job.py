"""Waits until a job elsewhere has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from headwater.domain.errors import HeadwaterError
from headwater.domain.external import ExternalJob
from headwater_airflow.platform import open_task_platform


class JobTrigger(BaseTrigger):
    """Fires when the job is no longer at work, when it cannot be looked at any more, or when time is up.

    :param job: the ``job`` of the table's extract, as JSON: where and how it is looked at.
    :param until: ISO instant after which waiting ends.
    """

    def __init__(self, *, job: dict[str, Any], job_id: str, until: str, poll_seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow gives it no types
        self.job, self.job_id, self.until, self.poll_seconds = job, job_id, until, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this trigger again."""
        arguments = {"job": self.job, "job_id": self.job_id, "until": self.until, "poll_seconds": self.poll_seconds}
        return (f"{__name__}.{type(self).__name__}", arguments)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every few seconds, in a thread; a service that does not answer is asked again."""
        until = datetime.fromisoformat(self.until)
        while True:
            await asyncio.sleep(self.poll_seconds)
            try:
                said = await asyncio.to_thread(look_at, ExternalJob.model_validate(self.job), self.job_id)
            except HeadwaterError as error:
                self.log.warning("cannot look at job %s: %s", self.job_id, error)
                said = None if error.retry_helps else error.message
            if said is not None or datetime.now(until.tzinfo) >= until:
                yield TriggerEvent({"said": said or "time is up"})  # type: ignore[no-untyped-call]  # Airflow gives it no types
                return


def look_at(job: ExternalJob, job_id: str) -> str | None:
    """What the service says of a job that has ended; None while it is at work."""
    runner = open_task_platform().open_job_runner(job)
    try:
        found = runner.look(job_id)
    finally:
        runner.close()
    return None if found.state == "running" else found.said
