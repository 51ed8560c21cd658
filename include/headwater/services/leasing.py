"""A run's leases: taken before it plans, renewed while a stage works, given back when it closes (rule 23)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from headwater.domain.errors import LeaseHeldError
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import Lease
from headwater.services.context import RunContext
from headwater.services.leases import Claim, heartbeat, try_leases


@dataclass(slots=True)
class LeaseBusyError(LeaseHeldError):
    """Other runs hold tables of this pipeline. Waiting helps; ``holders`` says for whom."""

    holders: tuple[Lease, ...] = field(default=(), kw_only=True)

    retry_helps = True


def take_leases(platform: Platform, run: RunContext) -> None:
    """Take or renew the leases of every table the run may write, or none; never waits.

    :raises LeaseBusyError: naming the holders.
    """
    blocking = try_leases(
        platform.runs,
        platform.catalog,
        platform.run_states,
        Claim(
            pipeline=run.spec.name,
            tables=run.all_tables(),
            run_key=run.key,
            holder=run.holder,
            ttl_seconds=platform.settings.lease_ttl.total_seconds(),
        ),
    )
    if blocking:
        raise _busy(run, blocking)
    failpoint("lease.taken")


@contextmanager
def holding(platform: Platform, run: RunContext) -> Iterator[None]:
    """Renew the run's leases, and keep them alive while the block works.

    :raises LeaseBusyError: when another run holds a table at the beginning.
    :raises LeaseHeldError: at the end, when another run took one meanwhile.
    """
    take_leases(platform, run)
    with heartbeat(platform.runs, run.key, platform.settings.lease_ttl.total_seconds()):
        yield


def give_back(platform: Platform, run: RunContext) -> None:
    """Free the run's leases for whoever waits."""
    platform.runs.release_leases(run.key)


def _busy(run: RunContext, others: tuple[Lease, ...]) -> LeaseBusyError:
    holders = sorted({lease.holder or lease.run_key for lease in others})
    tables = ", ".join(lease.table for lease in others[:3]) + (" …" if len(others) > 3 else "")
    return LeaseBusyError(
        f"{run.spec.name} waits: {' and '.join(holders)} holds {tables}",
        got=f"leases until {max(lease.expires_at for lease in others):%Y-%m-%d %H:%M:%S} UTC",
        remedy="It goes on by itself when the holder ends, or when its lease has run out and its run is over.",
        facts={"table": others[0].table, "holder": holders[0], "pipeline": run.spec.name},
        holders=others,
    )
