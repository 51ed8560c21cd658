"""Waits until the tables of a run are free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from headwater.domain.errors import HeadwaterError
from headwater_airflow.platform import open_task_platform

if TYPE_CHECKING:
    from headwater.ports.run_store import RunStore


class LeaseTrigger(BaseTrigger):
    """Fires when no other run holds a table of this run, when a holder's lease has expired, or when time is up.

    :param tables: dotted tables the run wants.
    :param run_key: the waiting run.
    :param until: ISO instant after which waiting ends.
    """

    def __init__(self, *, tables: list[str], run_key: str, until: str, poll_seconds: float = 5.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow gives it no types
        self.tables = tables
        self.run_key = run_key
        self.until = until
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this trigger again."""
        arguments = {"tables": self.tables, "run_key": self.run_key, "until": self.until}
        return (f"{__name__}.{type(self).__name__}", {**arguments, "poll_seconds": self.poll_seconds})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every few seconds; the run store is asked from a thread, so that other triggers go on."""
        runs = await asyncio.to_thread(_open_run_store)
        until = datetime.fromisoformat(self.until)
        while True:
            await asyncio.sleep(self.poll_seconds)
            try:
                blocked = await asyncio.to_thread(blockers, runs, self.tables, self.run_key)
            except HeadwaterError as error:
                # the task itself meets the broken store and explains it; a trigger can only log
                self.log.warning("cannot look at leases: %s", error)
                blocked = [str(error)]
            if not blocked or datetime.now(until.tzinfo) >= until:
                yield TriggerEvent({"blocked_by": blocked})  # type: ignore[no-untyped-call]  # Airflow gives it no types
                return


def blockers(runs: RunStore, tables: list[str], run_key: str) -> list[str]:
    """Who holds these tables with a lease that has not expired, in words; empty when planning may try again."""
    now = datetime.now().astimezone()
    return [
        f"{lease.table} is held by {lease.holder or lease.run_key}"
        for lease in runs.leases()
        if lease.table in tables and lease.run_key != run_key and lease.expires_at > now
    ]


def _open_run_store() -> RunStore:
    return open_task_platform().runs
