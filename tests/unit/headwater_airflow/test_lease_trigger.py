"""Waiting for other runs without a worker slot (rule 23)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.domain.errors import HeadwaterError
from headwater.ports.run_store import Lease
from headwater_airflow.triggers import lease as module
from headwater_airflow.triggers.lease import LeaseTrigger, blockers

NOW = datetime.now(UTC)
MINE, OTHER = "i/flights/mine", "i/flights/other"


def lease(table: str, run_key: str, expires: timedelta) -> Lease:
    at = NOW + expires
    return Lease(table=table, run_key=run_key, token=1, holder=f"h of {run_key}", heartbeat_at=NOW, expires_at=at)


class Leases:
    """The part of the run store a trigger looks at; each look takes the next answer."""

    def __init__(self, *answers: Sequence[Lease] | HeadwaterError) -> None:
        self.answers = list(answers)

    def leases(self) -> Sequence[Lease]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, HeadwaterError):
            raise answer
        return answer


def events(monkeypatch: pytest.MonkeyPatch, runs: Leases, until: datetime) -> list[Any]:
    monkeypatch.setattr(module, "_open_run_store", lambda: runs)
    trigger = LeaseTrigger(tables=["silver.flights.a"], run_key=MINE, until=until.isoformat(), poll_seconds=0.01)

    async def collect() -> list[Any]:
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


def test_only_live_leases_of_other_runs_on_wanted_tables_block() -> None:
    hour = timedelta(hours=1)
    runs = Leases(
        [
            lease("silver.flights.a", OTHER, hour),
            lease("silver.flights.a", MINE, hour),
            lease("silver.flights.b", OTHER, hour),
            lease("silver.flights.c", OTHER, -hour),
        ]
    )
    tables = ["silver.flights.a", "silver.flights.c"]
    assert blockers(runs, tables, MINE) == ["silver.flights.a is held by h of i/flights/other"]  # type: ignore[arg-type]


def test_it_fires_once_the_tables_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [lease("silver.flights.a", OTHER, timedelta(hours=1))]
    assert events(monkeypatch, Leases(held, held, []), NOW + timedelta(hours=1)) == [{"blocked_by": []}]


def test_it_fires_with_the_holder_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [lease("silver.flights.a", OTHER, timedelta(hours=1))]
    fired = events(monkeypatch, Leases(held), NOW)
    assert fired == [{"blocked_by": ["silver.flights.a is held by h of i/flights/other"]}]


def test_a_store_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Leases(HeadwaterError("store down"), [])
    assert events(monkeypatch, runs, NOW + timedelta(hours=1)) == [{"blocked_by": []}]


def test_a_trigger_is_made_again_from_what_it_serializes() -> None:
    trigger = LeaseTrigger(tables=["silver.flights.a"], run_key=MINE, until=NOW.isoformat(), poll_seconds=7.0)
    path, arguments = trigger.serialize()
    assert path == "headwater_airflow.triggers.lease.LeaseTrigger"
    assert LeaseTrigger(**arguments).serialize() == (path, arguments)
