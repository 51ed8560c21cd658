"""What maintenance sees of tables, and the changes only it makes (rules 24, 41; ADR 18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.names import TableName
from headwater.domain.staging import TableState
from headwater.ports.leftovers import Leftovers
from headwater.ports.platform import Platform


class SnapshotFacts(Value):
    """A snapshot as its summary tells it; counts are of the whole table at that snapshot."""

    id: int
    parent: int | None
    created_at: AwareDatetime
    data_files: int = 0
    delete_files: int = 0
    size_bytes: int = 0
    rows: int = 0
    """Rows less those that position deletes take away."""


class TableHistory(Value):
    """One physical table: its snapshots and what names them."""

    table: str
    """Dotted, with the mark of a physical table beside the name."""
    main: int | None
    branches: dict[str, int] = Field(default_factory=dict)
    tags: dict[str, int] = Field(default_factory=dict)
    state: TableState | None = None
    snapshots: tuple[SnapshotFacts, ...] = ()
    mains: tuple[tuple[AwareDatetime, int], ...] = ()
    """Since when which snapshot was ``main``, oldest first, as far as the table remembers."""
    ancestry: dict[int, int] = Field(default_factory=dict)
    """Snapshot -> its nearest ancestor that is still there, where its parent has expired."""
    metadata_location: str
    manifests: int = 0
    """Manifests of ``main``."""
    is_sorted: bool = False

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(snapshot.id for snapshot in self.snapshots)

    def snapshot(self, snapshot_id: int | None) -> SnapshotFacts | None:
        return next((item for item in self.snapshots if item.id == snapshot_id), None)


def parents_of(history: TableHistory) -> dict[int, int | None]:
    """Snapshot -> the one it was made on, or the nearest before that which is there still, as far as that is known."""
    return {item.id: history.ancestry.get(item.id, item.parent) for item in history.snapshots}


def ancestors(history: TableHistory, snapshot_id: int | None) -> Iterator[int]:
    """The snapshot and those it was made on, newest first, as far as they are there."""
    parents = parents_of(history)
    while snapshot_id is not None and snapshot_id in parents:
        yield snapshot_id
        snapshot_id = parents.pop(snapshot_id)


class LakeUpkeep(Protocol):
    """Implementations raise CatalogError when the catalog or its storage does not answer."""

    def history(self, table: TableName) -> TableHistory | None:
        """The physical table as it is now, or None when it does not exist."""
        ...

    def merge_manifests(self, table: TableName, branch: str) -> int | None:
        """Write the branch's small manifests together, in one snapshot of equal content on the branch.

        :returns: the snapshot, or None when there was nothing to merge.
        """
        ...

    def note_ancestry(self, table: TableName, ancestry: Mapping[int, int]) -> None:
        """Remember ancestors beyond snapshots that are about to expire, so that ``is_ancestor`` still finds them."""
        ...


class MaintainingPlatform(Platform, Protocol):
    """The platform of maintenance, which reaches what no run does."""

    @property
    def upkeep(self) -> LakeUpkeep: ...

    @property
    def leftovers(self) -> Sequence[Leftovers]: ...
