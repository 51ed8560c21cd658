"""An operator's word that a writer is dead, where the scheduler does not say so (rule 23)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headwater.domain.errors import LeaseHeldError
from headwater.domain.names import TableName
from headwater.domain.run import RunKey
from headwater.ports.platform import Platform
from headwater.ports.run_store import Lease
from headwater.services.leases import Claim, try_leases

_TTL_SECONDS = 300.0
"""Of the leases that are given back at once: long enough to settle what the dead writer left."""


def held_of(platform: Platform, pipeline: str) -> tuple[Lease, ...]:
    """The leases of the pipeline's tables, whoever holds them, in the order of the tables."""
    return tuple(lease for lease in platform.runs.leases() if TableName.parse(lease.table).source == pipeline)


def run_out(platform: Platform, leases: Sequence[Lease]) -> tuple[Lease, ...]:
    """Those that a word can give away: nobody has renewed them for a whole TTL.

    :raises LeaseHeldError: when there are leases and each still runs: whoever renews them lives.
    """
    now = platform.clock.now()
    found = tuple(lease for lease in leases if lease.expires_at <= now)
    if leases and not found:
        last = max(leases, key=lambda lease: lease.expires_at)
        raise LeaseHeldError(
            f"{last.holder or last.run_key} still holds {last.table}: its writer lives, or died a moment ago",
            got=f"renewed {last.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC",
            allowed="a lease that has run out",
            remedy=f"Try again after {last.expires_at:%H:%M:%S} UTC; a writer that lives renews its lease until then.",
            facts=_facts(last),
        )
    return found


def take_over(platform: Platform, pipeline: str, dead: Sequence[Lease], by: str, reason: str) -> None:
    """Settle what the dead writers left, free their tables for whoever comes next, and end the records of their runs.

    :param dead: leases as the person saw them when they gave their word.
    :raises LeaseHeldError: when one of them is another's by now, or was renewed; nothing was taken.
    """
    began = platform.clock.now()
    _assert_unchanged(platform, pipeline, dead)
    key = RunKey(installation=platform.runs.installation(), dag_id=pipeline, run_id=_run_id(began))
    claim = Claim(
        pipeline=pipeline,
        tables=[TableName.parse(lease.table) for lease in dead],
        run_key=str(key),
        holder=f"taken over by {by}",
        ttl_seconds=_TTL_SECONDS,
    )
    try:
        blocking = try_leases(platform.runs, platform.catalog, platform.run_states, claim, operator_word=True)
        if blocking:
            raise _changed(blocking[0])
    finally:
        platform.runs.release_leases(str(key))
    for run_key in {lease.run_key for lease in dead}:
        _end_record(platform, run_key, began, f"taken over by {by}: {reason}")


def _assert_unchanged(platform: Platform, pipeline: str, dead: Sequence[Lease]) -> None:
    """The word was about these writers: a run that took a table since then is none of them."""
    now_held = {lease.table: lease for lease in held_of(platform, pipeline)}
    for lease in dead:
        found = now_held.get(lease.table)
        if found is not None and (found.run_key, found.token) != (lease.run_key, lease.token):
            raise _changed(found)


def _end_record(platform: Platform, run_key: str, at: datetime, message: str) -> None:
    record = platform.runs.run(run_key)
    if record is not None and record.state == "running":
        platform.runs.save_run(record.model_copy(update={"state": "failed", "ended_at": at, "message": message}))


def _changed(lease: Lease) -> LeaseHeldError:
    return LeaseHeldError(
        f"{lease.holder or lease.run_key} has {lease.table} by now: nothing was taken over",
        got=f"renewed {lease.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC",
        remedy="Its writer lives; wait for it, or look again.",
        facts=_facts(lease),
    )


def _facts(lease: Lease) -> dict[str, str]:
    return {"table": lease.table, "holder": lease.holder, "run_key": lease.run_key}


def _run_id(at: datetime) -> str:
    return f"take_over__{at:%Y-%m-%dT%H:%M:%S.%f}"
