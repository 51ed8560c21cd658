"""The run store: runs, plans, attempts, verdicts, releases, leases. Its own database, migrated (rule 42)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from pydantic import AwareDatetime

from headwater.domain.base import Value
from headwater.domain.external import JobRecord
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release
from headwater.domain.run import RunKey, RunPlan
from headwater.domain.staging import CheckResult, StagedTable, StageName, Verdict
from headwater.ports.chunks import Chunk, ChunkClaim


class RunRecord(Value):
    """A run as people list it."""

    run_key: RunKey
    state: Literal["running", "success", "failed", "held", "superseded"]
    planned_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    reason: str = ""
    held: tuple[str, ...] = ()
    message: str = ""
    bundle_version: str | None = None


class StagedRecord(Value):
    """A staging as the run store keeps it, with what became of it."""

    run_key: str
    stage: StageName
    staged: StagedTable
    status: Literal["staged", "published", "held", "discarded", "superseded"]
    inputs_hash: str
    """Hash over recorded inputs, code, spec and SQL: what rule 8 compares."""
    created_at: AwareDatetime
    checks: tuple[CheckResult, ...] = ()
    """What the stage itself measured, such as the share of diverted rows; judged with the contract's checks."""


class SetAside(Value):
    """A person's ``discard``: rows of a table that break a rule, up to a batch, go to quarantine (rule 21)."""

    table: TableName
    rule: str
    predicate: str
    up_to_batch: int
    up_to_cursor: str | None = None
    """Incremental extracts read a lag again: the same rows come in later batches, with cursors up to this one."""
    by: str
    reason: str


class Lease(Value):
    """One writer per table (rule 23). ``token`` only grows."""

    table: str
    run_key: str
    token: int
    holder: str
    heartbeat_at: AwareDatetime
    expires_at: AwareDatetime


class RunStore(Protocol):
    """All writes are idempotent by their natural key: calling twice changes nothing."""

    def installation(self) -> str:
        """The installation uuid, made on first use (rule 1)."""
        ...

    # runs and plans
    def save_plan(self, plan: RunPlan, spec_document: str, bundle_version: str | None = None) -> RunPlan:
        """Store the plan unless the run has one; returns the stored one (a retry keeps the first)."""
        ...

    def replace_plan(self, plan: RunPlan, spec_document: str) -> None:
        """Plan again: allowed only before anything of this key was published (rule 7)."""
        ...

    def renew_plan(self, plan: RunPlan, spec_document: str) -> None:
        """Keep a cleared run's plan with the files as they are now; what the run has published is as it was planned."""
        ...

    def plan(self, run_key: str) -> RunPlan | None: ...

    def spec_document(self, run_key: str) -> str | None:
        """The resolved spec (JSON) stored with the plan (rule 4)."""
        ...

    def save_run(self, record: RunRecord) -> None: ...

    def runs(self, pipeline: str | None = None, limit: int = 20) -> tuple[RunRecord, ...]:
        """Newest first."""
        ...

    def run(self, run_key: str) -> RunRecord | None: ...

    # staging
    def save_staged(self, record: StagedRecord) -> None: ...

    def staged(self, run_key: str, stage: StageName | None = None) -> tuple[StagedRecord, ...]:
        """Of each table the newest staging of that run, any status, oldest table first."""
        ...

    def held(self, table: TableName | None = None) -> tuple[StagedRecord, ...]:
        """Held stagings, newest first."""
        ...

    def mark_staged(self, attempt: str, table: TableName, status: str) -> None: ...

    def live_branches(self) -> dict[str, tuple[str, ...]]:
        """Dotted table -> branches of staged and held attempts; maintenance spares them."""
        ...

    # verdicts
    def save_verdict(self, run_key: str, verdict: Verdict) -> None: ...

    def verdict(self, table: TableName, snapshot_id: int) -> Verdict | None:
        """The newest verdict of that snapshot."""
        ...

    # set aside
    def save_set_aside(self, item: SetAside) -> None: ...

    def set_aside(self, table: TableName, after_batch: int) -> tuple[SetAside, ...]:
        """Discards of the table that concern batches above ``after_batch``."""
        ...

    # releases
    def save_release(self, release: Release) -> None:
        """Insert or update by id; ``pending`` before the catalog commit, then ``published`` or ``aborted``."""
        ...

    def release(self, release_id: str) -> Release | None: ...

    def releases(self, pipeline: str | None = None, limit: int = 20) -> tuple[Release, ...]:
        """Newest first, every status."""
        ...

    def pending_releases(self, pipeline: str) -> tuple[Release, ...]: ...

    def current(self, layers: Sequence[Layer] | None = None) -> tuple[Release, ...]:
        """In one statement: of each pipeline the newest published bronze and the newest published audited (or
        rollback) release. This is the only way readers resolve tables (rule 19).
        """
        ...

    # leases
    def acquire(
        self, tables: Sequence[TableName], run_key: str, holder: str, ttl_seconds: float, takeover: bool = False
    ) -> tuple[Lease, ...]:
        """Take all leases or none. The same run key renews with a new token after a gap.

        :param takeover: the holder's run is known to be terminal: an expired lease may be taken. A lease of
            another run is never taken while it has not expired, and an expired one only with ``takeover``.
        :returns: the leases of this run when all were taken; else the leases of others that stand in the way.
        """
        ...

    def heartbeat(self, run_key: str, ttl_seconds: float) -> bool:
        """Extend all leases of the run; False when any was lost."""
        ...

    def release_leases(self, run_key: str) -> None: ...

    def leases(self) -> tuple[Lease, ...]: ...

    # jobs elsewhere
    def save_job(self, record: JobRecord) -> None:
        """Insert, or overwrite what is known of this run's job for the table."""
        ...

    def job(self, run_key: str, table: str) -> JobRecord | None: ...

    # chunks of long reads
    def claim_chunks(self, claim: ChunkClaim) -> tuple[Chunk, ...]:
        """Make this attempt the only one that may write them; what is finished under the same plan, in order.

        Chunks of another plan are forgotten; their files are left to maintenance, as those of any dead attempt.
        """
        ...

    def save_chunk(self, claim: ChunkClaim, chunk: Chunk) -> None:
        """Record a finished chunk. :raises StagingError: when the claim has passed to another attempt."""
        ...

    def drop_chunks(self, claim: ChunkClaim, first: int) -> None:
        """Forget chunks from this number on. :raises StagingError: when the claim has passed to another attempt."""
        ...

    def forget_chunks(self, run_key: str, table: str) -> None:
        """Drop the ledger, claim included: its files are committed, or nobody will commit them."""
        ...

    # preflight cache
    def preflight_green(self, content_hash: str) -> bool: ...

    def save_preflight_green(self, content_hash: str, at: datetime) -> None: ...
