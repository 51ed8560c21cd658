"""A publisher is killed with -9 at every step; whoever comes next finds all of the release, or nothing of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from headwater.adapters.iceberg import IcebergCatalog
from headwater.domain.errors import CatalogError, StaleBaseError
from headwater.services.recovery import recover_releases

STEPS = [
    "publish.before_intent",
    "publish.after_intent",
    "publish.before_metadata",
    "publish.mid_metadata",
    "publish.after_metadata",
    "publish.before_commit",
    "publish.after_commit",
    "publish.before_mark",
    "publish.after_mark",
]
COMMITTED = STEPS[6:]


@pytest.mark.parametrize("step", STEPS)
def test_publishing_again_after_a_kill_equals_publishing_once(
    world: Any, ended: Callable[[int], int], step: str
) -> None:
    """Rules 16, 17, 19; and a reader going through releases meanwhile never sees two runs mixed."""
    moves = world.stage("run-2", 2)
    old = {t.table: t.snapshot_id for t in world.current().tables}
    new = {move.table: move.target for move in moves}
    seen: list[dict[Any, int]] = []
    stop = threading.Event()

    def read() -> None:
        while not seen or not stop.wait(0.02):
            seen.append({t.table: t.snapshot_id for t in world.current().tables})

    child = world.start(f"{step}:kill", lambda mine: mine.publish("run-2", moves))
    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ended(child) == -9
        moved = [move.target for move in moves]
        assert world.mains() == (moved if step in COMMITTED else list(old.values()))
        release = world.publish("run-2", moves)
    finally:
        stop.set()
        reader.join()
    assert all(view in (old, new) for view in seen)
    assert release == world.current()
    assert {t.table: t.snapshot_id for t in release.tables} == new
    assert world.mains() == moved
    assert world.rows() == [[1, 2]] * 3
    assert world.statuses().count("published") == 2
    assert "pending" not in world.statuses()


def test_publishing_what_is_published_answers_with_its_release(world: Any) -> None:
    moves = world.stage("run-2", 2)
    first = world.publish("run-2", moves)
    assert world.publish("run-2", moves) == first
    assert world.publish("run-2", moves[:1]) == first
    assert world.statuses() == ["published", "published"]


class _LosesAnswers(IcebergCatalog):
    """Every publish happens, and its caller never hears of it."""

    def publish(self, moves: Any) -> Any:
        super().publish(moves)
        raise CatalogError("the answer was lost")


def test_a_publish_whose_answer_is_lost_is_found_done(world: Any) -> None:
    moves = world.stage("run-2", 2)
    catalog = _LosesAnswers(world.settings)
    release = world.publish("run-2", moves, catalog)
    catalog.close()
    assert release.status == "published"
    assert world.rows() == [[1, 2]] * 3


def test_the_next_acquirer_completes_a_committed_release(world: Any, ended: Callable[[int], int]) -> None:
    moves = world.stage("run-2", 2)
    assert ended(world.start("publish.before_mark:kill", lambda mine: mine.publish("run-2", moves))) == -9
    assert [t.snapshot_id for t in world.current().tables] != world.mains()
    (recovered,) = recover_releases(world.runs, world.catalog, world.pipeline)
    assert recovered == world.current()
    assert [t.snapshot_id for t in world.current().tables] == world.mains()
    assert recover_releases(world.runs, world.catalog, world.pipeline) == ()


def test_a_refused_publish_leaves_an_aborted_intent_and_orphans_only(world: Any) -> None:
    late = world.stage("run-2", 2)
    world.publish("run-3", world.stage("run-3", 3))
    with pytest.raises(StaleBaseError):
        world.publish("run-2", late)
    assert world.statuses() == ["published", "published", "aborted"]
    assert world.rows() == [[1, 3]] * 3
