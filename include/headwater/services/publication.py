"""One publish: a release of the tables that move, listing all tables of the pipeline (rules 16-19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headwater.domain.names import Layer, TableName
from headwater.domain.release import Move, Release, ReleasedTable, ReleaseKind
from headwater.ports.platform import Platform
from headwater.services.context import RunContext
from headwater.services.releases import Publication, publish_release

LAYERS = {"bronze": (Layer.BRONZE,), "audited": (Layer.SILVER, Layer.GOLD), "quarantine": (Layer.QUARANTINE,)}


def publish_moves(
    platform: Platform,
    run: RunContext,
    kind: ReleaseKind,
    moves: Sequence[Move],
    rows: Mapping[TableName, int],
    held: tuple[str, ...] = (),
    inputs: Mapping[str, int] | None = None,
) -> Release:
    """Publish the moves as a release of ``kind``, carrying every other table of the pipeline as it was released."""
    moving = {move.table for move in moves}
    unmoved = tuple(t for t in _released(platform, run.spec.name, kind) if t.table not in moving)
    return publish_release(
        platform.runs,
        platform.catalog,
        platform.clock,
        Publication(
            run_key=run.key,
            pipeline=run.spec.name,
            kind=kind,
            moves=moves,
            unmoved=unmoved,
            held=held,
            inputs=dict(inputs or {}),
            bundle_version=run.bundle_version,
            rows=rows,
        ),
    )


def _released(platform: Platform, pipeline: str, kind: str) -> tuple[ReleasedTable, ...]:
    layers = LAYERS[kind]
    return tuple(
        table.model_copy(update={"moved": False})
        for release in platform.runs.current(layers)
        if release.pipeline == pipeline
        for table in release.tables
        if table.table.layer in layers
    )
