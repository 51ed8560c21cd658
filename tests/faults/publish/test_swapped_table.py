"""A physical table is swapped in with the other moves of its release, or not at all, whoever dies (rules 14, 16)."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from headwater.services.leases import Claim, try_leases
from headwater.services.recovery import recover_releases
from headwater.services.rollback import rollback

STEPS = ["publish.mid_metadata", "publish.after_metadata", "publish.before_commit"]
COMMITTED = ["publish.after_commit", "publish.before_mark"]
OLD, NEW = [[1]] * 3, [[2], [1, 2], [1, 2]]


def replaced(world: Any) -> list[bool]:
    return [name.is_replaced for name in world.catalog.physical_tables(world.tables[0])]


@pytest.mark.parametrize("step", [*STEPS, *COMMITTED])
def test_publishing_again_after_a_kill_equals_publishing_once(
    world: Any, ended: Callable[[int], int], step: str
) -> None:
    moves, before = world.stage_apart("run-2", 2), world.current()
    assert ended(world.start(f"{step}:kill", lambda mine: mine.publish("run-2", moves))) == -9
    swapped = step in COMMITTED
    assert world.mains() == [move.target if swapped else move.base for move in moves]
    assert replaced(world) == [swapped]
    assert world.rows() == OLD, "readers go through the release, which is not marked yet"
    release = world.publish("run-2", moves)
    assert release == world.current()
    assert (world.rows(), replaced(world)) == (NEW, [True])
    assert world.statuses().count("published") == 2
    world.current = lambda: before
    assert world.rows() == OLD, "rule 19"


def test_the_next_acquirer_completes_a_swap_and_drops_what_dead_attempts_left(
    world: Any, over: Any, ended: Callable[[int], int]
) -> None:
    moves, dead = world.stage_apart("run-2", 2), world.stage_apart("run-2", 9)
    assert ended(world.start("publish.before_mark:kill", lambda mine: mine.publish("run-2", moves))) == -9
    take_over(world, over, "run-3")
    assert (world.rows(), replaced(world)) == (NEW, [True])
    assert all(head.branches == {} for table in world.tables if (head := world.catalog.head(table)))
    assert dead[0].home not in world.catalog.physical_tables(world.tables[0])


def test_a_swap_that_slept_through_a_takeover_is_refused(
    world: Any, over: Any, paused: Callable[[int], None], ended: Callable[[int], int]
) -> None:
    """Rule 23: what it staged is gone, though every base still stands."""
    moves = world.stage_apart("run-2", 2)
    world.runs.acquire(world.tables, world.key("run-2"), "run-2", 0)
    child = world.start("publish.after_metadata:pause", lambda mine: mine.publish("run-2", moves))
    paused(child)
    take_over(world, over, "run-3")
    os.kill(child, signal.SIGCONT)
    assert ended(child) == 1
    assert (world.rows(), replaced(world)) == (OLD, [])


def test_a_rollback_that_slept_through_a_takeover_brings_no_table_back(
    world: Any, over: Any, paused: Callable[[int], None], ended: Callable[[int], int]
) -> None:
    """Rules 22, 23: its branch in the replaced table is dropped like one in the table."""
    first = world.current()
    world.publish("run-2", world.stage_apart("run-2", 2)[:1])

    def back(mine: Any) -> None:
        key = mine.key("back")
        rollback(mine.runs, mine.catalog, mine.clock, over, first.id, run_key=key, holder="ann", ttl_seconds=0)

    child = world.start("publish.after_metadata:pause", back)
    paused(child)
    take_over(world, over, "run-3")
    os.kill(child, signal.SIGCONT)
    assert ended(child) == 1
    assert (world.rows(), replaced(world)) == (NEW[:1], [True])
    back(world)
    assert (world.rows(), replaced(world)) == (OLD, [True])
    assert recover_releases(world.runs, world.catalog, world.pipeline) == ()


def take_over(world: Any, over: Any, run: str) -> None:
    blocking = try_leases(
        world.runs,
        world.catalog,
        over,
        Claim(pipeline=world.pipeline, tables=world.tables, run_key=world.key(run), holder=run, ttl_seconds=0),
    )
    assert blocking == ()
