"""A publisher falls asleep, its lease passes on, it wakes up: its publish is refused, or it is found and recorded."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from headwater.services.leases import Claim, try_leases
from headwater.services.recovery import recover_releases
from headwater.services.rollback import rollback

Wait = Callable[[int], int]
Paused = Callable[[int], None]


def _take_over(world: Any, over: Any, run: str) -> None:
    blocking = try_leases(
        world.runs,
        world.catalog,
        over,
        Claim(pipeline=world.pipeline, tables=world.tables, run_key=world.key(run), holder=run, ttl_seconds=60),
    )
    assert blocking == ()


def _asleep(world: Any, paused: Paused, step: str) -> int:
    """Run 2 holds expired leases, and stands at the step."""
    moves = world.stage("run-2", 2)
    world.runs.acquire(world.tables, world.key("run-2"), "run-2", 0)
    child: int = world.start(f"{step}:pause", lambda mine: mine.publish("run-2", moves))
    paused(child)
    return child


@pytest.mark.parametrize("step", ["publish.before_intent", "publish.after_intent", "publish.after_metadata"])
def test_a_publisher_that_slept_through_a_takeover_is_refused(
    world: Any, over: Any, paused: Paused, ended: Wait, step: str
) -> None:
    """Rule 23: a higher token, open intents settled, branches dropped; then the other run works."""
    child = _asleep(world, paused, step)
    _take_over(world, over, "run-3")
    world.publish("run-3", world.stage("run-3", 3))
    os.kill(child, signal.SIGCONT)
    assert ended(child) == 1
    assert world.rows() == [[1, 3]] * 3
    assert world.statuses().count("published") == 2


def test_a_publisher_that_slept_through_a_takeover_and_a_rollback_is_refused(
    world: Any, over: Any, paused: Paused, ended: Wait
) -> None:
    """ABA (rules 17, 22): main stands where the sleeper began, yet its branch is gone."""
    first = world.current()
    child = _asleep(world, paused, "publish.after_metadata")
    _take_over(world, over, "run-3")
    world.publish("run-3", world.stage("run-3", 3))
    world.runs.release_leases(world.key("run-3"))
    back = rollback(world.runs, world.catalog, world.clock, over, first.id, run_key=world.key("rollback"), holder="ann")
    assert world.mains() == [t.snapshot_id for t in first.tables]
    os.kill(child, signal.SIGCONT)
    assert ended(child) == 1
    assert world.current() == back
    assert world.rows() == [[1]] * 3
    assert not {lease.table for lease in world.runs.leases()} & {table.dotted for table in world.tables}


def test_a_sleeper_thought_dead_that_publishes_after_all_is_found(world: Any, paused: Paused, ended: Wait) -> None:
    """Aborted by a look that came too early, then committed and killed before it could say so."""
    moves = world.stage("run-2", 2)
    steps = "publish.after_metadata:pause,publish.before_mark:kill"
    child = world.start(steps, lambda mine: mine.publish("run-2", moves))
    paused(child)
    recover_releases(world.runs, world.catalog, world.pipeline)
    assert world.statuses() == ["published", "aborted"]
    os.kill(child, signal.SIGCONT)
    assert ended(child) == -9
    release = world.publish("run-2", moves)
    assert release.status == "published"
    assert world.statuses() == ["published", "published"]
    assert world.rows() == [[1, 2]] * 3


def test_two_who_publish_the_same_staging_make_one_release(world: Any, paused: Paused, ended: Wait) -> None:
    """A task whose supervisor died runs on beside its retry."""
    moves = world.stage("run-2", 2)
    child = world.start("publish.after_metadata:pause", lambda mine: mine.publish("run-2", moves))
    paused(child)
    retry = world.publish("run-2", moves)
    os.kill(child, signal.SIGCONT)
    assert ended(child) == 0
    assert world.current() == retry
    assert world.statuses().count("published") == 2
    assert world.rows() == [[1, 2]] * 3
