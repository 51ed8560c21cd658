"""A table whose runs leave no time for a slice between them is compacted all the same (rules 23, 24; ADR 18)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from headwater.domain.names import MAINTENANCE
from headwater.domain.run import RunKey
from headwater.services.leases import Claim, try_leases

TURN = timedelta(seconds=60)
BEFORE = 20
"""Files that are overdue where two are worth a rewrite."""


@dataclass
class Traffic:
    """Runs without a pause, and the leases that each had to wait for."""

    waited: list[dict[int, timedelta]] = field(default_factory=list)
    """Of each run: token of the lease it met -> how long that one was given."""
    over: threading.Event = field(default_factory=threading.Event)

    def drive(self, kept: Any) -> None:
        number = BEFORE
        while not self.over.is_set():
            self._take(kept, f"r{number}")
            kept.append(f"r{number}", [number])
            kept.runs.release_leases(kept.key(f"r{number}"))
            number += 1
            time.sleep(0.02)  # what is left of a gap

    def _take(self, kept: Any, run: str) -> None:
        met: dict[int, timedelta] = {}
        self.waited.append(met)
        wanted = Claim(
            pipeline=kept.table.source, tables=[kept.table], run_key=kept.key(run), holder=run, ttl_seconds=30
        )
        while blocking := try_leases(kept.runs, kept.catalog, kept.run_states, wanted):
            for lease in blocking:
                assert RunKey.parse(lease.run_key).dag_id == MAINTENANCE
                met[lease.token] = lease.expires_at - lease.heartbeat_at
            time.sleep(0.05)


def test_a_fast_table_is_compacted_and_each_of_its_runs_waits_for_one_turn_at_most(kept: Any) -> None:
    old = [kept.append(f"r{number}", [number]) for number in range(BEFORE)]
    traffic = Traffic()
    with closing(kept.another(turn=TURN, retention=timedelta(days=1))) as mine, ThreadPoolExecutor(1) as pool:
        runs = pool.submit(traffic.drive, kept)
        try:
            done = [item for _ in range(2) for item in mine.maintain("files", "snapshots")]
        finally:
            traffic.over.set()
        runs.result()
    assert sum(item.files for item in done if item.step == "files" and item.status == "done") >= BEFORE
    delayed = [met for met in traffic.waited if met]
    assert delayed, "no run met a turn: the runs of this test are too slow"
    assert all(len(met) == 1 and set(met.values()) == {TURN} for met in delayed), traffic.waited
    assert sorted(row.id for row in kept.spark.table(kept.table.iceberg).collect()) == list(
        range(BEFORE + len(traffic.waited))
    )
    assert kept.released_rows(old[5]) == list(range(6)), "old releases hold what they held"
