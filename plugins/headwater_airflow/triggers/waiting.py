"""Waiting that keeps the leases of the run that waits."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from headwater.domain.errors import HeadwaterError

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform

logger = logging.getLogger(__name__)


class LeaseKeepingWait:
    """Sleeps of a trigger, in which the leases of its run are renewed each third of their time to live (rule 23)."""

    def __init__(self, platform: LocalPlatform, run_key: str) -> None:
        self._platform, self._run_key = platform, run_key
        self._ttl_seconds = platform.settings.lease_ttl.total_seconds()
        self._beaten = float("-inf")

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, however much longer than the leases live that is."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if time.monotonic() - self._beaten >= self._ttl_seconds / 3:
                self._beaten = time.monotonic()
                await asyncio.to_thread(self._beat)
            await asyncio.sleep(min(left, self._ttl_seconds / 3))

    def _beat(self) -> None:
        """That a lease was lost is noticed by the task, which takes them anew before it goes on."""
        try:
            self._platform.runs.heartbeat(self._run_key, self._ttl_seconds)
        except HeadwaterError as error:
            # a missed beat costs nothing while the scheduler knows that the run lives
            logger.warning("the leases could not be renewed: %s", error)
