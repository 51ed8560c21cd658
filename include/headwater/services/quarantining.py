"""Quarantine publishes on its own, also when a gate closes (rule 40)."""

from __future__ import annotations

from headwater.domain.names import Layer
from headwater.domain.release import Move
from headwater.domain.staging import StageName
from headwater.ports.platform import Platform
from headwater.services.context import RunContext
from headwater.services.publication import publish_moves
from headwater.services.staged import awaiting


def publish_quarantine(platform: Platform, run: RunContext, stage: StageName) -> None:
    """Make the rows a stage diverted visible in their quarantine tables. Publishing again changes nothing."""
    records = [r for r in awaiting(platform, run, stage) if r.staged.table.layer is Layer.QUARANTINE]
    if not records:
        return
    moves = [Move.of(record.staged) for record in records]
    publish_moves(platform, run, "quarantine", moves, {r.staged.table: r.staged.rows for r in records})
    for record in records:
        platform.runs.mark_staged(record.staged.attempt, record.staged.table, "published")
