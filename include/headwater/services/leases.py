"""One writer per table: taking leases, clearing up after their last holder, keeping them alive (rule 23).

A lease keeps two runs from working at once; it fences nothing. What refuses a paused writer that wakes up is the
publish itself: its branch is gone, or its base is (rule 17).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from headwater.domain.errors import LeaseHeldError, RunStoreError
from headwater.domain.names import MAINTENANCE, TableName
from headwater.domain.run import RunKey
from headwater.ports.catalog import Catalog
from headwater.ports.run_states import RunStates
from headwater.ports.run_store import Lease, RunStore
from headwater.services.recovery import recover_releases

ATTEMPT_BRANCH = "hw_"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Who wants which tables, and for how long they are theirs without a beat.

    :param holder: in words, for whoever waits.
    """

    pipeline: str
    tables: Sequence[TableName]
    run_key: str
    holder: str
    ttl_seconds: float


def try_leases(
    runs: RunStore, catalog: Catalog, run_states: RunStates, claim: Claim, *, operator_word: bool = False
) -> tuple[Lease, ...]:
    """Take or renew the leases of all tables, or of none; never waits.

    A lease of another run is taken when its TTL has passed **and** the scheduler says that run is over, or an operator
    gave their word that it is. When the leases were not this run's already, what their last holder left is settled
    before this returns: open intents, then branches of other attempts. Only then may ``main`` be read.

    :returns: the leases of others that stand in the way; empty when all are this run's now.
    """
    # Branches are listed before the leases are: a branch that a parallel task of this run cuts right after it took
    # the leases is then never mistaken for one of the last holder.
    mine = _all_mine(runs, claim)
    left_behind = {} if mine else _attempt_branches(catalog, claim.tables)
    mine = mine or _all_mine(runs, claim)
    blocking = _blocking(runs, claim)
    if blocking and all(operator_word or gives_way(run_states, RunKey.parse(lease.run_key)) for lease in blocking):
        blocking = _blocking(runs, claim, takeover=True)
    if not blocking and not mine:
        recover_releases(runs, catalog, claim.pipeline)
        _drop(runs, catalog, left_behind, claim.run_key)
    return blocking


def gives_way(run_states: RunStates, holder: RunKey) -> bool:
    """Whether an expired lease of that holder may be taken.

    Maintenance gives way to everybody: its leases have run out from the start, or when its turn is over (ADR 18).
    """
    return holder.dag_id == MAINTENANCE or run_states.is_terminal(holder)


def _blocking(runs: RunStore, claim: Claim, *, takeover: bool = False) -> tuple[Lease, ...]:
    """The leases of others, after a try."""
    leases = runs.acquire(claim.tables, claim.run_key, claim.holder, claim.ttl_seconds, takeover=takeover)
    return tuple(lease for lease in leases if lease.run_key != claim.run_key)


def _all_mine(runs: RunStore, claim: Claim) -> bool:
    held = {lease.table for lease in runs.leases() if lease.run_key == claim.run_key}
    return all(table.dotted in held for table in claim.tables)


def _attempt_branches(catalog: Catalog, tables: Sequence[TableName]) -> dict[TableName, tuple[str, ...]]:
    replaced = (name for table in tables for name in catalog.physical_tables(table) if name.is_replaced)
    heads = (catalog.head(table) for table in (*tables, *replaced))
    return {
        head.table: tuple(branch for branch in head.branches if branch.startswith(ATTEMPT_BRANCH))
        for head in heads
        if head is not None
    }


def _drop(runs: RunStore, catalog: Catalog, branches: dict[TableName, tuple[str, ...]], run_key: str) -> None:
    """Drop the branches but those of this run's stagings and of held ones, which wait for a person (rule 21)."""
    spared = {record.staged.branch for record in (*runs.held(), *runs.staged(run_key))}
    for table, names in branches.items():
        if gone := [name for name in names if name not in spared]:
            catalog.drop_branches(table, gone)


class Heartbeat:
    """Whether the leases still are this run's, as far as the last beat knows."""

    def __init__(self, runs: RunStore, run_key: str, ttl_seconds: float) -> None:
        self._runs = runs
        self._run_key = run_key
        self._ttl_seconds = ttl_seconds
        self._stop = threading.Event()
        self._lost = threading.Event()

    def assert_held(self) -> None:
        """:raises LeaseHeldError: when another run has taken a lease of this one; stop writing."""
        if self._lost.is_set():
            raise LeaseHeldError(
                "another run took over a table of this run while it worked", got=self._run_key,
                remedy="nothing was published by this attempt; see the run that holds the table (headwater runs)",
            )  # fmt: skip

    def run(self) -> None:
        """Beat three times per TTL until stopped or lost."""
        while not self._stop.wait(self._ttl_seconds / 3):
            try:
                if not self._runs.heartbeat(self._run_key, self._ttl_seconds):
                    self._lost.set()
                    return
            except RunStoreError:
                # a missed beat is what the TTL allows for; the next one says whether the lease is still ours
                continue

    def stop(self) -> None:
        """End the beat; returns at once."""
        self._stop.set()


@contextmanager
def heartbeat(runs: RunStore, run_key: str, ttl_seconds: float) -> Iterator[Heartbeat]:
    """Keep the run's leases alive while the body works.

    :raises LeaseHeldError: at the end of the body, when another run took a lease meanwhile.
    """
    beat = Heartbeat(runs, run_key, ttl_seconds)
    thread = threading.Thread(target=beat.run, name="lease-heartbeat", daemon=True)
    thread.start()
    try:
        yield beat
    finally:
        beat.stop()
        thread.join(timeout=ttl_seconds)
    beat.assert_held()
