"""A turn keeps a table from runs for a bounded time, and none is delayed twice (rules 23, 24; ADR 18)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.services.maintenance.conftest import TABLE, at
from tests.unit.services.maintenance.test_slices import Scheduler, _key, _run_takes

from headwater.adapters.clock import SystemClock
from headwater.adapters.memory import MemoryCatalog, MemoryRunStore
from headwater.domain.errors import LeaseHeldError
from headwater.domain.maintenance import MIB, MaintenanceSettings, Upkeep
from headwater.domain.run import RunKey
from headwater.ports.run_store import Lease
from headwater.ports.upkeep import SnapshotFacts, TableHistory
from headwater.services.maintenance import table as one_table
from headwater.services.maintenance.turns import first_files, is_overdue, next_files, turn_of


def _history(files: int = 1, mib: int = 1, old: int = 0) -> TableHistory:
    main = SnapshotFacts(id=0, parent=None, created_at=at(3000), data_files=files, size_bytes=mib * MIB)
    expired = tuple(SnapshotFacts(id=number, parent=None, created_at=at(0)) for number in range(1, old + 1))
    return TableHistory(table="t", main=0, snapshots=(main, *expired), metadata_location="m")


def _platform(turn: str, history: TableHistory | None = None) -> Any:
    settings = MaintenanceSettings(turn=turn, min_input_files=2, max_slice_snapshots=3)
    return SimpleNamespace(
        runs=MemoryRunStore(), catalog=MemoryCatalog(), run_states=Scheduler(), clock=SystemClock(),
        settings=SimpleNamespace(maintenance=settings), upkeep=SimpleNamespace(history=lambda _: history),
    )  # fmt: skip


def _blocking(platform: Any, run: str = "r2") -> list[Lease]:
    return [item for item in _run_takes(platform, run) if isinstance(item, Lease)]


def test_a_run_waits_for_a_turn_and_its_lease_says_until_when() -> None:
    platform = _platform("60s")
    with turn_of(platform, TABLE, _key("m"), "maintenance") as part:
        part.assert_held()
        (lease,) = _blocking(platform)
        assert RunKey.parse(lease.run_key).run_id == "m"
        assert lease.expires_at - lease.heartbeat_at == timedelta(seconds=60), "the bound"
    assert _blocking(platform) == []


def test_a_turn_ends_by_itself_however_long_its_work_takes() -> None:
    platform = _platform("1s")
    with turn_of(platform, TABLE, _key("m"), "maintenance") as part:
        (lease,) = _blocking(platform)
        while SystemClock().now() < lease.expires_at:
            time.sleep(0.05)
        assert _blocking(platform) == [], "the run takes the table over although maintenance still works"
        with pytest.raises(LeaseHeldError, match="a run took it over"):
            part.assert_held()


def test_a_turn_begins_when_the_run_at_work_lets_go() -> None:
    platform = _platform("60s")
    _run_takes(platform, "r1")
    ending = threading.Timer(0.3, platform.runs.release_leases, [_key("r1", "shop")])
    ending.start()
    with turn_of(platform, TABLE, _key("m"), "maintenance"):
        assert ending.finished.is_set()
        assert len(_blocking(platform)) == 1


def test_who_never_lets_go_is_named_and_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.services.maintenance.turns.WAIT_IN_TURNS", 0)
    platform = _platform("60s")
    _run_takes(platform, "r1")
    with pytest.raises(LeaseHeldError, match="held by r1"), turn_of(platform, TABLE, _key("m"), "maintenance"):
        pytest.fail("a run lost its table to a turn")


@pytest.mark.parametrize(
    ("turn", "history", "is_owed"),
    [
        ("60s", _history(files=20), True),
        ("60s", _history(files=19), False),
        ("60s", _history(old=4), True),
        ("60s", _history(old=3), False),
        ("60s", None, False),
        ("0s", _history(files=20, old=4), False),
    ],
)
def test_a_turn_is_owed_where_much_piled_up(turn: str, history: TableHistory | None, is_owed: bool) -> None:
    platform = _platform(turn, history)
    assert is_overdue(platform, TABLE) == is_owed


def test_a_turn_has_a_longest() -> None:
    with pytest.raises(ValidationError, match="turn"):
        MaintenanceSettings(turn="11m")


def test_the_first_slice_of_a_turn_is_small_and_the_next_goes_by_it() -> None:
    assert first_files(None) == 0
    assert first_files(_history(files=3000, mib=100)) == 100
    assert first_files(_history(files=30, mib=2560)) == 3
    assert first_files(_history(files=1, mib=1000)) == 1
    assert next_files(100, seconds=2.0, left=40.0) == 1000
    assert next_files(100, seconds=30.0, left=40.0) == 100, "never fewer: what fitted fits again"
    assert next_files(100, seconds=41.0, left=40.0) == 0
    assert next_files(0, seconds=1.0, left=40.0) == 0


@pytest.mark.parametrize(("piled_up", "turns"), [(20, 1), (19, 0)])
def test_only_what_was_left_and_is_overdue_gets_a_turn(
    monkeypatch: pytest.MonkeyPatch, piled_up: int, turns: int
) -> None:
    platform = _platform("60s", _history(files=piled_up))
    worked: list[int] = []

    def work(part: Any) -> list[Upkeep]:
        blocked = _blocking(platform, f"r{len(worked)}")
        worked.append(len(blocked))
        if not blocked:
            platform.runs.release_leases(_key(f"r{len(worked) - 1}", "shop"))
        part.assert_held()
        return []

    monkeypatch.setitem(one_table._WORK, "branches", work)
    run: Callable[..., Any] = one_table.maintain_table
    told = list(run(platform, TABLE, run_key=_key("m"), holder="maintenance", steps=("branches",)))
    assert [item.status for item in told] == ["left", *["nothing"] * turns], "first it gives way, then a run waits"
    assert ("waits for its turn" in told[0].note) == bool(turns), "and whoever looks on knows why nothing happens"
    assert worked == [0, *[1] * turns]


def test_snapshots_go_slice_after_slice_until_none_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    platform, left = _platform("0s"), [3, 3, 1]

    def work(part: Any) -> list[Upkeep]:
        return [Upkeep(step="snapshots", table=part.table.dotted, status="done", snapshots=left.pop(0))]

    monkeypatch.setitem(one_table._WORK, "snapshots", work)
    run: Callable[..., Any] = one_table.maintain_table
    told = [item.snapshots for item in run(platform, TABLE, run_key=_key("m"), holder="m", steps=("snapshots",))]
    assert told == [3, 3, 1]
