"""One writer per table: a run's leases are taken before it plans, renewed while it works, given back when it closes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from headwater.domain.errors import LeaseHeldError
from headwater.domain.names import TableName
from headwater.domain.run import RunKey
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import Lease
from headwater.services.context import RunContext
from headwater.services.releases import recover_releases


@dataclass(slots=True)
class LeaseBusyError(LeaseHeldError):
    """Other runs hold tables of this pipeline. Waiting helps; ``holders`` says for whom."""

    holders: tuple[Lease, ...] = field(default=(), kw_only=True)

    retry_helps = True


def take_leases(platform: Platform, run: RunContext) -> None:
    """Take the leases of every table of the pipeline, or none (rule 23).

    An expired lease is taken over only when its run is over. After a take-over: open releases are finished or given
    up, and branches of other attempts dropped, before anything is read.

    :raises LeaseBusyError: naming the holders.
    """
    ttl = platform.settings.lease_ttl.total_seconds()
    names = run.all_tables()
    taken = platform.runs.acquire(names, run.key, run.holder, ttl)
    others = [lease for lease in taken if lease.run_key != run.key]
    if others and all(platform.run_states.is_terminal(RunKey.parse(key)) for key in {o.run_key for o in others}):
        taken = platform.runs.acquire(names, run.key, run.holder, ttl, takeover=True)
        others = [lease for lease in taken if lease.run_key != run.key]
    if others:
        raise _busy(run, others)
    failpoint("lease.taken")
    recover_releases(platform.runs, platform.catalog, run.spec.name)
    _drop_dead_branches(platform, run, names)


def _drop_dead_branches(platform: Platform, run: RunContext, names: tuple[TableName, ...]) -> None:
    """Other runs' attempts are dead once this run holds the lease, unless a gate holds them for a person."""
    own = {record.staged.branch for record in platform.runs.staged(run.key)}
    held = {record.staged.branch for name in names for record in platform.runs.held(name)}
    for name in names:
        head = platform.catalog.head(name)
        if head is None:
            continue
        dead = [branch for branch in head.branches if branch.startswith("hw_") and branch not in own | held]
        if dead:
            platform.catalog.drop_branches(name, dead)


@contextmanager
def holding(platform: Platform, run: RunContext) -> Iterator[None]:
    """Renew the run's leases, and keep them alive while the block works.

    :raises LeaseBusyError: when another run took a table meanwhile.
    """
    take = platform.runs.acquire(run.all_tables(), run.key, run.holder, platform.settings.lease_ttl.total_seconds())
    others = [lease for lease in take if lease.run_key != run.key]
    if others:
        raise _busy(run, others)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(platform, run, stop), name="lease-heartbeat", daemon=True)
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()


def _beat(platform: Platform, run: RunContext, stop: threading.Event) -> None:
    """A lost lease is not fenced here: rule 17 refuses the publish of a run that was overtaken."""
    ttl = platform.settings.lease_ttl.total_seconds()
    while not stop.wait(ttl / 3):
        platform.runs.heartbeat(run.key, ttl)


def give_back(platform: Platform, run: RunContext) -> None:
    """Free the run's leases for whoever waits."""
    platform.runs.release_leases(run.key)


def _busy(run: RunContext, others: list[Lease]) -> LeaseBusyError:
    holders = sorted({lease.holder or lease.run_key for lease in others})
    tables = ", ".join(lease.table for lease in others[:3]) + (" …" if len(others) > 3 else "")
    error = LeaseBusyError(
        f"{run.spec.name} waits: {' and '.join(holders)} holds {tables}",
        got=f"leases until {max(lease.expires_at for lease in others):%Y-%m-%d %H:%M:%S} UTC",
        remedy="It goes on by itself when the holder ends, or when its lease has run out and its run is over.",
        facts={"table": others[0].table, "holder": holders[0], "pipeline": run.spec.name},
    )
    error.holders = tuple(others)
    return error
