"""What earlier tries of a run left behind, and whether it can be used again (rules 8, 9, 21)."""

from __future__ import annotations

from headwater.domain.names import TableName
from headwater.domain.staging import StageName
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.context import RunContext


def reusable(
    platform: Platform, run: RunContext, stage: StageName, table: TableName, inputs_hash: str
) -> StagedRecord | None:
    """The run's own staging of a table, when it was published, or when its inputs and its branch still stand."""
    for record in platform.runs.staged(run.key, stage):
        if record.staged.table != table:
            continue
        if record.status == "published":
            return record
        if record.status in {"staged", "held"} and record.inputs_hash == inputs_hash and _stands(platform, record):
            return record
    return None


def _stands(platform: Platform, record: StagedRecord) -> bool:
    head = platform.catalog.head(record.staged.table)
    if head is None or head.main != record.staged.base:
        return False
    return head.branches.get(record.staged.branch) == record.staged.staged


def is_superseded(platform: Platform, run: RunContext, stage: StageName, table: TableName) -> bool:
    """Whether a later run covers what this one held of a table (rule 21): there is nothing left for it to do."""
    return any(r.staged.table == table and r.status == "superseded" for r in platform.runs.staged(run.key, stage))


def awaiting(platform: Platform, run: RunContext, stage: StageName) -> tuple[StagedRecord, ...]:
    """Stagings of this run that a gate or a publish still has to deal with."""
    return tuple(r for r in platform.runs.staged(run.key, stage) if r.status in {"staged", "held"})
