"""Taking leases and clearing up after their last holder (rule 23)."""

from __future__ import annotations

import time

import pytest

from headwater.adapters.memory import MemoryCatalog, MemoryRunStore
from headwater.domain.errors import LeaseHeldError, RunStoreError
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunKey
from headwater.domain.schema import Column, TableSchema
from headwater.ports.run_store import Lease
from headwater.services.leases import Claim, heartbeat, try_leases

TABLE = TableName(layer=Layer.BRONZE, source="shop", table="orders")
SCHEMA = TableSchema(columns=(Column(name="id", type="int"),))


class Scheduler:
    def __init__(self, *over: str) -> None:
        self.over = over

    def is_terminal(self, run_key: RunKey) -> bool:
        return run_key.run_id in self.over


def _key(run: str) -> str:
    return str(RunKey(installation="i", dag_id="shop", run_id=run))


@pytest.fixture
def runs() -> MemoryRunStore:
    return MemoryRunStore()


@pytest.fixture
def catalog() -> MemoryCatalog:
    catalog = MemoryCatalog()
    catalog.cut_branch(TABLE, "hw_dead", catalog.create(TABLE, SCHEMA).main)
    return catalog


def _try(
    runs: MemoryRunStore, catalog: MemoryCatalog, run: str, scheduler: Scheduler, operator_word: bool = False
) -> tuple[Lease, ...]:
    return try_leases(
        runs,
        catalog,
        scheduler,
        Claim(pipeline="shop", tables=[TABLE], run_key=_key(run), holder=run, ttl_seconds=60),
        operator_word=operator_word,
    )


def _branches(catalog: MemoryCatalog) -> set[str]:
    head = catalog.head(TABLE)
    assert head is not None
    return set(head.branches)


def test_a_new_holder_drops_what_dead_attempts_left(runs: MemoryRunStore, catalog: MemoryCatalog) -> None:
    assert _try(runs, catalog, "one", Scheduler()) == ()
    assert _branches(catalog) == set()


def test_renewing_spares_the_branches_the_run_is_working_on(runs: MemoryRunStore, catalog: MemoryCatalog) -> None:
    """Parallel tasks of one run renew the same leases; their attempts are not in the run store yet."""
    _try(runs, catalog, "one", Scheduler())
    head = catalog.head(TABLE)
    assert head is not None
    catalog.cut_branch(TABLE, "hw_alive", head.main)
    assert _try(runs, catalog, "one", Scheduler()) == ()
    assert _branches(catalog) == {"hw_alive"}


def test_branches_people_made_are_left_alone(runs: MemoryRunStore, catalog: MemoryCatalog) -> None:
    head = catalog.head(TABLE)
    assert head is not None
    catalog.cut_branch(TABLE, "anns_experiment", head.main)
    _try(runs, catalog, "one", Scheduler())
    assert _branches(catalog) == {"anns_experiment"}


@pytest.mark.parametrize(
    ("ttl_seconds", "over", "operator_word", "passes"),
    [
        (60, True, True, False),
        (0, False, False, False),
        (0, True, False, True),
        (0, False, True, True),
    ],
    ids=["alive", "expired but running", "expired and over", "expired, and an operator's word"],
)
def test_takeover_needs_the_ttl_and_word_that_the_run_is_over(
    runs: MemoryRunStore, catalog: MemoryCatalog, ttl_seconds: float, over: bool, operator_word: bool, passes: bool
) -> None:
    runs.acquire([TABLE], _key("one"), "one", ttl_seconds)
    scheduler = Scheduler("one") if over else Scheduler()
    blocking = _try(runs, catalog, "two", scheduler, operator_word)
    assert [lease.holder for lease in blocking] == ([] if passes else ["one"])
    assert _branches(catalog) == (set() if passes else {"hw_dead"})


def test_a_heartbeat_keeps_the_lease_alive(runs: MemoryRunStore) -> None:
    runs.acquire([TABLE], "k", "h", 0.1)
    before = runs.leases()[0].expires_at
    with heartbeat(runs, "k", 0.06) as beat:
        _wait_until(lambda: runs.leases()[0].expires_at > before)
        beat.assert_held()


def test_a_heartbeat_that_lost_its_lease_says_so_at_the_end(runs: MemoryRunStore) -> None:
    runs.acquire([TABLE], "k", "h", 0)

    def lose() -> None:
        with heartbeat(runs, "k", 0.03) as beat:
            runs.release_leases("k")
            _wait_until(beat._lost.is_set)

    with pytest.raises(LeaseHeldError):
        lose()


def test_a_missed_beat_is_no_loss(runs: MemoryRunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.acquire([TABLE], "k", "h", 60)
    missed: list[int] = []

    def refuse(run_key: str, ttl_seconds: float) -> bool:
        missed.append(1)
        raise RunStoreError("down")

    monkeypatch.setattr(runs, "heartbeat", refuse)
    with heartbeat(runs, "k", 0.03) as beat:
        _wait_until(lambda: len(missed) > 1)
    beat.assert_held()


def _wait_until(claim: object) -> None:
    assert callable(claim)
    until = time.monotonic() + 20
    while not claim():
        assert time.monotonic() < until
        time.sleep(0.005)
