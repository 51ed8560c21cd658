"""Which snapshots of a table must stay (rule 41). Pure: no catalog, no store, no clock.

What may go is named one by one, from a history that was read *before* what is needed was: whatever comes into being
later is not in it, and what a later reader can name is needed already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from headwater.domain.base import Value
from headwater.domain.names import TableName
from headwater.domain.release import Release
from headwater.ports.upkeep import TableHistory, ancestors, parents_of
from headwater.services.consumer_tags import CONSUMER_TAG


class Needed(Value):
    """What the run store's records need of a table, whichever physical table it lies in."""

    snapshots: frozenset[int] = frozenset()
    paths: frozenset[str] = frozenset()
    """Metadata files that releases name, and state files that their states name."""
    branches: frozenset[str] = frozenset()
    """Of live and held attempts."""
    attempts: frozenset[str] = frozenset()


def kept_releases(releases: Sequence[Release], cutoff: datetime) -> tuple[Release, ...]:
    """Releases somebody may read or roll back to: those that were current at any instant since the cutoff.

    Of each line these are the published ones since then and the newest from before; and every intent that is open.

    :param releases: of one pipeline, newest first.
    """
    kept: list[Release] = []
    reached: set[str] = set()
    for release in releases:
        if release.status == "pending":
            kept.append(release)
        elif release.status == "published" and release.scope not in reached:
            kept.append(release)
            if (release.published_at or release.created_at) < cutoff:
                reached.add(release.scope)
    return tuple(kept)


def needed_of_releases(table: TableName, releases: Sequence[Release]) -> Needed:
    """What kept releases need of a table."""
    items = [item for release in releases for item in release.tables if item.table == table]
    moves = [move for release in releases if release.status == "pending" for move in release.moves]
    bases = {move.base for move in moves if move.table == table and move.base is not None}
    states = [item.state for item in items if item.state is not None]
    paths = {item.metadata_location for item in items} | {path for s in states for path in (s.ledger, s.source_columns)}
    return Needed(
        snapshots=frozenset({item.snapshot_id for item in items} | bases),
        paths=frozenset(path for path in paths if path),
    )


def kept_snapshots(history: TableHistory, needed: Needed, cutoff: datetime) -> frozenset[int]:
    """Every snapshot that something may still ask for.

    Heads of branches and tags, what attempts were cut from, what ``main`` was since the cutoff (a database restored to
    an instant since then points there), what readers know ``main`` as, and what the records need.
    """
    kept = set(needed.snapshots) | set(history.tags.values()) | set(_mains_since(history, cutoff))
    if history.main is not None:
        kept.add(history.main)
    if history.state is not None and history.state.stands_for is not None:
        kept.add(history.state.stands_for)
    line = set(ancestors(history, history.main))
    for head in history.branches.values():
        for snapshot in ancestors(history, head):
            kept.add(snapshot)
            if snapshot in line:
                break
    return frozenset(kept & history.ids)


def expirable(history: TableHistory, kept: frozenset[int], most: int) -> tuple[int, ...]:
    """Snapshots that may go, oldest first, at most so many."""
    gone = [item for item in history.snapshots if item.id not in kept]
    return tuple(item.id for item in sorted(gone, key=lambda item: (item.created_at, item.id)))[:most]


def bridges(history: TableHistory, gone: Sequence[int]) -> dict[int, int]:
    """Of each snapshot that stays and whose parent does not: its nearest ancestor that stays.

    By it gold that follows a table still finds that what it was built from is an ancestor (rule 38).
    """
    leaving, above = set(gone), parents_of(history)
    beyond: dict[int, int | None] = {}
    found: dict[int, int] = {}
    for item in history.snapshots:
        parent = above[item.id]
        is_bridged = item.id in history.ancestry or parent in leaving
        if item.id in leaving or parent not in above or not is_bridged:
            continue
        nearest = _staying(parent, leaving, above, beyond)
        if nearest is not None:
            found[item.id] = nearest
    return found


def _staying(
    snapshot: int | None, leaving: set[int], above: Mapping[int, int | None], beyond: dict[int, int | None]
) -> int | None:
    """The snapshot, or else its nearest ancestor that stays.

    :param beyond: what was found of leaving snapshots. Histories are long, and each is walked over once.
    """
    walked: list[int] = []
    while snapshot in leaving and snapshot not in beyond and snapshot in above:
        beyond[snapshot] = None  # a line that meets itself ends here
        walked.append(snapshot)
        snapshot = above[snapshot]
    stays = snapshot is not None and snapshot in above and snapshot not in leaving
    nearest = snapshot if stays or snapshot is None else beyond.get(snapshot)
    beyond.update(dict.fromkeys(walked, nearest))
    return nearest


def may_drop(history: TableHistory, needed: Needed) -> bool:
    """Whether a replaced physical table may go: nothing that is needed or branched off lies in it (ADR 11).

    Tags of consumers do not keep it: what was built from it is made anew from the table that took its place. A tag
    that somebody else set does.
    """
    foreign = [name for name in history.tags if not name.startswith(CONSUMER_TAG)]
    return not (history.ids & needed.snapshots or foreign or history.branches)


def _mains_since(history: TableHistory, cutoff: datetime) -> Iterator[int]:
    before: int | None = None
    for since, snapshot in history.mains:
        if since < cutoff:
            before = snapshot
        else:
            yield snapshot
    if before is not None:
        yield before
