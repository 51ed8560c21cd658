"""An operator's word that a writer is dead: what it frees, what it settles, and what it never gives away (rule 23)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from headwater.adapters.clock import SystemClock
from headwater.adapters.memory import MemoryCatalog, MemoryRunStore
from headwater.domain.errors import LeaseHeldError
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunKey
from headwater.domain.schema import Column, TableSchema
from headwater.ports.platform import Platform
from headwater.ports.run_store import Lease, RunRecord
from headwater.services.taking_over import held_of, run_out, take_over

ORDERS, CUSTOMERS = (TableName(layer=Layer.BRONZE, source="shop", table=name) for name in ("orders", "customers"))
OTHER = TableName(layer=Layer.BRONZE, source="stock", table="items")
DEAD, ALIVE = (RunKey(installation="i", dag_id="shop", run_id=run) for run in ("dead", "alive"))


class StillRunning:
    """A scheduler that never says that a run is over."""

    def is_terminal(self, run_key: RunKey) -> bool:
        return False


@dataclass
class World:
    """As much of a platform as a word needs."""

    runs: MemoryRunStore = field(default_factory=MemoryRunStore)
    catalog: MemoryCatalog = field(default_factory=MemoryCatalog)
    clock: SystemClock = field(default_factory=SystemClock)
    run_states: StillRunning = field(default_factory=StillRunning)

    def hold(self, run: RunKey, ttl_seconds: float, *tables: TableName) -> None:
        self.runs.acquire(tables, str(run), f"shop / {run.run_id}", ttl_seconds)

    def word(self, dead: tuple[Lease, ...]) -> None:
        take_over(cast("Platform", self), "shop", dead, "ann", "its node is gone")

    def run_out(self) -> tuple[Lease, ...]:
        platform = cast("Platform", self)
        return run_out(platform, held_of(platform, "shop"))


@pytest.fixture
def world() -> World:
    """A dead run of the shop holds both tables, with a branch of its own; another pipeline has a table, too."""
    made = World()
    made.hold(DEAD, 0, ORDERS, CUSTOMERS)
    made.hold(RunKey(installation="i", dag_id="stock", run_id="one"), 0, OTHER)
    schema = TableSchema(columns=(Column(name="id", type="int"),))
    made.catalog.cut_branch(ORDERS, "hw_dead", made.catalog.create(ORDERS, schema).main)
    return made


def held(world: World) -> list[tuple[str, str]]:
    return [(lease.table, lease.holder) for lease in world.runs.leases()]


def test_a_word_frees_the_tables_and_settles_what_the_dead_writer_left(world: World) -> None:
    found = world.run_out()
    assert [lease.table for lease in found] == [CUSTOMERS.dotted, ORDERS.dotted]
    world.word(found)
    assert held(world) == [(OTHER.dotted, "shop / one")]
    head: Any = world.catalog.head(ORDERS)
    assert head.branches == {}
    assert not world.runs.heartbeat(str(DEAD), 60), "the dead writer has to learn that its tables are gone"


def test_the_record_of_the_dead_run_ends_with_who_said_so(world: World) -> None:
    """Who asks the records, because Airflow is away, is told that it is over."""
    world.runs.save_run(RunRecord(run_key=DEAD, state="running", planned_at=datetime(2026, 1, 1, tzinfo=UTC)))
    world.word(world.run_out())
    record = world.runs.run(str(DEAD))
    assert record is not None
    assert (record.state, record.message) == ("failed", "taken over by ann: its node is gone")
    assert record.ended_at is not None


def test_a_lease_that_still_runs_is_not_given_away(world: World) -> None:
    """Rule 23: the TTL has to pass, whoever gives their word."""
    world.runs.release_leases(str(DEAD))
    world.hold(ALIVE, 60, ORDERS)
    with pytest.raises(LeaseHeldError) as caught:
        world.run_out()
    assert "shop / alive still holds bronze.shop.orders" in str(caught.value)
    assert "Try again after" in str(caught.value)


def test_tables_of_a_writer_that_lives_stay_with_it(world: World) -> None:
    world.runs.release_leases(str(DEAD))
    world.hold(DEAD, 0, ORDERS)
    world.hold(ALIVE, 60, CUSTOMERS)
    world.word(world.run_out())
    assert held(world) == [(CUSTOMERS.dotted, "shop / alive"), (OTHER.dotted, "shop / one")]


@pytest.mark.parametrize(("writer", "ttl_seconds"), [(ALIVE, 0), (DEAD, 60)], ids=["another", "it woke up"])
def test_a_word_is_about_the_writer_it_was_asked_about(world: World, writer: RunKey, ttl_seconds: float) -> None:
    """Whoever took the table while the question stood on the screen keeps it."""
    found = world.run_out()
    world.runs.acquire([ORDERS], str(writer), "somebody", ttl_seconds, takeover=True)
    with pytest.raises(LeaseHeldError, match="nothing was taken over"):
        world.word(found)
    assert (ORDERS.dotted, "somebody") in held(world)
    assert (CUSTOMERS.dotted, "shop / dead") in held(world)


def test_where_nothing_is_held_there_is_nothing_to_give_away(world: World) -> None:
    world.runs.release_leases(str(DEAD))
    assert world.run_out() == ()
