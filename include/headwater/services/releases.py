"""Publish with intent, and the recovery of intents whose publisher died (rules 16 to 19, 22).

The intent is in the run store before the catalog commits, and every moved table says in ``headwater.state`` which
release moved it. So whoever comes next can tell what became of an intent: every table carries its id, or none does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from headwater.domain.errors import CatalogError, HeadwaterError, StaleBaseError
from headwater.domain.names import TableName
from headwater.domain.release import Move, Release, ReleasedTable, ReleaseKind
from headwater.ports.catalog import Catalog
from headwater.ports.clock import Clock
from headwater.ports.failpoints import failpoint
from headwater.ports.run_store import RunStore
from headwater.services.recovery import recover_releases


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """What one publish of a run is to show.

    :param unmoved: the pipeline's other tables as they were last released; brought up to date by recovery.
    :param held: dotted tables that it has to leave out.
    :param inputs: what it was made from: dotted table -> snapshot.
    :param rows: of the tables that move, as readers count them.
    """

    run_key: str
    pipeline: str
    kind: ReleaseKind
    moves: Sequence[Move]
    unmoved: Sequence[ReleasedTable]
    held: Sequence[str] = ()
    inputs: Mapping[str, int] = field(default_factory=dict)
    bundle_version: str | None = None
    rows: Mapping[TableName, int] = field(default_factory=dict)


def publish_release(runs: RunStore, catalog: Catalog, clock: Clock, wanted: Publication) -> Release:
    """Move all tables at one instant and record the release. Moves this run has published already are left out.

    :raises StaleBaseError: when a base or branch is not what its move says; nothing moved.
    :raises CatalogError: when the catalog did not answer and the publish is known not to have happened.
    """
    if not wanted.moves:
        raise ValueError("a publish moves at least one table")
    recover_releases(runs, catalog, wanted.pipeline)
    done, left = _split(runs, wanted)
    if done is not None and not left:
        return done
    intent = _intent(clock, wanted, left)
    tables = (*_moved(intent, wanted.rows), *_standing(runs, wanted, intent.moves))
    intent = intent.model_copy(update={"tables": tuple(sorted(tables, key=lambda item: item.table.dotted))})
    failpoint("publish.before_intent")
    runs.save_release(intent)
    failpoint("publish.after_intent")
    try:
        locations = catalog.publish(intent.moves)
    except (StaleBaseError, CatalogError) as refusal:
        return _after_refusal(runs, catalog, intent, refusal)
    failpoint("publish.before_mark")
    published = mark_published(runs, clock, intent, locations)
    failpoint("publish.after_mark")
    return published


def mark_published(runs: RunStore, clock: Clock, intent: Release, locations: Mapping[str, str]) -> Release:
    """Record that the catalog has committed the intent; ``locations`` are the moved tables' metadata files."""
    tables = tuple(
        item.model_copy(update={"metadata_location": locations[item.table.dotted]}) if item.moved else item
        for item in intent.tables
    )
    published = intent.model_copy(update={"status": "published", "published_at": clock.now(), "tables": tables})
    runs.save_release(published)
    return published


def _after_refusal(runs: RunStore, catalog: Catalog, intent: Release, refusal: HeadwaterError) -> Release:
    """Refused, or no answer: the tables say what happened, to this intent or to a twin of it thought dead."""
    recover_releases(runs, catalog, intent.pipeline)
    done, left = _split(runs, intent)
    if done is None or left:
        raise refusal
    return done


def _split(runs: RunStore, wanted: Publication | Release) -> tuple[Release | None, tuple[Move, ...]]:
    """The newest release this run has published of these moves, and the moves that none of its releases has."""
    mine = [
        release
        for release in runs.releases(wanted.pipeline, limit=50)
        if (release.run_key, release.kind, release.status) == (wanted.run_key, wanted.kind, "published")
    ]
    targets = {(move.table, move.target) for move in wanted.moves}
    with_any = [release for release in mine if targets & _targets([release])]
    left = tuple(move for move in wanted.moves if (move.table, move.target) not in _targets(mine))
    return (with_any[0] if with_any else None), left


def _targets(releases: Collection[Release]) -> set[tuple[TableName, int]]:
    return {(move.table, move.target) for release in releases for move in release.moves}


def _intent(clock: Clock, wanted: Publication, moves: Sequence[Move]) -> Release:
    now = clock.now()
    release_id = f"r-{now:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
    stamped = tuple(
        move.model_copy(update={"state": move.state.model_copy(update={"release": release_id})}) for move in moves
    )
    return Release(
        id=release_id,
        run_key=wanted.run_key,
        pipeline=wanted.pipeline,
        kind=wanted.kind,
        status="pending",
        created_at=now,
        moves=stamped,
        inputs=dict(wanted.inputs),
        held=tuple(wanted.held),
        bundle_version=wanted.bundle_version,
    )


def _moved(intent: Release, rows: Mapping[TableName, int]) -> list[ReleasedTable]:
    return [
        ReleasedTable(
            table=move.table,
            snapshot_id=move.target,
            metadata_location="",
            rows=rows.get(move.table),
            state=move.state,
        )
        for move in intent.moves
    ]


def _standing(runs: RunStore, wanted: Publication, moves: Sequence[Move]) -> list[ReleasedTable]:
    """The other tables as readers see them at this instant: recovery may just have completed a newer release."""
    moving = {move.table for move in moves}
    current = {
        item.table: item for release in runs.current() if release.pipeline == wanted.pipeline for item in release.tables
    }
    standing = (current.get(item.table, item) for item in wanted.unmoved if item.table not in moving)
    return [item.model_copy(update={"moved": False}) for item in standing]
