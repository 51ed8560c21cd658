"""One slice of maintenance on one table: its lease, which gives way to runs, mostly at once (rules 23 to 25)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from headwater.domain.errors import LeaseHeldError
from headwater.domain.names import TableName
from headwater.domain.run import RunKey
from headwater.ports.upkeep import MaintainingPlatform
from headwater.services.leases import gives_way
from headwater.services.recovery import recover_releases

AT_ONCE = 0.0
"""Seconds a lease of maintenance lasts: it has run out from the start, so that a run takes it without waiting."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What a step works with. ``now`` is when the slice began."""

    platform: MaintainingPlatform
    table: TableName
    run_key: str
    now: datetime
    dry_run: bool = False
    most_files: int | None = None
    """A rewrite of this slice takes no more data files; None: as many as the settings allow."""

    @property
    def cutoff(self) -> datetime:
        """What was visible since then stays."""
        return self.now - self.platform.settings.maintenance.retention

    def assert_held(self) -> None:
        """:raises LeaseHeldError: when a run has taken the table over."""
        held = any(
            item.table == self.table.dotted for item in self.platform.runs.leases() if self._is_mine(item.run_key)
        )
        if not held and not self.dry_run:
            raise LeaseHeldError(
                f"{self.table}: a run took it over; maintenance goes on there another time",
                facts={"table": self.table.dotted},
            )

    def _is_mine(self, run_key: str) -> bool:
        return run_key == self.run_key


@contextmanager
def slice_of(
    platform: MaintainingPlatform,
    table: TableName,
    run_key: str,
    holder: str,
    *,
    dry_run: bool = False,
    ttl_seconds: float = AT_ONCE,
) -> Iterator[Slice]:
    """Take the table's lease for the block; a dry run takes none.

    A lease of a run is taken only when it has run out and the run is over; one of another maintenance, which may be
    dead, always. What the last holder left is settled first: open intents of its pipeline.

    :param ttl_seconds: until a run takes the table over without asking, however long the block takes: nothing renews
        a lease of maintenance.
    :raises LeaseHeldError: naming the holder; never waits.
    """
    made = Slice(platform, table, run_key, platform.clock.now(), dry_run)
    if dry_run:
        yield made
        return
    _take(platform, table, run_key, holder, ttl_seconds)
    try:
        recover_releases(platform.runs, platform.catalog, table.source)
        yield made
    finally:
        platform.runs.release_leases(run_key)


def _take(platform: MaintainingPlatform, table: TableName, run_key: str, holder: str, ttl_seconds: float) -> None:
    runs = platform.runs
    others = [lease for lease in runs.acquire([table], run_key, holder, ttl_seconds) if lease.run_key != run_key]
    if others and gives_way(platform.run_states, RunKey.parse(others[0].run_key)):
        taken = runs.acquire([table], run_key, holder, ttl_seconds, takeover=True)
        others = [lease for lease in taken if lease.run_key != run_key]
    if others:
        raise LeaseHeldError(
            f"{table} is held by {others[0].holder or others[0].run_key}",
            remedy="It is maintained the next time.",
            facts={"table": table.dotted, "holder": others[0].holder, "run_key": others[0].run_key},
        )
