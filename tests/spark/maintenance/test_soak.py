"""Runs that write, hold, publish and roll back, readers of old releases, and maintenance, all at once (rule 24)."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from headwater.domain.errors import NotFoundError, StaleBaseError
from headwater.domain.release import Release
from headwater.services.leases import Claim, try_leases
from headwater.services.maintenance.keeping import kept_releases
from headwater.services.rollback import rollback

SECONDS = float(os.environ.get("HEADWATER_SOAK_SECONDS", "15"))
LONGEST_SECONDS = max(60.0, SECONDS)
"""A slow machine gets this long until everything has happened once."""
WANTED = ("published", "held", "read", "branches done", "files done", "snapshots done")
RETENTION = timedelta(seconds=4)
IN_FLIGHT = timedelta(seconds=2)
"""A reader chose its release this long before it has read it."""


@dataclass
class Story:
    """What was released, with the rows each release shows."""

    rows: dict[str, list[int]] = field(default_factory=dict)
    current: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_seen_all(self) -> bool:
        return all(self.counts.get(what) for what in WANTED)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def released(self, release: Release, rows: list[int]) -> None:
        self.current = rows
        self.rows[release.id] = rows


def _write(kept: Any, story: Story) -> None:
    """One run after the other; a held one is accepted by a later run, or thrown away."""
    chance, number = random.Random(18), 0
    while not story.over.is_set():
        number += 1
        key = kept.key(f"w{number}")
        tables, holder = [kept.table], f"w{number}"
        claim = Claim(pipeline=kept.table.source, tables=tables, run_key=key, holder=holder, ttl_seconds=30)
        blocking = try_leases(kept.runs, kept.catalog, kept.run_states, claim)
        assert blocking == (), "a run never waits for maintenance that has no turn"
        move = kept.stage(f"w{number}", [number])
        if number % 4 == 0:
            kept.stage(f"dead{number}", [-1])  # what the run's first try left: it died before it could tell
        staged = kept.hold(f"w{number}", move)
        if chance.random() < 0.3:
            kept.runs.release_leases(key)
            time.sleep(chance.random())
            story.count("held")
        try:
            release = kept.publish(f"w{number}", move)
        except StaleBaseError:
            story.count("stale")
        else:
            kept.runs.mark_staged(staged.attempt, kept.table, "published")
            story.released(release, [*story.current, number])
            story.count("published")
        finally:
            kept.runs.mark_staged(staged.attempt, kept.table, "discarded")
            kept.runs.release_leases(key)
        if chance.random() < 0.15:
            _turn_back(kept, story, chance)
        if number % 4 == 0:
            _rest(story)
        time.sleep(chance.random() * 0.3)


def _rest(story: Story) -> None:
    """Nothing arrives until maintenance has rewritten files, or for a while: work without a pause leaves it no time."""
    before, until = story.counts.get("files done", 0), time.monotonic() + 10
    while story.counts.get("files done", 0) == before and time.monotonic() < until:
        if story.over.wait(0.1):
            return


def _turn_back(kept: Any, story: Story, chance: random.Random) -> None:
    found = [item for item in _kept(kept) if item.id in story.rows][1:]
    if not found:
        return
    target = chance.choice(found)
    release = rollback(
        kept.runs, kept.catalog, kept.clock, kept.run_states, target.id, run_key=kept.key(f"b{time.time_ns()}"),
        holder="a person",
    )  # fmt: skip
    story.released(release, story.rows[target.id])
    story.count("turned back")


def _kept(kept: Any) -> list[Release]:
    """Releases a reader may still ask for, with time to read them."""
    releases = kept.runs.releases(kept.table.source, limit=1000)
    return list(kept_releases(releases, kept.clock.now() - RETENTION + IN_FLIGHT))


def _read(kept: Any, story: Story) -> None:
    chance = random.Random(19)
    while not story.over.is_set():
        found = [item for item in _kept(kept) if item.id in story.rows]
        for release in chance.sample(found, min(3, len(found))):
            assert kept.released_rows(release) == sorted(story.rows[release.id])
            story.count("read")
        time.sleep(0.05)


def _maintain(kept: Any, story: Story) -> None:
    number = 0
    while not story.over.is_set():
        number += 1
        kept.age(but_young_seconds=3.0)  # no run here writes for longer: what is older may be an orphan (rule 29)
        for item in kept.maintain(run=f"m{number}"):
            story.count(f"{item.step} {item.status}")


def test_nothing_that_is_referred_to_is_ever_deleted_beside_running_writers(kept: Any) -> None:
    first = kept.append("first", [0])
    kept.catalog.tag(kept.table, "used_by_gold__shop__sums", first.tables[0].snapshot_id)
    story = Story()
    story.released(first, [0])
    with (
        closing(kept.another(retention=RETENTION)) as one,
        closing(kept.another(retention=RETENTION, turn=timedelta(0))) as two,
    ):
        works: list[tuple[Callable[[Any, Story], None], Any]] = [(_write, kept), (_read, one), (_maintain, two)]

        def until_one_fails(work: Callable[[Any, Story], None], mine: Any) -> None:
            try:
                work(mine, story)
            finally:
                story.over.set()

        with ThreadPoolExecutor(len(works)) as pool:
            futures = [pool.submit(until_one_fails, work, mine) for work, mine in works]
            until = time.monotonic() + LONGEST_SECONDS
            story.over.wait(SECONDS)
            while not story.has_seen_all and time.monotonic() < until and not story.over.wait(0.2):
                pass
            story.over.set()
        for future in futures:
            future.result()
    for release in _kept(kept):
        assert kept.released_rows(release) == sorted(story.rows[release.id])
    assert sorted(row.id for row in kept.spark.table(kept.table.iceberg).collect()) == sorted(story.current)
    assert kept.catalog.is_ancestor(kept.table, first.tables[0].snapshot_id), "gold that follows still finds its input"
    assert story.has_seen_all, story.counts


def test_what_is_past_the_retention_is_refused_with_words(kept: Any, old_enough: Callable[[], None]) -> None:
    gone = kept.append("r0", [0])
    kept.append("r1", [1])
    old_enough()
    kept.append("r2", [2])
    kept.maintain("snapshots")
    with_words = kept.key("back")
    with pytest.raises(NotFoundError, match="is gone"):
        rollback(kept.runs, kept.catalog, kept.clock, kept.run_states, gone.id, run_key=with_words, holder="a person")
