"""Held tables and open publish groups (rules 20, 21)."""

from __future__ import annotations

import hashlib

from headwater.domain.base import Value
from headwater.domain.errors import HeadwaterError
from headwater.domain.incident import Failure
from headwater.domain.names import Layer, TableName
from headwater.domain.staging import StageName
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.context import RunContext
from headwater.services.staged import awaiting

AUDITED_STAGES: tuple[StageName, ...] = ("refine_to_silver", "build_gold")


class Groups(Value):
    """Publish groups of a run. ``moving`` holds the stagings of open groups; ``held`` those that must wait."""

    moving: tuple[StagedRecord, ...] = ()
    held: tuple[StagedRecord, ...] = ()


def open_groups(platform: Platform, run: RunContext) -> Groups:
    """Sort the run's silver and gold stagings by whether every member of their group may be released.

    A group is closed by a member whose verdict failed, that was never judged, or that failed to be staged.
    """
    waiting = {
        record.staged.table: record
        for stage in AUDITED_STAGES
        for record in awaiting(platform, run, stage)
        if record.staged.table.layer is not Layer.QUARANTINE
    }
    broken = broken_tables(platform, run)
    moving: list[StagedRecord] = []
    held: list[StagedRecord] = []
    for group in platform.model.publish_groups(run.spec):
        members = [waiting[name] for name in group if name in waiting]
        closed = any(name in broken for name in group) or any(not is_open(platform, run, r) for r in members)
        (held if closed else moving).extend(members)
    return Groups(moving=tuple(moving), held=tuple(held))


def is_open(platform: Platform, run: RunContext, record: StagedRecord) -> bool:
    """Only a verdict for exactly the staged snapshot, by the contract the run works by, opens the way (15, 18)."""
    verdict = platform.runs.verdict(record.staged.table, record.staged.staged)
    if verdict is None or verdict.contract_hash != contract_hash(run, record.staged.table):
        return False
    return verdict.opens


def contract_hash(run: RunContext, table: TableName) -> str:
    """What a verdict of the table is bound to besides its snapshot."""
    return hashlib.sha256(run.spec.contracts.get(table.dotted, "").encode()).hexdigest()


def broken_tables(platform: Platform, run: RunContext) -> frozenset[TableName]:
    """Tables of this run that failed before they could be staged, and were not staged since.

    ``close_run`` lists held tables in the same place; their stagings tell them apart, so that a cleared run whose gate
    opens now is not closed by how it ended before.
    """
    record = platform.runs.run(run.key)
    if record is None or not record.held:
        return frozenset()
    staged = {item.staged.table for item in platform.runs.staged(run.key) if item.status != "discarded"}
    return frozenset(TableName.parse(text) for text in record.held) - staged


def hold(platform: Platform, run: RunContext, record: StagedRecord, error: HeadwaterError, stage: str) -> None:
    """Keep a staging for a person to decide on, and tell the one responsible."""
    platform.runs.mark_staged(record.staged.attempt, record.staged.table, "held")
    report_held(platform, run, record.staged.table, error, stage)


def report_held(platform: Platform, run: RunContext, table: TableName, error: HeadwaterError, stage: str) -> None:
    """Open or count up the incident of a table that a stage had to leave behind."""
    failure = Failure(
        pipeline=run.spec.name,
        run_id=run.run_key.run_id,
        task_id=f"{stage}:{table.dotted}",
        kind="held",
        cause=error.code,
        table=table.dotted,
        message=error.message,
        facts={**error.facts, "table": table.dotted},
        seen_at=platform.clock.now(),
        try_number=run.try_number,
        run_url=run.run_url,
        log_url=run.log_url,
    )
    platform.report(failure, run.spec)


def remember_broken(platform: Platform, run: RunContext, tables: tuple[TableName, ...]) -> None:
    """Note tables that failed before staging, so that their groups stay closed in this run."""
    record = platform.runs.run(run.key)
    if record is not None:
        platform.runs.save_run(record.model_copy(update={"held": tuple(sorted(t.dotted for t in tables))}))
