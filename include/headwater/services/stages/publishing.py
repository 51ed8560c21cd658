"""publish_bronze and publish: show exactly what was judged, everything of a release at one instant."""

from __future__ import annotations

from headwater.domain.names import Layer
from headwater.domain.release import Move, Release, ReleaseKind
from headwater.domain.staging import StagedTable
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.consumer_tags import drop_stale_tags, tag_inputs
from headwater.services.context import RunContext, planned
from headwater.services.holding import is_open, open_groups
from headwater.services.publication import publish_moves
from headwater.services.report import ChangedTable, StageReport, TableOutcome
from headwater.services.staged import awaiting


def publish_bronze(platform: Platform, run: RunContext) -> StageReport:
    """Make each bronze table whose own gate passed visible (rule 20).

    :raises StaleBaseError: when a table moved since it was staged; terminal for the attempt (rule 18).
    """
    waiting = [r for r in awaiting(platform, run, "extract_to_bronze") if r.staged.table.layer is Layer.BRONZE]
    passed = [record for record in waiting if is_open(platform, run, record)]
    held = tuple(str(record.staged.table) for record in waiting if record not in passed)
    return _publish(platform, run, "bronze", passed, held)


def publish(platform: Platform, run: RunContext) -> StageReport:
    """Make silver and gold of every open publish group visible, in one atomic release (rules 16-20).

    :raises StaleBaseError: when a table moved since it was staged; terminal for the attempt (rule 18).
    """
    groups = open_groups(platform, run)
    for record in groups.held:
        platform.runs.mark_staged(record.staged.attempt, record.staged.table, "held")
    held = tuple(str(record.staged.table) for record in groups.held)
    return _publish(platform, run, "audited", list(groups.moving), held)


def _publish(
    platform: Platform, run: RunContext, kind: ReleaseKind, records: list[StagedRecord], held: tuple[str, ...]
) -> StageReport:
    stage = "publish_bronze" if kind == "bronze" else "publish"
    if not records:
        return StageReport(stage=stage, held=held, message="nothing new to show")
    failpoint(f"{stage}.begin")
    release = publish_records(platform, run, kind, records, held)
    failpoint(f"{stage}.end")
    rows = {item.table: item.rows or 0 for item in release.tables}
    staged = [record.staged for record in records]
    outcomes = tuple(TableOutcome(table=str(s.table), status="published", rows=rows[s.table]) for s in staged)
    changed = tuple(ChangedTable(table=s.table, snapshot_id=s.staged, rows=rows[s.table]) for s in staged)
    return StageReport(stage=stage, outcomes=outcomes, changed=changed, held=held, release=release.id)


def publish_records(
    platform: Platform, run: RunContext, kind: ReleaseKind, records: list[StagedRecord], held: tuple[str, ...] = ()
) -> Release:
    """One release of these stagings; every earlier staging of their tables that was held is settled by it."""
    moves = [Move.of(record.staged) for record in records]
    rows = {record.staged.table: _rows(platform, record.staged) for record in records}
    inputs = planned(platform, run).inputs
    release = publish_moves(platform, run, kind, moves, rows, held=held, inputs=inputs)
    for record in records:
        tag_inputs(platform, run.spec, record.staged)
        platform.runs.mark_staged(record.staged.attempt, record.staged.table, "published")
        _settle_held(platform, record)
        if record.staged.table.layer is not Layer.BRONZE:  # silver alone reads bronze, by batches
            drop_stale_tags(platform, run.spec, record.staged.table)
    return release


def _rows(platform: Platform, staged: StagedTable) -> int:
    """What readers take for the table's rows, as its gate counted them: a staging counts kept tombstones, too."""
    verdict = platform.runs.verdict(staged.table, staged.staged)
    return staged.rows if verdict is None or verdict.rows is None else verdict.rows


def _settle_held(platform: Platform, published: StagedRecord) -> None:
    """A later run that covers a held window replaces it (rule 21)."""
    for held in platform.runs.held(published.staged.table):
        if held.staged.attempt != published.staged.attempt:
            platform.runs.mark_staged(held.staged.attempt, held.staged.table, "superseded")
            platform.catalog.drop_branches(held.staged.table, [held.staged.branch])
