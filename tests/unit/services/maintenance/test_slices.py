"""Maintenance never keeps a run waiting, and never works where a run does (rules 23, 24)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.services.maintenance.conftest import TABLE

from headwater.adapters.clock import SystemClock
from headwater.adapters.memory import MemoryCatalog, MemoryRunStore
from headwater.domain.errors import LeaseHeldError
from headwater.domain.maintenance import MaintenanceSettings
from headwater.domain.names import MAINTENANCE
from headwater.domain.run import RunKey
from headwater.services.leases import Claim, try_leases
from headwater.services.maintenance.slices import slice_of


class Scheduler:
    def __init__(self) -> None:
        self.over: set[str] = set()

    def is_terminal(self, run_key: RunKey) -> bool:
        return run_key.run_id in self.over


def _key(run: str, dag_id: str = MAINTENANCE) -> str:
    return str(RunKey(installation="i", dag_id=dag_id, run_id=run))


@pytest.fixture
def platform() -> Any:
    settings = SimpleNamespace(maintenance=MaintenanceSettings())
    return SimpleNamespace(
        runs=MemoryRunStore(), catalog=MemoryCatalog(), run_states=Scheduler(), clock=SystemClock(), settings=settings
    )


def _run_takes(platform: Any, run: str = "r1", ttl_seconds: float = 60.0) -> tuple[object, ...]:
    return try_leases(
        platform.runs,
        platform.catalog,
        platform.run_states,
        Claim(pipeline="shop", tables=[TABLE], run_key=_key(run, "shop"), holder=run, ttl_seconds=ttl_seconds),
    )


def test_a_run_takes_a_table_from_maintenance_at_once_and_that_one_notices(platform: Any) -> None:
    with slice_of(platform, TABLE, _key("m"), "maintenance", dry_run=False) as part:
        part.assert_held()
        assert _run_takes(platform) == ()
        with pytest.raises(LeaseHeldError, match="a run took it over"):
            part.assert_held()
    assert [lease.run_key for lease in platform.runs.leases()] == [_key("r1", "shop")], "and keeps it"


def test_a_table_that_a_run_holds_is_left_until_that_run_is_over(platform: Any) -> None:
    _run_takes(platform, ttl_seconds=0.0)
    with (
        pytest.raises(LeaseHeldError, match="held by r1"),
        slice_of(platform, TABLE, _key("m"), "maintenance", dry_run=False),
    ):
        pytest.fail("the lease of a run was taken")
    platform.run_states.over.add("r1")
    with slice_of(platform, TABLE, _key("m"), "maintenance", dry_run=False) as part:
        part.assert_held()
    assert platform.runs.leases() == ()


def test_maintenance_never_waits_for_a_dead_one_and_a_living_one_notices(platform: Any) -> None:
    with (
        slice_of(platform, TABLE, _key("dead"), "maintenance", dry_run=False) as first,
        slice_of(platform, TABLE, _key("m"), "maintenance", dry_run=False) as part,
    ):
        part.assert_held()
        with pytest.raises(LeaseHeldError):
            first.assert_held()


def test_a_dry_run_takes_no_lease(platform: Any) -> None:
    with slice_of(platform, TABLE, _key("m"), "maintenance", dry_run=True) as part:
        part.assert_held()
        assert platform.runs.leases() == ()
