"""Waits until a stage's Spark application on Kubernetes has ended, and keeps the run's leases meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from headwater.domain.engine_errors import DriverAtWork
from headwater.domain.errors import HeadwaterError
from headwater_airflow.hooks.spark_applications import KubernetesApplications
from headwater_airflow.platform import open_task_platform
from headwater_airflow.triggers.waiting import LeaseKeepingWait

BLIND_SECONDS = 600.0
"""The API server may not answer for so long; then the task looks, and explains it."""


class DriverTrigger(BaseTrigger):
    """Fires when the application has ended or is gone, when it cannot be looked at any more, or when time is up.

    :param driver: a ``DriverAtWork`` as JSON.
    """

    def __init__(self, *, driver: dict[str, Any], poll_seconds: float = 10.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow gives it no types
        self.driver, self.poll_seconds = driver, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this trigger again."""
        return (f"{__name__}.{type(self).__name__}", {"driver": self.driver, "poll_seconds": self.poll_seconds})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every few seconds, in a thread; an API server that does not answer is asked again."""
        driver = DriverAtWork.model_validate(self.driver)
        platform = await asyncio.to_thread(open_task_platform)
        applications = KubernetesApplications(platform.settings)
        waiting, seen = LeaseKeepingWait(platform, driver.run_key), time.monotonic()
        try:
            while True:
                try:
                    said = await asyncio.to_thread(said_of, applications, driver)
                    seen = time.monotonic()
                except HeadwaterError as error:
                    self.log.warning("cannot look at the Spark application: %s", error)
                    is_hopeless = not error.retry_helps or time.monotonic() - seen > BLIND_SECONDS
                    said = error.message if is_hopeless else None
                if said is not None:
                    yield TriggerEvent({"said": said})  # type: ignore[no-untyped-call]  # Airflow gives it no types
                    return
                await waiting.sleep(self.poll_seconds)
        finally:
            await asyncio.to_thread(platform.close)

    async def on_kill(self) -> None:
        """Somebody failed, cleared or ended the task: its driver ends with it, as that of a task in a worker."""
        driver = DriverAtWork.model_validate(self.driver)
        platform = await asyncio.to_thread(open_task_platform)
        await asyncio.to_thread(KubernetesApplications(platform.settings).stop, driver.application)
        self.log.info("the Spark application was stopped")


def said_of(applications: KubernetesApplications, driver: DriverAtWork) -> str | None:
    """What became of an application, in words; None while it is to be waited for."""
    state, now = applications.look(driver.application), datetime.now(UTC)
    if state.phase in {"ended", "gone"}:
        return f"{driver.application['name']} has ended"
    is_late = now >= driver.until or (state.phase == "starting" and now >= driver.starts_by)
    return f"{driver.application['name']} is {state.phase}, and time is up" if is_late else None
