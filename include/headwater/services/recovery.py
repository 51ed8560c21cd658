"""What became of intents whose publisher did not say."""

from __future__ import annotations

from headwater.domain.names import TableName
from headwater.domain.release import Release
from headwater.domain.release_errors import TornReleaseError
from headwater.ports.catalog import Catalog, TableHead
from headwater.ports.run_store import RunStore

_LOOK_BACK = 50
"""Releases of a pipeline looked at: an aborted one is looked at again, because its publisher may only have slept."""


def recover_releases(runs: RunStore, catalog: Catalog, pipeline: str) -> tuple[Release, ...]:
    """Settle every intent of the pipeline by what its tables carry; returns those that turned out published.

    Called before every publish and by whoever acquires the pipeline's leases. An aborted intent is looked at, too: its
    publisher may have been paused, not dead, and have committed since. When nothing is open, no table is read.

    :raises TornReleaseError: when some tables of one release carry it and others do not.
    """
    recent = runs.releases(pipeline, limit=_LOOK_BACK)
    doubtful = {release.id: release for release in (*recent, *runs.pending_releases(pipeline))}
    heads: dict[TableName, TableHead | None] = {}
    published: list[Release] = []
    for release in sorted(doubtful.values(), key=lambda found: found.created_at):
        if release.status == "published" or not release.moves:
            continue
        for move in release.moves:
            if move.table not in heads:
                heads[move.table] = catalog.head(move.table)
        settled = _settled(release, heads)
        if settled.status != release.status:
            runs.save_release(settled)
        if settled.status == "published":
            published.append(settled)
    return tuple(published)


def _settled(release: Release, heads: dict[TableName, TableHead | None]) -> Release:
    carrying = {move.table for move in release.moves if _carries(heads[move.table], release.id)}
    if not carrying:
        return release.model_copy(update={"status": "aborted"})
    if len(carrying) != len(release.moves):
        missing = sorted(move.table.dotted for move in release.moves if move.table not in carrying)
        raise TornReleaseError(
            f"release {release.id} moved {len(carrying)} of its {len(release.moves)} tables",
            got="without it: " + ", ".join(missing)[:500],
            allowed="all tables of a release, or none",
            remedy="somebody changed headwater.state or a table by hand; roll back to the release before this one",
            facts={"release": release.id, "pipeline": release.pipeline},
        )
    return release.model_copy(
        update={
            "status": "published",
            # the instant of the commit is unknown; the intent's is the nearest that is known
            "published_at": release.created_at,
            "tables": tuple(
                item.model_copy(update={"metadata_location": _location(heads[item.table])}) if item.moved else item
                for item in release.tables
            ),
        }
    )


def _carries(head: TableHead | None, release_id: str) -> bool:
    return head is not None and head.state is not None and head.state.release == release_id


def _location(head: TableHead | None) -> str:
    # newer metadata of the same table still holds the snapshot
    return "" if head is None else head.metadata_location
