"""What a trigger that waits for hours does for its run's leases; time passes as fast as it is told to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from headwater.domain.errors import RunStoreError
from headwater_airflow.triggers import waiting as module
from headwater_airflow.triggers.waiting import LeaseKeepingWait

TTL = timedelta(seconds=60)


class Runs:
    """A run store that notes when it was asked to renew whose leases."""

    def __init__(self) -> None:
        self.now, self.beats, self.refuses = 0.0, list[tuple[float, str, float]](), False

    def heartbeat(self, run_key: str, ttl_seconds: float) -> bool:
        self.beats.append((self.now, run_key, ttl_seconds))
        if self.refuses:
            raise RunStoreError("it restarts")
        return True

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: made.now))
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=made.sleep, to_thread=asyncio.to_thread))
    return made


def slept(runs: Runs, *seconds: float) -> None:
    platform: Any = SimpleNamespace(settings=SimpleNamespace(lease_ttl=TTL), runs=runs)
    waiting = LeaseKeepingWait(platform, "i/shop/r")

    async def sleeps() -> None:
        for each in seconds:
            await waiting.sleep(each)

    asyncio.run(sleeps())


def test_leases_are_renewed_within_a_sleep_that_they_would_not_live_through(runs: Runs) -> None:
    """Rule 23: a job that is looked at once an hour loses no lease between two looks."""
    slept(runs, 3600.0)
    assert runs.now == 3600.0
    assert {beat[1:] for beat in runs.beats} == {("i/shop/r", 60.0)}
    instants = [0.0, *(beat[0] for beat in runs.beats), runs.now]
    assert max(later - sooner for sooner, later in pairwise(instants)) < TTL.total_seconds() / 2


def test_short_sleeps_do_not_ask_the_run_store_each_time(runs: Runs) -> None:
    slept(runs, *[1.0] * 100)
    assert runs.now == 100.0
    assert len(runs.beats) == 5


def test_a_run_store_that_does_not_answer_ends_no_wait(runs: Runs) -> None:
    runs.refuses = True
    slept(runs, 100.0)
    assert runs.now == 100.0
    assert len(runs.beats) == 5
