"""The holder of the leases is killed, or sleeps: they pass on when the TTL is over and the run is, and not before."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from headwater.domain.run import RunKey
from headwater.ports.run_store import Lease
from headwater.services.leases import Claim, heartbeat, try_leases

TTL_SECONDS = 3.0


@dataclass
class Scheduler:
    """What Airflow says of runs: over are those in ``ended``."""

    ended: set[str] = field(default_factory=set)

    def is_terminal(self, run_key: RunKey) -> bool:
        return run_key.run_id in self.ended


def take(world: Any, scheduler: Scheduler, run: str) -> tuple[Lease, ...]:
    """Take all leases for a run, or name those that stand in the way."""
    return try_leases(
        world.runs,
        world.catalog,
        scheduler,
        Claim(
            pipeline=world.pipeline,
            tables=world.tables,
            run_key=world.key(run),
            holder=f"{run} of a test",
            ttl_seconds=TTL_SECONDS,
        ),
    )


def held(world: Any, run: str) -> list[Lease]:
    return [lease for lease in world.runs.leases() if lease.run_key == world.key(run)]


def work(mine: Any) -> None:
    """A run at work: leases taken, a heart that beats, something staged, and a publish."""
    assert take(mine, Scheduler(), "run-2") == ()
    with heartbeat(mine.runs, mine.key("run-2"), TTL_SECONDS):
        mine.publish("run-2", mine.stage("run-2", 2))


def wait_until_expired(world: Any, run: str) -> None:
    """Until the store would let go of the leases; the clock that counts is the store's."""
    while any(lease.expires_at > world.clock.now() for lease in held(world, run)):
        time.sleep(0.05)
    time.sleep(0.1)


def test_leases_of_a_killed_holder_pass_on_after_their_ttl_and_the_end_of_the_run(
    world: Any, paused: Callable[[int], None], ended: Callable[[int], int]
) -> None:
    """Rule 23: kill -9 in the middle of a publish whose heart had been beating."""
    scheduler = Scheduler()
    child = world.start("publish.after_metadata:pause", work)
    paused(child)
    tokens = {lease.table: lease.token for lease in held(world, "run-2")}
    assert set(tokens) == {table.dotted for table in world.tables}
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -9

    # the run is over, and yet its leases stand until their time is
    scheduler.ended = {"run-2"}
    if not all(lease.expires_at <= world.clock.now() for lease in held(world, "run-2")):
        assert {lease.holder for lease in take(world, scheduler, "run-3")} == {"run-2 of a test"}
    wait_until_expired(world, "run-2")
    # their time is over, and yet they stand while the scheduler says that the run goes on
    scheduler.ended = set()
    assert {lease.holder for lease in take(world, scheduler, "run-3")} == {"run-2 of a test"}
    scheduler.ended = {"run-2"}
    assert take(world, scheduler, "run-3") == ()

    assert held(world, "run-2") == []
    assert all(lease.token > tokens[lease.table] for lease in held(world, "run-3"))
    world.publish("run-3", world.stage("run-3", 3))
    assert world.rows() == [[1, 3]] * 3
    assert world.statuses() == ["published", "aborted", "published"]


def test_a_holder_that_wakes_up_after_its_leases_passed_on_is_refused(
    world: Any, paused: Callable[[int], None], ended: Callable[[int], int]
) -> None:
    """Rules 17, 23: the worker was thought dead; its process is stopped, heart and all, and then goes on."""
    child = world.start("publish.after_metadata:pause", work)
    paused(child)
    wait_until_expired(world, "run-2")
    assert take(world, Scheduler({"run-2"}), "run-3") == ()
    world.publish("run-3", world.stage("run-3", 3))
    os.kill(child, signal.SIGCONT)
    assert ended(child) == 1
    assert world.rows() == [[1, 3]] * 3
    assert world.statuses().count("published") == 2
    assert {lease.run_key for lease in world.runs.leases() if lease.table in {t.dotted for t in world.tables}} == {
        world.key("run-3")
    }
